//! The AWS services that the functions use, in process.
//!
//! [`Services::handle`] takes the HTTP request that an AWS client would send and gives the answer that AWS would
//! give, error codes and limits included. Two ways lead to it: [`crate::client`] in process and
//! [`crate::endpoint`] over TCP.

mod answer;
mod counters;
mod dynamodb;
mod events;
mod secrets;
mod ses;
pub mod sqs;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use dynoxide::Database;
use http::{Method, Request, Response, StatusCode};

pub use answer::Failure;
pub(crate) use counters::Units;
pub use counters::{Call, Counters, Tally};
pub use dynamodb::DynamoDb;
pub use events::{BusEvent, EventBuses};
pub use secrets::Secrets;
pub use ses::{Mail, Mailbox};
pub use sqs::Sqs;

/// The region everything is in.
pub const REGION: &str = "us-east-1";
/// The account everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// All services of one local cloud. Cheap to share behind an [`Arc`].
pub struct Services {
    /// Tables.
    pub dynamodb: DynamoDb,
    /// Queues, in memory.
    pub sqs: Sqs,
    /// Sent mail, in memory.
    pub ses: Mailbox,
    /// Event buses, in memory.
    pub events: EventBuses,
    /// Secrets, in memory.
    pub secrets: Secrets,
    /// Who called what how often.
    pub counters: Arc<Counters>,
}

impl Services {
    /// Services that forget everything when dropped.
    pub fn in_memory() -> Result<Arc<Self>, Failure> {
        Ok(Self::with_database(Database::memory()?))
    }

    /// Services whose tables live in a file in `directory`, which must exist.
    pub fn in_directory(directory: &Path) -> Result<Arc<Self>, Failure> {
        let file = directory.join("dynamodb.sqlite");
        let database = Database::new(&file.to_string_lossy())?;
        // This sets `synchronous = NORMAL` on the write-ahead log: a killed process loses nothing that was
        // answered, a power cut may lose the last moments but never damages the file. `FULL`, the default,
        // would wait for the disk at every single write.
        database.disable_bulk_loading()?;
        Ok(Self::with_database(database))
    }

    /// Services over a database made by the caller, for instance one with its own clock.
    pub fn with_database(database: Database) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        Arc::new(Self {
            dynamodb: DynamoDb::new(database),
            sqs: Sqs::default(),
            ses: Mailbox::default(),
            events: EventBuses::default(),
            secrets: Secrets::default(),
            counters,
        })
    }

    /// Answers one AWS request as the service it is meant for. `caller` is the name the call is counted under.
    pub async fn handle(&self, caller: &Arc<str>, request: Request<Bytes>) -> Response<Bytes> {
        let target = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .unwrap_or_default();
        let body = request.body();
        let (service, operation, answer) = match target.split_once('.') {
            Some(("DynamoDB_20120810", operation)) => {
                let operation = dynamodb::known(operation);
                let (answer, units) = self.dynamodb.answer(operation, body);
                self.counters
                    .count(caller, "dynamodb", operation, units, answer.is_err());
                return answer.unwrap_or_else(|failure| failure.json("application/x-amz-json-1.0"));
            }
            Some(("AmazonSQS", operation)) => {
                let operation = sqs::known(operation);
                let host = request
                    .headers()
                    .get(http::header::HOST)
                    .and_then(|host| host.to_str().ok());
                let answer = self.sqs.answer(operation, host, body).await;
                ("sqs", operation, answer)
            }
            Some(("AWSEvents", operation)) => {
                let (operation, answer) = self.events.answer(operation, body);
                ("events", operation, answer)
            }
            Some(("secretsmanager", operation)) => {
                let (operation, answer) = self.secrets.answer(operation, body);
                ("secretsmanager", operation, answer)
            }
            _ if request.uri().path() == "/v2/email/outbound-emails"
                && request.method() == Method::POST =>
            {
                ("ses", "SendEmail", self.ses.answer(body))
            }
            _ => {
                let failure = Failure::new(
                    StatusCode::NOT_FOUND,
                    "UnknownOperationException",
                    format!(
                        "no service here answers {} {}",
                        request.method(),
                        request.uri().path()
                    ),
                );
                ("unknown", "unknown", Err(failure))
            }
        };
        self.counters.count(
            caller,
            service,
            operation,
            Default::default(),
            answer.is_err(),
        );
        answer.unwrap_or_else(|failure| failure.json("application/x-amz-json-1.0"))
    }
}

/// Locks a mutex; what it guards is consistent at every point where a panic could have poisoned it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The entry of `operations` that equals `operation`.
fn known(operations: &[&'static str], operation: &str) -> &'static str {
    operations
        .iter()
        .copied()
        .find(|known| *known == operation)
        .unwrap_or("unknown")
}
