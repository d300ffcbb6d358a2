//! Facts about stock that somebody outside reports: goods that came in, counts, transfers. Each is
//! stored under the reporter's id first, then moved into the ledger and the level.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalog::{is_one, one};
use crate::id::derived;
use crate::stock::{Level, LevelChange, Movement, MovementKind, spread};

/// A fact about stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockFact {
    /// The reporter's id of it.
    pub id: String,
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// What happened.
    pub kind: MovementKind,
    /// To how many units; signed of an adjustment and a count.
    pub quantity: i64,
    /// Why, in the reporter's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it was reported, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// Whether the level has it.
    #[serde(default)]
    pub applied: bool,
    /// What it says beyond its movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// How many shares the article's levels had when it was reported.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub shares: u8,
}

/// What a fact says beyond its movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// Of a count.
    Count(Count),
    /// Of goods that left for another warehouse, and of those that arrived: the transfer.
    Transfer(Transfer),
    /// Of goods that came in: the id of the purchase line that they are of.
    Inbound(String),
}

/// A count of what lies on a shelf, in units.
///
/// What it moves is the difference, fixed when it is taken in: whatever else moves before it is
/// applied, or while the person was counting, is not undone by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Units that were found.
    pub found: i64,
    /// Units that the counter had when the count began.
    pub expected: i64,
}

/// Goods that one warehouse sends to another.
///
/// On the road they are in no level: they have left one, and the other gets what arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id: that of the fact that they left.
    pub id: String,
    /// The article.
    pub sku: String,
    /// The warehouse that they left.
    pub from: String,
    /// The warehouse that they go to.
    pub to: String,
    /// Units that left.
    pub quantity: i64,
    /// When they should arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on: Option<Date>,
    /// When they left, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub sent_at: Timestamp,
}

/// What a fact does to the goods on the road.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transit {
    /// They have left.
    Begins(Transfer),
    /// They have arrived, as far as they ever will.
    Ends(Transfer),
}

impl Transfer {
    /// The fact that they left.
    pub fn departure(self, reason: String) -> StockFact {
        StockFact {
            id: self.id.clone(),
            sku: self.sku.clone(),
            location: self.from.clone(),
            kind: MovementKind::TransferOut,
            quantity: self.quantity,
            reason,
            at: self.sent_at,
            applied: false,
            details: Some(Details::Transfer(self)),
            shares: 1,
        }
    }

    /// The fact that `received` of them arrived, and no more will.
    pub fn arrival(self, received: i64, at: Timestamp) -> StockFact {
        StockFact {
            id: derived(&[&self.sku, &self.id, "received"]),
            sku: self.sku.clone(),
            location: self.to.clone(),
            kind: MovementKind::TransferIn,
            quantity: received,
            reason: String::new(),
            at,
            applied: false,
            details: Some(Details::Transfer(self)),
            shares: 1,
        }
    }
}

impl StockFact {
    /// The level change that it amounts to.
    pub fn change(&self) -> LevelChange {
        let cause = match &self.details {
            Some(Details::Transfer(transfer)) => &transfer.id,
            _ => &self.id,
        };
        LevelChange {
            sku: self.sku.clone(),
            location: self.location.clone(),
            share: 0,
            shares: 0,
            movements: vec![Movement {
                kind: self.kind,
                quantity: self.quantity,
                cause: cause.clone(),
                at: self.at,
            }],
            kept: 0,
        }
    }

    /// The changes that it amounts to where there are several shares, given all that are there.
    pub fn changes(&self, levels: &[Level]) -> Vec<LevelChange> {
        let known = levels.iter().map(|level| level.shares).max();
        let shares = self.shares.max(known.unwrap_or(1));
        let of = |share| levels.iter().find(|level| level.share == share);
        let available: Vec<i64> = (0..shares)
            .map(|share| of(share).map_or(0, |level| level.available))
            .collect();
        // What leaves is counted up by some kinds and down by others.
        let sign = self.kind.delta(1).on_hand;
        let parts = (0..).zip(spread(sign * self.quantity, &available));
        let change = |(share, units): (u8, i64)| {
            let mut change = self.change();
            change.share = share;
            change.shares = if share == 0 { shares } else { 0 };
            change.movements[0].quantity = sign * units;
            let says_nothing = units == 0 && (share > 0 || self.quantity != 0);
            if says_nothing {
                change.movements.clear();
            }
            change
        };
        let changes = parts.map(change);
        changes
            .filter(|c| c.share == 0 || !c.movements.is_empty())
            .collect()
    }

    /// The transfer whose goods it says have left.
    pub fn departed(&self) -> Option<&Transfer> {
        match (&self.details, self.kind) {
            (Some(Details::Transfer(transfer)), MovementKind::TransferOut) => Some(transfer),
            _ => None,
        }
    }

    /// What it does to the goods on the road.
    pub fn transit(&self) -> Option<Transit> {
        match (self.departed(), &self.details) {
            (Some(transfer), _) => Some(Transit::Begins(transfer.clone())),
            (None, Some(Details::Transfer(transfer))) => Some(Transit::Ends(transfer.clone())),
            _ => None,
        }
    }

    /// The purchase line that it counts for, and how many units.
    pub fn of_inbound(&self) -> Option<(&str, i64)> {
        match &self.details {
            Some(Details::Inbound(id)) => Some((id, self.quantity)),
            _ => None,
        }
    }

