//! One queue: what is ready, what is delayed, what is in flight.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::attributes::MessageAttribute;

/// A standard queue holds back further messages when so many are in flight.
pub(super) const MAX_IN_FLIGHT: usize = 120_000;

/// A message as its sender gave it. It never changes.
#[derive(Debug)]
pub struct Message {
    /// The id that the sender was given.
    pub id: String,
    /// The text.
    pub body: String,
    /// MD5 of the text, in hexadecimal digits.
    pub md5_of_body: String,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// The X-Ray header, if the sender gave one.
    pub trace_header: Option<String>,
    /// Whose it is, if the sender said so.
    pub group: Option<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// A message with its history in this queue.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub message: Arc<Message>,
    pub receives: u32,
    pub first_received_at: Option<Timestamp>,
    /// The ARN of the queue that gave up on it, in a dead-letter queue.
    pub dead_letter_source: Option<Arc<str>>,
}

impl Entry {
    pub(super) fn new(message: Arc<Message>) -> Self {
        Self {
            message,
            receives: 0,
            first_received_at: None,
            dead_letter_source: None,
        }
    }
}

/// A message handed to a consumer.
#[derive(Debug, Clone)]
pub struct Received {
    /// The message.
    pub message: Arc<Message>,
    /// What deletes it or changes its visibility, until it is received again.
    pub receipt_handle: String,
    /// How often it was received, this time included.
    pub receives: u32,
    /// When it was received for the first time.
    pub first_received_at: Timestamp,
    /// The ARN of the queue that gave up on it, in a dead-letter queue.
    pub dead_letter_source: Option<Arc<str>>,
}

/// A message that was looked at and left where it is.
#[derive(Debug, Clone)]
pub struct Peeked {
    /// The message.
    pub message: Arc<Message>,
    /// How often it was received so far.
    pub receives: u32,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// Ready to be received.
    pub visible: usize,
    /// Received and not yet deleted.
    pub in_flight: usize,
    /// Sent with a delay that is not over.
    pub delayed: usize,
}

impl Depth {
    /// All of them.
    pub fn total(&self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}

/// A message that nobody can receive until a point in time.
struct Hidden {
    entry: Entry,
    until: Instant,
    /// Otherwise it is delayed.
    in_flight: bool,
}

/// The messages of a queue. Each has a key, given in order of arrival.
#[derive(Default)]
pub(super) struct Messages {
    ready: VecDeque<(u64, Entry)>,
    hidden: HashMap<u64, Hidden>,
    /// The keys of `hidden` by the end of their time.
    timers: BTreeSet<(Instant, u64)>,
    in_flight: usize,
    next_key: u64,
}

/// What a receive found.
pub(super) struct Batch {
    pub received: Vec<Received>,
    /// Received too often already: they belong into the dead-letter queue.
    pub dead: Vec<Entry>,
}

/// A receipt handle: which message, received for the how manieth time.
#[derive(Clone, Copy)]
pub(super) struct Receipt {
    key: u64,
    receives: u32,
}

impl Receipt {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (key, receives) = text.strip_prefix("AQEB")?.split_once('-')?;
        Some(Self {
            key: u64::from_str_radix(key, 16).ok()?,
            receives: receives.parse().ok()?,
        })
    }

    fn text(self) -> String {
        format!("AQEB{:016x}-{}", self.key, self.receives)
    }
}

impl Messages {
    pub(super) fn depth(&self) -> Depth {
        Depth {
            visible: self.ready.len(),
            in_flight: self.in_flight,
            delayed: self.hidden.len() - self.in_flight,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.hidden.is_empty()
    }

    /// Nothing can be received, and nobody works on what he has received.
    pub(super) fn rests(&self) -> bool {
        self.ready.is_empty() && self.in_flight == 0
    }

    /// When the next hidden message shows itself.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(until, _)| *until)
    }

