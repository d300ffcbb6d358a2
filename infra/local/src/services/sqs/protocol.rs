//! The AWS JSON 1.0 protocol of SQS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::super::answer::{Failure, parse, success};
use super::attributes::md5_of_attributes;
use super::shapes::{
    Batch, Body, CreateQueue, Entry, GetQueueAttributes, GetQueueUrl, Handle, ListQueues, OfQueue,
    OneOf, Outcome, ReceiveMessage, Sent, SetQueueAttributes, Visibility,
};
use super::{ACCOUNT, MAX_BYTES, Outgoing, Queue, Received, Sqs, errors, lock};

/// Most entries of a batch, and most messages of a receive.
const MAX_BATCH: usize = 10;

/// The operation's name as a constant to count it under.
pub(in super::super) fn known(operation: &str) -> &'static str {
    const OPERATIONS: [&str; 13] = [
        "SendMessage",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "CreateQueue",
        "GetQueueUrl",
        "GetQueueAttributes",
        "SetQueueAttributes",
        "ListQueues",
        "PurgeQueue",
    ];
    super::super::known(&OPERATIONS, operation)
}

impl Sqs {
    pub(in super::super) async fn answer(
        &self,
        operation: &str,
        host: Option<&str>,
        body: &[u8],
    ) -> Result<Response<Bytes>, Failure> {
        let url = |name: &str| format!("http://{}/{ACCOUNT}/{name}", host.unwrap_or("localhost"));
        match operation {
            "SendMessage" => self.send_message(parse(body)?),
            "SendMessageBatch" => self.send_message_batch(parse(body)?),
            "ReceiveMessage" => self.receive_message(parse(body)?).await,
            "DeleteMessage" => {
                let request: OneOf<Handle> = parse(body)?;
                let queue = self.at(&request.queue_url)?;
                self.delete(&queue, &request.content.receipt_handle)?;
                success(&json!({}))
            }
            "DeleteMessageBatch" => self.each(parse(body)?, |queue, entry: &Handle| {
                self.delete(queue, &entry.receipt_handle)
            }),
            "ChangeMessageVisibility" => {
                let request: OneOf<Visibility> = parse(body)?;
                change_visibility(&*self.at(&request.queue_url)?, &request.content)?;
                success(&json!({}))
            }
            "ChangeMessageVisibilityBatch" => self.each(parse(body)?, change_visibility),
            "CreateQueue" => {
                let request: CreateQueue = parse(body)?;
                let queue = self.create(&request.queue_name, request.attributes)?;
                success(&json!({"QueueUrl": url(queue.name())}))
            }
            "GetQueueUrl" => {
                let request: GetQueueUrl = parse(body)?;
                let queue = self.at(&request.queue_name)?;
                success(&json!({"QueueUrl": url(queue.name())}))
            }
            "ListQueues" => {
                let request: ListQueues = parse(body)?;
                let prefix = request.queue_name_prefix.unwrap_or_default();
                let urls: Vec<_> = self
                    .queues()
                    .iter()
                    .filter(|queue| queue.name().starts_with(&prefix))
                    .map(|queue| url(queue.name()))
                    .collect();
                success(&json!({"QueueUrls": urls}))
            }
            "GetQueueAttributes" => {
                let request: GetQueueAttributes = parse(body)?;
                let queue = self.at(&request.queue_url)?;
                success(&json!({"Attributes": select(&queue, &request.attribute_names)?}))
            }
            "SetQueueAttributes" => {
                let request: SetQueueAttributes = parse(body)?;
                let queue = self.at(&request.queue_url)?;
                lock(&queue.settings).set(request.attributes)?;
                success(&json!({}))
            }
            "PurgeQueue" => {
                let request: OfQueue = parse(body)?;
                self.purge(&*self.at(&request.queue_url)?);
                success(&json!({}))
            }
            _ => Err(Failure::bad(
                "com.amazonaws.sqs#UnsupportedOperation",
                "the queues here do not offer this operation",
            )
            .query_code("AWS.SimpleQueueService.UnsupportedOperation")),
        }
    }

