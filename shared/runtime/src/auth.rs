//! Who may: API keys, stored as their SHA-256, each with a role.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use domain::catalog::Role;
use domain::id::sha256_hex;
use jiff::Timestamp;
use store::Store;

use crate::clock::Clock;
use crate::http::{Answer, Request};

/// How long a key's role is believed without asking again: so long after its removal it still works.
const BELIEVED: Duration = Duration::from_secs(60);
/// Keys that are remembered at once; a flood of wrong keys must not fill the memory.
const MAX_REMEMBERED: usize = 1000;

/// Knows what a request's key allows.
#[derive(Debug)]
pub struct Keys {
    store: Store,
    clock: Clock,
    known: Mutex<HashMap<String, (Timestamp, Option<Role>)>>,
}

impl Keys {
    /// Keys of the reference table.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            known: Mutex::default(),
        }
    }

    /// The role of the request's key, sent as `Authorization: Bearer KEY` or `X-Api-Key: KEY`; 401 if
    /// it has none that we know. The key is found by its hash, so that how long the search takes says
    /// nothing about it.
    pub async fn role(&self, request: &Request) -> Result<Role, Answer> {
        let bearer = request.header("authorization").and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        let key = bearer
            .or_else(|| request.header("x-api-key"))
            .unwrap_or_default();
        let unknown = || {
            let detail = "send a valid API key as `Authorization: Bearer KEY`";
            Answer::problem(401, "unauthorised", "Who are you?", detail)
        };
        if key.is_empty() {
            return Err(unknown());
        }
        let digest = sha256_hex(key.as_bytes());
        if let Some(role) = self.remembered(&digest) {
            return role.ok_or_else(unknown);
        }
        let role = self.store.role(&digest).await?;
        self.remember(digest, role.clone());
        role.ok_or_else(unknown)
    }

    /// Lets operators pass, and nobody else.
    pub async fn operator(&self, request: &Request) -> Result<(), Answer> {
        match self.role(request).await? {
            Role::Operator => Ok(()),
            Role::Warehouse(_) | Role::Reader => Err(forbidden("an operator's key")),
        }
    }

    /// Lets those pass who may read everything.
    pub async fn reader(&self, request: &Request) -> Result<(), Answer> {
        match self.role(request).await? {
            Role::Operator | Role::Reader => Ok(()),
            Role::Warehouse(_) => Err(forbidden("an operator's or reader's key")),
        }
    }

    fn remembered(&self, digest: &str) -> Option<Option<Role>> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (since, role) = known.get(digest)?;
        self.clock.within(*since, BELIEVED).then(|| role.clone())
    }

    fn remember(&self, digest: String, role: Option<Role>) {
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(digest, (self.clock.now(), role));
    }
}

/// 403: the key is known, and does not allow this.
pub fn forbidden(needs: &str) -> Answer {
    let detail = format!("this needs {needs}");
    Answer::problem(403, "forbidden", "Your key does not allow this", &detail)
}
