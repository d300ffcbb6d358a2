//! The ledger read backwards, from what is on the shelf now: why it is so many.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::stock::{Breakdown, Level, Movement, MovementKind};

/// A movement, and what it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the ledger of its SKU and location, from 1.
    pub number: u64,
    /// What happened.
    pub movement: Movement,
    /// Units that were physically there after it.
    pub on_hand: i64,
    /// Units that were set aside after it.
    pub allocated: i64,
    /// Units that were kept for reservations after it.
    pub reserved: i64,
}

/// A place in the ledger: the number of a movement, and what was there before that.
///
/// As text (`17.47.2.0`) it is what a reader sends back to read on: the counters are carried along,
/// because the ledger itself holds only what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Movements of smaller numbers come next.
    pub before: u64,
    on_hand: i64,
    allocated: i64,
    #[serde(default)]
    reserved: i64,
}

impl Place {
    /// The end of a level's ledger.
    pub fn end(level: &Level) -> Self {
        Self {
            before: level.movements + 1,
            on_hand: level.on_hand,
            allocated: level.allocated,
            reserved: level.reserved,
        }
    }

    /// Reads a place back; `None` if the text is none. One of three numbers is of a time before
    /// reservations.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let place = Self {
            before: parts.next()?.parse().ok().filter(|before| *before > 0)?,
            on_hand: parts.next()?.parse().ok()?,
            allocated: parts.next()?.parse().ok()?,
            reserved: parts.next().map_or(Ok(0), str::parse).ok()?,
        };
        parts.next().is_none().then_some(place)
    }

    /// Whether nothing comes before.
    pub fn is_start(&self) -> bool {
        self.before <= 1
    }

    /// What was there before: on hand, set aside, and reserved. At the start of a ledger that adds up,
    /// nothing.
    pub fn left(&self) -> (i64, i64, i64) {
        (self.on_hand, self.allocated, self.reserved)
    }

    /// Goes back over numbered movements, the newest first; stops at the first that is not the next.
    pub fn go_back(&mut self, movements: impl IntoIterator<Item = (u64, Movement)>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (number, movement) in movements {
            if number + 1 != self.before {
                break;
            }
            let (on_hand, allocated, reserved) = self.left();
            let delta = movement.kind.delta(movement.quantity);
            *self = Self {
                before: number,
                on_hand: on_hand.saturating_sub(delta.on_hand),
                allocated: allocated.saturating_sub(delta.allocated),
                reserved: reserved.saturating_sub(delta.reserved),
            };
            entries.push(Entry {
                number,
                movement,
                on_hand,
                allocated,
                reserved,
            });
        }
        entries
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            before,
            on_hand,
            allocated,
            reserved,
        } = self;
        write!(formatter, "{before}.{on_hand}.{allocated}.{reserved}")
    }
}

/// The movements that a level's own item holds, with their numbers, the newest first.
pub fn newest(level: &Level) -> impl Iterator<Item = (u64, Movement)> {
    let numbers = (1..=level.movements).rev();
    numbers.zip(level.tail.iter().rev().cloned())
}

