//! Movements that are written together: what they add up to, what they need, and how many of them become one.

use jiff::Timestamp;

use super::movement::BREAKDOWN;
use super::{Breakdown, Delta, Level, Movement, MovementKind};
use crate::id::derived;
use crate::limits::MAX_MOVEMENTS_APART;

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
    /// Whether it is of this level.
    pub fn is_of(&self, level: &Level) -> bool {
        (&self.sku, &self.location, self.share) == (&level.sku, &level.location, level.share)
    }

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
