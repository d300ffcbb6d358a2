//! Secrets Manager: reading a secret, with a current and a previous version.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Failure, parse, success_as};
use super::{ACCOUNT, REGION, lock};

struct Version {
    number: u64,
    text: String,
    created: Timestamp,
}

struct Secret {
    current: Version,
    previous: Option<Version>,
}

/// The secrets of the account, in memory.
#[derive(Default)]
pub struct Secrets(Mutex<BTreeMap<String, Secret>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
    version_stage: Option<String>,
}

impl Secrets {
    /// Stores a secret; what the name held before becomes its previous version.
    pub fn put(&self, name: &str, text: impl Into<String>) {
        let mut secrets = lock(&self.0);
        let previous = secrets.remove(name).map(|secret| secret.current);
        let current = Version {
            number: previous.as_ref().map_or(1, |version| version.number + 1),
            text: text.into(),
            created: Timestamp::now(),
        };
        secrets.insert(name.to_owned(), Secret { current, previous });
    }

    /// The current text of a secret.
    pub fn get(&self, name: &str) -> Option<String> {
        lock(&self.0)
            .get(name)
            .map(|secret| secret.current.text.clone())
    }

    pub(super) fn answer(
        &self,
        operation: &str,
        body: &[u8],
    ) -> (&'static str, Result<Response<Bytes>, Failure>) {
        match operation {
            "GetSecretValue" => ("GetSecretValue", self.get_secret_value(body)),
            _ => (
                "unknown",
                Err(Failure::bad(
                    "UnknownOperationException",
                    format!("Secrets Manager here does not offer {operation}"),
                )),
            ),
        }
    }

    fn get_secret_value(&self, body: &[u8]) -> Result<Response<Bytes>, Failure> {
        let request: GetSecretValue = parse(body)?;
        let stage = request.version_stage.as_deref().unwrap_or("AWSCURRENT");
        let name = name_of(&request.secret_id);
        let secrets = lock(&self.0);
        let version = secrets.get(name).and_then(|secret| match stage {
            "AWSCURRENT" => Some(&secret.current),
            "AWSPREVIOUS" => secret.previous.as_ref(),
            _ => None,
        });
        let Some(version) = version else {
            return Err(Failure::bad(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            ));
        };
        success_as(
            "application/x-amz-json-1.1",
            &json!({
                "ARN": arn(name),
                "Name": name,
                "VersionId": format!("00000000-0000-4000-8000-{:012}", version.number),
                "SecretString": version.text,
                "VersionStages": [stage],
                "CreatedDate": version.created.as_second(),
            }),
        )
    }
}

/// AWS ends the ARN of a secret with six random letters; these are fixed.
fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
}

/// The name in an id, which may also be an ARN, with or without the six letters.
fn name_of(id: &str) -> &str {
    match id.split_once(":secret:") {
        Some((_, name)) => name.strip_suffix("-AbCdEf").unwrap_or(name),
        None => id,
    }
}
