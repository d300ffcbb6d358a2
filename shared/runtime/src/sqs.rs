//! Amazon SQS: one call, one method.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use domain::Step;

use crate::Hint;

/// Messages of one call (SQS's own limit).
pub const MAX_BATCH: usize = 10;

/// A message as a queue hands it out.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The queue's id of the message.
    pub message: String,
    /// The queue's id of this delivery.
    pub receipt: String,
    /// The queue, by its ARN.
    pub queue: String,
    /// Which delivery of the message it is, from 1.
    pub attempt: u32,
    /// The body as it came.
    pub body: String,
    /// What it says, or why it cannot be read.
    pub hint: Result<Hint, String>,
}

impl From<SqsMessage> for Delivery {
    fn from(record: SqsMessage) -> Self {
        let count = record.attributes.get("ApproximateReceiveCount");
        let body = record.body.unwrap_or_default();
        Self {
            message: record.message_id.unwrap_or_default(),
            receipt: record.receipt_handle.unwrap_or_default(),
            queue: record.event_source_arn.unwrap_or_default(),
            attempt: count.and_then(|count| count.parse().ok()).unwrap_or(1),
            hint: Hint::parse(&body),
            body,
        }
    }
}

/// The queues.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends hints to a step, at most [`MAX_BATCH`], which nobody receives before so many seconds are over (at most
    /// 900: SQS's own limit); for each, in order, whether it is on its way.
    async fn send(&self, step: Step, hints: &[&Hint], delay_s: i32) -> Vec<Result<(), String>>;

    /// Lets a message rest for some seconds before it comes again.
    async fn defer(&self, delivery: &Delivery, seconds: i32) -> Result<(), String>;

    /// Puts a message of a step aside for a person, with the reason.
    async fn park(&self, delivery: &Delivery, step: &str, reason: &str) -> Result<(), String>;

    /// Opens a connection while there is time.
    async fn warm(&self) -> Result<(), String>;
}

/// Amazon SQS.
pub(crate) struct Sqs {
    client: Client,
    steps: BTreeMap<Step, String>,
    dead_letters: String,
}

impl Sqs {
    /// The queues with these URLs: those of the steps, and that of what is given up on.
    pub(crate) fn new(
        aws: &aws_types::SdkConfig,
        steps: BTreeMap<Step, String>,
        dead_letters: String,
    ) -> Self {
        Self {
            client: Client::new(aws),
            steps,
            dead_letters,
        }
    }

    async fn send_batch(
        &self,
        step: Step,
        url: &str,
        hints: &[&Hint],
        delay_s: Option<i32>,
    ) -> Result<Vec<(usize, String)>, String> {
        let entries = hints.iter().enumerate().map(|(place, hint)| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(hint.to_body())
                .set_message_group_id(tenant(step, hint))
                .set_delay_seconds(delay_s)
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let sent = self
            .client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries.map_err(|error| error.to_string())?))
            .send()
            .await
            .map_err(|error| DisplayErrorContext(&error).to_string())?;
        let failed = sent.failed().iter().map(|entry| {
            let why = entry.message().unwrap_or_else(|| entry.code()).to_owned();
            (entry.id().parse().unwrap_or(0), why)
        });
        Ok(failed.collect())
    }
}

#[async_trait]
impl Queues for Sqs {
    async fn send(&self, step: Step, hints: &[&Hint], delay_s: i32) -> Vec<Result<(), String>> {
        let delay_s = (delay_s > 0).then_some(delay_s);
        let url = self
            .steps
            .get(&step)
            .map(String::as_str)
            .unwrap_or_default();
        if let [hint] = hints {
            let sent = self.client.send_message().queue_url(url);
            let sent = sent.message_body(hint.to_body());
            let sent = sent.set_message_group_id(tenant(step, hint));
            let sent = sent.set_delay_seconds(delay_s).send().await;
            let why = |error| DisplayErrorContext(&error).to_string();
            return vec![sent.map(drop).map_err(why)];
        }
        match self.send_batch(step, url, hints, delay_s).await {
            Ok(failed) => {
                let mut results = vec![Ok(()); hints.len()];
                for (place, why) in failed {
                    if let Some(result) = results.get_mut(place) {
                        *result = Err(why);
                    }
                }
                results
            }
            Err(why) => vec![Err(why); hints.len()],
        }
    }

