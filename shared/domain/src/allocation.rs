//! Which warehouse sends what.
//!
//! Of all who may, those who together have all that is there and count the least by the retailer's
//! rules; if those do not say otherwise, the fewest, then the cheapest, then the nearest. What no
//! warehouse has is backordered.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Quantity;
use crate::candidates::{Network, candidates};
use crate::catalog::{Backorders, Location, Product};
use crate::decision::Decision;
use crate::event::Event;
use crate::limits::{
    MAX_LINES_PER_COMMIT, MAX_LINES_PER_TAKE_UP, MAX_QUANTITY, MAX_TAKES_PER_COMMIT,
};
use crate::offer::offered;
use crate::order::{
    Buckets, FulfillmentOrder, FulfillmentStatus, Hold, HoldReason, Line, Order, Units,
};
use crate::owed::Notice;
use crate::plan::{Plan, plan};
use crate::reservation::Kept;
use crate::rules::Rules;
use crate::shipping::{ship_by, today_in};
use crate::stock::{Changes, Level, Movement, MovementKind};

/// Units available, by SKU and location, and how busy the locations are. Allocating takes from it, so
/// that a batch of orders shares one view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available {
    shelves: BTreeMap<(String, String), Shelf>,
    loads: BTreeMap<(String, Date), u32>,
    /// Of them, units that are kept for the next order.
    own: BTreeMap<(String, String), i64>,
    /// All of these together.
    kept: Quantity,
}

/// What is known of a SKU in a location.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shelf {
    /// The shares that were looked into, and what each has. Units are taken from the one in front while it
    /// has enough.
    shares: Vec<(u8, i64)>,
    /// When goods last came in, as far as the level's newest movements tell.
    replenished_at: Option<Timestamp>,
    /// When the location last rejected it.
    rejected_at: Option<Timestamp>,
}

impl Shelf {
    fn units(&self) -> i64 {
        self.shares.iter().map(|share| share.1.max(0)).sum()
    }

    fn add(&mut self, share: u8, units: i64) {
        match self.shares.iter_mut().find(|known| known.0 == share) {
            Some(known) => known.1 += units,
            None => self.shares.push((share, units)),
        }
    }

    fn set(&mut self, share: u8, units: i64) {
        match self.shares.iter_mut().find(|known| known.0 == share) {
            Some(known) => known.1 = units,
            None => self.shares.push((share, units)),
        }
    }

    /// Takes units that are there: from one share, and only where none in hand has enough from several, the
    /// fullest first.
    fn take(&mut self, units: i64) -> Vec<(u8, i64)> {
        let (mut taken, mut left) = (Vec::new(), units);
        while left > 0 {
            if self.shares.first().is_none_or(|front| front.1 < left) {
                let fullest = (0..self.shares.len())
                    .rev()
                    .max_by_key(|n| self.shares[*n].1);
                self.shares.swap(0, fullest.unwrap_or(0));
            }
            let Some(front) = self.shares.first_mut().filter(|front| front.1 > 0) else {
                break;
            };
            let part = left.min(front.1);
            front.1 -= part;
            left -= part;
            taken.push((front.0, part));
        }
        taken
    }
}

impl Available {
    /// Notes what a location has.
    pub fn set(&mut self, sku: &str, location: &str, units: i64) {
        self.shelf(sku, location).set(0, units);
    }

    /// Notes a level: what it has, and when goods last came in.
    pub fn note(&mut self, level: &Level) {
        let brings = |m: &&Movement| m.kind.delta(m.quantity).on_hand > 0;
        let shelf = self.shelf(&level.sku, &level.location);
        shelf.set(level.share, level.available);
        let replenished_at = level.tail.iter().filter(brings).map(|m| m.at).max();
        shelf.replenished_at = shelf.replenished_at.max(replenished_at);
        shelf.rejected_at = shelf.rejected_at.max(level.rejected_at);
    }

    /// Notes what a reservation keeps for the next order: it can count on that whatever else is available.
    pub fn note_kept(&mut self, kept: &[Kept]) {
        for Kept {
            sku,
            location,
            share,
            quantity,
            decimals,
        } in kept
        {
            self.shelf(sku, location).add(*share, *quantity);
            let own = self.own.entry((sku.clone(), location.clone()));
            *own.or_default() += quantity;
            self.kept = self.kept + Quantity::new(*quantity, *decimals);
        }
    }

