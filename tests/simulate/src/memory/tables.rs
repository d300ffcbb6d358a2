//! What is stored.

mod items;
mod writes;

use std::sync::Arc;

use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::discrepancy::Discrepancy;
use domain::event::Timeline;
use domain::fact::{StockFact, Transfer};
use domain::inbound::Inbound;
use domain::listing::{Listing, Round};
use domain::order::Contact;
use domain::owed::owed;
use domain::poll::Poll;
use domain::reconcile::Reconciliation;
use domain::replay::Replay;
use domain::reservation::Reservation;
use domain::restock::{self, Crossings};
use domain::stock::{Breakdown, Level, Movement};
use domain::subscriber::Subscriber;
use domain::{Order, OrderId};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Story, Waiting, key};

use crate::retailer::Retailer;

/// All tables.
#[derive(Default)]
pub struct Tables {
    /// The retailer's own facts.
    pub retailer: Arc<Retailer>,
    /// Orders.
    pub orders: Vec<Row>,
    /// Levels.
    pub shelves: Vec<Shelf>,
    /// What movements that stand for many are made of.
    pub breakdowns: Vec<Breakdown>,
    /// Facts about stock.
    pub facts: Vec<StockFact>,
    /// Transfers on the road.
    pub transfers: Vec<Transfer>,
    /// Purchase lines, by SKU and id.
    pub inbound: Vec<Inbound>,
    /// Reservations.
    pub reservations: Vec<Reservation>,
    /// What was found to differ.
    pub discrepancies: Vec<Discrepancy>,
    /// How far the reconciliation is.
    pub reconciliation: Option<Reconciliation>,
    /// How far the round is in which crossings are looked for.
    pub restock_round: Option<restock::Round>,
    /// Who waits for what, the oldest first.
    pub waiting: Vec<Waiting>,
    /// Claims: of what, and since when.
    claims: Vec<(String, Timestamp)>,
    /// What locations have taken on their days.
    pub loads: Vec<(String, Date, u32)>,
    /// How far the orders of channels' accounts are known.
    pub polls: Vec<Poll>,
    /// What the shop lists, by SKU.
    pub listings: Vec<Listing>,
    /// How far the listings of channels' accounts are told.
    pub rounds: Vec<Round>,
    /// Who hears of what happens to orders.
    pub subscribers: Vec<Subscriber>,
    /// Walks over all orders for them.
    pub replays: Vec<Replay>,
    /// Deliveries kept for a person.
    pub unreadable: usize,
}

/// An order's partition.
#[derive(Debug, Clone)]
pub struct Row {
    /// The order.
    pub order: Arc<Order>,
    /// Its names and addresses.
    pub contact: Option<Contact>,
    /// The pages of its timeline.
    pub pages: Vec<Timeline>,
    /// The records of its routing decisions.
    pub decisions: Vec<Decision>,
    /// How far subscribers have heard of it, by their ids.
    pub deliveries: Vec<Delivery>,
    /// What it was before its newest write: what a stale read shows.
    previous: Option<Arc<Order>>,
}

impl Row {
    /// Everything about it.
    pub fn story(&self) -> Story {
        let entries = self.pages.iter().flat_map(|page| page.entries.clone());
        let entries = entries.chain(self.order.timeline.entries.clone());
        Story {
            order: Order::clone(&self.order),
            contact: self.contact.clone().unwrap_or_default(),
            timeline: Timeline {
                first: 1,
                entries: entries.collect(),
            },
            deliveries: self.deliveries.clone(),
        }
    }

    /// The order as it is, or as it was a write ago.
    pub fn seen(&self, stale: bool) -> &Order {
        match (stale, &self.previous) {
            (true, Some(previous)) => previous,
            _ => &self.order,
        }
    }

    /// The order as the index of open work has it, if it is there.
    fn indexed(&self, stale: bool) -> Option<&Order> {
        let order = self.seen(stale);
        (!owed(order).is_empty()).then_some(order)
    }
}

/// A level and the pages of its ledger.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The level.
    pub level: Level,
    /// The pages: the number of the first movement, and the movements.
    pub pages: Vec<(u64, Vec<Movement>)>,
    previous: Option<Level>,
}

impl Shelf {
    /// The level as it is, or as it was a write ago.
    pub fn seen(&self, stale: bool) -> &Level {
        match (stale, &self.previous) {
            (true, Some(previous)) => previous,
            _ => &self.level,
        }
    }
}

impl Tables {
    /// The partition of an order.
    pub fn row(&self, id: &OrderId) -> Option<&Row> {
        self.orders.iter().find(|row| row.order.id == *id)
    }

    fn row_mut(&mut self, id: &OrderId) -> Option<&mut Row> {
        self.orders.iter_mut().find(|row| row.order.id == *id)
    }

