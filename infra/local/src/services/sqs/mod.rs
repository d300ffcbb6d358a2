//! SQS standard queues, in memory.

mod attributes;
mod errors;
mod protocol;
mod queue;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::answer::Failure;
use super::{ACCOUNT, REGION, lock};
use attributes::{MAX_BYTES, Settings};
use queue::{Entry, MAX_IN_FLIGHT, Messages, Receipt};

pub use attributes::{MessageAttribute, Redrive};
pub(super) use protocol::known;
pub use queue::{Depth, Message, Peeked, Received};

/// The queues of the account.
pub struct Sqs {
    queues: RwLock<BTreeMap<String, Arc<Queue>>>,
    next_id: AtomicU64,
    /// Keeps ids apart between one start and the next.
    started: Timestamp,
    /// Rings whenever a queue has become empty.
    rested: Notify,
}

impl Default for Sqs {
    fn default() -> Self {
        Self {
            queues: RwLock::default(),
            next_id: AtomicU64::new(1),
            started: Timestamp::now(),
            rested: Notify::new(),
        }
    }
}

/// One queue.
pub struct Queue {
    name: String,
    arn: Arc<str>,
    created: Timestamp,
    settings: Mutex<Settings>,
    messages: Mutex<Messages>,
    /// Rings when somebody who waits for a message should look again.
    changed: Notify,
}

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// The text, at least one character.
    pub body: String,
    /// Attributes of the sender's own.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// How long nobody can receive it, if not the queue's own delay.
    pub delay: Option<Duration>,
    /// The X-Ray header.
    pub trace_header: Option<String>,
    /// Whose it is, for SQS to be fair to all. Here messages are handed out as they came, whosever they are.
    pub group: Option<String>,
}

impl Queue {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its ARN.
    pub fn arn(&self) -> &Arc<str> {
        &self.arn
    }

    /// How many messages it holds.
    pub fn depth(&self) -> Depth {
        lock(&self.messages).depth()
    }

    /// The oldest `max` messages, left where they are.
    pub fn peek(&self, max: usize) -> Vec<Peeked> {
        lock(&self.messages).peek(max)
    }

    /// Where its messages go after too many receives.
    pub fn redrive(&self) -> Option<Redrive> {
        lock(&self.settings).redrive.clone()
    }

    /// Hides a received message for another while from now on.
    pub fn change_visibility(&self, handle: &str, visibility: Duration) -> Result<(), Failure> {
        let receipt = Receipt::parse(handle).ok_or_else(|| errors::invalid_receipt(handle))?;
        if !lock(&self.messages).change_visibility(receipt, visibility) {
            return Err(errors::not_in_flight());
        }
        self.changed.notify_one();
        Ok(())
    }

    fn push(&self, entry: Entry, delay: Duration) {
        lock(&self.messages).push(entry, delay);
        self.changed.notify_one();
    }
}

impl Sqs {
    /// Makes a queue, or finds the one that has this name and these attributes already.
    pub fn create(
        &self,
        name: &str,
        attributes: BTreeMap<String, String>,
    ) -> Result<Arc<Queue>, Failure> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if !(1..=80).contains(&name.len()) || !name.chars().all(plain) {
            return Err(errors::invalid_parameter(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(name) {
            let settings = lock(&queue.settings);
            let same = attributes
                .iter()
                .all(|(name, value)| settings.set.get(name) == Some(value));
            return if same {
                Ok(queue.clone())
            } else {
                Err(errors::queue_exists())
            };
        }
        let mut settings = Settings::new();
        settings.set(attributes)?;
        let queue = Arc::new(Queue {
            name: name.to_owned(),
            arn: format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}").into(),
            created: Timestamp::now(),
            settings: Mutex::new(settings),
            messages: Mutex::default(),
            changed: Notify::new(),
        });
        queues.insert(name.to_owned(), queue.clone());
        Ok(queue)
    }

    /// The queue of this name.
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.get(name).cloned()
    }

