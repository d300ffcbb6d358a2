//! What has to be true of every shop that rests, whatever was done to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::allocation::{Available, allocate, waits_for};
use domain::candidates::Network;
use domain::limits::MAX_RESERVATION_S;
use domain::order::FulfillmentStatus;
use domain::owed::owed;
use domain::shipping::today_in;
use domain::stock::{Changes, Delta, Level, Movement};
use domain::{Order, OrderId};
use jiff::Timestamp;
use store::key::OPEN_SHARDS;
use store::{Store, Story};

use crate::shop::{Shop, key_of};

/// The ids of all orders of a table.
pub async fn order_ids(db: &Client, orders: &str) -> Vec<OrderId> {
    let scan = db.scan().table_name(orders).into_paginator().items().send();
    let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
    let id = |item: &HashMap<String, AttributeValue>| {
        let of = |name: &str| item.get(name).map(|value| value.as_s().unwrap());
        let is_order = of("sk").is_some_and(|sk| sk == "ORDER");
        is_order.then(|| OrderId::parse(of("id").unwrap()).unwrap())
    };
    items.iter().filter_map(id).collect()
}

/// Orders with all their events.
pub async fn stories(store: &Store, ids: &[OrderId]) -> Vec<Story> {
    let mut stories = Vec::with_capacity(ids.len());
    for id in ids {
        stories.push(store.load_story(id).await.unwrap().unwrap());
    }
    stories
}

/// Every level with its whole ledger.
pub async fn ledgers(store: &Store) -> Vec<(Level, Vec<Movement>)> {
    let (mut from, mut levels) = (None, Vec::new());
    loop {
        let (page, next) = store.scan_levels(from).await.unwrap();
        levels.extend(page);
        from = next;
        if from.is_none() {
            break;
        }
    }
    let mut ledgers = Vec::with_capacity(levels.len());
    for level in levels {
        let mut ledger: Vec<Movement> = level.tail.iter().rev().cloned().collect();
        let mut before = level.movements + 1 - level.tail.len() as u64;
        loop {
            let older = store.ledger_before(&level.sku, &level.location, level.share, before);
            let older = older.await.unwrap();
            let Some((first, _)) = older.last() else {
                break;
            };
            before = *first;
            ledger.extend(older.into_iter().map(|(_, movement)| movement));
        }
        ledger.reverse();
        ledgers.push((level, ledger));
    }
    ledgers
}

/// Holds orders and stock to their rules, at rest.
pub async fn audit(store: &Store, stories: &[Story]) {
    for Story { order, .. } in stories {
        let id = &order.id;
        assert_eq!(owed(order), [], "{id}: it rests, and work is owed");
        assert_eq!(order.open_at, None, "{id}: it rests, and is open");
    }
    audit_books(store, stories).await;
}

/// Holds orders and stock to their rules. Something may still be owed, but nothing may be under way.
pub async fn audit_books(store: &Store, stories: &[Story]) {
    // Units set aside by orders, by SKU and location.
    let mut set_aside: BTreeMap<(String, String), i64> = BTreeMap::new();
    for Story {
        order, timeline, ..
    } in stories
    {
        let id = &order.id;
        assert_eq!(timeline.entries.len() as u64, order.version, "{id}: events");
        assert!(order.refunds_promised() <= order.captured(), "{id}: money");
        audit_lines(order);
        for (sku, location, units) in held_by(order) {
            *set_aside.entry((sku, location)).or_default() += units;
        }
        audit_waiting(store, order).await;
    }
    let ledgers = ledgers(store).await;
    let mut kept = kept(store).await;
    let mut available = Available::default();
    let mut allocated: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (level, ledger) in &ledgers {
        available.note(level);
        let (sku, location) = (level.sku.clone(), level.location.clone());
        let place = format!("{sku} in {location}");
        let mut sum = Delta::default();
        for movement in ledger {
            sum += movement.kind.delta(movement.quantity);
        }
        let counters = Delta {
            on_hand: level.on_hand,
            allocated: level.allocated,
            reserved: level.reserved,
            available: level.available,
        };
        assert_eq!(sum, counters, "{place}: ledger and counters");
        assert_eq!(ledger.len() as u64, level.movements, "{place}: movements");
        let promised = level.allocated + level.reserved;
        assert_eq!(level.available, level.on_hand - promised, "{place}");
        let share = (sku.clone(), location.clone(), level.share);
        let held = kept.remove(&share).unwrap_or(0);
        assert_eq!(level.reserved, held, "{place}: kept for reservations");
        audit_breakdowns(store, &sku, ledger).await;
        *allocated.entry((sku, location)).or_default() += level.allocated;
    }
    // All shares of a level together.
    for ((sku, location), allocated) in allocated {
        let place = format!("{sku} in {location}");
        let held = set_aside.remove(&(sku, location)).unwrap_or(0);
        assert_eq!(allocated, held, "{place}: set aside for orders");
    }
    assert_eq!(set_aside, BTreeMap::new(), "set aside where nothing is");
    assert_eq!(kept, BTreeMap::new(), "kept where nothing is");
    audit_served(store, stories, &available).await;
}