    /// The shelf of a SKU in a location and share.
    pub fn shelf(&self, sku: &str, location: &str, share: u8) -> Option<&Shelf> {
        let place = self.place(sku, location, share)?;
        self.shelves.get(place)
    }

    fn shelf_mut(&mut self, sku: &str, location: &str, share: u8) -> Option<&mut Shelf> {
        let place = self.place(sku, location, share)?;
        self.shelves.get_mut(place)
    }

    fn place(&self, sku: &str, location: &str, share: u8) -> Option<usize> {
        let same = |l: &Level| l.sku == sku && l.location == location && l.share == share;
        self.shelves.iter().position(|shelf| same(&shelf.level))
    }

    /// All shelves, in the order of their keys.
    pub fn sorted_shelves(&self) -> Vec<&Shelf> {
        let mut shelves: Vec<&Shelf> = self.shelves.iter().collect();
        // As their keys are: those of the first share come before the others of the SKU.
        let key = |level: &Level| {
            (
                key::share(&level.sku, level.share),
                key::level(&level.location),
            )
        };
        shelves.sort_by_cached_key(|shelf| key(&shelf.level));
        shelves
    }

    /// Who waits for a SKU, the oldest first.
    pub fn waiting_for(&self, sku: &str) -> Vec<Waiting> {
        let mut waiting: Vec<_> = self.waiting.iter().filter(|w| w.sku == sku).collect();
        waiting.sort_by_key(|w| (w.placed_at, &w.order));
        waiting.into_iter().cloned().collect()
    }

    /// Notes a level's crossings, if those known are as they have to be; whether they are.
    pub fn note_crossings(
        &mut self,
        sku: &str,
        location: &str,
        right: impl Fn(&Crossings) -> bool,
        after: &Crossings,
    ) -> bool {
        let Some(shelf) = self.shelf_mut(sku, location, 0) else {
            return false;
        };
        let right = right(&Crossings::of(&shelf.level));
        if right {
            shelf.previous = Some(shelf.level.clone());
            let level = &mut shelf.level;
            level.crossings = after.count;
            level.low = after.low.clone();
            level.outage = after.outage.clone();
        }
        right
    }

    /// What a location has taken on a day.
    pub fn load(&self, location: &str, day: Date) -> u32 {
        let same = |known: &&(String, Date, u32)| known.0 == location && known.1 == day;
        self.loads.iter().find(same).map_or(0, |known| known.2)
    }

    /// Notes what is expected; as it is now.
    pub fn put_inbound(&mut self, inbound: &Inbound) -> Inbound {
        let same = |line: &&mut Inbound| line.sku == inbound.sku && line.id == inbound.id;
        match self.inbound.iter_mut().find(same) {
            Some(line) => {
                *line = Inbound {
                    received: line.received,
                    ..inbound.clone()
                };
                line.clone()
            }
            None => {
                self.inbound.push(inbound.clone());
                self.inbound
                    .sort_by(|a, b| (&a.sku, &a.id).cmp(&(&b.sku, &b.id)));
                inbound.clone()
            }
        }
    }

    /// A reservation.
    pub fn reservation(&self, id: &str) -> Option<&Reservation> {
        self.reservations.iter().find(|known| known.id == id)
    }

    /// Holds a reservation until another time, if it is held; as it is now.
    pub fn extend_reservation(&mut self, id: &str, until: Timestamp) -> Option<Reservation> {
        let known = self.reservations.iter_mut().find(|known| known.id == id)?;
        if known.is_held() {
            known.held_until = until;
        }
        Some(known.clone())
    }

    /// Reservations of one shard that are due, the longest overdue first.
    pub fn due_reservations(&self, shard: u32, now: Timestamp) -> Vec<String> {
        let shard = key::reserved(&shard.to_string());
        let due = self.reservations.iter().filter(|known| {
            let due = known.is_held() && known.held_until.as_second() <= now.as_second();
            due && key::reserved_shard(&known.id) == shard
        });
        let mut due: Vec<&Reservation> = due.collect();
        due.sort_by_key(|known| (known.held_until, &known.id));
        due.into_iter().map(|known| known.id.clone()).collect()
    }

    /// Orders of one shard of which somebody is to be told again, the longest overdue first.
    pub fn due_deliveries(&self, shard: u32, now: Timestamp) -> Vec<OrderId> {
        let shard = shard.to_string();
        let deliveries = self.orders.iter().flat_map(|row| &row.deliveries);
        let due = deliveries.filter_map(|delivery| {
            let due_at = delivery.due_at?.as_second();
            let due = due_at <= now.as_second();
            let here = key::open_shard(delivery.order.as_str()) == shard;
            (due && here).then_some((due_at, delivery))
        });
        let mut due: Vec<(i64, &Delivery)> = due.collect();
        due.sort_by_key(|(due_at, delivery)| (*due_at, &delivery.order, &delivery.subscriber));
        due.into_iter().map(|(_, due)| due.order.clone()).collect()
    }
}
