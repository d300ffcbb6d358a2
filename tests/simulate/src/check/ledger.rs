//! The ledger of every level against its counters, the orders and the facts.

use domain::fact::StockFact;
use domain::order::{FulfillmentStatus, Order};
use domain::stock::{Level, Movement, MovementKind};
use domain::{Event, FulfillmentOrder};

use super::stock::{Counters, Shelf, TakenUp};
use super::{Findings, Hold, ensure, history, transit};
use crate::measure::{thousandths, thousandths_of};
use crate::observed::{Observed, StoredLevel, StoredOrder};

/// Units that moved for one order on one level, or should have.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    allocated: i64,
    released: i64,
    short: i64,
    shipped: i64,
    came_back: i64,
}

impl Moved {
    fn add(&mut self, kind: MovementKind, units: i64) {
        use MovementKind::{
            Adjust, Allocate, Commit, Count, Expire, Quarantine, Receive, Reject, Release, Reserve,
            Restock, ReturnToVendor, Scrap, Ship, Short, TransferIn, TransferOut, Unreserve,
        };
        match kind {
            Allocate => self.allocated += units,
            Release | Reject => self.released += units,
            Short => self.short += units,
            Ship => self.shipped += units,
            Restock | Quarantine | ReturnToVendor | Scrap => self.came_back += units,
            Receive | Adjust | Count | TransferOut | TransferIn => {}
            // The order has them when they are set aside for it.
            Reserve | Commit | Unreserve | Expire => {}
        }
    }
}

/// All movements of a level, oldest first.
pub(super) fn movements(stored: &StoredLevel) -> impl Iterator<Item = &Movement> {
    let held = held_from(stored);
    let pages = stored.pages.iter().filter(move |page| page.0 < held);
    let paged = pages.flat_map(|(_, movements)| movements);
    paged.chain(&stored.level.tail)
}

/// The number of the first movement that the level's own item holds.
fn held_from(stored: &StoredLevel) -> u64 {
    let StoredLevel { level, .. } = stored;
    level.movements + 1 - (level.tail.len() as u64).min(level.movements)
}

/// The movements are numbered without a gap, and the counters are their sum.
pub(super) fn adds_up(stored: &StoredLevel) -> Hold {
    let level = &stored.level;
    let shelf = || Shelf(&level.sku, &level.location);
    let (mut next, held) = (1, held_from(stored));
    for (first, movements) in &stored.pages {
        ensure(*first == next, "ledger-gap", shelf(), || {
            format!("expected the next page to begin with movement {next}, found {first}")
        })?;
        if next == held {
            // Whoever wrote it has not taken it out, and nobody after him.
            let oldest = level.tail.get(..movements.len());
            ensure(oldest == Some(movements), "ledger-page", shelf(), || {
                format!(
                    "expected a page of the oldest movements that are held, found {movements:?}"
                )
            })?;
            break;
        }
        next += movements.len() as u64;
    }
    let found = next - 1 + level.tail.len() as u64;
    ensure(found == level.movements, "ledger-gap", shelf(), || {
        let counted = level.movements;
        format!("expected {counted} movements on the pages and in the item, found {found}")
    })?;
    let mut sum = Counters::default();
    movements(stored).for_each(|movement| sum.add(movement));
    let found = Counters::of(level);
    ensure(sum == found, "ledger-sum", shelf(), || {
        format!("expected {sum:?}, the sum of the ledger; found {found:?}")
    })
}

/// What the cause of a movement begins with that stands for many.
const BATCH: &str = "BATCH-";

/// What a movement is because of: orders or a fact, and how many units each moved.
pub(super) fn parts<'a>(
    observed: &'a Observed,
    level: &Level,
    movement: &'a Movement,
) -> Vec<(&'a str, i64)> {
    let Some(id) = movement.cause.strip_prefix(BATCH) else {
        return vec![(&movement.cause, movement.quantity)];
    };
    let breakdowns = observed.breakdowns.iter();
    let breakdowns =
        breakdowns.filter(|b| b.id == id && b.sku == level.sku && b.location == level.location);
    let parts = breakdowns.flat_map(|breakdown| &breakdown.parts);
    parts.map(|(cause, units)| (&**cause, *units)).collect()
}

/// All shares of a level together have set aside what can be.
pub(super) fn shares_add_up(observed: &Observed) -> Hold {
    for StoredLevel { level, .. } in &observed.levels {
        let shares = observed.levels.iter().map(|stored| &stored.level);
        let shares = shares.filter(|l| l.sku == level.sku && l.location == level.location);
        let allocated: i64 = shares.map(|share| share.allocated).sum();
        let shelf = Shelf(&level.sku, &level.location);
        ensure(allocated >= 0, "shares-allocated-negative", shelf, || {
            format!("expected at least 0 units allocated in all shares, found {allocated}")
        })?;
    }
    Ok(())
}