    /// The queue at a URL; its host does not matter.
    fn at(&self, url: &str) -> Result<Arc<Queue>, Failure> {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.queue(name).ok_or_else(errors::no_such_queue)
    }

    fn send_message(&self, request: OneOf<Body>) -> Result<Response<Bytes>, Failure> {
        let queue = self.at(&request.queue_url)?;
        let message = self.send(&queue, outgoing(request.content))?;
        success(&Sent::new(None, &message))
    }

    fn send_message_batch(&self, request: Batch<Body>) -> Result<Response<Bytes>, Failure> {
        let queue = self.at(&request.queue_url)?;
        check_ids(&request.entries)?;
        let entries: Vec<_> = request
            .entries
            .into_iter()
            .map(|entry| (entry.id, outgoing(entry.content)))
            .collect();
        let size = entries
            .iter()
            .filter_map(|(_, outgoing)| outgoing.size().ok())
            .sum();
        if size > MAX_BYTES {
            return Err(errors::batch_too_long(size));
        }
        let results = entries.into_iter().map(|(id, outgoing)| {
            let result = self
                .send(&queue, outgoing)
                .map(|message| json!(Sent::new(Some(&id), &message)));
            (id, result)
        });
        success(&outcome(results))
    }

    /// Applies `change` to each entry of a batch.
    fn each<T>(
        &self,
        request: Batch<T>,
        change: impl Fn(&Queue, &T) -> Result<(), Failure>,
    ) -> Result<Response<Bytes>, Failure> {
        let queue = self.at(&request.queue_url)?;
        check_ids(&request.entries)?;
        let results = request.entries.into_iter().map(|entry| {
            let result = change(&queue, &entry.content).map(|()| json!({"Id": entry.id}));
            (entry.id, result)
        });
        success(&outcome(results))
    }

    async fn receive_message(&self, request: ReceiveMessage) -> Result<Response<Bytes>, Failure> {
        let queue = self.at(&request.queue_url)?;
        let max = request.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_BATCH).contains(&max) {
            return Err(errors::invalid_parameter(format!(
                "Value {max} for parameter MaxNumberOfMessages is invalid. \
                 Reason: Must be between 1 and 10, if provided."
            )));
        }
        let visibility = within("VisibilityTimeout", request.visibility_timeout, 43_200)?;
        let wait = within("WaitTimeSeconds", request.wait_time_seconds, 20)?;
        let received = self.receive(&queue, max, visibility, wait).await?;
        if received.is_empty() {
            return success(&json!({}));
        }
        let system_names: BTreeSet<&str> = request
            .attribute_names
            .iter()
            .chain(&request.message_system_attribute_names)
            .map(String::as_str)
            .collect();
        let messages: Vec<_> = received
            .iter()
            .map(|received| describe(received, &system_names, &request.message_attribute_names))
            .collect();
        success(&json!({"Messages": messages}))
    }
}

fn outgoing(body: Body) -> Outgoing {
    let trace_header = body.message_system_attributes.get("AWSTraceHeader");
    Outgoing {
        trace_header: trace_header.and_then(|header| header.string_value.clone()),
        body: body.message_body,
        attributes: body.message_attributes,
        delay: body.delay_seconds.map(Duration::from_secs),
        group: body.message_group_id,
    }
}

fn change_visibility(queue: &Queue, change: &Visibility) -> Result<(), Failure> {
    let visibility = within("VisibilityTimeout", Some(change.visibility_timeout), 43_200)?;
    queue.change_visibility(&change.receipt_handle, visibility.unwrap_or_default())
}

