//! Which warehouse sends what.
//!
//! The fewest warehouses that together have all that is there send it, and of as few the nearest.
//! What no warehouse has is backordered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::catalog::Location;
use crate::event::Event;
use crate::geo::{metres_to, point_of};
use crate::limits::{MAX_LINES_PER_COMMIT, MAX_TAKES_PER_COMMIT};
use crate::order::{FulfillmentOrder, FulfillmentStatus, Line, Order, Units};
use crate::owed::Notice;
use crate::routing::{Source, choose};
use crate::shipping::ship_by;
use crate::stock::{Changes, Level, Movement, MovementKind};

/// Units available, by SKU and location. Allocating takes from it, so that a batch of orders
/// shares one view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available(BTreeMap<(String, String), Shelf>);

/// What is known of a SKU in a location.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shelf {
    units: i64,
    /// When goods last came in, as far as the level's newest movements tell.
    replenished_at: Option<Timestamp>,
}

impl Available {
    /// Notes what a location has.
    pub fn set(&mut self, sku: &str, location: &str, units: i64) {
        self.shelf(sku, location).units = units;
    }

    /// Notes a level: what it has, and when goods last came in.
    pub fn note(&mut self, level: &Level) {
        let brings = |m: &&Movement| m.kind.delta(m.quantity).on_hand > 0;
        let shelf = self.shelf(&level.sku, &level.location);
        shelf.units = level.available;
        shelf.replenished_at = level.tail.iter().filter(brings).map(|m| m.at).max();
    }

    /// Units that an order can count on. A shelf that was found short for it is not believed again
    /// until goods have come in: its counter was wrong once.
    fn of(&self, order: &Order, sku: &str, location: &str) -> i64 {
        let Some(shelf) = self.0.get(&(sku.to_owned(), location.to_owned())) else {
            return 0;
        };
        let here = order.fulfillments.iter().filter(|f| f.location == location);
        let short_at = here.filter_map(|f| f.short_at).max();
        match short_at.is_some_and(|short_at| shelf.replenished_at <= Some(short_at)) {
            true => 0,
            false => shelf.units.max(0),
        }
    }

    fn take(&mut self, sku: &str, location: &str, units: i64) {
        self.shelf(sku, location).units -= units;
    }

    fn shelf(&mut self, sku: &str, location: &str) -> &mut Shelf {
        self.0
            .entry((sku.to_owned(), location.to_owned()))
            .or_default()
    }
}

/// What allocating an order comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// The order's next state.
    pub order: Order,
    /// SKUs that it waits for, and did not before.
    pub starts_waiting: BTreeSet<String>,
    /// SKUs that it no longer waits for.
    pub stops_waiting: BTreeSet<String>,
}

/// The SKUs of which an order still has units to find.
pub fn wanted_skus(order: &Order) -> BTreeSet<&str> {
    let wanting = order
        .lines
        .iter()
        .filter(|line| line.units.open + line.units.backordered > 0);
    let tangible = wanting.filter(|line| !line.intangible);
    tangible.filter_map(|line| line.sku.as_deref()).collect()
}

/// The SKUs that an order waits for.
pub fn waits_for(order: &Order) -> BTreeSet<String> {
    let waiting = order.lines.iter().filter(|line| line.units.backordered > 0);
    waiting.filter_map(|line| line.sku.clone()).collect()
}

/// Sets goods aside for what is open or backordered, taking it from `available` and adding the
/// movements to `changes`. `None` when there is nothing to find, or nothing new was found.
pub fn allocate(
    order: &Order,
    locations: &[Location],
    available: &mut Available,
    changes: &mut Changes,
    now: Timestamp,
) -> Option<Allocation> {
    if !order.holds.is_empty() {
        return None;
    }
    // A long order is allocated in parts, because a transaction is bounded: open lines first, and
    // of the waiting ones those that there are goods for. What is left out stays as it is.
    let units = |line: &Line| line.units.open + line.units.backordered;
    let candidates = candidates(order, locations);
    let found = |line: &Line| {
        let sku = line.sku.as_deref();
        sku.is_some_and(|sku| {
            candidates
                .iter()
                .any(|l| available.of(order, sku, &l.id) > 0)
        })
    };
    let (open, mut waiting): (Vec<_>, Vec<_>) = (0_u16..)
        .zip(&order.lines)
        .filter(|(_, line)| !line.intangible && units(line) > 0)
        .partition(|(_, line)| line.units.open > 0);
    waiting.retain(|(_, line)| found(line));
    let wanted: Vec<Units> = open
        .into_iter()
        .chain(waiting)
        .take(MAX_LINES_PER_COMMIT)
        .map(|(place, line)| (place, units(line)))
        .collect();
    let plan = plan(order, &wanted, &candidates, available);
    let opens = order.lines.iter().any(|line| line.units.open > 0);
    if plan.is_empty() && !opens {
        return None;
    }
    let before = waits_for(order);
    let found: u32 = plan.iter().flat_map(|(_, units)| units).map(|u| u.1).sum();
    let full = plan.iter().map(|(_, units)| units.len()).sum::<usize>() >= MAX_TAKES_PER_COMMIT;
    let missing = match full {
        true => 0,
        false => wanted.iter().map(|u| u.1).sum::<u32>() - found,
    };
    let next = order.advance(now, Event::Allocated(found, missing), |next| {
        for line in &mut next.lines {
            if line.intangible {
                // Nothing to pick: it is with the customer as soon as the order is.
                let open = std::mem::take(&mut line.units.open);
                line.units.shipped += open;
                line.units.delivered += open;
            }
        }
        for (location, units) in &plan {
            for &(place, taken) in units {
                let line = &mut next.lines[usize::from(place)].units;
                let waited = taken.min(line.backordered);
                line.backordered -= waited;
                line.open -= taken - waited;
                line.allocated += taken;
            }
            let n = next.fulfillments.len() as u32 + 1;
            next.fulfillments.push(FulfillmentOrder {
                n,
                location: location.id.clone(),
                units: units.clone(),
                status: FulfillmentStatus::Released,
                ship_by: ship_by(location, now),
                shipped_at: None,
                short_at: None,
                unrated: false,
                parcel: None,
            });
            next.notices.push(Notice::Pick(n));
        }
        if !full {
            for &(place, _) in &wanted {
                let line = &mut next.lines[usize::from(place)].units;
                line.backordered += std::mem::take(&mut line.open);
            }
        }
        let untouched = |line: &Line| line.units.open == line.units.ordered;
        let first = order.fulfillments.is_empty() && order.lines.iter().all(untouched);
        if next.mailed && first {
            next.notices.push(Notice::Confirmed);
        }
    });
    for (location, units) in &plan {
        for &(place, taken) in units {
            if let Some(sku) = &order.line(place).sku {
                available.take(sku, &location.id, i64::from(taken));
                let movement = Movement {
                    kind: MovementKind::Allocate,
                    quantity: i64::from(taken),
                    cause: order.id.to_string(),
                    at: now,
                };
                changes.add(sku, &location.id, movement);
            }
        }
    }
    let after = waits_for(&next);
    Some(Allocation {
        starts_waiting: after.difference(&before).cloned().collect(),
        stops_waiting: before.difference(&after).cloned().collect(),
        order: next,
    })
}

