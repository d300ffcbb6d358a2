//! Batches from a queue: each message read by itself, each with its own outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures::FutureExt;
use futures::future::join_all;
use serde_json::Value;
use store::StoreError;

use crate::function::{Handler, Setup, handler};
use crate::log::Closing;
use crate::outbox::{Emit, Outbox};
use crate::{Error, Hint};

/// Seconds until a message that failed for a passing reason is tried again, doubled each time.
const BACKOFF_S: i64 = 5;
/// Seconds that the doubling ends at.
const MAX_BACKOFF_S: i64 = 900;

/// What came of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The work is done.
    Done,
    /// The work had been done before.
    AlreadyDone,
    /// There is nothing to do, for this reason.
    Ignored(String),
    /// It did not work now; it may work later.
    Transient(String),
    /// It will not work, however often it is tried: a person has to look at it.
    Permanent(String),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyDone => "already_done",
            Self::Ignored(_) => "ignored",
            Self::Transient(_) => "transient",
            Self::Permanent(_) => "permanent",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Done | Self::AlreadyDone => None,
            Self::Ignored(reason) | Self::Transient(reason) | Self::Permanent(reason) => {
                Some(reason)
            }
        }
    }
}

impl Outcome {
    /// What a failure of the store means for a message.
    pub fn from_store(error: &StoreError) -> Self {
        match error.is_transient() {
            true => Self::Transient(error.to_string()),
            false => Self::Permanent(error.to_string()),
        }
    }
}

/// What a step makes of a hint: the outcome, and the hints that follow. The message is only
/// acknowledged when these are on their way.
#[derive(Debug, Clone)]
pub struct Handled {
    /// What came of it.
    pub outcome: Outcome,
    /// What follows.
    pub emits: Vec<Emit>,
}

impl From<Outcome> for Handled {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            emits: Vec::new(),
        }
    }
}

impl From<StoreError> for Handled {
    fn from(error: StoreError) -> Self {
        Outcome::from_store(&error).into()
    }
}

impl From<Result<store::Driven, StoreError>> for Handled {
    /// What follows from driving an order: new work after a change; all that is owed when the
    /// change was there already, because its maker may have died before it told anybody.
    fn from(driven: Result<store::Driven, StoreError>) -> Self {
        match driven {
            Ok(store::Driven::Changed(before, after)) => Self {
                outcome: Outcome::Done,
                emits: Emit::after(&before, &after),
            },
            Ok(store::Driven::Unchanged(order)) => Self {
                outcome: Outcome::AlreadyDone,
                emits: Emit::again(&order),
            },
            Ok(store::Driven::Missing) => {
                Outcome::Permanent("there is no such order".into()).into()
            }
            Err(error) => error.into(),
        }
    }
}

/// What every queue function has besides its own state.
struct Lane<S> {
    name: &'static str,
    sqs: Client,
    dead_letters: String,
    outbox: Outbox,
    step: S,
}