fn within(name: &str, seconds: Option<u64>, most: u64) -> Result<Option<Duration>, Failure> {
    match seconds {
        Some(value) if value > most => Err(errors::invalid_parameter(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between 0 and {most}, if provided."
        ))),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

fn check_ids<T>(entries: &[Entry<T>]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Err(errors::empty_batch());
    }
    if entries.len() > MAX_BATCH {
        return Err(errors::too_many_entries(entries.len()));
    }
    let mut seen = BTreeSet::new();
    for Entry { id, .. } in entries {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if !(1..=80).contains(&id.len()) || !id.chars().all(plain) {
            return Err(errors::invalid_entry_id());
        }
        if !seen.insert(id) {
            return Err(errors::ids_not_distinct(id));
        }
    }
    Ok(())
}

fn outcome(results: impl Iterator<Item = (String, Result<Value, Failure>)>) -> Outcome {
    let mut outcome = Outcome {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for (id, result) in results {
        match result {
            Ok(entry) => outcome.successful.push(entry),
            Err(failure) => outcome.failed.push(json!({
                "Id": id,
                "SenderFault": true,
                "Code": failure.code().rsplit('#').next(),
                "Message": failure.message(),
            })),
        }
    }
    outcome
}

fn describe(received: &Received, system_names: &BTreeSet<&str>, names: &[String]) -> Value {
    let message = &received.message;
    let mut value = json!({
        "MessageId": message.id,
        "ReceiptHandle": received.receipt_handle,
        "MD5OfBody": message.md5_of_body,
        "Body": message.body,
    });
    let all = system_names.contains("All");
    let system: BTreeMap<_, _> = received
        .system_attributes()
        .filter(|(name, _)| all || system_names.contains(name))
        .collect();
    if !system.is_empty() {
        value["Attributes"] = json!(system);
    }
    let asked = |name: &str| {
        names.iter().any(|asked| match asked.as_str() {
            "All" | ".*" => true,
            asked => match asked.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => name == asked,
            },
        })
    };
    let own: BTreeMap<_, _> = message
        .attributes
        .iter()
        .filter(|(name, _)| asked(name))
        .collect();
    if let Some(md5) = md5_of_attributes(own.iter().map(|(name, value)| (*name, *value))) {
        value["MD5OfMessageAttributes"] = json!(md5);
        value["MessageAttributes"] = json!(own);
    }
    value
}

impl Received {
    /// What SQS knows about the message: who sent it, when, and how often it was received.
    pub fn system_attributes(&self) -> impl Iterator<Item = (&'static str, String)> {
        let millis = |time: jiff::Timestamp| time.as_millisecond().to_string();
        [
            ("SenderId", Some(ACCOUNT.to_owned())),
            ("SentTimestamp", Some(millis(self.message.sent_at))),
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            (
                "ApproximateFirstReceiveTimestamp",
                Some(millis(self.first_received_at)),
            ),
            (
                "DeadLetterQueueSourceArn",
                self.dead_letter_source.as_deref().map(str::to_owned),
            ),
            ("AWSTraceHeader", self.message.trace_header.clone()),
            ("MessageGroupId", self.message.group.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// MD5 of the sender's attributes, if there are any.
    pub fn md5_of_attributes(&self) -> Option<String> {
        md5_of_attributes(&self.message.attributes)
    }
}

fn select(queue: &Queue, names: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let depth = queue.depth();
    let mut all = lock(&queue.settings).set.clone();
    let created = queue.created.as_second().to_string();
    for (name, value) in [
        ("QueueArn", queue.arn.to_string()),
        ("ApproximateNumberOfMessages", depth.visible.to_string()),
        (
            "ApproximateNumberOfMessagesNotVisible",
            depth.in_flight.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesDelayed",
            depth.delayed.to_string(),
        ),
        ("CreatedTimestamp", created.clone()),
        ("LastModifiedTimestamp", created),
    ] {
        all.insert(name.to_owned(), value);
    }
    if names.iter().any(|name| name == "All") {
        return Ok(all);
    }
    let settable = [
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "Policy",
        "KmsMasterKeyId",
    ];
    names
        .iter()
        .filter_map(|name| match all.remove(name) {
            Some(value) => Some(Ok((name.clone(), value))),
            None if settable.contains(&name.as_str()) => None,
            None => Some(Err(errors::invalid_attribute_name(name))),
        })
        .collect()
}
