//! Stock: one level per SKU and location, and the ledger of movements that it is the sum of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::{is_one, one};
use crate::id::derived;
use crate::limits::MAX_MOVEMENTS_APART;
use crate::money::unit_share;

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

/// Movements of one SKU in one location that are written together, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Which share of the level.
    pub share: u8,
    /// Of the first share, how many there are from now on, if that is to be noted; 0 otherwise. Never fewer than
    /// there were.
    pub shares: u8,
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

    /// The kinds of which there are so many movements that they become one.
    fn many(&self) -> Vec<MovementKind> {
        let mut many = Vec::new();
        for kind in self.movements.iter().map(|m| m.kind) {
            let of_kind = self.movements.iter().filter(|m| m.kind == kind);
            if of_kind.count() > MAX_MOVEMENTS_APART && !many.contains(&kind) {
                many.push(kind);
            }
        }
        many
    }

    /// How many breakdowns [`gather`](Self::gather) would leave.
    pub fn breakdowns(&self) -> usize {
        self.many().len()
    }

    /// Makes one movement of those of a kind that are many, at the place of the first, and leaves what
    /// each stands for. `commit` names what is committed together, and nothing else for ever.
    pub fn gather(&mut self, commit: &str) -> Vec<Breakdown> {
        let many = self.many().into_iter();
        many.map(|kind| self.gather_kind(commit, kind)).collect()
    }

    fn gather_kind(&mut self, commit: &str, kind: MovementKind) -> Breakdown {
        let share = self.share.to_string();
        let id = derived(&[commit, &self.sku, &self.location, &share, kind.name()]);
        let mut parts = Vec::with_capacity(self.movements.len());
        self.movements.retain_mut(|movement| {
            if movement.kind != kind {
                return true;
            }
            parts.push((std::mem::take(&mut movement.cause), movement.quantity));
            parts.len() == 1
        });
        if let Some(sum) = self.movements.iter_mut().find(|m| m.kind == kind) {
            sum.quantity = parts.iter().map(|part| part.1).sum();
            sum.cause = format!("{BREAKDOWN}{id}");
        }
        Breakdown {
            id,
            sku: self.sku.clone(),
            location: self.location.clone(),
            parts,
        }
    }

    /// Units that have to be available for the change to be allowed: those it promises, less those of a
    /// reservation that it takes up, and those that are kept back. 0 if it promises no more than it takes up.
    pub fn needs(&self) -> i64 {
        let promised = |m: &Movement| match m.kind {
            MovementKind::Allocate | MovementKind::Reserve => m.quantity,
            MovementKind::Commit => -m.quantity,
            _ => 0,
        };
        match self.movements.iter().map(promised).sum::<i64>() {
            ..=0 => 0,
            promised => promised + self.kept,
        }
    }
}

/// Gathers movements by SKU and location: an item can be written only once in a transaction.
#[derive(Debug, Clone, Default)]
pub struct Changes(Vec<LevelChange>);

impl From<Vec<LevelChange>> for Changes {
    /// Goes on with what was gathered.
    fn from(changes: Vec<LevelChange>) -> Self {
        Self(changes)
    }
}

impl Changes {
    /// Adds a movement to the first share of a level.
    pub fn add(&mut self, sku: &str, location: &str, movement: Movement) {
        self.add_to_share(sku, location, 0, movement);
    }

    /// Adds a movement to a share of a level.
    pub fn add_to_share(&mut self, sku: &str, location: &str, share: u8, movement: Movement) {
        let same =
            |c: &&mut LevelChange| c.sku == sku && c.location == location && c.share == share;
        match self.0.iter_mut().find(same) {
            Some(change) => change.movements.push(movement),
            None => self.0.push(LevelChange {
                sku: sku.to_owned(),
                location: location.to_owned(),
                share,
                shares: 0,
                movements: vec![movement],
                kept: 0,
            }),
        }
    }