/// What happened, for people. `reason`: what the reporter of a fact gave as one; `breakdown`: what the
/// movement is made of, if it stands for many; `decimals`: those of the article.
pub fn describe(
    movement: &Movement,
    decimals: u8,
    reason: Option<&str>,
    breakdown: Option<&Breakdown>,
) -> String {
    let (units, cause) = (movement.quantity, &movement.cause);
    let n = Quantity::new(units.saturating_abs(), decimals);
    let whose = match breakdown {
        None => format!("order {cause}"),
        Some(breakdown) => {
            let orders: BTreeSet<&str> = breakdown.parts.iter().map(|part| &*part.0).collect();
            let listed: Vec<&str> = orders.iter().copied().collect();
            format!("{} orders: {}", orders.len(), listed.join(", "))
        }
    };
    let what = match movement.kind {
        MovementKind::Reserve => format!("{n} kept for reservation {cause}"),
        MovementKind::Commit => format!("{n} of a reservation taken up by {whose}"),
        MovementKind::Unreserve => format!("{n} no longer kept: reservation {cause} was given up"),
        MovementKind::Expire => {
            format!("{n} no longer kept: the time of reservation {cause} was over")
        }
        MovementKind::Allocate => format!("{n} set aside for {whose}"),
        MovementKind::Release => format!("{n} no longer set aside for {whose}"),
        MovementKind::Reject => format!("{n} rejected when to be packed for {whose}"),
        MovementKind::Ship => format!("{n} left for {whose}"),
        MovementKind::Short => format!("{n} not found when picked for {whose}"),
        MovementKind::Receive => format!("{n} came in"),
        MovementKind::Adjust if units < 0 => format!("{n} fewer than counted"),
        MovementKind::Adjust => format!("{n} more than counted"),
        MovementKind::Count if units == 0 => "counted, as many as there should be".into(),
        MovementKind::Count if units < 0 => format!("counted, {n} fewer than there should be"),
        MovementKind::Count => format!("counted, {n} more than there should be"),
        MovementKind::TransferOut => format!("{n} left with transfer {}", movement.cause),
        MovementKind::TransferIn => format!("{n} arrived with transfer {}", movement.cause),
        MovementKind::Restock => format!("{n} back from {whose}, for sale again"),
        MovementKind::Quarantine => format!("{n} back from {whose}, to be looked at"),
        MovementKind::ReturnToVendor => format!("{n} back from {whose}, for the supplier"),
        MovementKind::Scrap => format!("{n} back from {whose}, thrown away"),
    };
    match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{what}: {reason}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(kind: MovementKind, quantity: i64) -> Movement {
        Movement {
            kind,
            quantity,
            cause: "X".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// Twenty came in, four were reserved, one of them for too long; three were set aside instead, one of them
    /// was not there, two left, one came back broken.
    fn level() -> Level {
        let tail = [
            movement(MovementKind::Receive, 20),
            movement(MovementKind::Reserve, 4),
            movement(MovementKind::Expire, 1),
            movement(MovementKind::Commit, 3),
            movement(MovementKind::Allocate, 3),
            movement(MovementKind::Short, 1),
            movement(MovementKind::Ship, 2),
            movement(MovementKind::Scrap, 1),
        ];
        Level {
            on_hand: 17,
            available: 17,
            movements: 8,
            tail: tail.into(),
            ..Level::default()
        }
    }

    #[test]
    fn what_is_there_is_explained_back_to_nothing() {
        let level = level();
        let mut place = Place::end(&level);
        let entries = place.go_back(newest(&level));
        let left: Vec<_> = entries
            .iter()
            .map(|e| (e.number, e.on_hand, e.allocated, e.reserved))
            .collect();
        assert_eq!(
            left,
            [
                (8, 17, 0, 0),
                (7, 17, 0, 0),
                (6, 19, 2, 0),
                (5, 20, 3, 0),
                (4, 20, 0, 0),
                (3, 20, 0, 3),
                (2, 20, 0, 4),
                (1, 20, 0, 0)
            ]
        );
        assert!(place.is_start());
        assert_eq!(place.left(), (0, 0, 0));
    }

    #[test]
    fn a_place_is_read_on_from_and_a_gap_is_not_jumped_over() {
        let level = level();
        let mut place = Place::end(&level);
        assert_eq!(place.go_back(newest(&level).take(2)).len(), 2);
        assert_eq!(place.to_string(), "7.19.2.0");
        let mut again = Place::parse("7.19.2.0").unwrap();
        assert_eq!(again, place);
        let before_reservations = Place::parse("7.19.2");
        assert_eq!(before_reservations, Some(place));
        assert_eq!(again.go_back(newest(&level)), [], "it begins too late");
        let rest = again.go_back(newest(&level).skip(2));
        assert_eq!((rest.len(), rest[5].number), (6, 1));
        for text in [
            "",
            "4",
            "4.19",
            "0.1.1.0",
            "4.19.2.1.0",
            "-1.0.0.0",
            "4.x.2.0",
            "4.19.2.x",
            "4.19.2 ",
        ] {
            assert_eq!(Place::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn words_name_cause_and_reason() {
        let told = |kind, n, reason| describe(&movement(kind, n), 0, reason, None);
        assert_eq!(told(MovementKind::Ship, 2, None), "2 left for order X");
        let few = told(MovementKind::Adjust, -3, Some("water damage"));
        assert_eq!(few, "3 fewer than counted: water damage");
        assert_eq!(told(MovementKind::Receive, 9, Some("")), "9 came in");
        let counted = [-2, 0, 1].map(|n| told(MovementKind::Count, n, None));
        assert_eq!(
            counted,
            [
                "counted, 2 fewer than there should be",
                "counted, as many as there should be",
                "counted, 1 more than there should be",
            ]
        );
        let sent = told(MovementKind::TransferOut, 4, Some("for the winter"));
        assert_eq!(sent, "4 left with transfer X: for the winter");
        let arrived = told(MovementKind::TransferIn, 3, None);
        assert_eq!(arrived, "3 arrived with transfer X");
        let parts = [("ORDER1", 2), ("ORDER2", 1), ("ORDER1", 1)];
        let breakdown = Breakdown {
            id: "B".into(),
            sku: "A".into(),
            location: "x".into(),
            parts: parts.map(|part| (part.0.into(), part.1)).into(),
        };
        let many = movement(MovementKind::Allocate, 4);
        let told = describe(&many, 0, None, Some(&breakdown));
        assert_eq!(told, "4 set aside for 2 orders: ORDER1, ORDER2");
    }
}
