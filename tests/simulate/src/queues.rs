//! The queues between the steps: what is in them, and what of it can be had now.

use domain::{OrderId, Step};
use runtime::Hint;

use crate::faults::Faults;
use crate::observed::Parked;
use crate::tape::Tape;

/// Milliseconds for which a message that was handed out is not handed out again (the template's).
pub const VISIBILITY_MS: i64 = 190_000;
/// Times that a message is handed out before the queue gives up on it (the template's).
pub const MAX_RECEIVES: u32 = 12;
/// Times that a message is handed out before it is spared further faults, so that a queue that gives
/// up is a fault of ours.
pub const SPARED_AFTER: u32 = 6;
/// Messages of one batch.
const MAX_BATCH: usize = 10;
/// Seconds that a late message is late by, at most.
const MAX_LATE_S: u32 = 3_600;

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its number: the order in which messages were sent.
    pub number: u64,
    /// Whose queue.
    pub step: Step,
    /// What it says.
    pub hint: Hint,
    /// Its text, where the world has texts.
    pub body: String,
    /// What the service calls this delivery of it, where there is a service.
    pub handle: String,
    /// How often it was handed out.
    pub receives: u32,
    /// When it can be had (again).
    pub visible_ms: i64,
}

/// A message that was given up on.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Its number.
    pub number: u64,
    /// The step that could not do it.
    pub step: Step,
    /// What it says.
    pub hint: Hint,
    /// Why, if the step said so; `None` when the queue gave up on it.
    pub reason: Option<String>,
    /// When it can be looked at (again).
    pub visible_ms: i64,
}

/// All queues of the steps.
#[derive(Debug, Default)]
pub struct Queues {
    messages: Vec<Message>,
    next: u64,
    /// What was given up on.
    pub dead_letters: Vec<DeadLetter>,
    /// Whether work may wait for the sweeper: a hint was lost, or given up on by its queue.
    pub needs_sweeper: bool,
}

impl Queues {
    /// Takes a message in that can be had from a certain time; faults may lose it, delay it or double it. How many
    /// faults that were.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the message")]
    pub fn push(
        &mut self,
        step: Step,
        hint: Hint,
        body: String,
        handle: String,
        from_ms: i64,
        faults: &Faults,
        tape: &mut Tape,
    ) -> u32 {
        // What a poll has handed on is in the queue: nobody says it again.
        let handed_on = matches!(&hint, Hint::Changed(changed) if changed.as_of.is_some());
        if !handed_on && tape.happens(faults.lost) {
            self.needs_sweeper = true;
            return 1;
        }
        let (mut visible_ms, mut met) = (from_ms, 0);
        if tape.happens(faults.late) {
            visible_ms += i64::from(1 + tape.choose(MAX_LATE_S)) * 1_000;
            met += 1;
        }
        let copies = match tape.happens(faults.twice) {
            true => 2,
            false => 1,
        };
        met += copies - 1;
        for _ in 0..copies {
            let number = self.next;
            self.next += 1;
            self.messages.push(Message {
                number,
                step,
                hint: hint.clone(),
                body: body.clone(),
                handle: handle.clone(),
                receives: 0,
                visible_ms,
            });
        }
        met
    }

    /// The steps that have something to do now.
    pub fn ready(&self, now_ms: i64) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for message in &self.messages {
            if message.visible_ms <= now_ms && !steps.contains(&message.step) {
                steps.push(message.step);
            }
        }
        steps
    }

    /// Whether any step has something to do now.
    pub fn any_ready(&self, now_ms: i64) -> bool {
        self.messages.iter().any(|m| m.visible_ms <= now_ms)
    }

    /// Whether there is a message about an order for a step that nobody has been handed yet.
    pub fn holds_unread(&self, step: Step, order: &OrderId) -> bool {
        let about = |hint: &Hint| matches!(hint, Hint::Order(id, _) if id == order);
        let mut messages = self.messages.iter();
        messages.any(|m| m.step == step && m.receives == 0 && about(&m.hint))
    }

    /// When the next message can be had.
    pub fn next_ms(&self) -> Option<i64> {
        self.messages.iter().map(|m| m.visible_ms).min()
    }

    /// How many messages there are.
    pub fn depth(&self) -> usize {
        self.messages.len()
    }

    /// Hands out a batch of a step's messages, in any order; and how many faults that were.
    pub fn take(
        &mut self,
        step: Step,
        now_ms: i64,
        faults: &Faults,
        tape: &mut Tape,
    ) -> (Vec<Message>, u32) {
        let mut met = 0;
        let mut ready: Vec<usize> = (0..self.messages.len())
            .filter(|n| self.messages[*n].step == step && self.messages[*n].visible_ms <= now_ms)
            .collect();
        let size = match ready.len() {
            1 => 1,
            many => 1 + tape.index(many.min(MAX_BATCH)),
        };
        let mut batch = Vec::with_capacity(size);
        let mut given_up = Vec::new();
        for _ in 0..size {
            let place = match ready.len() {
                1 => 0,
                many => tape.index(many),
            };
            let message = &mut self.messages[ready.remove(place)];
            if message.receives >= MAX_RECEIVES {
                given_up.push(message.number);
                continue;
            }
            message.receives += 1;
            message.visible_ms = now_ms + VISIBILITY_MS;
            batch.push(message.clone());
            if message.receives <= SPARED_AFTER && tape.happens(faults.visible) {
                message.visible_ms = now_ms;
                met += 1;
            }
        }
        for number in given_up {
            if let Some(message) = self.remove(number) {
                self.park(message.step, &message.hint, None);
                self.needs_sweeper = true;
            }
        }
        (batch, met)
    }

    /// Deletes a message that was worked on, unless it has been handed out again since.
    pub fn delete(&mut self, done: &Message) -> Option<Message> {
        let current = self.messages.iter().find(|m| m.number == done.number)?;
        match current.receives == done.receives {
            true => self.remove(done.number),
            false => None,
        }
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let place = self.messages.iter().position(|m| m.number == number)?;
        Some(self.messages.remove(place))
    }

    /// Lets a message come again at a certain time.
    pub fn show_at(&mut self, number: u64, visible_ms: i64) {
        for message in self.messages.iter_mut().filter(|m| m.number == number) {
            message.visible_ms = visible_ms;
        }
    }

    /// Puts a message aside.
    pub fn park(&mut self, step: Step, hint: &Hint, reason: Option<String>) {
        let number = self.next;
        self.next += 1;
        self.dead_letters.push(DeadLetter {
            number,
            step,
            hint: hint.clone(),
            reason,
            visible_ms: 0,
        });
    }

    /// What a person would see of what was put aside.
    pub fn parked(&self) -> Vec<Parked> {
        let letters = self.dead_letters.iter().map(|letter| Parked {
            step: letter.step,
            subject: letter.hint.subject(),
            reason: letter.reason.clone(),
        });
        letters.collect()
    }
}
