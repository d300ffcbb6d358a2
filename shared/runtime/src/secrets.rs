//! Secrets by name from Secrets Manager. Several are valid at a time, so that one can be replaced
//! while its users still sign with the old one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use jiff::Timestamp;
use serde_json::Value;

use crate::clock::Clock;

/// What the names of secrets that open channels' APIs have before the prefix of the others.
pub const ACCESS_PREFIX: &str = "api-";
/// What the names of secrets that open payment providers' APIs have before the prefix of the others.
pub const PAYMENTS_PREFIX: &str = "payments-";
/// What the names of secrets that subscribers' events are signed with have before the prefix of the others.
pub const SIGNING_PREFIX: &str = "events-";
/// How long a secret is used without asking again.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long at least, when a signature did not match: it may have been replaced meanwhile.
const BELIEVED_IN_DOUBT: Duration = Duration::from_secs(10);
/// Names that are remembered at once; a flood of names that do not exist must not fill the memory.
const MAX_REMEMBERED: usize = 1000;

/// The secrets of one name: the newest first.
pub type Valid = Arc<Vec<String>>;

/// Keeps secrets.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The text of the secret of this name, if there is one.
    async fn read(&self, name: &str) -> Result<Option<String>, String>;
}

/// AWS Secrets Manager.
pub(crate) fn manager(aws: &aws_types::SdkConfig) -> Arc<dyn Vault> {
    Arc::new(Client::new(aws))
}

#[async_trait]
impl Vault for Client {
    async fn read(&self, name: &str) -> Result<Option<String>, String> {
        match self.get_secret_value().secret_id(name).send().await {
            Ok(found) => Ok(Some(found.secret_string.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(DisplayErrorContext(&error).to_string()),
            },
        }
    }
}

/// Reads and remembers secrets. Clones remember the same.
#[derive(Clone)]
pub struct Secrets {
    vault: Arc<dyn Vault>,
    prefix: String,
    clock: Clock,
    known: Arc<Mutex<HashMap<String, (Timestamp, Valid)>>>,
}

impl Secrets {
    /// Secrets whose names begin with `prefix`.
    pub fn new(vault: Arc<dyn Vault>, prefix: String, clock: Clock) -> Self {
        Self {
            vault,
            prefix,
            clock,
            known: Arc::default(),
        }
    }

    /// The secrets called `name`; none if there is no such secret. The value is one secret, or a JSON
    /// list of the valid ones; a secret is a text, or a JSON object of its parts. `doubt`: one that we remember did not match.
    pub async fn get(&self, name: &str, doubt: bool) -> Result<Valid, String> {
        let believed = match doubt {
            true => BELIEVED_IN_DOUBT,
            false => BELIEVED,
        };
        if let Some(valid) = self.remembered(name, believed) {
            return Ok(valid);
        }
        let valid = match self.vault.read(&format!("{}{name}", self.prefix)).await? {
            Some(text) => read(text),
            None => Vec::new(),
        };
        let valid: Vec<String> = valid
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .collect();
        let valid = Arc::new(valid);
        self.remember(name, Arc::clone(&valid));
        Ok(valid)
    }

    fn remember(&self, name: &str, valid: Valid) {
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(name.to_owned(), (self.clock.now(), valid));
    }

    fn remembered(&self, name: &str, believed: Duration) -> Option<Valid> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (since, valid) = known.get(name)?;
        self.clock
            .within(*since, believed)
            .then(|| Arc::clone(valid))
    }
}

/// The secrets in a value.
fn read(text: String) -> Vec<String> {
    let Ok(several) = serde_json::from_str::<Vec<Value>>(&text) else {
        return vec![text];
    };
    let secret = |value| match value {
        Value::String(secret) => secret,
        parts => parts.to_string(),
    };
    several.into_iter().map(secret).collect()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;

    use super::*;

    #[test]
    fn names_that_do_not_exist_do_not_fill_the_memory() {
        let aws = aws_types::SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let secrets = Secrets::new(manager(&aws.build()), String::new(), Clock::system());
        for n in 0..=2 * MAX_REMEMBERED {
            let name = format!("shopify/{n}");
            secrets.remember(&name, Valid::default());
            assert!(secrets.remembered(&name, BELIEVED).is_some());
            assert!(secrets.known.lock().unwrap().len() <= MAX_REMEMBERED);
        }
    }

    #[test]
    fn a_value_is_one_secret_or_several_and_a_secret_may_have_parts() {
        let cases = [
            ("plain", vec!["plain"]),
            (r#"["new","old"]"#, vec!["new", "old"]),
            (r#"{"key":"a","url":"b"}"#, vec![r#"{"key":"a","url":"b"}"#]),
            (r#"[{"key":"a"},"old"]"#, vec![r#"{"key":"a"}"#, "old"]),
            ("[not a list", vec!["[not a list"]),
        ];
        for (value, secrets) in cases {
            assert_eq!(read(value.to_owned()), secrets);
        }
    }
}