/// What movements that stand for many are made of is stored, once for each of them, and adds up.
pub(super) fn breaks_down(observed: &Observed) -> Hold {
    let mut of_many = 0;
    for stored in &observed.levels {
        let level = &stored.level;
        let shelf = || Shelf(&level.sku, &level.location);
        for movement in movements(stored).filter(|m| m.cause.starts_with(BATCH)) {
            of_many += 1;
            let parts = parts(observed, level, movement);
            ensure(!parts.is_empty(), "breakdown-missing", shelf(), || {
                format!("expected what {movement:?} is made of")
            })?;
            let sum: i64 = parts.iter().map(|part| part.1).sum();
            let sound = sum == movement.quantity && parts.iter().all(|part| part.1 > 0);
            ensure(sound, "breakdown-sum", shelf(), || {
                let units = movement.quantity;
                format!("expected parts above 0 of {units} units, found {parts:?}")
            })?;
        }
    }
    let stored = observed.breakdowns.len();
    ensure(
        stored == of_many,
        "breakdown-of-nothing",
        "the ledger",
        || format!("expected a breakdown for each of {of_many} movements, found {stored}"),
    )
}

/// Every movement has its cause, and every cause its movements, all shares of a level together.
pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let count = observed.levels.len();
    let mut moved = vec![Moved::default(); observed.orders.len() * count];
    for stored in &observed.levels {
        let level = &stored.level;
        let l = first_share(observed, level);
        let kept = observed.kept(&level.sku);
        let (mut counters, mut pool) = (Counters::default(), TakenUp::default());
        for movement in movements(stored) {
            counters.add(movement);
            let left = counters.left();
            let promised = pool.promises(movement) && left < kept;
            let shelf = || Shelf(&level.sku, &level.location);
            found.expect(!promised, "safety-stock-promised", shelf(), || {
                format!("expected {kept} units to be kept back, found {left} after {movement:?}")
            });
            for (cause, units) in parts(observed, level, movement) {
                let caused = match movement.kind {
                    MovementKind::Receive
                    | MovementKind::Adjust
                    | MovementKind::Count
                    | MovementKind::TransferOut
                    | MovementKind::TransferIn => {
                        let mut facts = observed.facts.iter();
                        facts.any(|fact| transit::cause(fact) == cause && fact.sku == level.sku)
                    }
                    MovementKind::Reserve | MovementKind::Unreserve | MovementKind::Expire => {
                        let mut reservations = observed.reservations.iter();
                        reservations.any(|reservation| reservation.id == cause)
                    }
                    _ => {
                        let mut orders = observed.orders.iter();
                        let order = orders.position(|o| o.order.id.as_str() == cause);
                        if let Some(moved) = order.and_then(|o| moved.get_mut(o * count + l)) {
                            moved.add(movement.kind, units);
                        }
                        order.is_some()
                    }
                };
                found.expect(caused, "movement-without-cause", shelf(), || {
                    format!("expected the order, reservation or fact that caused {movement:?}")
                });
            }
        }
    }
    let orders = observed.orders.iter();
    for (stored, moved) in orders.zip(moved.chunks_mut(count.max(1))) {
        order(observed, stored, moved, found);
    }
    for known in &observed.facts {
        fact(observed, known, found);
    }
    transit::check(observed, found);
}

/// The place of the first share of a level: what its shares amount to is kept there.
fn first_share(observed: &Observed, level: &Level) -> usize {
    let same = |stored: &StoredLevel| {
        stored.level.sku == level.sku && stored.level.location == level.location
    };
    observed.levels.iter().position(same).unwrap_or(0)
}