    /// Adds what an order takes up of a reservation, before anything that is set aside of it: no more is ever
    /// promised than is there.
    pub fn take_up(
        &mut self,
        kept: &crate::reservation::Kept,
        order: &crate::Order,
        at: Timestamp,
    ) {
        let taken = Movement {
            kind: MovementKind::Commit,
            quantity: kept.quantity,
            cause: order.id.to_string(),
            at,
        };
        let (sku, location, share) = (&kept.sku, &kept.location, kept.share);
        self.add_to_share(sku, location, share, taken);
        let same =
            |c: &&mut LevelChange| c.sku == *sku && c.location == *location && c.share == share;
        if let Some(change) = self.0.iter_mut().find(same) {
            change.movements.rotate_right(1);
        }
    }

    /// Notes that so many units of a level that changes are kept back. Only a level of one share has any.
    pub fn keep(&mut self, sku: &str, location: &str, kept: u32) {
        let same = |c: &&mut LevelChange| c.sku == sku && c.location == location;
        for change in self.0.iter_mut().filter(same) {
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

    #[test]
    fn many_movements_of_a_kind_become_one_that_can_be_broken_down() {
        use MovementKind::*;
        let movement = |kind, quantity: usize| Movement {
            kind,
            quantity: quantity as i64,
            cause: format!("ORDER{quantity}"),
            at: Timestamp::UNIX_EPOCH,
        };
        let change = |allocated: usize| LevelChange {
            sku: "A".into(),
            location: "x".into(),
            share: 0,
            shares: 0,
            movements: (1..=allocated)
                .flat_map(|n| [movement(Allocate, n), movement(Ship, n)])
                .take(allocated + MAX_MOVEMENTS_APART)
                .collect(),
            kept: 0,
        };
        // The edge.
        let mut few = change(MAX_MOVEMENTS_APART);
        assert_eq!((few.breakdowns(), few.gather("c")), (0, Vec::new()));
        assert_eq!(few, change(MAX_MOVEMENTS_APART));

        let before = change(MAX_MOVEMENTS_APART + 1);
        let mut many = before.clone();
        assert_eq!(many.breakdowns(), 1);
        let [breakdown] = &many.gather("c")[..] else {
            panic!("expected one breakdown");
        };
        assert_eq!(
            (many.delta(), many.needs()),
            (before.delta(), before.needs())
        );
        let kinds: Vec<_> = many.movements.iter().map(|m| m.kind).collect();
        assert_eq!(kinds, [Allocate, Ship, Ship, Ship, Ship]);
        assert_eq!(many.movements[0].breakdown(), Some(&*breakdown.id));
        assert_eq!(many.movements[1].breakdown(), None);
        let parts = breakdown.parts.iter();
        assert_eq!(parts.map(|p| p.1).sum::<i64>(), many.movements[0].quantity);
        assert_eq!(breakdown.parts[4], ("ORDER5".to_owned(), 5));
        // Another commit has another breakdown, and so has another level.
        assert_ne!(before.clone().gather("d")[0].id, breakdown.id);
        let share = LevelChange {
            share: 1,
            ..before.clone()
        };
        assert_ne!(share.clone().gather("c")[0].id, breakdown.id);
        let elsewhere = LevelChange {
            location: "y".into(),
            ..before
        };
        assert_ne!(elsewhere.clone().gather("c")[0].id, breakdown.id);
    }

    #[test]
    fn what_a_reservation_has_kept_needs_not_be_there_again() {
        use MovementKind::{Allocate, Commit, Expire, Reserve};
        let needs = |moved: &[(MovementKind, i64)]| {
            let mut changes = Changes::default();
            for &(kind, quantity) in moved {
                let (cause, at) = ("test".into(), Timestamp::UNIX_EPOCH);
                let movement = Movement {
                    kind,
                    quantity,
                    cause,
                    at,
                };
                changes.add("A", "x", movement);
            }
            changes.keep("A", "x", 4);
            changes.into_vec()[0].needs()
        };
        assert_eq!(needs(&[(Reserve, 2)]), 6, "the safety stock stays");
        assert_eq!(needs(&[(Commit, 3), (Allocate, 3)]), 0);
        assert_eq!(needs(&[(Commit, 3), (Allocate, 2)]), 0, "one goes back");
        assert_eq!(needs(&[(Commit, 3), (Allocate, 5)]), 6);
        assert_eq!(needs(&[(Expire, 3), (Allocate, 3)]), 7, "anybody's again");
    }
}