    /// How much is kept for the next order, which is then used up.
    fn take_kept(&mut self) -> Quantity {
        self.own.clear();
        std::mem::take(&mut self.kept)
    }

    /// Units in a location, in all shares that were looked into.
    pub fn units(&self, sku: &str, location: &str) -> i64 {
        let key = (sku.to_owned(), location.to_owned());
        self.shelves.get(&key).map_or(0, Shelf::units)
    }

    /// The same with one share of each level only, the fullest: what takes from it changes few levels.
    pub fn of_one_share_each(&self) -> Self {
        let mut one = self.clone();
        for shelf in one.shelves.values_mut() {
            let fullest = shelf
                .shares
                .iter()
                .copied()
                .rev()
                .max_by_key(|share| share.1);
            shelf.shares = fullest.into_iter().collect();
        }
        one
    }

    /// Notes how many fulfillment orders a location has taken on a day.
    pub fn note_load(&mut self, location: &str, day: Date, orders: u32) {
        self.loads.insert((location.to_owned(), day), orders);
    }

    /// Who can take no more orders today.
    fn full<'a>(&self, locations: &'a [Location], now: Timestamp) -> BTreeSet<&'a str> {
        let is_full = |location: &&Location| {
            location.daily_orders.is_some_and(|most| {
                let today = (location.id.clone(), today_in(location, now));
                self.loads.get(&today).is_some_and(|load| *load >= most)
            })
        };
        let full = locations.iter().filter(is_full);
        full.map(|location| location.id.as_str()).collect()
    }

    fn take(&mut self, sku: &str, location: &str, units: i64) -> Vec<(u8, i64)> {
        self.shelf(sku, location).take(units)
    }

    fn shelf(&mut self, sku: &str, location: &str) -> &mut Shelf {
        self.shelves
            .entry((sku.to_owned(), location.to_owned()))
            .or_default()
    }
}

/// What one order can count on.
pub(crate) struct View<'a> {
    pub order: &'a Order,
    available: &'a Available,
    network: &'a Network,
    /// Those of its products that not all may be promised of, by SKU.
    bounded: BTreeMap<&'a str, &'a Product>,
    now: Timestamp,
    /// What was rejected after that is not asked for again yet.
    cooled_at: Timestamp,
}

impl<'a> View<'a> {
    fn new(
        order: &'a Order,
        available: &'a Available,
        network: &'a Network,
        products: &'a [Product],
        now: Timestamp,
    ) -> Self {
        let rules = Rules::of(&network.rules, &order.source.channel);
        let bounded = products
            .iter()
            .filter(|product| !product.safety_stock.is_empty() || product.available_on.is_some());
        let cool_down = jiff::SignedDuration::from_hours(i64::from(rules.cool_down_hours));
        Self {
            order,
            available,
            network,
            bounded: bounded.map(|p| (p.sku.as_str(), p)).collect(),
            now,
            cooled_at: now.saturating_sub(cool_down).unwrap_or(Timestamp::MIN),
        }
    }

    /// Units that the order can count on: what may be promised. A shelf that was found short for it is not believed again
    /// until goods have come in: its counter was wrong once. One that its location has rejected for
    /// any order is left alone for a while.
    pub fn units(&self, sku: &str, location: &str) -> u32 {
        let place = (sku.to_owned(), location.to_owned());
        let Some(shelf) = self.available.shelves.get(&place) else {
            return 0;
        };
        let fulfillments = self.order.fulfillments.iter();
        let here = fulfillments.filter(|f| f.location == location);
        let short_at = here.filter_map(|f| f.short_at).max();
        let short = short_at.is_some_and(|short_at| shelf.replenished_at <= Some(short_at));
        let cooling = shelf.rejected_at.is_some_and(|at| at > self.cooled_at);
        match short || cooling {
            true => 0,
            false => u32::try_from(self.offered(sku, location, shelf.units())).unwrap_or(u32::MAX),
        }
    }