    pub(super) fn push(&mut self, entry: Entry, delay: Duration) {
        let key = self.next_key;
        self.next_key += 1;
        if delay.is_zero() {
            self.ready.push_back((key, entry));
        } else {
            self.hide(key, entry, delay, false);
        }
    }

    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.hidden.clear();
        self.timers.clear();
        self.in_flight = 0;
    }

    /// The oldest `max` messages, hidden ones among them.
    pub(super) fn peek(&self, max: usize) -> Vec<Peeked> {
        let ready = self.ready.iter().map(|(key, entry)| (*key, entry));
        let hidden = self
            .hidden
            .iter()
            .map(|(key, hidden)| (*key, &hidden.entry));
        let mut entries: Vec<_> = ready.chain(hidden).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let peeked = |(_, entry): (u64, &Entry)| Peeked {
            message: entry.message.clone(),
            receives: entry.receives,
        };
        entries.into_iter().take(max).map(peeked).collect()
    }

    /// Takes up to `max` messages and hides them for `visibility`.
    pub(super) fn receive(
        &mut self,
        max: usize,
        visibility: Duration,
        max_receives: Option<u32>,
        retention: Duration,
    ) -> Batch {
        self.show_due();
        let mut batch = Batch {
            received: Vec::new(),
            dead: Vec::new(),
        };
        let now = Timestamp::now();
        while batch.received.len() < max {
            let Some((key, mut entry)) = self.ready.pop_front() else {
                break;
            };
            if now.duration_since(entry.message.sent_at).unsigned_abs() > retention {
                continue;
            }
            if max_receives.is_some_and(|limit| entry.receives >= limit) {
                batch.dead.push(entry);
                continue;
            }
            entry.receives += 1;
            let first_received_at = *entry.first_received_at.get_or_insert(now);
            let receipt = Receipt {
                key,
                receives: entry.receives,
            };
            batch.received.push(Received {
                message: entry.message.clone(),
                receipt_handle: receipt.text(),
                receives: entry.receives,
                first_received_at,
                dead_letter_source: entry.dead_letter_source.clone(),
            });
            self.hide(key, entry, visibility, true);
        }
        batch
    }

    /// Deletes a message. An outdated receipt deletes nothing, as on AWS.
    pub(super) fn delete(&mut self, receipt: Receipt) {
        if self.in_flight(receipt) {
            self.unhide(receipt.key);
        } else if let Some(index) = self
            .ready
            .iter()
            .position(|(key, entry)| *key == receipt.key && entry.receives == receipt.receives)
        {
            // Its visibility timeout ran out, but nobody else has received it yet.
            self.ready.remove(index);
        }
    }

    /// Hides a message in flight for another while from now on; false if it is not in flight by this receipt.
    pub(super) fn change_visibility(&mut self, receipt: Receipt, visibility: Duration) -> bool {
        self.show_due();
        if !self.in_flight(receipt) {
            return false;
        }
        if let Some(hidden) = self.unhide(receipt.key) {
            if visibility.is_zero() {
                self.ready.push_back((receipt.key, hidden.entry));
            } else {
                self.hide(receipt.key, hidden.entry, visibility, true);
            }
        }
        true
    }

    fn in_flight(&self, receipt: Receipt) -> bool {
        self.hidden
            .get(&receipt.key)
            .is_some_and(|hidden| hidden.in_flight && hidden.entry.receives == receipt.receives)
    }

    fn hide(&mut self, key: u64, entry: Entry, time: Duration, in_flight: bool) {
        let until = Instant::now() + time;
        self.timers.insert((until, key));
        self.in_flight += usize::from(in_flight);
        self.hidden.insert(
            key,
            Hidden {
                entry,
                until,
                in_flight,
            },
        );
    }

    fn unhide(&mut self, key: u64) -> Option<Hidden> {
        let hidden = self.hidden.remove(&key)?;
        self.timers.remove(&(hidden.until, key));
        self.in_flight -= usize::from(hidden.in_flight);
        Some(hidden)
    }

    fn show_due(&mut self) {
        let now = Instant::now();
        while let Some((until, key)) = self.timers.first().copied()
            && until <= now
        {
            if let Some(hidden) = self.unhide(key) {
                self.ready.push_back((key, hidden.entry));
            }
        }
    }
}