    /// Whether a report under the same id says the same, its words apart. What a count expected is
    /// the counter's word where the reporter gave none, so that it may differ.
    pub fn says_as(&self, other: &Self) -> bool {
        let same = self.kind == other.kind && self.location == other.location;
        same && match (&self.details, &other.details) {
            (Some(Details::Count(count)), Some(Details::Count(known))) => {
                count.found == known.found
            }
            (Some(Details::Transfer(transfer)), Some(Details::Transfer(known))) => {
                let terms = |t: &Transfer| (t.to.clone(), t.quantity, t.expected_on);
                terms(transfer) == terms(known) && self.quantity == other.quantity
            }
            _ => self.quantity == other.quantity && self.of_inbound() == other.of_inbound(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer() -> Transfer {
        Transfer {
            id: "T1".into(),
            sku: "TENT".into(),
            from: "berlin".into(),
            to: "lyon".into(),
            quantity: 5,
            expected_on: Some(jiff::civil::date(2026, 12, 1)),
            sent_at: Timestamp::from_second(1_764_000_000).unwrap(),
        }
    }

    #[test]
    fn what_left_arrives_elsewhere_and_is_on_the_road_between() {
        let departure = transfer().departure("winter".into());
        let arrival = transfer().arrival(4, Timestamp::UNIX_EPOCH);
        let shape = |fact: &StockFact| {
            let change = fact.change();
            let cause = change.movements[0].cause.clone();
            (change.location.clone(), change.delta().on_hand, cause)
        };
        assert_eq!(shape(&departure), ("berlin".into(), -5, "T1".into()));
        assert_eq!(shape(&arrival), ("lyon".into(), 4, "T1".into()));
        assert_eq!(departure.transit(), Some(Transit::Begins(transfer())));
        assert_eq!(arrival.transit(), Some(Transit::Ends(transfer())));
        assert_ne!(departure.id, arrival.id);
    }

    /// Facts are stored: what was written before there were details still reads.
    #[test]
    fn facts_read_as_they_were_written() {
        let old = r#"{"id":"F","sku":"TENT","location":"berlin","kind":"adjust","quantity":-1,
            "reason":"torn","at":1764000000,"applied":true}"#;
        let old: StockFact = serde_json::from_str(old).unwrap();
        assert_eq!((old.quantity, old.details.clone()), (-1, None));
        assert_eq!(old.transit(), None);
        let departure = transfer().departure(String::new());
        let text = serde_json::to_string(&departure).unwrap();
        assert_eq!(
            text,
            r#"{"id":"T1","sku":"TENT","location":"berlin","kind":"transfer_out","quantity":5,"at":1764000000,"applied":false,"details":{"transfer":{"id":"T1","sku":"TENT","from":"berlin","to":"lyon","quantity":5,"expected_on":"2026-12-01","sent_at":1764000000}}}"#
        );
        assert_eq!(serde_json::from_str::<StockFact>(&text).unwrap(), departure);
        let count = Details::Count(Count {
            found: 3,
            expected: 5,
        });
        let text = serde_json::to_string(&count).unwrap();
        assert_eq!(text, r#"{"count":{"found":3,"expected":5}}"#);
    }

    #[test]
    fn a_fact_reaches_every_share_and_never_makes_them_fewer() {
        let fact = |shares, quantity| StockFact {
            id: "F".into(),
            sku: "A".into(),
            location: "x".into(),
            kind: MovementKind::Receive,
            quantity,
            reason: String::new(),
            at: Timestamp::UNIX_EPOCH,
            applied: false,
            details: None,
            shares,
        };
        let changes = fact(2, 3).changes(&[]);
        let parts: Vec<_> = changes
            .iter()
            .map(|c| (c.share, c.shares, c.delta().on_hand))
            .collect();
        assert_eq!(parts, [(0, 2, 2), (1, 0, 1)]);
        let first = Level {
            shares: 3,
            ..Level::default()
        };
        let changes = fact(2, 1).changes(&[first]);
        let parts: Vec<_> = changes
            .iter()
            .map(|c| (c.share, c.shares, c.delta().on_hand))
            .collect();
        assert_eq!(
            parts,
            [(0, 3, 1)],
            "a share that nothing comes to is let be"
        );
        let second = Level {
            share: 1,
            available: 9,
            ..Level::default()
        };
        let changes = fact(2, -1).changes(&[second]);
        let parts: Vec<_> = changes
            .iter()
            .map(|c| (c.share, c.shares, c.delta().on_hand))
            .collect();
        assert_eq!(
            parts,
            [(0, 2, 0), (1, 0, -1)],
            "the first says how many there are"
        );
    }

    #[test]
    fn what_leaves_is_taken_from_who_has_it() {
        let sent = StockFact {
            id: "F".into(),
            sku: "A".into(),
            location: "x".into(),
            kind: MovementKind::TransferOut,
            quantity: 4,
            reason: String::new(),
            at: Timestamp::UNIX_EPOCH,
            applied: false,
            details: None,
            shares: 2,
        };
        let level = |share, available| Level {
            share,
            available,
            ..Level::default()
        };
        let parts = |fact: &StockFact| -> Vec<_> {
            let changes = fact.changes(&[level(0, 1), level(1, 3)]);
            let part = |c: &LevelChange| c.movements.iter().map(|m| m.quantity).collect::<Vec<_>>();
            changes.iter().map(part).collect()
        };
        assert_eq!(parts(&sent), [[1], [3]]);
        // A count that agrees is noted, once.
        let agrees = StockFact {
            kind: MovementKind::Count,
            quantity: 0,
            ..sent
        };
        assert_eq!(parts(&agrees), [[0]]);
    }
}
