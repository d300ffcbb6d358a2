//! Levels: what one write may do to a level, and what holds of its own item.

use std::fmt;

use domain::stock::{Level, Movement, MovementKind};

use super::{Hold, crossing, ensure};

/// `SKU in LOCATION`.
pub(super) struct Shelf<'a>(pub &'a str, pub &'a str);

impl fmt::Display for Shelf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.0, self.1)
    }
}

/// What a level counts: on hand, and of it set aside and reserved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Units that are there.
    pub on_hand: i64,
    /// Units of them that are set aside.
    pub allocated: i64,
    /// Units of them that are kept for reservations.
    pub reserved: i64,
}

impl Counters {
    /// Adds what a movement does.
    pub fn add(&mut self, movement: &Movement) {
        use MovementKind::{
            Adjust, Allocate, Commit, Count, Expire, Quarantine, Receive, Reject, Release, Reserve,
            Restock, ReturnToVendor, Scrap, Ship, Short, TransferIn, TransferOut, Unreserve,
        };
        let units = movement.quantity;
        match movement.kind {
            Reserve => self.reserved += units,
            Commit | Unreserve | Expire => self.reserved -= units,
            Allocate => self.allocated += units,
            Release | Reject => self.allocated -= units,
            // They were set aside, and are no longer there.
            Ship | Short => {
                self.allocated -= units;
                self.on_hand -= units;
            }
            Receive | Adjust | Count | TransferIn | Restock => self.on_hand += units,
            // They are on the road, and in no level.
            TransferOut => self.on_hand -= units,
            // They are not for sale.
            Quarantine | ReturnToVendor | Scrap => {}
        }
    }

    /// What of it may be promised.
    pub fn left(self) -> i64 {
        self.on_hand - self.allocated - self.reserved
    }

    /// What a level says.
    pub fn of(level: &Level) -> Self {
        Self {
            on_hand: level.on_hand,
            allocated: level.allocated,
            reserved: level.reserved,
        }
    }
}

/// What orders have taken up of reservations and not been given yet.
#[derive(Debug, Default)]
pub(super) struct TakenUp {
    units: i64,
    /// Whether some of it was given: what is taken up next is another commit.
    given: bool,
}

impl TakenUp {
    /// Takes note of a movement; whether it promises more than had been promised before.
    pub fn promises(&mut self, movement: &Movement) -> bool {
        let units = movement.quantity;
        match movement.kind {
            MovementKind::Commit => {
                let kept = if self.given { 0 } else { self.units };
                (self.units, self.given) = (kept + units, false);
                false
            }
            MovementKind::Allocate => {
                let beyond = units > self.units;
                (self.units, self.given) = ((self.units - units).max(0), true);
                beyond
            }
            kind => {
                *self = Self::default();
                kind == MovementKind::Reserve
            }
        }
    }
}

/// What holds of the item by itself.
pub(super) fn stands(level: &Level) -> Hold {
    let shelf = || Shelf(&level.sku, &level.location);
    let (counters, available) = (Counters::of(level), level.available);
    let difference = available == counters.left();
    ensure(difference, "available-differs", shelf(), || {
        format!(
            "expected on hand less allocated and reserved of {counters:?}, found {available} available"
        )
    })?;
    let Counters {
        allocated,
        reserved,
        ..
    } = counters;
    // Where there are shares, what leaves is noted in the first of them: only their sum is what is set aside.
    let split = level.share > 0 || level.shares > 1;
    ensure(
        split || allocated >= 0,
        "allocated-negative",
        shelf(),
        || format!("expected at least 0 units allocated, found {allocated}"),
    )?;
    // What was kept goes back to the share it came from.
    ensure(reserved >= 0, "reserved-negative", shelf(), || {
        format!("expected at least 0 units reserved, found {reserved}")
    })?;
    crossing::stands(level)
}

/// What follows from one state to the next.
pub(super) fn follows(before: Option<&Level>, after: &Level) -> Hold {
    let none = Level::default();
    let known = before.unwrap_or(&none);
    let shelf = || Shelf(&after.sku, &after.location);
    let same = before.is_none_or(|b| b.sku == after.sku && b.location == after.location);
    ensure(same, "level-renamed", shelf(), || {
        format!("expected {}", Shelf(&known.sku, &known.location))
    })?;
    let kept = before.is_none_or(|b| b.share == after.share && b.shares <= after.shares);
    ensure(kept, "shares-fewer", shelf(), || {
        let (had, found) = (known.shares, after.shares);
        format!(
            "expected share {} of {had} or more, found {} of {found}",
            known.share, after.share
        )
    })?;
    let (added, kept) = added(known, after)?;
    let mut counters = Counters::of(known);
    let mut pool = TakenUp::default();
    for movement in added {
        let sound = match movement.kind {
            MovementKind::Adjust => movement.quantity != 0,
            // A count may agree, and of a transfer nothing may arrive.
            MovementKind::Count => true,
            MovementKind::TransferIn => movement.quantity >= 0,
            _ => movement.quantity > 0,
        };
        ensure(
            sound && !movement.cause.is_empty(),
            "movement-unsound",
            shelf(),
            || {
                format!(
                    "expected units above 0 (of an adjustment, not 0) and a cause: {movement:?}"
                )
            },
        )?;
        counters.add(movement);
        // A physical fact may leave less than was promised; a promise may not, but for what had been promised to a
        // reservation.
        let left = counters.left();
        let oversold = pool.promises(movement) && left < 0;
        ensure(!oversold, "oversold", shelf(), || {
            let (units, cause) = (movement.quantity, &movement.cause);
            let had = left + units;
            format!("{units} units were promised to {cause}, and {had} were available")
        })?;
    }
    let found = Counters::of(after);
    ensure(
        counters == found,
        "counters-differ-from-movements",
        shelf(),
        || format!("expected {counters:?} after {added:?}, found {found:?}"),
    )?;
    crossing::follows(known, after, !added.is_empty() || kept < known.tail.len())
}

/// The movements that this write has added, and how many of those before are still in the item.
fn added<'a>(
    before: &Level,
    after: &'a Level,
) -> Result<(&'a [Movement], usize), super::Violation> {
    let count = after.movements.checked_sub(before.movements);
    let count = count.and_then(|count| usize::try_from(count).ok());
    let kept = count.and_then(|count| after.tail.len().checked_sub(count));
    let split = kept.and_then(|kept| {
        // A page takes out the oldest, and that is noted.
        let out = before.tail.len().checked_sub(kept)?;
        let paged = match out {
            0 => before.paged,
            out => before.paged() + out as u64,
        };
        let stayed = before.tail.get(out..).filter(|_| after.paged == paged)?;
        let (old, new) = after.tail.split_at_checked(kept)?;
        let same = |(a, b): (&Movement, &Movement)| {
            a.kind == b.kind
                && a.quantity == b.quantity
                && a.cause == b.cause
                && a.at.as_second() == b.at.as_second()
        };
        stayed.iter().zip(old).all(same).then_some((new, kept))
    });
    let shelf = Shelf(&after.sku, &after.location);
    ensure(split.is_some(), "movements-rewritten", shelf, || {
        let (was, is) = (before.movements, after.movements);
        let (old, new) = (&before.tail, &after.tail);
        format!(
            "expected the ledger only to grow, by as many movements as are counted: {was}, {old:?}; \
             found {is}, {new:?}"
        )
    })?;
    Ok(split.unwrap_or((&[], 0)))
}