    /// All queues by name.
    pub fn queues(&self) -> Vec<Arc<Queue>> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.values().cloned().collect()
    }

    /// Whether no queue holds a message, dead-letter queues apart, where what is there stays there. What was sent with
    /// a delay does not count until that is over: nobody waits for it meanwhile.
    pub fn rests(&self) -> bool {
        let queues = self.queues();
        let dead_letter: BTreeSet<String> = queues
            .iter()
            .filter_map(|queue| queue.redrive())
            .map(|redrive| redrive.dead_letter_arn)
            .collect();
        queues
            .iter()
            .filter(|queue| !dead_letter.contains(&*queue.arn))
            .all(|queue| lock(&queue.messages).rests())
    }

    /// Rings whenever a queue has come to rest.
    pub(crate) fn rested(&self) -> &Notify {
        &self.rested
    }

    /// Sends one message.
    pub fn send(&self, queue: &Queue, outgoing: Outgoing) -> Result<Arc<Message>, Failure> {
        let (max_bytes, default_delay) = {
            let settings = lock(&queue.settings);
            (settings.max_bytes, settings.delay)
        };
        let size = outgoing.size()?;
        if size > max_bytes {
            return Err(errors::invalid_parameter(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {max_bytes} bytes."
            )));
        }
        let delay = outgoing.delay.unwrap_or(default_delay);
        if delay.as_secs() > 900 {
            return Err(errors::invalid_parameter(format!(
                "Value {} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
                delay.as_secs()
            )));
        }
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        let started = self.started.as_second() as u32;
        let message = Arc::new(Message {
            id: format!("{started:08x}-0000-4000-8000-{number:012x}"),
            md5_of_body: attributes::md5_of(&outgoing.body),
            body: outgoing.body,
            attributes: outgoing.attributes,
            trace_header: outgoing.trace_header,
            group: outgoing.group,
            sent_at: Timestamp::now(),
        });
        queue.push(Entry::new(message.clone()), delay);
        Ok(message)
    }

    /// Receives up to `max` messages, waiting up to `wait` for the first. Dropping the future receives nothing.
    pub async fn receive(
        &self,
        queue: &Queue,
        max: usize,
        visibility: Option<Duration>,
        wait: Option<Duration>,
    ) -> Result<Vec<Received>, Failure> {
        let (visibility, wait, retention, redrive) = {
            let settings = lock(&queue.settings);
            (
                visibility.unwrap_or(settings.visibility),
                wait.unwrap_or(settings.receive_wait),
                settings.retention,
                settings.redrive.clone(),
            )
        };
        let max_receives = redrive.as_ref().map(|redrive| redrive.max_receives);
        let deadline = Instant::now() + wait;
        loop {
            let changed = queue.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (batch, left, next_timer) = {
                let mut messages = lock(&queue.messages);
                if messages.depth().in_flight >= MAX_IN_FLIGHT {
                    return Err(errors::over_limit());
                }
                let batch = messages.receive(max, visibility, max_receives, retention);
                (batch, !messages.is_empty(), messages.next_timer())
            };
            if let Some(redrive) = &redrive
                && !batch.dead.is_empty()
            {
                self.bury(queue, &redrive.dead_letter_arn, batch.dead);
            }
            let now = Instant::now();
            if !batch.received.is_empty() || now >= deadline {
                if left {
                    // Another waiter may take the rest, or wait for the next timer in place of this one.
                    queue.changed.notify_one();
                }
                return Ok(batch.received);
            }
            let until = next_timer.map_or(deadline, |timer| timer.min(deadline));
            tokio::select! {
                () = changed => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Deletes a received message.
    pub fn delete(&self, queue: &Queue, handle: &str) -> Result<(), Failure> {
        let receipt = Receipt::parse(handle).ok_or_else(|| errors::invalid_receipt(handle))?;
        let rests = {
            let mut messages = lock(&queue.messages);
            messages.delete(receipt);
            messages.rests()
        };
        if rests {
            self.rested.notify_waiters();
        }
        Ok(())
    }

    /// Deletes all messages of a queue.
    pub fn purge(&self, queue: &Queue) {
        lock(&queue.messages).clear();
        self.rested.notify_waiters();
    }

    fn bury(&self, queue: &Queue, dead_letter_arn: &str, entries: Vec<Entry>) {
        let name = dead_letter_arn.rsplit(':').next().unwrap_or_default();
        match self.queue(name) {
            Some(dead_letters) => {
                for entry in entries {
                    let dead_letter_source = Some(queue.arn.clone());
                    let entry = Entry {
                        dead_letter_source,
                        ..entry
                    };
                    dead_letters.push(entry, Duration::ZERO);
                }
            }
            None => tracing::error!(queue = queue.name, "its dead-letter queue does not exist"),
        }
        if lock(&queue.messages).rests() {
            self.rested.notify_waiters();
        }
    }
}

impl Outgoing {
    /// Bytes that count against the limit, if the message may be sent at all.
    fn size(&self) -> Result<usize, Failure> {
        if self.body.is_empty() {
            return Err(errors::invalid_parameter(
                "The request must contain the parameter MessageBody.",
            ));
        }
        let allowed = |letter: char| match letter {
            '\u{9}' | '\u{A}' | '\u{D}' => true,
            '\u{FFFE}' | '\u{FFFF}' => false,
            letter => letter >= ' ',
        };
        if !self.body.chars().all(allowed) {
            return Err(errors::invalid_contents());
        }
        Ok(self.body.len() + attributes::check(&self.attributes)?)
    }
}
