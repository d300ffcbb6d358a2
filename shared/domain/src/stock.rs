//! Stock: one level per SKU and location, and the ledger of movements that it is the sum of.

mod changes;
mod movement;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::{is_one, one};
use crate::money::unit_share;

pub use changes::{Changes, LevelChange, gather_moves, moved};
pub use movement::{Breakdown, Delta, Movement, MovementKind};

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
    /// [How many](Self::paged) there were when a page was last taken out of `tail`, so that nobody takes out another one
    /// for the same; 0 if none was since this is noted.
    #[serde(default, skip_serializing_if = "is_none")]
    pub paged: u64,
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
            paged: 0,
            low: None,
            outage: None,
            crossings: 0,
            rejected_at: None,
        }
    }
}

impl Level {
    /// Whether it is of the same SKU, location and share.
    pub fn is_same(&self, other: &Level) -> bool {
        (&self.sku, &self.location, self.share) == (&other.sku, &other.location, other.share)
    }

    /// How many movements are on pages only.
    pub fn paged(&self) -> u64 {
        self.movements.saturating_sub(self.tail.len() as u64)
    }

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

fn is_none(count: &u64) -> bool {
    *count == 0
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