    async fn defer(&self, delivery: &Delivery, seconds: i32) -> Result<(), String> {
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(queue_url(&delivery.queue))
            .receipt_handle(&delivery.receipt)
            .visibility_timeout(seconds)
            .send()
            .await;
        changed
            .map(drop)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }

    async fn park(&self, delivery: &Delivery, step: &str, reason: &str) -> Result<(), String> {
        let filled = |text: &str| match text.is_empty() {
            true => "-".to_owned(),
            false => text.to_owned(),
        };
        let attribute = |value: &str| {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(filled(value));
            value.build().map_err(|error| error.to_string())
        };
        let reason: String = reason.chars().take(1000).collect();
        let parked = self
            .client
            .send_message()
            .queue_url(&self.dead_letters)
            .message_body(filled(&delivery.body))
            .message_attributes("step", attribute(step)?)
            .message_attributes("reason", attribute(&reason)?)
            .message_attributes("attempt", attribute(&delivery.attempt.to_string())?)
            .send()
            .await;
        parked
            .map(drop)
            .map_err(|error| DisplayErrorContext(&error).to_string())
    }

    async fn warm(&self) -> Result<(), String> {
        let Some(url) = self.steps.values().find(|url| !url.is_empty()) else {
            return Ok(());
        };
        let asked = self
            .client
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

/// Characters that a name of SQS's has at most.
const MAX_TENANT: usize = 128;

/// Whose work a message is, where a step waits for others: the account of a channel. SQS is fair to tenants of a queue: one
/// that floods it, or whose vendor is slow, waits for itself and not the others for it. The other steps wait for nobody,
/// and a message with a tenant costs a quarter more.
fn tenant(step: Step, hint: &Hint) -> Option<String> {
    let waits = matches!(step, Step::FetchOrder | Step::UpdateChannel);
    let (channel, account) = hint.account().filter(|_| waits)?;
    let tenant = format!("{channel}/{account}");
    // One of another form is a tenant by itself, message for message.
    let fits = tenant.len() <= MAX_TENANT && tenant.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(tenant)
}

/// The URL of a queue that Lambda names by its ARN (`arn:aws:sqs:region:account:name`). SQS finds
/// the queue by the path alone.
fn queue_url(arn: &str) -> String {
    let part = |n: usize| arn.split(':').nth(n).unwrap_or_default();
    format!(
        "https://sqs.{}.amazonaws.com/{}/{}",
        part(3),
        part(4),
        part(5)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Changed;

    #[test]
    fn work_that_waits_for_a_channel_is_its_accounts() {
        let changed = |account: &str| {
            Hint::Changed(Changed {
                channel: "square".into(),
                account: account.into(),
                external_id: "1".into(),
                as_of: None,
            })
        };
        let of = |account: &str| tenant(Step::FetchOrder, &changed(account));
        assert_eq!(of("main").as_deref(), Some("square/main"));
        assert_eq!(of(&"a".repeat(121)).map(|of| of.len()), Some(MAX_TENANT));
        for odd in [&"a".repeat(122), "two words", "Zürich"] {
            assert_eq!(of(odd), None, "{odd}");
        }
        let order = include_str!("../../domain/tests/golden/order.json");
        let order: domain::Order = serde_json::from_str(order).unwrap();
        let source = format!("{}/{}", order.source.channel, order.source.account);
        let hint = Hint::at(&std::sync::Arc::new(order));
        assert_eq!(tenant(Step::UpdateChannel, &hint), Some(source));
        assert_eq!(tenant(Step::UpdateChannel, &hint.unseen()), None);
        assert_eq!(tenant(Step::ShipOrder, &hint), None, "it waits for nobody");
    }
}