    fn offered(&self, sku: &str, location: &str, available: i64) -> i64 {
        let Some(product) = self.bounded.get(sku) else {
            return available.max(0);
        };
        // What is kept for the order was promised when it was reserved.
        let place = (sku.to_owned(), location.to_owned());
        let own = self.available.own.get(&place).copied().unwrap_or_default();
        let mut locations = self.network.locations.iter();
        let location = locations.find(|known| known.id == location);
        location.map_or(0, |location| {
            let offered = offered(available, Some(product), location, self.now);
            offered.max(own.min(available))
        })
    }
}

/// One more fulfillment order for a location on a day, of so many that it can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The location.
    pub location: String,
    /// The day, by its own calendar.
    pub day: Date,
    /// How many more.
    pub orders: u32,
    /// How many it can take on one day.
    pub most: u32,
}

/// What allocating an order comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// The order's next state.
    pub order: Order,
    /// SKUs that it waits for, and of how many units, where it did not wait for so many before.
    pub starts_waiting: BTreeMap<String, u32>,
    /// SKUs that it no longer waits for.
    pub stops_waiting: BTreeSet<String>,
    /// What it adds to the day of locations that can take only so much.
    pub loads: Vec<Load>,
    /// Why these locations; `None` if there was nothing to choose.
    pub decision: Option<Decision>,
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

/// The SKUs that an order waits for, and of how many units.
pub fn waits_for(order: &Order) -> BTreeMap<String, u32> {
    let mut waits = BTreeMap::new();
    for line in order.lines.iter().filter(|line| line.units.backordered > 0) {
        if let Some(sku) = &line.sku {
            *waits.entry(sku.clone()).or_default() += line.units.backordered;
        }
    }
    waits
}

/// Sets goods aside for what is open or backordered, taking it from `available` and adding the
/// movements to `changes`; with what is [kept](Available::note_kept) for it, which is then used up: what
/// the order does not get of that is anybody's. `products`: those of the order, as far as they are known. `None` when there
/// is nothing to find, or nothing new was found.
pub fn allocate(
    order: &Order,
    network: &Network,
    products: &[Product],
    available: &mut Available,
    changes: &mut Changes,
    now: Timestamp,
) -> Option<Allocation> {
    if !order.holds.is_empty() && !order.leaves_reservation() {
        return None;
    }
    let order = &*match measured(order, products) {
        Ok(order) => order,
        Err(()) => return Some(unmeasured(order, available.take_kept(), now)),
    };
    let Plan {
        wanted,
        sends,
        decision,
    } = find(order, network, products, available, now);
    let opens = order.lines.iter().any(|line| line.units.open > 0);
    if sends.is_empty() && !opens && !order.look_again && !order.leaves_reservation() {
        return None;
    }
    let before = waits_for(order);
    let sent = sends.iter().flat_map(|(_, units)| units);
    let found = order.sum_of(sent.clone());
    let full = sends.iter().map(|(_, units)| units.len()).sum::<usize>() >= MAX_TAKES_PER_COMMIT;
    let missing = match full {
        true => Quantity::default(),
        false => order.sum_of(&unsent(&wanted, sent)),
    };
    let event = looked(order, (found, missing), available.take_kept());
    let next = order.advance(now, event, |next| {
        next.look_again = false;
        if let Some(named) = &mut next.reservation {
            named.used = true;
        }
        for line in &mut next.lines {
            if line.intangible {
                // Nothing to pick: it is with the customer as soon as the order is.
                let open = std::mem::take(&mut line.units.open);
                line.units.shipped += open;
                line.units.delivered += open;
            }
        }
        for (location, units) in &sends {
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
            let mut asks = false;
            for &(place, _) in &wanted {
                let line = &mut next.lines[usize::from(place)];
                if line.units.open > 0 && !next.may_wait && asks_to_wait(line, products) {
                    asks = true;
                } else {
                    line.units.backordered += std::mem::take(&mut line.units.open);
                }
            }
            if asks {
                next.holds.push(Hold {
                    reason: HoldReason::OutOfStock,
                    since: now,
                });
            }
        }
        let untouched = |line: &Line| line.units.open + line.units.cancelled == line.units.ordered;
        // Who may wait has been looked at before: a person was asked.
        let new = order.fulfillments.is_empty() && !order.may_wait;
        let first = new && order.lines.iter().all(untouched);
        if next.mailed && first {
            next.notices.push(Notice::Confirmed);
        }
    });
    for (location, units) in &sends {
        for &(place, taken) in units {
            if let Some(sku) = &order.line(place).sku {
                for (share, quantity) in available.take(sku, &location.id, i64::from(taken)) {
                    let movement = Movement {
                        kind: MovementKind::Allocate,
                        quantity,
                        cause: order.id.to_string(),
                        at: now,
                    };
                    changes.add_to_share(sku, &location.id, share, movement);
                }
                if let Some(product) = products.iter().find(|product| product.sku == *sku) {
                    changes.keep(sku, &location.id, product.safety_stock_in(&location.id));
                }
            }
        }
    }
    let mut loads = Vec::new();
    for (location, _) in &sends {
        if let Some(most) = location.daily_orders {
            let day = today_in(location, now);
            let taken = available.loads.entry((location.id.clone(), day));
            *taken.or_default() += 1;
            loads.push(Load {
                location: location.id.clone(),
                day,
                orders: 1,
                most,
            });
        }
    }
    let mut after = waits_for(&next);
    let stops = before.keys().filter(|sku| !after.contains_key(*sku));
    let stops_waiting = stops.cloned().collect();
    after.retain(|sku, units| before.get(sku) != Some(units));
    Some(Allocation {
        starts_waiting: after,
        stops_waiting,
        loads,
        decision,
        order: next,
    })
}

