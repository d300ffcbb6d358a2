//! Stock: one level per SKU and location, and the ledger of movements that it is the sum of.

mod changes;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::{is_one, one};
use crate::money::unit_share;

pub use changes::{Changes, LevelChange, gather_moves, moved};

/// What the cause of a movement begins with that stands for many: no id of an order or a fact does.
const BREAKDOWN: &str = "BATCH-";

/// What happened to goods. Quantities are positive, except of an adjustment and a count; of a count
/// that agrees, and of a transfer of which nothing arrived, they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Kept for a reservation: nobody else is promised it.
    Reserve,
    /// No longer kept for a reservation, because an order has taken that up.
    Commit,
    /// No longer kept for a reservation, because that was given up.
    Unreserve,
    /// No longer kept for a reservation, because its time was over.
    Expire,
    /// Set aside for an order.
    Allocate,
    /// No longer set aside.
    Release,
    /// No longer set aside, because the location rejected it.
    Reject,
    /// Left with a parcel.
    Ship,
    /// Set aside, and not found by the picker.
    Short,
    /// Came in from a supplier.
    Receive,
    /// Found to be more (positive) or less (negative) than counted.
    Adjust,
    /// Counted on the shelf: how many more (positive) or fewer (negative) than the counter said.
    Count,
    /// Left for another warehouse.
    TransferOut,
    /// Arrived from another warehouse.
    TransferIn,
    /// Came back from a customer, and can be sold again.
    Restock,
    /// Came back, and has to be looked at.
    Quarantine,
    /// Came back, and goes on to the supplier.
    ReturnToVendor,
    /// Came back, and is thrown away.
    Scrap,
}

impl MovementKind {
    /// Whether somebody outside reported it, as a [fact](crate::fact), and no order caused it.
    pub fn is_reported(self) -> bool {
        use MovementKind::{Adjust, Count, Receive, TransferIn, TransferOut};
        matches!(self, Receive | Adjust | Count | TransferOut | TransferIn)
    }

    /// Its name in documents and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Commit => "commit",
            Self::Unreserve => "unreserve",
            Self::Expire => "expire",
            Self::Allocate => "allocate",
            Self::Release => "release",
            Self::Reject => "reject",
            Self::Ship => "ship",
            Self::Short => "short",
            Self::Receive => "receive",
            Self::Adjust => "adjust",
            Self::Count => "count",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Restock => "restock",
            Self::Quarantine => "quarantine",
            Self::ReturnToVendor => "return_to_vendor",
            Self::Scrap => "scrap",
        }
    }

    /// What moving `quantity` units does to the level's counters.
    pub fn delta(self, quantity: i64) -> Delta {
        let delta = |on_hand, allocated, available| Delta {
            on_hand: on_hand * quantity,
            allocated: allocated * quantity,
            reserved: 0,
            available: available * quantity,
        };
        let reserved = |quantity: i64| Delta {
            reserved: quantity,
            available: -quantity,
            ..Delta::default()
        };
        match self {
            Self::Reserve => reserved(quantity),
            Self::Commit | Self::Unreserve | Self::Expire => reserved(-quantity),
            Self::Allocate => delta(0, 1, -1),
            Self::Release | Self::Reject => delta(0, -1, 1),
            Self::Ship | Self::Short => delta(-1, -1, 0),
            Self::Receive | Self::Adjust | Self::Count | Self::TransferIn | Self::Restock => {
                delta(1, 0, 1)
            }
            // Goods on the road are in no level: the transfer holds them.
            Self::TransferOut => delta(-1, 0, -1),
            // Goods that are not for sale are in the ledger and in no counter.
            Self::Quarantine | Self::ReturnToVendor | Self::Scrap => delta(0, 0, 0),
        }
    }
}

/// A change of a level's counters, in units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delta {
    /// Change of what is physically there.
    pub on_hand: i64,
    /// Change of what is set aside.
    pub allocated: i64,
    /// Change of what is kept for reservations.
    pub reserved: i64,
    /// Change of what may be promised.
    pub available: i64,
}

impl std::ops::AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.on_hand += other.on_hand;
        self.allocated += other.allocated;
        self.reserved += other.reserved;
        self.available += other.available;
    }
}

/// An entry of the ledger; entries are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What happened.
    #[serde(rename = "k")]
    pub kind: MovementKind,
    /// To how many units.
    #[serde(rename = "q")]
    pub quantity: i64,
    /// Because of what: an order, a reservation, a transfer, the reporter's id of the fact, or a
    /// [breakdown](Self::breakdown).
    #[serde(rename = "c")]
    pub cause: String,
    /// When, to the second.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
}

impl Movement {
    /// The id of the [`Breakdown`], if it stands for many movements.
    pub fn breakdown(&self) -> Option<&str> {
        self.cause.strip_prefix(BREAKDOWN)
    }
}

/// What one movement of the ledger stands for: movements of one kind that were committed together.
/// Stored with it, in a partition of its own, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Its id, which the movement's cause names.
    pub id: String,
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// What each of them was because of, and how many units it moved.
    pub parts: Vec<(String, i64)>,
}

