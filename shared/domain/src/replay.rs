//! A subscriber hears again of what has happened since some time: a walk over all orders, page by page, over several
//! runs. What it comes upon is noted before the walk goes on: one that is broken off repeats, and never leaves out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::Timeline;
use crate::limits::MAX_WAITING_REPLAYED;
use crate::{is_default, to_the_second};

/// Seconds after which a walk begins. A subscriber may have been entered just before it was asked for: who accepts
/// orders meanwhile may not know of it for a minute, and takes up to another half to store them.
const BEGINS_AFTER_S: i64 = 120;

/// A walk over all orders for a subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The subscriber.
    pub subscriber: String,
    /// It hears again of what has happened since then, to the second, as events have their times.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub from: Timestamp,
    /// When it was asked for, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub asked_at: Timestamp,
    /// The key in the table after which there is what the walk has not come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(String, String)>,
    /// Orders that it has come to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen: u64,
    /// Those of them of which the subscriber hears again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told: u64,
    /// When the walk came to its end, to the second.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub done_at: Option<Timestamp>,
    /// How often it has been written: of two who go on from the same place, one does.
    pub turn: u64,
}

/// A page of orders that a walk has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// So many.
    pub seen: u64,
    /// So many of which the subscriber hears again.
    pub told: u64,
    /// The key in the table where there may be more.
    pub after: Option<(String, String)>,
}

impl Replay {
    /// A walk from its beginning. `known`: the one before it for the same subscriber; if that has not come to its
    /// end, the new one is for both.
    pub fn new(known: Option<&Self>, subscriber: &str, from: Timestamp, now: Timestamp) -> Self {
        let from = to_the_second(from);
        let under_way = known.filter(|known| known.done_at.is_none());
        Self {
            subscriber: subscriber.to_owned(),
            from: under_way.map_or(from, |known| known.from.min(from)),
            asked_at: to_the_second(now),
            after: None,
            seen: 0,
            told: 0,
            done_at: None,
            turn: known.map_or(0, |known| known.turn) + 1,
        }
    }

    /// Whether there is a page to come to, and not too much that waits. `waiting`: the orders of which subscribers are
    /// to be told again, and are not yet.
    pub fn is_due(&self, waiting: usize, now: Timestamp) -> bool {
        let waited = now.duration_since(self.asked_at);
        self.done_at.is_none()
            && waited >= SignedDuration::from_secs(BEGINS_AFTER_S)
            && waiting < MAX_WAITING_REPLAYED
    }

    /// The walk behind a page.
    pub fn behind(&self, passed: Passed, now: Timestamp) -> Self {
        Self {
            done_at: passed.after.is_none().then(|| to_the_second(now)),
            after: passed.after,
            seen: self.seen + passed.seen,
            told: self.told + passed.told,
            turn: self.turn + 1,
            ..self.clone()
        }
    }
}

/// The number of the first event since a time, if there is one.
pub fn first_since(timeline: &Timeline, from: Timestamp) -> Option<u64> {
    let mut entries = (timeline.first..).zip(&timeline.entries);
    entries.find_map(|(number, entry)| (entry.at >= from).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn page(after: Option<&str>) -> Passed {
        Passed {
            seen: 3,
            told: 2,
            after: after.map(|id| (id.to_owned(), "ORDER".to_owned())),
        }
    }

    #[test]
    fn a_walk_goes_on_page_by_page_once_its_time_has_come() {
        let new = Replay::new(None, "erp", at(50), at(1_000));
        assert_eq!((new.from, new.turn), (at(50), 1));
        let begins = at(1_000 + BEGINS_AFTER_S);
        assert!(!new.is_due(0, at(1_000 + BEGINS_AFTER_S - 1)));
        assert!(new.is_due(MAX_WAITING_REPLAYED - 1, begins));
        assert!(!new.is_due(MAX_WAITING_REPLAYED, begins));
        let next = new.behind(page(Some("ORDER#A")), at(1_130));
        assert_eq!((next.seen, next.told, next.turn), (3, 2, 2));
        assert_eq!(next.after.as_ref().unwrap().0, "ORDER#A");
        assert!(next.is_due(0, at(1_130)));
        let last = next.behind(page(None), at(1_140));
        assert_eq!((last.seen, last.told, last.turn), (6, 4, 3));
        assert_eq!((last.after.as_ref(), last.done_at), (None, Some(at(1_140))));
        assert!(!last.is_due(0, at(9_999)));
    }

    #[test]
    fn what_is_asked_for_meanwhile_takes_what_was_asked_for_along() {
        let first = Replay::new(None, "erp", at(50), at(1_000));
        let first = first.behind(page(Some("ORDER#A")), at(1_130));
        for (from, expected) in [(49, 49), (50, 50), (51, 50)] {
            let both = Replay::new(Some(&first), "erp", at(from), at(1_200));
            assert_eq!((both.from, both.turn), (at(expected), 3));
            assert_eq!((both.after, both.seen, both.told), (None, 0, 0));
        }
        let done = first.behind(page(None), at(1_140));
        assert_eq!(
            Replay::new(Some(&done), "erp", at(51), at(1_200)).from,
            at(51)
        );
    }

    #[test]
    fn it_begins_with_the_first_event_of_the_second_that_is_named() {
        let times = [10, 20, 20, 30];
        let mut timeline = Timeline {
            first: 4,
            entries: Vec::new(),
        };
        for time in times {
            timeline.push(at(time), Event::Accepted);
        }
        let cases = [
            (0, Some(4)),
            (10, Some(4)),
            (11, Some(5)),
            (20, Some(5)),
            (21, Some(7)),
            (31, None),
        ];
        for (from, first) in cases {
            assert_eq!(first_since(&timeline, at(from)), first, "{from}");
        }
        let within: Timestamp = "1970-01-01T00:00:20.9Z".parse().unwrap();
        let replay = Replay::new(None, "erp", within, within);
        assert_eq!(first_since(&timeline, replay.from), Some(5));
    }
}
