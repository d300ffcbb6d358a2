//! Secrets by name from Secrets Manager. Several are valid at a time, so that one can be replaced
//! while its users still sign with the old one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

/// How long a secret is used without asking again.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long at least, when a signature did not match: it may have been replaced meanwhile.
const BELIEVED_IN_DOUBT: Duration = Duration::from_secs(10);

/// The secrets of one name: the newest first.
pub type Valid = Arc<Vec<String>>;

/// Reads and remembers secrets.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    prefix: String,
    known: Mutex<HashMap<String, (Instant, Valid)>>,
}

impl Secrets {
    /// Secrets whose names begin with `prefix`.
    pub fn new(aws: &aws_types::SdkConfig, prefix: String) -> Self {
        Self {
            client: Client::new(aws),
            prefix,
            known: Mutex::default(),
        }
    }

    /// The secrets called `name`; none if there is no such secret. The value is one secret as text, or
    /// a JSON list of the valid ones. `doubt`: one that we remember did not match.
    pub async fn get(&self, name: &str, doubt: bool) -> Result<Valid, String> {
        let believed = match doubt {
            true => BELIEVED_IN_DOUBT,
            false => BELIEVED,
        };
        if let Some(valid) = self.remembered(name, believed) {
            return Ok(valid);
        }
        let id = format!("{}{name}", self.prefix);
        let valid = match self.client.get_secret_value().secret_id(id).send().await {
            Ok(found) => {
                let text = found.secret_string.unwrap_or_default();
                serde_json::from_str(&text).unwrap_or_else(|_| vec![text])
            }
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Vec::new(),
                _ => return Err(DisplayErrorContext(&error).to_string()),
            },
        };
        let valid: Vec<String> = valid
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .collect();
        let valid = Arc::new(valid);
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(name.to_owned(), (Instant::now(), Arc::clone(&valid)));
        Ok(valid)
    }

    fn remembered(&self, name: &str, believed: Duration) -> Option<Valid> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (since, valid) = known.get(name)?;
        (since.elapsed() < believed).then(|| Arc::clone(valid))
    }
}
