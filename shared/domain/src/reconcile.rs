//! Every level against its ledger: read back to its first movement, nothing may be left.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::discrepancy::{Discrepancy, DiscrepancyKind};
use crate::id::derived;
use crate::ledger::{Place, newest};
use crate::stock::{Level, Movement};

/// Hours from the beginning of one round to that of the next, at least: a little under a day, so that
/// a schedule does not miss it by a moment.
const ROUND_H: i64 = 23;

/// How far a round over all levels is: it is carried over from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// How often this was written.
    pub version: u64,
    /// When the round began, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub begun_at: Timestamp,
    /// The key in the table after which there is what the round has not looked at.
    #[serde(default)]
    pub after: Option<(String, String)>,
    /// The ledgers that are being read.
    #[serde(default)]
    pub walks: Vec<Walk>,
    /// Whether the round is over.
    pub done: bool,
    /// Levels that it has looked at.
    pub levels: u64,
    /// Faults of the books that it has found and that are open.
    pub differences: u64,
}

impl Reconciliation {
    /// A new round, over one that was written so often.
    pub fn begin(version: u64, now: Timestamp) -> Self {
        Self {
            version,
            begun_at: now,
            after: None,
            walks: Vec::new(),
            done: false,
            levels: 0,
            differences: 0,
        }
    }

    /// Whether the next round is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.done && now.duration_since(self.begun_at) >= SignedDuration::from_hours(ROUND_H)
    }
}

/// The way back through a level's ledger, from its counters as they were read with its newest
/// movements. Pages are never changed: what moves meanwhile is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Which share of the level.
    #[serde(default)]
    pub share: u8,
    /// There are other shares: what one of them got, another may have sent.
    #[serde(default)]
    split: bool,
    movements: u64,
    on_hand: i64,
    allocated: i64,
    #[serde(default)]
    reserved: i64,
    available: i64,
    place: Place,
    /// The movement since which there have been fewer than none on hand.
    #[serde(default)]
    below_zero: Option<u64>,
    /// The ledger goes no further back, though it should.
    #[serde(default)]
    stuck: bool,
}

impl Walk {
    /// Begins at a level: what its own item holds is read.
    pub fn begin(level: &Level) -> Self {
        let mut walk = Self {
            sku: level.sku.clone(),
            location: level.location.clone(),
            share: level.share,
            split: level.share > 0 || level.shares > 1,
            movements: level.movements,
            on_hand: level.on_hand,
            allocated: level.allocated,
            reserved: level.reserved,
            available: level.available,
            place: Place::end(level),
            below_zero: None,
            stuck: false,
        };
        walk.read(newest(level));
        walk
    }

    /// Movements of smaller numbers come next.
    pub fn before(&self) -> u64 {
        self.place.before
    }

    /// Whether there is nothing more to read.
    pub fn has_ended(&self) -> bool {
        self.stuck || self.place.is_start()
    }

    /// Goes back over older movements, the newest first. That there are none is the end of it.
    pub fn go_back(&mut self, movements: Vec<(u64, Movement)>) {
        let before = self.before();
        self.read(movements);
        self.stuck = before == self.before();
    }

    /// The ledger cannot be read any further.
    pub fn give_up(&mut self) {
        self.stuck = true;
    }

    fn read(&mut self, movements: impl IntoIterator<Item = (u64, Movement)>) {
        for entry in self.place.go_back(movements) {
            let later = self.below_zero.map_or(self.movements, |since| since - 1);
            if entry.on_hand < 0 && entry.number == later {
                self.below_zero = Some(entry.number);
            }
        }
    }