/// The order in the measure of its products. A product that was not in the catalogue when the order was
/// accepted may be counted in smaller units. Refused if its line is of a part that it does not have, or was
/// partly refunded in the units of then.
fn measured<'a>(order: &'a Order, products: &[Product]) -> Result<Cow<'a, Order>, ()> {
    let mut measured = Cow::Borrowed(order);
    for (n, line) in order.lines.iter().enumerate() {
        let of = |product: &&Product| Some(&product.sku) == line.sku.as_ref() && !line.intangible;
        let decimals = products.iter().find(of).map(|product| product.decimals);
        let Some(decimals) = decimals.filter(|decimals| *decimals != line.decimals) else {
            continue;
        };
        let ordered = line.units.ordered;
        if line.units.open + line.units.backordered == 0 {
            continue;
        }
        let cancelled = line.units.cancelled;
        let count = |units| line.quantity(units).count(decimals, 0, MAX_QUANTITY).ok();
        let untouched = line.units.open + cancelled == ordered && line.refunded_units == 0;
        let counts = count(ordered).zip(count(cancelled));
        let (ordered, cancelled) = counts.filter(|_| untouched).ok_or(())?;
        let line = &mut measured.to_mut().lines[n];
        line.decimals = decimals;
        line.units = Buckets {
            ordered,
            cancelled,
            open: ordered - cancelled,
            ..Buckets::default()
        };
    }
    Ok(measured)
}

/// That goods were looked for, so much found and so much missed, and so much kept for the order.
fn looked(order: &Order, (found, missing): (Quantity, Quantity), kept: Quantity) -> Event {
    match order.unused_reservation() {
        Some(_) => Event::AllocatedReserved(found, missing, kept),
        None => Event::Allocated(found, missing),
    }
}

/// The order, held: it asks for parts of a product that the product does not have. What was kept for it is
/// anybody's.
fn unmeasured(order: &Order, kept: Quantity, now: Timestamp) -> Allocation {
    let event = looked(order, Default::default(), kept);
    let order = order.advance(now, event, |next| {
        if let Some(named) = &mut next.reservation {
            named.used = true;
        }
        next.holds.push(Hold {
            reason: HoldReason::UnknownSku,
            since: now,
        });
    });
    Allocation {
        order,
        starts_waiting: BTreeMap::new(),
        stops_waiting: BTreeSet::new(),
        loads: Vec::new(),
        decision: None,
    }
}

/// What is left of the wanted units without those that are sent.
fn unsent<'a>(wanted: &[Units], sent: impl Iterator<Item = &'a Units>) -> Vec<Units> {
    let mut left = wanted.to_vec();
    for (place, units) in sent {
        for left in left.iter_mut().filter(|left| left.0 == *place) {
            left.1 -= units;
        }
    }
    left
}