/// The locations that may send something, nearest first.
fn candidates<'a>(order: &Order, locations: &'a [Location]) -> Vec<&'a Location> {
    let Some(destination) = &order.destination else {
        return Vec::new();
    };
    let refused = |location: &Location| {
        let rejected = |f: &FulfillmentOrder| f.status == FulfillmentStatus::Rejected;
        order
            .fulfillments
            .iter()
            .any(|f| rejected(f) && f.location == location.id)
    };
    let mut candidates: Vec<&Location> = locations
        .iter()
        .filter(|location| location.ships_to(&destination.country) && !refused(location))
        .collect();
    let point = point_of(destination);
    candidates.sort_by_cached_key(|l| (metres_to(l, point), l.id.as_str()));
    candidates
}

/// Which of the candidates, nearest first, sends which units: the fewest shipments, and of as few the
/// least distance in all. The nearest of the chosen sends what it has, and so on.
fn plan<'a>(
    order: &Order,
    wanted: &[Units],
    candidates: &[&'a Location],
    available: &Available,
) -> Vec<(&'a Location, Vec<Units>)> {
    let mut units_of: BTreeMap<&str, u32> = BTreeMap::new();
    for &(place, units) in wanted {
        if let Some(sku) = &order.line(place).sku {
            *units_of.entry(sku).or_default() += units;
        }
    }
    let (skus, units): (Vec<&str>, Vec<u32>) = units_of.into_iter().unzip();
    let mut by_id: Vec<&str> = candidates.iter().map(|l| l.id.as_str()).collect();
    by_id.sort_unstable();
    let point = order.destination.as_ref().and_then(point_of);
    let source = |location: &&Location| {
        let of = |sku: &&str| available.of(order, sku, &location.id);
        let rank = by_id.partition_point(|id| *id < location.id.as_str());
        Source {
            units: skus
                .iter()
                .map(|sku| u32::try_from(of(sku)).unwrap_or(u32::MAX))
                .collect(),
            score: [1, metres_to(location, point), rank as u64],
        }
    };
    let sources: Vec<Source> = candidates.iter().map(source).collect();
    let mut rest = wanted.to_vec();
    let mut plan = Vec::new();
    let mut room = MAX_TAKES_PER_COMMIT;
    for place in choose(&units, &sources).sources {
        let location = candidates[place];
        let mut units = offer(order, &rest, location, available);
        units.truncate(room);
        room -= units.len();
        for &(place, taken) in &units {
            for open in rest.iter_mut().filter(|open| open.0 == place) {
                open.1 -= taken;
            }
        }
        if !units.is_empty() {
            plan.push((location, units));
        }
    }
    plan
}

/// What one location can send of what is wanted; lines that name the same SKU share its stock.
fn offer(
    order: &Order,
    wanted: &[Units],
    location: &Location,
    available: &Available,
) -> Vec<Units> {
    let mut promised: BTreeMap<&str, i64> = BTreeMap::new();
    let mut units = Vec::new();
    for &(place, open) in wanted {
        let Some(sku) = order.line(place).sku.as_deref() else {
            continue;
        };
        let taken = promised.entry(sku).or_default();
        let left = available.of(order, sku, &location.id) - *taken;
        let take = i64::from(open).min(left);
        if let Ok(take @ 1..) = u32::try_from(take) {
            *taken += i64::from(take);
            units.push((place, take));
        }
    }
    units
}
