//! Event source mappings: a queue invokes its function.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Duration, Instant};

use super::functions::Functions;
use crate::services::sqs::{MessageAttribute, Queue, Received};
use crate::services::{REGION, Services, Units};
use crate::template::Mapping;

/// Who polls, in the counters.
const CALLER: &str = "event-source";
/// How long one receive waits; then the next begins.
const LONG_POLL: Duration = Duration::from_secs(20);
/// Messages in one call to SQS, for counting calls as AWS would make them.
const MAX_BATCH: usize = 10;

/// What polls a queue for its function.
pub(super) struct Poller {
    pub mapping: Mapping,
    pub queue: Arc<Queue>,
    pub services: Arc<Services>,
    pub functions: Arc<Functions>,
}

impl Poller {
    /// Polls until `stopping` is raised, then waits for the invocations under way.
    pub(super) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let poller = Arc::new(self);
        let limit = poller.mapping.max_concurrency;
        let permits = Arc::new(Semaphore::new(limit));
        while !*stopping.borrow() {
            // An error would mean that the semaphore was closed, which nobody does.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            let batch = poller.gather(&mut stopping).await;
            if !batch.is_empty() {
                tokio::spawn(poller.clone().deliver(batch, permit));
            }
        }
        for _ in 0..limit {
            if let Ok(permit) = permits.acquire().await {
                permit.forget();
            }
        }
    }

    /// A batch: as much as there is, or what comes until the window closes.
    async fn gather(&self, stopping: &mut watch::Receiver<bool>) -> Vec<Received> {
        let size = self.mapping.batch_size;
        let mut batch = self.receive(size, LONG_POLL, stopping).await;
        let end = Instant::now() + self.mapping.window;
        while !batch.is_empty() && batch.len() < size && !*stopping.borrow() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let missing = size - batch.len();
            batch.extend(self.receive(missing, left, stopping).await);
        }
        batch
    }

    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        stopping: &mut watch::Receiver<bool>,
    ) -> Vec<Received> {
        let receiving = self
            .services
            .sqs
            .receive(&self.queue, max, None, Some(wait));
        let received = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return Vec::new(),
            received = receiving => received,
        };
        match received {
            Ok(received) => {
                self.count("ReceiveMessage", received.len());
                received
            }
            Err(error) => {
                tracing::error!(queue = self.queue.name(), %error, "cannot receive");
                // Too much is in flight: this passes when some of it is done.
                tokio::time::sleep(Duration::from_secs(1)).await;
                Vec::new()
            }
        }
    }

    /// Invokes the function and deletes what it has done; the rest shows itself again after its timeout.
    async fn deliver(self: Arc<Self>, batch: Vec<Received>, permit: OwnedSemaphorePermit) {
        let function = &self.mapping.function;
        let event = json!({"Records": records(self.queue.arn(), &batch)});
        match self.functions.invoke(function, event).await {
            Ok(answer) => {
                let failed = self.failed(&batch, answer);
                let done = batch
                    .iter()
                    .filter(|received| !failed.contains(received.message.id.as_str()));
                let mut deleted = 0;
                for received in done {
                    deleted += 1;
                    if let Err(error) = self
                        .services
                        .sqs
                        .delete(&self.queue, &received.receipt_handle)
                    {
                        tracing::error!(queue = self.queue.name(), %error, "cannot delete");
                    }
                }
                self.count("DeleteMessageBatch", deleted);
            }
            Err(error) => tracing::error!(function, %error, "an invocation failed"),
        }
        drop(permit);
    }

    /// The ids of the messages that the answer reports as failed. An answer that cannot be understood, or that
    /// names a message which was not in the batch, fails them all, as on AWS.
    fn failed<'a>(&self, batch: &'a [Received], answer: Value) -> BTreeSet<&'a str> {
        if !self.mapping.reports_failures || answer.is_null() {
            return BTreeSet::new();
        }
        let all = || batch.iter().map(|received| received.message.id.as_str());
        let Ok(report) = serde_json::from_value::<Report>(answer) else {
            return all().collect();
        };
        let reported = report.batch_item_failures.unwrap_or_default();
        let ids: BTreeSet<&str> = all()
            .filter(|id| {
                reported
                    .iter()
                    .any(|failure| failure.item_identifier == **id)
            })
            .collect();
        let known = reported
            .iter()
            .all(|failure| ids.contains(failure.item_identifier.as_str()));
        if known { ids } else { all().collect() }
    }

    fn count(&self, operation: &'static str, messages: usize) {
        let (counters, caller) = (&self.services.counters, Arc::from(CALLER));
        for _ in 0..messages.div_ceil(MAX_BATCH) {
            counters.count(&caller, "sqs", operation, Units::default(), false);
        }
    }
}

/// The records of an event that hands a queue's messages to its function.
pub fn records(queue_arn: &str, batch: &[Received]) -> Vec<Value> {
    batch
        .iter()
        .map(|received| {
            let message = &received.message;
            let attributes: Map<String, Value> = received
                .system_attributes()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            let own: Map<String, Value> = message
                .attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), describe(attribute)))
                .collect();
            let mut record = json!({
                "messageId": message.id,
                "receiptHandle": received.receipt_handle,
                "body": message.body,
                "attributes": attributes,
                "messageAttributes": own,
                "md5OfBody": message.md5_of_body,
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": REGION,
            });
            if let Some(md5) = received.md5_of_attributes() {
                record["md5OfMessageAttributes"] = md5.into();
            }
            record
        })
        .collect()
}

/// What a function that reports failures answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    batch_item_failures: Option<Vec<ReportedFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportedFailure {
    item_identifier: String,
}

/// A message attribute as an event shows it.
fn describe(attribute: &MessageAttribute) -> Value {
    json!({
        "dataType": attribute.data_type,
        "stringValue": attribute.string_value,
        "binaryValue": attribute.binary_value,
        "stringListValues": [],
        "binaryListValues": [],
    })
}