/// Whether a person is to be asked before units of a line wait for goods.
fn asks_to_wait(line: &Line, products: &[Product]) -> bool {
    let mut products = products.iter();
    let product = products.find(|product| line.sku.as_deref() == Some(product.sku.as_str()));
    product.is_some_and(|product| product.backorders == Backorders::Ask)
}

/// What could be set aside for an order now, and by whom. A long order is allocated in parts, because a
/// transaction is bounded: open lines first, and of the waiting ones those that there are goods for.
/// What is left out stays as it is.
fn find<'a>(
    order: &Order,
    network: &'a Network,
    products: &[Product],
    available: &Available,
    now: Timestamp,
) -> Plan<'a> {
    let view = View::new(order, available, network, products, now);
    let units = |line: &Line| line.units.open + line.units.backordered;
    let found = |line: &Line| {
        let country = order.destination.as_ref().map(|to| to.country.as_str());
        line.sku
            .as_deref()
            .zip(country)
            .is_some_and(|(sku, country)| {
                let serve = |location: &&Location| location.ships_to(country);
                let mut locations = network.locations.iter().filter(serve);
                locations.any(|location| view.units(sku, &location.id) > 0)
            })
    };
    let (open, mut waiting): (Vec<_>, Vec<_>) = (0_u16..)
        .zip(&order.lines)
        .filter(|(_, line)| !line.intangible && units(line) > 0)
        .partition(|(_, line)| line.units.open > 0);
    waiting.retain(|(_, line)| found(line));
    let mut lines: Vec<_> = open.into_iter().chain(waiting).collect();
    let most = match available.own.is_empty() {
        true => MAX_LINES_PER_COMMIT,
        // What is kept and not asked for now is given back.
        false => {
            let is_kept = |sku: &str| available.own.keys().any(|own| own.0 == sku);
            lines.sort_by_key(|(_, line)| !line.sku.as_deref().is_some_and(is_kept));
            MAX_LINES_PER_TAKE_UP
        }
    };
    let wanted: Vec<Units> = lines
        .into_iter()
        .take(most)
        .map(|(place, line)| (place, units(line)))
        .collect();
    let Some(destination) = order.destination.as_ref().filter(|_| !wanted.is_empty()) else {
        return Plan::nothing(wanted);
    };
    let weight_g = |&(place, units): &Units| {
        let sku = order.line(place).sku.as_deref();
        let product = products.iter().find(|p| Some(p.sku.as_str()) == sku);
        product.map_or(0, |product| product.weight_of(units))
    };
    let weight_g = wanted.iter().map(weight_g).sum();
    let full = available.full(&network.locations, now);
    let candidates = candidates(order, destination, network, &full, weight_g, now);
    plan(wanted, candidates, network, products, &view, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_taken_from_one_share_while_it_has_enough() {
        let mut shelf = Shelf::default();
        for (share, units) in [(3, 5), (0, 2), (1, 7), (2, 7)] {
            shelf.set(share, units);
        }
        assert_eq!(shelf.units(), 21);
        assert_eq!(shelf.take(2), [(3, 2)]);
        assert_eq!(shelf.take(3), [(3, 3)]);
        assert_eq!(shelf.take(1), [(1, 1)], "then from the fullest");
        assert_eq!(shelf.take(6), [(1, 6)], "and on from there");
        assert_eq!(shelf.take(8), [(2, 7), (0, 1)]);
        assert_eq!(shelf.take(9), [(0, 1)], "never more than there is");
        assert_eq!(shelf.units(), 0);
    }

    #[test]
    fn what_one_share_lacks_another_does_not_have_less() {
        let mut available = Available::default();
        let level = |share, available| Level {
            sku: "A".into(),
            location: "x".into(),
            share,
            available,
            ..Level::default()
        };
        available.note(&level(0, -4));
        available.note(&level(1, 3));
        available.note(&level(2, 2));
        assert_eq!(available.units("A", "x"), 5);
        assert_eq!(available.of_one_share_each().units("A", "x"), 3);
        available.note(&level(1, 0));
        assert_eq!(available.units("A", "x"), 2);
    }
}