/// What reservations keep that are held, by SKU, location and share.
async fn kept(store: &Store) -> BTreeMap<(String, String, u8), i64> {
    let mut kept: BTreeMap<(String, String, u8), i64> = BTreeMap::new();
    // All of them will be due some day.
    let some_day = Timestamp::now() + jiff::SignedDuration::from_secs(MAX_RESERVATION_S + 60);
    for shard in 0..OPEN_SHARDS {
        let (ids, next) = store.due_reservations(shard, some_day, None).await.unwrap();
        assert!(next.is_none(), "a test has few of them");
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for reservation in store.load_reservations(&ids).await.unwrap() {
            assert!(reservation.is_held(), "{reservation:?} is in the index");
            for units in reservation.kept {
                let place = (units.sku, units.location, units.share);
                *kept.entry(place).or_default() += units.quantity;
            }
        }
    }
    kept
}

/// What a movement that stands for many is made of is known, and adds up to it.
async fn audit_breakdowns(store: &Store, sku: &str, ledger: &[Movement]) {
    let of_many = ledger.iter().filter_map(|m| Some((m.breakdown()?, m)));
    let of_many: BTreeMap<&str, &Movement> = of_many.collect();
    let ids: Vec<&str> = of_many.keys().copied().collect();
    let mut found = BTreeMap::new();
    for breakdown in store.load_breakdowns(sku, &ids).await.unwrap() {
        found.insert(breakdown.id.clone(), breakdown);
    }
    for (id, movement) in of_many {
        let parts = found.get(id).map_or(&[][..], |found| &found.parts);
        let sum: i64 = parts.iter().map(|part| part.1).sum();
        assert_eq!(sum, movement.quantity, "{sku}: {movement:?} of {parts:?}");
    }
}

/// No order waits for goods that are there.
async fn audit_served(store: &Store, stories: &[Story], available: &Available) {
    let now = Timestamp::now();
    let (locations, rates) = (store.locations().await, store.rates().await);
    let rules = store.rules().await.unwrap();
    let network = Network::new(locations.unwrap(), rates.unwrap(), rules);
    let bounded = network
        .locations
        .iter()
        .filter(|l| l.daily_orders.is_some());
    let days: Vec<_> = bounded.map(|l| (l.id.as_str(), today_in(l, now))).collect();
    let mut available = available.clone();
    for (location, day, orders) in store.loads(&days).await.unwrap() {
        available.note_load(&location, day, orders);
    }
    for Story { order, .. } in stories {
        let (mut available, mut changes) = (available.clone(), Changes::default());
        let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
        let skus: Vec<&str> = skus.collect::<BTreeSet<_>>().into_iter().collect();
        let products = store.products(&skus).await.unwrap();
        let found = allocate(
            order,
            &network,
            &products,
            &mut available,
            &mut changes,
            now,
        );
        let waits = waits_for(order);
        assert!(found.is_none(), "{}: {waits:?} is there", order.id);
    }
}

/// An order that waits for goods is on the list of those who hear of them.
async fn audit_waiting(store: &Store, order: &Order) {
    for (sku, units) in waits_for(order) {
        let waiting = store.waiting_for(&sku).await.unwrap();
        let own = waiting.iter().find(|waiting| waiting.order == order.id);
        let listed = own.map(|waiting| waiting.units);
        assert_eq!(listed, Some(units), "{} waits for {sku}", order.id);
    }
}

impl Shop {
    /// Holds orders, stock and mail to their rules.
    pub async fn audit(&self) {
        let stories = stories(&self.store, &self.order_ids().await).await;
        audit(&self.store, &stories).await;
        let mut sent: BTreeMap<(String, String), u32> = BTreeMap::new();
        for mail in self.cloud.services().ses.mails() {
            let key = key_of(&mail.tags).to_owned();
            *sent.entry((key, mail.to.join(","))).or_default() += 1;
        }
        sent.retain(|_, times| *times > 1);
        assert_eq!(sent, BTreeMap::new(), "mails that went out more than once");
    }
}

/// Every unit is somewhere, and where the fulfillment orders say that it is.
fn audit_lines(order: &Order) {
    use FulfillmentStatus::*;
    let id = &order.id;
    for (place, line) in (0_u16..).zip(&order.lines) {
        assert!(line.units.balanced(), "{id}: {line:?}");
        if line.intangible {
            continue;
        }
        let units_in = |states: &[FulfillmentStatus]| -> u32 {
            let there = order
                .fulfillments
                .iter()
                .filter(|f| states.contains(&f.status));
            let units = there.flat_map(|f| &f.units).filter(|u| u.0 == place);
            units.map(|u| u.1).sum()
        };
        let found = (line.units.allocated, line.units.packed, line.units.shipped);
        let expected = (
            units_in(&[Released, Accepted]),
            units_in(&[Packed]),
            units_in(&[Shipped, Delivered]),
        );
        assert_eq!(found, expected, "{id}: line {} is elsewhere", line.id);
    }
}

/// What an order keeps set aside: SKU, location, units.
fn held_by(order: &Order) -> Vec<(String, String, i64)> {
    use FulfillmentStatus::*;
    let holding = order
        .fulfillments
        .iter()
        .filter(|f| matches!(f.status, Released | Accepted | Packed));
    let mut held = Vec::new();
    for fulfillment in holding {
        for &(place, units) in &fulfillment.units {
            let sku = order.line(place).sku.clone().unwrap();
            held.push((sku, fulfillment.location.clone(), i64::from(units)));
        }
    }
    held
}
