//! Stock: one level per SKU and location, and the ledger of movements that it is the sum of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened to goods. Quantities are positive, except of an adjustment and a count; of a count
/// that agrees, and of a transfer of which nothing arrived, they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
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
            available: available * quantity,
        };
        match self {
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
    /// Change of what may be promised.
    pub available: i64,
}

impl std::ops::AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.on_hand += other.on_hand;
        self.allocated += other.allocated;
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
    /// Because of what: an order, a transfer, or the reporter's id of the fact.
    #[serde(rename = "c")]
    pub cause: String,
    /// When, to the second.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
}

/// What there is of one SKU in one location, in units.
///
/// `available = on_hand - allocated`, stored because a database condition cannot subtract. No
/// allocation can make it negative: the database refuses. A physical fact is never refused, so a
/// count that finds less than was promised leaves it negative: that is the discrepancy to resolve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Units physically there.
    #[serde(default)]
    pub on_hand: i64,
    /// Of these, units set aside for orders.
    #[serde(default)]
    pub allocated: i64,
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

/// Movements of one SKU in one location that are written together, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// What happened, in order.
    pub movements: Vec<Movement>,
    /// Units that have to stay available if it sets any aside: those that are kept back there.
    pub kept: i64,
}

impl LevelChange {
    /// The sum of the movements.
    pub fn delta(&self) -> Delta {
        let mut sum = Delta::default();
        for movement in &self.movements {
            sum += movement.kind.delta(movement.quantity);
        }
        sum
    }

    /// When the location rejected the article, if that is what happened.
    pub fn rejected_at(&self) -> Option<Timestamp> {
        let rejects = |m: &&Movement| m.kind == MovementKind::Reject;
        self.movements.iter().filter(rejects).map(|m| m.at).max()
    }

    /// Units that have to be available for the change to be allowed: those it sets aside, and those that
    /// are kept back. 0 if it sets nothing aside.
    pub fn needs(&self) -> i64 {
        let allocate = |m: &&Movement| m.kind == MovementKind::Allocate;
        let allocated = self.movements.iter().filter(allocate);
        match allocated.map(|m| m.quantity).sum() {
            0 => 0,
            allocated => allocated + self.kept,
        }
    }
}

/// Gathers movements by SKU and location: an item can be written only once in a transaction.
#[derive(Debug, Clone, Default)]
pub struct Changes(Vec<LevelChange>);

impl Changes {
    /// Adds a movement.
    pub fn add(&mut self, sku: &str, location: &str, movement: Movement) {
        let same = |c: &&mut LevelChange| c.sku == sku && c.location == location;
        match self.0.iter_mut().find(same) {
            Some(change) => change.movements.push(movement),
            None => self.0.push(LevelChange {
                sku: sku.to_owned(),
                location: location.to_owned(),
                movements: vec![movement],
                kept: 0,
            }),
        }
    }

    /// Notes that so many units of a level that changes are kept back.
    pub fn keep(&mut self, sku: &str, location: &str, kept: u32) {
        let same = |c: &&mut LevelChange| c.sku == sku && c.location == location;
        if let Some(change) = self.0.iter_mut().find(same) {
            change.kept = change.kept.max(i64::from(kept));
        }
    }

    /// How many levels change.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no level changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changes, one per level.
    pub fn into_vec(self) -> Vec<LevelChange> {
        self.0
    }
}

/// The level changes that an order's first `moves` due movements amount to, gathered in `changes`.
pub fn gather_moves(order: &crate::Order, moves: usize, changes: &mut Changes, at: Timestamp) {
    for due in order.moves.iter().take(moves) {
        for &(place, units) in &due.units {
            if let Some(sku) = &order.line(place).sku {
                let movement = Movement {
                    kind: due.kind,
                    quantity: i64::from(units),
                    cause: order.id.to_string(),
                    at,
                };
                changes.add(sku, &due.location, movement);
            }
        }
    }
}

/// The order once stock has taken note of its first `moves` movements.
pub fn moved(order: &crate::Order, moves: usize, at: Timestamp) -> crate::Order {
    let noted = u32::try_from(moves).unwrap_or(u32::MAX);
    order.advance(at, crate::Event::StockMoved(noted), |next| {
        next.moves.drain(..moves.min(next.moves.len()));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_keeps_available_the_difference_of_the_other_two() {
        use MovementKind::*;
        let kinds = [
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
            assert_eq!(delta.available, delta.on_hand - delta.allocated, "{kind:?}");
        }
    }

    #[test]
    fn movements_of_one_level_are_gathered() {
        let movement = |kind, quantity| Movement {
            kind,
            quantity,
            cause: "test".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        let mut changes = Changes::default();
        changes.add("A", "x", movement(MovementKind::Allocate, 2));
        changes.add("B", "x", movement(MovementKind::Allocate, 1));
        changes.add("A", "x", movement(MovementKind::Allocate, 3));
        let changes = changes.into_vec();
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[0].needs(), 5);
        assert_eq!(changes[0].delta(), MovementKind::Allocate.delta(5));
    }
}