/// A handler that gives each message to `step` by itself, all of a batch at once.
pub fn one_by_one<S, F, A>(name: &'static str, setup: &Setup, state: S, step: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Hint) -> A + Send + Sync + 'static,
    A: Future<Output = Handled> + Send + 'static,
{
    let state = Arc::new(state);
    whole_batch(name, setup, (), move |_, hints| {
        let works: Vec<_> = hints
            .into_iter()
            .map(|hint| step(Arc::clone(&state), hint))
            .collect();
        async move {
            // Each is caught by itself: one panic must not cost the others their outcome.
            let caught = works
                .into_iter()
                .map(|work| AssertUnwindSafe(work).catch_unwind());
            let results = join_all(caught).await.into_iter();
            results
                .map(|result| result.unwrap_or_else(|_| panicked()))
                .collect()
        }
    })
}

/// A handler that gives `step` a whole batch, for steps that commit many orders together. It
/// answers for each hint, in order.
pub fn whole_batch<S, F, A>(name: &'static str, setup: &Setup, state: S, step: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Vec<Hint>) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<Handled>> + Send + 'static,
{
    let state = Arc::new(state);
    let lane = Lane {
        name,
        sqs: Client::new(&setup.aws),
        dead_letters: setup.var("DEAD_LETTERS_QUEUE"),
        outbox: setup.outbox(),
        step: move |hints: Vec<Hint>| step(Arc::clone(&state), hints),
    };
    handler(lane, |lane, event| async move { lane.take(event).await })
}

fn panicked() -> Handled {
    Outcome::Transient("panicked".into()).into()
}

impl<F, A> Lane<F>
where
    F: Fn(Vec<Hint>) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<Handled>> + Send + 'static,
{
    async fn take(&self, event: Value) -> Result<Value, Error> {
        let started = Instant::now();
        let records = serde_json::from_value::<SqsEvent>(event)?.records;
        let parsed: Vec<Result<Hint, String>> = records
            .iter()
            .map(|record| Hint::parse(record.body.as_deref().unwrap_or_default()))
            .collect();
        let readable: Vec<Hint> = parsed
            .iter()
            .filter_map(|hint| hint.as_ref().ok())
            .cloned()
            .collect();
        let count = readable.len();
        let handled = match count {
            0 => Vec::new(),
            _ => AssertUnwindSafe((self.step)(readable))
                .catch_unwind()
                .await
                .unwrap_or_default(),
        };
        // A step that panicked, or forgot an answer, has answered for none.
        let handled = match handled.len() == count {
            true => handled,
            false => (0..count).map(|_| panicked()).collect(),
        };
        let mut handled = self.send(handled).await.into_iter();
        let outcomes: Vec<Outcome> = parsed
            .iter()
            .map(|hint| match hint {
                Ok(_) => handled
                    .next()
                    .unwrap_or_else(|| Outcome::Transient("no answer".into())),
                Err(why) => Outcome::Permanent(format!("the message cannot be read: {why}")),
            })
            .collect();
        let settled = records.iter().zip(&parsed).zip(outcomes);
        let settled = settled.map(|((record, hint), outcome)| async move {
            let attempt = attempt(record);
            let kept = self.settle(record, attempt, &outcome).await;
            Closing {
                step: self.name,
                subject: &hint.as_ref().map(Hint::subject).unwrap_or_default(),
                message: record.message_id.as_deref().unwrap_or_default(),
                attempt,
                outcome: outcome.name(),
                reason: outcome.reason(),
                duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            }
            .write();
            kept
        });
        let mut response = SqsBatchResponse::default();
        for id in join_all(settled).await.into_iter().flatten() {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            response.batch_item_failures.push(failure);
        }
        Ok(serde_json::to_value(response)?)
    }

    /// Sends what follows from all messages of the batch together; a message whose hints are not on
    /// their way has not succeeded.
    async fn send(&self, handled: Vec<Handled>) -> Vec<Outcome> {
        let emits: Vec<Emit> = handled
            .iter()
            .flat_map(|h| h.emits.iter().cloned())
            .collect();
        let mut sent = self.outbox.send(&emits).await.into_iter();
        let outcome = |handled: Handled| {
            let own: Vec<_> = sent.by_ref().take(handled.emits.len()).collect();
            match own.into_iter().collect::<Result<(), String>>() {
                Ok(()) => handled.outcome,
                Err(why) => Outcome::Transient(format!("a hint was not sent: {why}")),
            }
        };
        handled.into_iter().map(outcome).collect()
    }

    /// Ends a message as its outcome says; its id if it is to come again.
    async fn settle(&self, record: &SqsMessage, attempt: u32, outcome: &Outcome) -> Option<String> {
        let id = record.message_id.clone().unwrap_or_default();
        match outcome {
            Outcome::Done | Outcome::AlreadyDone | Outcome::Ignored(_) => None,
            Outcome::Transient(_) => {
                self.back_off(record, attempt).await;
                Some(id)
            }
            Outcome::Permanent(reason) => match self.park(record, attempt, reason).await {
                Ok(()) => None,
                Err(error) => {
                    tracing::error!(step = self.name, message = id, %error, "cannot park a message");
                    Some(id)
                }
            },
        }
    }

    /// Lets the message rest before it comes again, longer each time, and not all at once.
    async fn back_off(&self, record: &SqsMessage, attempt: u32) {
        let doubled = BACKOFF_S.saturating_mul(1 << attempt.saturating_sub(1).min(8));
        let most = doubled.min(MAX_BACKOFF_S);
        let id = record.message_id.as_deref().unwrap_or_default();
        // Any spread will do: that of the message's own random id needs no generator.
        let spread = i64::from(id.bytes().map(u32::from).sum::<u32>());
        let seconds = most / 2 + spread % (most / 2 + 1);
        let (queue, receipt) = (queue_url(record), record.receipt_handle.as_deref());
        let changed = self
            .sqs
            .change_message_visibility()
            .queue_url(queue)
            .set_receipt_handle(receipt.map(str::to_owned))
            .visibility_timeout(i32::try_from(seconds).unwrap_or(0))
            .send()
            .await;
        if let Err(error) = changed {
            // Then it comes again when the queue's own time-out is over.
            let error = DisplayErrorContext(&error).to_string();
            tracing::warn!(
                step = self.name,
                message = id,
                error,
                "cannot defer a message"
            );
        }
    }

    /// Puts a message aside for a person, with the reason.
    async fn park(&self, record: &SqsMessage, attempt: u32, reason: &str) -> Result<(), String> {
        let attribute = |value: String| {
            let value = match value.is_empty() {
                true => "-".to_owned(),
                false => value,
            };
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value);
            value.build().map_err(|error| error.to_string())
        };
        let parked = self
            .sqs
            .send_message()
            .queue_url(&self.dead_letters)
            .message_body(
                record
                    .body
                    .as_deref()
                    .filter(|body| !body.is_empty())
                    .unwrap_or("-"),
            )
            .message_attributes("step", attribute(self.name.into())?)
            .message_attributes("reason", attribute(reason.chars().take(1000).collect())?)
            .message_attributes("attempt", attribute(attempt.to_string())?)
            .send()
            .await;
        parked
            .map(drop)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }
}

fn attempt(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The URL of the queue that a record came from, which Lambda names by its ARN
/// (`arn:aws:sqs:region:account:name`). SQS finds the queue by the path alone.
fn queue_url(record: &SqsMessage) -> String {
    let arn = record.event_source_arn.as_deref().unwrap_or_default();
    let part = |n: usize| arn.split(':').nth(n).unwrap_or_default();
    format!(
        "https://sqs.{}.amazonaws.com/{}/{}",
        part(3),
        part(4),
        part(5)
    )
}