    /// What was found to be wrong. The same is the same discrepancy in every round.
    pub fn findings(&self, at: Timestamp) -> Vec<Discrepancy> {
        use DiscrepancyKind::{Allocated, Available, BelowZero, Ledger, OnHand, Reserved};
        let (on_hand, allocated, reserved) = (self.on_hand, self.allocated, self.reserved);
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let mut findings = Vec::new();
        let mut find = |kind: DiscrepancyKind, expected: i64, found: i64, cause: u64, what: i64| {
            if expected != found {
                let what = match self.share {
                    0 => what.to_string(),
                    share => format!("{share}/{what}"),
                };
                findings.push(Discrepancy {
                    id: derived(&[kind.name(), &self.sku, &self.location, &what]),
                    kind,
                    sku: self.sku.clone(),
                    location: self.location.clone(),
                    expected,
                    found,
                    cause: cause.to_string(),
                    at,
                    resolved: None,
                });
            }
        };
        if let Some(since) = self.below_zero.filter(|_| !self.split) {
            find(BelowZero, 0, on_hand, since, number(since));
        }
        let last = self.movements;
        let difference = on_hand - allocated - reserved;
        let by = self.available - difference;
        find(Available, difference, self.available, last, by);
        match self.place.is_start() {
            false => {
                let missing = self.before() - 1;
                let found = number(self.movements - missing);
                find(Ledger, number(last), found, missing, number(missing));
            }
            true => {
                let (shelf, aside, kept) = self.place.left();
                find(OnHand, on_hand - shelf, on_hand, last, shelf);
                find(Allocated, allocated - aside, allocated, last, aside);
                find(Reserved, reserved - kept, reserved, last, kept);
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::MovementKind;

    fn movement(kind: MovementKind, quantity: i64) -> Movement {
        Movement {
            kind,
            quantity,
            cause: "X".into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Six came in, eight left of them, one was found.
    fn level() -> (Level, Vec<(u64, Movement)>) {
        let page = vec![
            (3, movement(MovementKind::Ship, 5)),
            (2, movement(MovementKind::Allocate, 5)),
            (1, movement(MovementKind::Receive, 6)),
        ];
        let tail = vec![
            movement(MovementKind::TransferOut, 3),
            movement(MovementKind::Adjust, 1),
        ];
        let level = Level {
            sku: "TENT".into(),
            location: "berlin".into(),
            on_hand: -1,
            available: -1,
            movements: 5,
            tail,
            ..Level::default()
        };
        (level, page)
    }

    fn findings(level: &Level, page: Vec<(u64, Movement)>) -> Vec<Discrepancy> {
        let mut walk = Walk::begin(level);
        while !walk.has_ended() {
            walk.go_back(page.clone());
        }
        walk.findings(Timestamp::UNIX_EPOCH)
    }

    fn told(level: &Level, page: Vec<(u64, Movement)>) -> Vec<String> {
        let told = findings(level, page).into_iter().map(|f| f.describe(0));
        told.collect()
    }

    #[test]
    fn what_adds_up_is_let_be_and_fewer_than_none_are_told_of_since_when() {
        let (mut level, page) = level();
        let since = "-1 on hand: since movement 4 more has left than there was";
        assert_eq!(told(&level, page.clone()), [since]);
        // Another movement of the same stay below zero is the same discrepancy.
        let first = findings(&level, page.clone());
        level.tail.push(movement(MovementKind::Adjust, -1));
        (level.on_hand, level.available, level.movements) = (-2, -2, 6);
        assert_eq!(findings(&level, page.clone())[0].id, first[0].id);
        level.tail.push(movement(MovementKind::Receive, 2));
        (level.on_hand, level.available, level.movements) = (0, 0, 7);
        assert_eq!(told(&level, page), [""; 0]);
        assert_eq!(told(&Level::default(), Vec::new()), [""; 0]);
    }

    #[test]
    fn what_does_not_add_up_is_told_once_whatever_moves_meanwhile() {
        let (mut level, page) = level();
        (level.on_hand, level.available) = (2, 2);
        let more = "the ledger adds up to -1 on hand, the counter says 2";
        assert_eq!(told(&level, page.clone()), [more]);
        let known = findings(&level, page.clone());
        level.tail.push(movement(MovementKind::Receive, 4));
        (level.on_hand, level.available, level.movements) = (6, 6, 6);
        assert_eq!(findings(&level, page.clone())[0].id, known[0].id);
        level.allocated = 1;
        let aside = "the ledger adds up to 0 set aside, the counter says 1";
        let available = "on hand less set aside and reserved is 5, the counter says 6 available";
        let found = told(&level, page.clone());
        assert_eq!(found[..1], [available]);
        assert_eq!(found[2..], [aside]);
        level.tail.push(movement(MovementKind::Reserve, 2));
        (level.reserved, level.available, level.movements) = (3, 2, 7);
        let found = told(&level, page.clone());
        let kept = "the ledger adds up to 2 reserved, the counter says 3";
        assert_eq!(found[2..], [kept]);
    }

    #[test]
    fn a_ledger_with_a_gap_is_told_of() {
        let (level, mut page) = level();
        page.remove(0);
        let found = told(&level, page);
        let gap = "movements up to 3 are missing in the ledger: it has 2 of 5";
        assert_eq!(found.last().map(String::as_str), Some(gap));
    }

    #[test]
    fn a_round_is_due_a_day_after_the_last() {
        let begun = Timestamp::UNIX_EPOCH;
        let mut round = Reconciliation::begin(7, begun);
        let later = |hours| begun + SignedDuration::from_hours(hours);
        assert!(!round.is_due(later(100)), "it is under way");
        round.done = true;
        assert!(!round.is_due(later(22)));
        assert!(round.is_due(later(23)));
    }
}
