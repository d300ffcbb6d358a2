//! What has to be true of every shop that rests, whatever was done to it.

use std::collections::BTreeMap;

use domain::Order;
use domain::order::FulfillmentStatus;
use domain::owed::owed;
use domain::stock::Delta;
use store::Story;

use crate::shop::{Shop, key_of};

impl Shop {
    /// Holds orders, stock and mail to their rules.
    pub async fn audit(&self) {
        let stories = self.stories().await;
        // Units set aside by orders, by SKU and location.
        let mut set_aside: BTreeMap<(String, String), i64> = BTreeMap::new();
        for Story {
            order, timeline, ..
        } in &stories
        {
            let id = &order.id;
            assert_eq!(timeline.entries.len() as u64, order.version, "{id}: events");
            assert_eq!(owed(order), [], "{id}: it rests, and work is owed");
            assert_eq!(order.open_at, None, "{id}: it rests, and is open");
            assert!(order.refunds_promised() <= order.captured(), "{id}: money");
            audit_lines(order);
            for (sku, location, units) in held_by(order) {
                *set_aside.entry((sku, location)).or_default() += units;
            }
            self.audit_waiting(order).await;
        }
        let (mut from, mut levels) = (None, Vec::new());
        loop {
            let (page, next) = self.store.scan_levels(from).await.unwrap();
            levels.extend(page);
            from = next;
            if from.is_none() {
                break;
            }
        }
        for level in levels {
            let (sku, location) = (level.sku.clone(), level.location.clone());
            let place = format!("{sku} in {location}");
            let mut ledger = self.store.ledger_pages(&sku, &location).await.unwrap();
            ledger.extend(level.tail);
            let mut sum = Delta::default();
            for movement in &ledger {
                sum += movement.kind.delta(movement.quantity);
            }
            let counters = Delta {
                on_hand: level.on_hand,
                allocated: level.allocated,
                available: level.available,
            };
            assert_eq!(sum, counters, "{place}: ledger and counters");
            assert_eq!(ledger.len() as u64, level.movements, "{place}: movements");
            assert_eq!(level.available, level.on_hand - level.allocated, "{place}");
            let held = set_aside.remove(&(sku, location)).unwrap_or(0);
            assert_eq!(level.allocated, held, "{place}: set aside for orders");
        }
        assert_eq!(set_aside, BTreeMap::new(), "set aside where nothing is");
        let mut sent: BTreeMap<(String, String), u32> = BTreeMap::new();
        for mail in self.cloud.services().ses.mails() {
            let key = key_of(&mail.tags).to_owned();
            *sent.entry((key, mail.to.join(","))).or_default() += 1;
        }
        sent.retain(|_, times| *times > 1);
        assert_eq!(sent, BTreeMap::new(), "mails that went out more than once");
    }

    /// Every order with all its events.
    async fn stories(&self) -> Vec<Story> {
        let mut stories = Vec::new();
        for id in self.order_ids().await {
            let story = self.store.load_story(&id).await.unwrap();
            stories.push(story.unwrap());
        }
        stories
    }

    /// An order that waits for goods is on the list of those who hear of them.
    async fn audit_waiting(&self, order: &Order) {
        for sku in domain::allocation::waits_for(order) {
            let waiting = self.store.waiting_for(&sku).await.unwrap();
            assert!(waiting.contains(&order.id), "{} waits for {sku}", order.id);
        }
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
