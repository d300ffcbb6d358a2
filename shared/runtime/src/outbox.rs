//! Hints to the steps' queues, in batches, one failure never costing another its place.

use std::collections::BTreeMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use domain::{Order, Step};
use futures::future::join_all;

use crate::Hint;

/// The variable that holds the URL of each step's queue, in the order of [`Step::ALL`].
pub const STEP_QUEUES: [&str; 6] = [
    "ALLOCATE_WAREHOUSE_QUEUE",
    "NOTIFY_WAREHOUSE_QUEUE",
    "SHIP_ORDER_QUEUE",
    "UPDATE_STOCK_QUEUE",
    "NOTIFY_CUSTOMER_QUEUE",
    "REFUND_ORDER_QUEUE",
];

/// Messages of one call (SQS's own limit).
const MAX_BATCH: usize = 10;

/// A hint to be sent to a step.
#[derive(Debug, Clone)]
pub struct Emit {
    /// To whom.
    pub step: Step,
    /// What.
    pub hint: Hint,
}

impl Emit {
    /// A hint at an order for each of some steps.
    pub fn each(steps: Vec<Step>, order: &Order) -> Vec<Self> {
        let hint = |step| Self {
            step,
            hint: Hint::at(order),
        };
        steps.into_iter().map(hint).collect()
    }

    /// What follows from a change: hints at the work that the state before did not call for.
    pub fn after(before: &Order, after: &Order) -> Vec<Self> {
        Self::each(domain::owed::newly_owed(before, after), after)
    }

    /// Everything that an order is owed, once more: for when the sender of the first hints may have
    /// died before it sent them.
    pub fn again(order: &Order) -> Vec<Self> {
        Self::each(domain::owed::steps(domain::owed::owed(order)), order)
    }
}

/// The way to the steps' queues.
#[derive(Debug, Clone)]
pub struct Outbox {
    sqs: Client,
    urls: BTreeMap<Step, String>,
}

impl Outbox {
    /// An outbox to the queues with these URLs.
    pub fn new(aws: &aws_types::SdkConfig, urls: BTreeMap<Step, String>) -> Self {
        Self {
            sqs: Client::new(aws),
            urls,
        }
    }

    /// Sends hints, as few calls as can be; for each, in order, whether it is on its way.
    pub async fn send(&self, emits: &[Emit]) -> Vec<Result<(), String>> {
        let mut by_step: BTreeMap<Step, Vec<usize>> = BTreeMap::new();
        for (n, emit) in emits.iter().enumerate() {
            by_step.entry(emit.step).or_default().push(n);
        }
        let calls = by_step.iter().flat_map(|(step, places)| {
            places
                .chunks(MAX_BATCH)
                .map(|chunk| self.send_batch(*step, chunk, emits))
        });
        let mut results: Vec<Result<(), String>> = vec![Ok(()); emits.len()];
        for failed in join_all(calls).await.into_iter().flatten() {
            results[failed.0] = Err(failed.1);
        }
        results
    }

    /// Sends hints, or says why not all of them are on their way.
    pub async fn send_all(&self, emits: &[Emit]) -> Result<(), String> {
        self.send(emits).await.into_iter().collect()
    }

    /// Sends hints that follow from what is already stored. Should they fail, the sweeper sends them:
    /// the sender has its answer, because what it said is safe.
    pub async fn send_or_leave(&self, emits: &[Emit]) {
        if let Err(error) = self.send_all(emits).await {
            tracing::warn!(error, "hints are left to the sweeper");
        }
    }

    /// The places of the hints that are not on their way, and why not.
    async fn send_batch(
        &self,
        step: Step,
        places: &[usize],
        emits: &[Emit],
    ) -> Vec<(usize, String)> {
        let all = |why: String| places.iter().map(|place| (*place, why.clone())).collect();
        let url = self.urls.get(&step).map(String::as_str).unwrap_or_default();
        if let [place] = places {
            let body = emits[*place].hint.to_body();
            let sent = self
                .sqs
                .send_message()
                .queue_url(url)
                .message_body(body)
                .send()
                .await;
            return match sent {
                Ok(_) => Vec::new(),
                Err(error) => all(DisplayErrorContext(&error).to_string()),
            };
        }
        let entries = places.iter().map(|place| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(emits[*place].hint.to_body())
                .build()
        });
        let entries = match entries.collect::<Result<Vec<_>, _>>() {
            Ok(entries) => entries,
            Err(error) => return all(error.to_string()),
        };
        let sent = self
            .sqs
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await;
        match sent {
            Ok(answer) => {
                let failed = answer.failed().iter().map(|entry| {
                    let why = entry.message().unwrap_or_else(|| entry.code()).to_owned();
                    (entry.id().parse().unwrap_or(places[0]), why)
                });
                failed.collect()
            }
            Err(error) => all(DisplayErrorContext(&error).to_string()),
        }
    }

    /// Opens a connection while there is time.
    pub async fn warm(&self) -> Result<(), String> {
        let Some(url) = self.urls.values().find(|url| !url.is_empty()) else {
            return Ok(());
        };
        let asked = self
            .sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await;
        asked
            .map(drop)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }
}
