//! What the steps gave up on: the messages in their dead-letter queues, and the way back.
//!
//! SQS shows a message only by handing it out, which hides it from everybody else for a time. So
//! whoever looks gives back what is to stay.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use domain::Step;
use futures::future::join_all;
use jiff::Timestamp;

use crate::sqs::MAX_BATCH;

/// The variable that holds the URL of each step's dead-letter queue, in the order of [`Step::ALL`].
pub const STEP_DEAD_LETTERS: [&str; 9] = [
    "ALLOCATE_WAREHOUSE_DEAD_LETTERS",
    "NOTIFY_WAREHOUSE_DEAD_LETTERS",
    "SHIP_ORDER_DEAD_LETTERS",
    "UPDATE_STOCK_DEAD_LETTERS",
    "NOTIFY_CUSTOMER_DEAD_LETTERS",
    "REFUND_ORDER_DEAD_LETTERS",
    "UPDATE_CHANNEL_DEAD_LETTERS",
    "FETCH_ORDER_DEAD_LETTERS",
    "PUBLISH_EVENTS_DEAD_LETTERS",
];

/// Seconds that a message is hidden once it is handed out: as long as the function that asked for it
/// may run, so that it is not handed out twice meanwhile, and comes back soon if the function dies.
const HIDDEN_S: i32 = 30;
/// Seconds that a receive waits for a message. One that does not wait asks only some of SQS's servers,
/// and that it finds nothing says nothing.
const WAIT_S: i32 = 1;

/// A message in a dead-letter queue, handed out.
#[derive(Debug, Clone)]
pub struct Parked {
    /// The step that it was meant for.
    pub step: Step,
    /// SQS's id of it: the same in every listing.
    pub id: String,
    /// The text.
    pub body: String,
    /// Why the step gave up on it; `None` if it was SQS that did, or if somebody else put it there.
    pub reason: Option<String>,
    /// The delivery at which the step gave up on it.
    pub attempt: Option<u32>,
    /// How often it was handed out so far, here or by the step's own queue.
    pub received: u32,
    /// When it was sent: by the step that gave up on it, or if SQS did, by the sender of the hint.
    pub since: Timestamp,
    /// SQS's id of this handing out.
    pub receipt: String,
}

/// The dead-letter queues of the steps.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Hands out some messages, at most `most` of them. None means that there are none, or that
    /// somebody else is looking at them.
    async fn receive(&self, step: Step, most: usize) -> Result<Vec<Parked>, String>;

    /// Gives messages back, for anybody to look at.
    async fn release(&self, messages: &[Parked]);

    /// Sends the message to its step once more, as a new message whose id this is.
    async fn send_back(&self, message: &Parked) -> Result<String, String>;

    /// Takes the message out of the dead letters.
    async fn delete(&self, message: &Parked) -> Result<(), String>;
}

/// Those of Amazon SQS.
pub(crate) struct SqsDeadLetters {
    sqs: Client,
    /// The URLs of each step's dead-letter queue and of its own.
    urls: BTreeMap<Step, (String, String)>,
}

impl SqsDeadLetters {
    /// Those at these URLs: of each step's dead-letter queue, and of the queue that it belongs to.
    pub(crate) fn new(aws: &aws_types::SdkConfig, urls: BTreeMap<Step, (String, String)>) -> Self {
        Self {
            sqs: Client::new(aws),
            urls,
        }
    }

    async fn release_one(&self, message: &Parked) {
        let released = self
            .sqs
            .change_message_visibility()
            .queue_url(self.url(message.step))
            .receipt_handle(&message.receipt)
            .visibility_timeout(0)
            .send()
            .await;
        if let Err(error) = released {
            // Then it shows itself when its time is over.
            let (step, error) = (message.step.name(), DisplayErrorContext(&error).to_string());
            tracing::warn!(step, message = message.id, error, "cannot release");
        }
    }

    fn url(&self, step: Step) -> &str {
        let urls = self.urls.get(&step);
        urls.map(|(from, _)| from.as_str()).unwrap_or_default()
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn receive(&self, step: Step, most: usize) -> Result<Vec<Parked>, String> {
        let most = i32::try_from(most.min(MAX_BATCH)).unwrap_or(1);
        let received = self
            .sqs
            .receive_message()
            .queue_url(self.url(step))
            .max_number_of_messages(most)
            .visibility_timeout(HIDDEN_S)
            .wait_time_seconds(WAIT_S)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_attribute_names("reason")
            .message_attribute_names("attempt")
            .send()
            .await
            .map_err(|error| DisplayErrorContext(&error).to_string())?;
        let messages = received.messages.unwrap_or_default().into_iter();
        Ok(messages
            .map(|message| Parked::read(step, message))
            .collect())
    }

    async fn release(&self, messages: &[Parked]) {
        for some in messages.chunks(MAX_BATCH) {
            join_all(some.iter().map(|message| self.release_one(message))).await;
        }
    }

    async fn send_back(&self, message: &Parked) -> Result<String, String> {
        let to = self.urls.get(&message.step).map(|(_, to)| to.as_str());
        let sent = self
            .sqs
            .send_message()
            .queue_url(to.unwrap_or_default())
            .message_body(&message.body)
            .send()
            .await;
        sent.map(|sent| sent.message_id.unwrap_or_default())
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }

    async fn delete(&self, message: &Parked) -> Result<(), String> {
        let deleted = self
            .sqs
            .delete_message()
            .queue_url(self.url(message.step))
            .receipt_handle(&message.receipt)
            .send()
            .await;
        deleted
            .map(drop)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }
}

impl Parked {
    fn read(step: Step, message: Message) -> Self {
        let system = |name| message.attributes.as_ref()?.get(&name)?.parse().ok();
        let own = |name| {
            let attribute = message.message_attributes.as_ref()?.get(name)?;
            attribute.string_value.clone()
        };
        let sent_ms: Option<i64> = system(MessageSystemAttributeName::SentTimestamp);
        let received = system(MessageSystemAttributeName::ApproximateReceiveCount);
        Self {
            step,
            reason: own("reason"),
            attempt: own("attempt").and_then(|attempt| attempt.parse().ok()),
            received: received
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            since: sent_ms
                .and_then(|ms| Timestamp::from_millisecond(ms).ok())
                .unwrap_or_default(),
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        }
    }
}
