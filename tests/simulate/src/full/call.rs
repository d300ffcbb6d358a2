//! What a request asks for, and what can go wrong with it.

use bytes::Bytes;
use domain::Step;
use http::Request;
use serde_json::Value;

use super::{last, names};
use crate::faults::Kind;

/// A request to AWS.
pub(super) struct Call {
    /// By the name that AWS gives it.
    pub operation: &'static str,
    pub kind: Kind,
    pub service: Service,
    /// The body, where one is needed to say what the call is about.
    pub body: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    /// The queue of a step.
    Queue(Step),
    /// What a step, or its queue, has given up on.
    DeadLetters(Step),
    Secrets,
    Events,
    Mail,
}

/// Every operation that a step may ask for; one that is missing here has to be told what can go
/// wrong with it.
const OPERATIONS: [(&str, &str, Kind); 16] = [
    ("DynamoDB_20120810", "GetItem", Kind::EventualRead),
    ("DynamoDB_20120810", "BatchGetItem", Kind::EventualRead),
    ("DynamoDB_20120810", "Query", Kind::EventualRead),
    ("DynamoDB_20120810", "Scan", Kind::EventualRead),
    ("DynamoDB_20120810", "PutItem", Kind::Write),
    ("DynamoDB_20120810", "UpdateItem", Kind::Write),
    ("DynamoDB_20120810", "BatchWriteItem", Kind::Write),
    ("DynamoDB_20120810", "TransactWriteItems", Kind::Transaction),
    ("AmazonSQS", "SendMessage", Kind::Send),
    ("AmazonSQS", "SendMessageBatch", Kind::SendBatch),
    ("AmazonSQS", "ReceiveMessage", Kind::Read),
    ("AmazonSQS", "ChangeMessageVisibility", Kind::Write),
    ("AmazonSQS", "DeleteMessage", Kind::Write),
    ("secretsmanager", "GetSecretValue", Kind::Read),
    ("AWSEvents", "PutEvents", Kind::Write),
    ("ses", "SendEmail", Kind::Send),
];

impl Call {
    /// `None` if it is none that a step may make.
    pub fn read(request: &Request<Bytes>) -> Option<Self> {
        let target = request.headers().get("x-amz-target");
        let (service, operation) = match target {
            Some(target) => target.to_str().ok()?.split_once('.')?,
            None => ("ses", "SendEmail"),
        };
        let known = OPERATIONS
            .iter()
            .find(|o| (o.0, o.1) == (service, operation));
        let &(service, operation, kind) = known?;
        let body = match service {
            "DynamoDB_20120810" | "AmazonSQS" => serde_json::from_slice(request.body()).ok()?,
            _ => Value::Null,
        };
        let service = match service {
            "DynamoDB_20120810" => Service::DynamoDb,
            "AmazonSQS" => Service::of_queue(body["QueueUrl"].as_str()?)?,
            "secretsmanager" => Service::Secrets,
            "AWSEvents" => Service::Events,
            _ => Service::Mail,
        };
        let consistent = match operation {
            "BatchGetItem" => body["RequestItems"]
                .as_object()?
                .values()
                .all(|table| table["ConsistentRead"] == true),
            _ => body["ConsistentRead"] == true,
        };
        let kind = match (kind, service, operation) {
            (Kind::EventualRead, ..) if consistent => Kind::Read,
            // Parking; nobody but the step itself hears whether it went well.
            (_, Service::DeadLetters(_), "SendMessage") => Kind::Write,
            _ => kind,
        };
        Some(Self {
            operation,
            kind,
            service,
            body,
        })
    }

    /// Whether it changes the tables.
    pub fn is_write(&self) -> bool {
        let writes = matches!(self.kind, Kind::Write | Kind::Transaction);
        writes && self.service == Service::DynamoDb
    }
}

impl Service {
    fn of_queue(url: &str) -> Option<Self> {
        let queues = names().ok()?.queues.iter();
        queues
            .into_iter()
            .find_map(|(step, (queue, dead_letters))| match last(url) {
                name if name == queue => Some(Self::Queue(*step)),
                name if name == dead_letters => Some(Self::DeadLetters(*step)),
                _ => None,
            })
    }
}