/// What there is of one SKU in one location, in units.
///
/// `available = on_hand - allocated - reserved`, stored because a database condition cannot subtract. No
/// allocation or reservation can make it negative: the database refuses. A physical fact is never refused, so a
/// count that finds less than was promised leaves it negative: that is the discrepancy to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Which share of what is there, from 0. Each is a level of its own, with counters and ledger; together they
    /// are what is there. Goods are set aside from any share and come in spread over all; everything else
    /// is noted on the first, so that only the sum over the shares says what is on hand or set aside.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub share: u8,
    /// Of the first share: how many shares there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub shares: u8,
    /// Units physically there.
    #[serde(default)]
    pub on_hand: i64,
    /// Of these, units set aside for orders.
    #[serde(default)]
    pub allocated: i64,
    /// Of these, units kept for reservations that are held.
    #[serde(default)]
    pub reserved: i64,
    /// Units that may be promised.
    #[serde(default)]
    pub available: i64,
    /// Movements so far.
    #[serde(rename = "version", default)]
    pub movements: u64,
    /// The newest of them; the others are on pages.
    #[serde(default)]
    pub tail: Vec<Movement>,
    /// Set while the level is at or under its reorder point: which crossing it is, and whether
    /// everybody has been told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<crate::restock::Crossing>,
    /// The same while nothing is available, and until the team knows that something is again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<crate::restock::Crossing>,
    /// Crossings so far.
    #[serde(default)]
    pub crossings: u64,
    /// When the location last rejected it.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub rejected_at: Option<Timestamp>,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            sku: String::new(),
            location: String::new(),
            share: 0,
            shares: 1,
            on_hand: 0,
            allocated: 0,
            reserved: 0,
            available: 0,
            movements: 0,
            tail: Vec::new(),
            low: None,
            outage: None,
            crossings: 0,
            rejected_at: None,
        }
    }
}

impl Level {
    /// Adds another share of the same level to this one.
    pub fn add_share(&mut self, other: Level) {
        self.on_hand += other.on_hand;
        self.allocated += other.allocated;
        self.reserved += other.reserved;
        self.available += other.available;
        self.movements += other.movements;
        self.tail.extend(other.tail);
        self.tail.sort_by_key(|movement| movement.at);
    }
}

/// Levels with what all of their shares have, each as its first share: what is there, and how many movements there
/// were. The ledgers stay apart.
pub fn whole(levels: Vec<Level>) -> Vec<Level> {
    let (mut whole, others): (Vec<Level>, Vec<Level>) =
        levels.into_iter().partition(|level| level.share == 0);
    for other in others {
        let same = |level: &&mut Level| level.sku == other.sku && level.location == other.location;
        if let Some(first) = whole.iter_mut().find(same) {
            first.add_share(other);
        }
    }
    whole
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// Spreads units over shares: what comes in evenly, and what goes is taken from who has most of it. `available`
/// is what each share has; what none has goes from the first.
pub fn spread(quantity: i64, available: &[i64]) -> Vec<i64> {
    let count = available.len() as i64;
    if quantity >= 0 {
        return (0..count).map(|n| unit_share(quantity, count, n)).collect();
    }
    let (mut parts, mut left) = (vec![0; available.len()], -quantity);
    while left > 0 {
        let most = (0..parts.len())
            .rev()
            .max_by_key(|n| available[*n] + parts[*n]);
        let Some(most) = most.filter(|n| available[*n] + parts[*n] > 0) else {
            break;
        };
        let taken = left.min(available[most] + parts[most]);
        parts[most] -= taken;
        left -= taken;
    }
    if let Some(first) = parts.first_mut() {
        *first -= left;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_keeps_available_the_difference_of_the_others() {
        use MovementKind::*;
        let kinds = [
            Reserve,
            Commit,
            Unreserve,
            Expire,
            Allocate,
            Release,
            Reject,
            Ship,
            Short,
            Receive,
            Adjust,
            Count,
            TransferOut,
            TransferIn,
            Restock,
            Quarantine,
            ReturnToVendor,
            Scrap,
        ];
        for kind in kinds {
            let delta = kind.delta(3);
            let promised = delta.allocated + delta.reserved;
            assert_eq!(delta.available, delta.on_hand - promised, "{kind:?}");
        }
    }

    #[test]
    fn units_are_spread_over_shares() {
        assert_eq!(spread(10, &[0, 7, 2]), [4, 3, 3]);
        assert_eq!(spread(2, &[5, 5, 5]), [1, 1, 0]);
        assert_eq!(spread(-3, &[1, 7, 2]), [0, -3, 0]);
        assert_eq!(spread(-9, &[1, 7, 2]), [0, -7, -2]);
        assert_eq!(
            spread(-12, &[1, 7, -2]),
            [-5, -7, 0],
            "what none has goes from the first"
        );
        assert_eq!(spread(-4, &[0]), [-4]);
    }
}
