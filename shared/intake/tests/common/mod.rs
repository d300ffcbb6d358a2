//! A vendor that answers as it is told to, and the way to it.

// Each test binary uses a part of it.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod stock;
mod updates;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use channels::Hint;
use channels::stock::{Available, Refusals};
use channels::updates::Update;
use channels::vendor::Page;
use domain::poll::{Poll, Walk};
use intake::{Failure, PublicKeys, Vendors};
use jiff::Timestamp;
use runtime::Clock;
use runtime::secrets::{Secrets, Vault};
use runtime::web::Https;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub use stock::*;
pub use updates::*;

#[derive(Default)]
pub struct Safe(Mutex<HashMap<String, String>>);

#[async_trait]
impl Vault for Safe {
    async fn read(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.0.lock().unwrap().get(name).cloned())
    }
}

/// A vendor, and the way to it.
pub struct World {
    pub server: MockServer,
    pub vendors: Vendors,
    pub public_keys: PublicKeys,
    pub safe: Arc<Safe>,
    /// Seconds that have passed.
    pub passed: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> Self {
        let safe = Arc::new(Safe::default());
        let passed = Arc::new(AtomicI64::new(0));
        let seconds = Arc::clone(&passed);
        let clock = Clock::new(move || at(seconds.load(Ordering::SeqCst)));
        let secrets = Secrets::new(safe.clone(), "api-x/".into(), clock.clone());
        let web = Arc::new(Https::default());
        Self {
            server: MockServer::start().await,
            public_keys: PublicKeys::new(web.clone(), secrets.clone(), clock.clone()),
            vendors: Vendors::new(web, secrets, clock),
            safe,
            passed,
        }
    }

    /// An account of a channel: `@` in its access is where the vendor is.
    pub fn access(&self, channel: &str, access: &Value) {
        let text = access.to_string().replace('@', &self.server.uri());
        let name = format!("api-x/{channel}/main");
        self.safe.0.lock().unwrap().insert(name, text);
    }

    pub async fn on(&self, mock: wiremock::MockBuilder, answer: ResponseTemplate, times: u64) {
        mock.respond_with(answer)
            .up_to_n_times(times)
            .expect(times)
            .mount(&self.server)
            .await;
    }

    pub async fn order(&self, channel: &str, id: &str) -> Result<Vec<u8>, Failure> {
        let channel = channels::by_name(channel).unwrap();
        self.vendors.order(channel, "main", id).await
    }

    pub async fn page(&self, channel: &str, from: i64, page: &str) -> Result<Page, Failure> {
        let channel = channels::by_name(channel).unwrap();
        let changes = channel.api().unwrap().changes().unwrap();
        let walk = Walk {
            from: at(from),
            page: page.into(),
            ..Poll::new(channel.name(), "main", at(0)).walk(at(0))
        };
        self.vendors.changes(channel, changes, "main", &walk).await
    }

    pub async fn set(
        &self,
        channel: &str,
        key: &str,
        available: &[Available],
    ) -> Result<Refusals, Failure> {
        let channel = channels::by_name(channel).unwrap();
        self.vendors.set(channel, "main", key, available).await
    }

    pub async fn tell(&self, channel: &str, update: &Update) -> Result<(), Failure> {
        let channel = channels::by_name(channel).unwrap();
        self.vendors.tell(channel, "main", update).await
    }
}

pub fn at(second: i64) -> Timestamp {
    let begin: Timestamp = "2026-11-26T16:00:00Z".parse().unwrap();
    Timestamp::from_second(begin.as_second() + second).unwrap()
}

pub fn get(at: &str) -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path(at.to_owned()))
}

pub fn json_of(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub fn token(token: &str) -> ResponseTemplate {
    json_of(json!({"access_token": token, "token_type": "bearer", "expires_in": 3600}))
}

pub fn sample(channel: &str) -> Value {
    let at = format!(
        "{}/../../events/channels/{channel}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(at).unwrap()).unwrap()
}

/// The total of an order's document in minor units, and the channel's own id of it.
pub fn total(channel: &str, document: &[u8]) -> (i64, String) {
    let new = channels::by_name(channel).unwrap().parse(document, "main");
    let new = new.unwrap();
    (new.stated_total.unwrap(), new.source.external_id)
}

pub fn hint(id: &str, as_of: &str) -> Hint {
    Hint {
        external_id: id.into(),
        as_of: Some(as_of.parse().unwrap()),
    }
}
