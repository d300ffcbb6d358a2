//! How far a subscriber has heard of an order, and when it is told again what it did not take.
//!
//! An order's events go to a subscriber one after the other: the next one once it has taken the last. So it
//! hears of them without a gap, and an event that it does not take holds up what follows on the same order, and
//! nothing else.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::OrderId;
use crate::{is_default, to_the_second};

/// Seconds that an event waits before each time that it is sent, as Standard Webhooks has it. After the last it
/// is given up.
pub const SCHEDULE_S: [i64; 10] = [
    0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

/// How far a subscriber has heard of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The order.
    pub order: OrderId,
    /// The subscriber.
    pub subscriber: String,
    /// The newest event that it has taken, or does not want, and with it all before.
    pub delivered: u64,
    /// How often it was sent the next one in vain.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failed: usize,
    /// When to send it again, if that is to be.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_at: Option<Timestamp>,
    /// The newest event at the time when the next one was given up: it is tried again when there is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<u64>,
    /// How often it has been written: of two who go on from the same place, one does.
    pub turn: u64,
}

impl Delivery {
    /// A subscriber that has heard nothing of an order.
    pub fn new(order: &OrderId, subscriber: &str) -> Self {
        Self {
            order: order.clone(),
            subscriber: subscriber.to_owned(),
            delivered: 0,
            failed: 0,
            due_at: None,
            given_up: None,
            turn: 0,
        }
    }

    /// The event that it is to be sent now, if any. `newest`: the order's.
    pub fn next(&self, newest: u64, now: Timestamp) -> Option<u64> {
        let given_up = self.given_up.is_some_and(|upto| upto >= newest);
        (self.delivered < newest && !self.rests(now) && !given_up).then_some(self.delivered + 1)
    }

    /// Whether it is not to be sent anything yet.
    pub fn rests(&self, now: Timestamp) -> bool {
        self.due_at.is_some_and(|due_at| due_at > now)
    }

    /// It has taken the event of this number, or does not want it.
    pub fn taken(&self, number: u64) -> Self {
        Self {
            delivered: number,
            failed: 0,
            due_at: None,
            given_up: None,
            ..self.clone()
        }
    }

    /// It has not taken the next one; the `newest` is the order's. It is sent again as the schedule says, or
    /// given up.
    pub fn refused(&self, newest: u64, now: Timestamp) -> Self {
        let failed = self.failed + 1;
        let wait_s = SCHEDULE_S.get(failed);
        Self {
            failed: wait_s.map_or(0, |_| failed),
            due_at: wait_s.map(|wait_s| now.saturating_add(wait_s.seconds()).unwrap_or(now)),
            given_up: wait_s.is_none().then_some(newest),
            ..self.clone()
        }
    }

    /// The next one is to be sent from then on.
    pub fn due(&self, at: Timestamp) -> Self {
        Self {
            due_at: Some(at),
            ..self.clone()
        }
    }

    /// It is to hear again of the event of this number and of what follows, if it has; also if it was given up.
    pub fn again_from(&self, number: u64, now: Timestamp) -> Self {
        Self {
            delivered: self.delivered.min(number.saturating_sub(1)),
            given_up: None,
            ..self.at_rest().due(to_the_second(now))
        }
    }

    /// Nothing is due any more: there is nobody to send it to.
    pub fn at_rest(&self) -> Self {
        Self {
            failed: 0,
            due_at: None,
            ..self.clone()
        }
    }

    /// The same, written once more.
    pub fn turned(self) -> Self {
        Self {
            turn: self.turn + 1,
            ..self
        }
    }
}

/// What came of sending an event once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The subscriber has taken it.
    Delivered,
    /// It has not, and is sent it again.
    Failed,
    /// It has not, and that was the last time.
    GivenUp,
    /// It says that it is gone, and is switched off.
    Gone,
}

/// One time that a subscriber was sent an event: an entry of its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The subscriber.
    pub subscriber: String,
    /// The event's id.
    pub event: String,
    /// When.
    pub at: Timestamp,
    /// Which time it was, from 1.
    pub attempt: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// The status that it answered with, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Milliseconds until it had answered, or was given no more time.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn new() -> Delivery {
        Delivery::new(&OrderId::of("api", "main", "1"), "erp")
    }

    #[test]
    fn events_are_sent_one_after_the_other() {
        let delivery = new();
        assert_eq!(delivery.next(0, at(0)), None);
        assert_eq!(delivery.next(2, at(0)), Some(1));
        let delivery = delivery.taken(1);
        assert_eq!(delivery.next(2, at(0)), Some(2));
        assert_eq!(delivery.taken(2).next(2, at(0)), None);
    }

    #[test]
    fn what_is_not_taken_is_sent_on_the_published_schedule_and_then_given_up() {
        let (mut delivery, mut now, mut waits) = (new().taken(1), 1_000, vec![0]);
        for _ in 1..SCHEDULE_S.len() {
            delivery = delivery.refused(3, at(now));
            let due_at = delivery.due_at.unwrap().as_second();
            assert_eq!(delivery.next(3, at(due_at - 1)), None);
            assert_eq!(delivery.next(3, at(due_at)), Some(2));
            assert_eq!(delivery.next(4, at(due_at - 1)), None, "the next one waits");
            waits.push(due_at - now);
            now = due_at;
        }
        assert_eq!(waits, SCHEDULE_S);
        let given_up = delivery.refused(3, at(now));
        assert_eq!((given_up.due_at, given_up.given_up), (None, Some(3)));
        assert_eq!(given_up.next(3, at(i64::from(i32::MAX))), None);
        assert_eq!(given_up.next(4, at(now)), Some(2), "with the next event");
        let again = given_up.refused(4, at(now));
        assert_eq!(
            again.due_at,
            Some(at(now + SCHEDULE_S[1])),
            "from the beginning"
        );
        assert_eq!(again.taken(2).next(4, at(now)), Some(3));
        assert_eq!(again.at_rest().due_at, None);
    }

    #[test]
    fn what_was_taken_is_sent_again_from_an_event_on() {
        let known = new().taken(4);
        let again = known.again_from(3, at(7));
        assert_eq!((again.due_at, again.next(4, at(7))), (Some(at(7)), Some(3)));
        assert_eq!(known.again_from(1, at(7)).next(4, at(7)), Some(1));
        assert_eq!(known.again_from(5, at(7)).next(5, at(7)), Some(5));
        // What it has not taken comes first.
        assert_eq!(new().again_from(3, at(7)).next(4, at(7)), Some(1));
        let refused = known.refused(5, at(7));
        let again = refused.again_from(2, at(8));
        assert_eq!((again.failed, again.next(5, at(8))), (0, Some(2)));
        let given_up = (1..SCHEDULE_S.len()).fold(refused, |known, _| known.refused(5, at(7)));
        assert_eq!(given_up.next(5, at(8)), None);
        assert_eq!(given_up.again_from(5, at(8)).next(5, at(8)), Some(5));
    }
}