/// What an order still has to tell stock counts as told here: that it is due is another promise.
fn order(observed: &Observed, stored: &StoredOrder, moved: &mut [Moved], found: &mut Findings) {
    let order = &stored.order;
    for (l, (moved, level)) in moved.iter_mut().zip(&observed.levels).enumerate() {
        let level = &level.level;
        if l != first_share(observed, level) {
            continue;
        }
        for due in order
            .moves
            .iter()
            .filter(|due| due.location == level.location)
        {
            moved.add(due.kind, units_of(order, &due.units, &level.sku));
        }
        use FulfillmentStatus::{
            Accepted, Cancelled, Delivered, Packed, Rejected, Released, Shipped,
        };
        let (mut held, mut shipped, mut released) = (0, 0, 0);
        for f in order
            .fulfillments
            .iter()
            .filter(|f| f.location == level.location)
        {
            let units = units_of(order, &f.units, &level.sku);
            match f.status {
                Released | Accepted | Packed => held += units,
                Shipped | Delivered => shipped += units,
                Rejected | Cancelled => released += units,
            }
        }
        let subject = || format!("{}, {}", order.id, Shelf(&level.sku, &level.location));
        let moved = *moved;
        let net = moved.allocated - moved.released - moved.short - moved.shipped;
        // Formatted only when it is needed: a subject is a level of an order.
        let mut expect = |rule, expected: i64, is: i64, what: &str| {
            if expected != is {
                found.expect(false, rule, subject(), || {
                    format!("expected {expected} units {what}, the ledger has {is}: {moved:?}")
                });
            }
        };
        expect(
            "ledger-shipped",
            shipped,
            moved.shipped,
            "shipped from here",
        );
        expect(
            "ledger-released",
            released,
            moved.released,
            "given back here",
        );
        if shipped == moved.shipped && released == moved.released {
            expect("ledger-held", held, net, "still set aside here");
        }
    }
    for f in &order.fulfillments {
        levels_of(observed, order, f, found);
    }
    let missing = |event: &Event| match event {
        Event::Packed(_, missing) => thousandths_of(*missing),
        _ => 0,
    };
    let missing: i64 = history::events(stored).map(missing).sum();
    let short = moved.iter().zip(&observed.levels).map(|(moved, level)| {
        let decimals = observed.decimals(&level.level.sku);
        thousandths(moved.short, decimals)
    });
    let short: i64 = short.sum();
    found.expect(missing == short, "ledger-short", &order.id, || {
        format!("expected {missing} thousandths that pickers did not find, the ledger has {short}")
    });
    for (k, line) in order.lines.iter().enumerate() {
        let Some(sku) = &line.sku else { continue };
        let same = |other: &&domain::Line| other.sku.as_ref() == Some(sku);
        if line.intangible
            || order
                .lines
                .iter()
                .take(k)
                .filter(|l| !l.intangible)
                .any(|l| same(&l))
        {
            continue;
        }
        let tangible = order.lines.iter().filter(|line| !line.intangible);
        let returned = tangible
            .filter(same)
            .map(|l| i64::from(l.units.returned))
            .sum::<i64>();
        let levels = moved.iter().zip(&observed.levels);
        let here = levels.filter(|(_, level)| level.level.sku == *sku);
        let back: i64 = here.map(|(moved, _)| moved.came_back).sum();
        found.expect(returned == back, "ledger-returned", &order.id, || {
            format!("{sku}: expected {returned} units that came back, the ledger has {back}")
        });
    }
}

/// A fulfillment order takes from levels that exist.
fn levels_of(observed: &Observed, order: &Order, f: &FulfillmentOrder, found: &mut Findings) {
    for &(place, units) in &f.units {
        let sku = order
            .lines
            .get(usize::from(place))
            .and_then(|line| line.sku.as_deref());
        let sku = sku.unwrap_or_default();
        let here = |l: &StoredLevel| l.level.sku == sku && l.level.location == f.location;
        found.expect(
            observed.levels.iter().any(here),
            "level-missing",
            &order.id,
            || {
                let (n, shelf) = (f.n, Shelf(sku, &f.location));
                format!("fulfillment {n} has {units} units of {shelf}, and there is no such level")
            },
        );
    }
}

/// How many of some units are of a SKU.
fn units_of(order: &Order, units: &[domain::order::Units], sku: &str) -> i64 {
    let of_sku = |&&(place, _): &&(u16, u32)| {
        let line = order.lines.get(usize::from(place));
        line.is_some_and(|line| line.sku.as_deref() == Some(sku))
    };
    units.iter().filter(of_sku).map(|u| i64::from(u.1)).sum()
}

/// A fact is applied, to its level, once.
fn fact(observed: &Observed, fact: &StockFact, found: &mut Findings) {
    let shelf = || Shelf(&fact.sku, &fact.location);
    found.expect(fact.applied, "fact-not-applied", shelf(), || {
        format!("expected {fact:?} to be applied")
    });
    let (mut units, mut all, mut wrong) = (0, 0, 0);
    for stored in observed.levels.iter().filter(|l| l.level.sku == fact.sku) {
        let here = stored.level.location == fact.location;
        let of_fact = |m: &&Movement| m.kind == fact.kind && m.cause == transit::cause(fact);
        for (n, movement) in movements(stored).filter(of_fact).enumerate() {
            all += 1;
            // Once in each share, and only here.
            wrong += usize::from(!here || n > 0);
            units += movement.quantity;
        }
    }
    let due = if fact.applied { fact.quantity } else { 0 };
    let whole = all <= 1 || fact.shares > 1;
    let sound = units == due && wrong == 0 && whole;
    found.expect(sound, "fact-movement", shelf(), || {
        format!("expected {due} units of {fact:?} in the ledger, found {units} in {all} movements")
    });
}
