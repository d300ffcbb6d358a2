//! What is stored, and what a write does to it.

use std::sync::Arc;

use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::discrepancy::Discrepancy;
use domain::event::Timeline;
use domain::fact::{StockFact, Transfer, Transit};
use domain::inbound::Inbound;
use domain::listing::{Listing, Round};
use domain::order::Contact;
use domain::owed::owed;
use domain::poll::Poll;
use domain::reconcile::Reconciliation;
use domain::replay::Replay;
use domain::reservation::Reservation;
use domain::restock::{self, Crossings};
use domain::stock::{Breakdown, Level, LevelChange, Movement};
use domain::subscriber::Subscriber;
use domain::{Order, OrderId, Step};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{
    Claim, Ending, Found, OpenStock, Refusal, Story, Waiting, Write, Written, key, room_for,
};

use crate::check;
use crate::mutant::Mutant;
use crate::retailer::Retailer;
use crate::sim::State;

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

/// The answer to a transaction that met another one, in its middle: at an order or at a level.
pub fn in_the_way(writes: usize) -> Written {
    let mut refusals = vec![Refusal::None; writes];
    refusals[writes / 2] = Refusal::Passing("TransactionConflict".into());
    Written::Refused(refusals)
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

    /// Why a write cannot be.
    fn refusal(&self, write: &Write, off: impl Fn(Mutant) -> bool) -> Refusal {
        match write {
            Write::Order(before, order) => match (self.row(&order.id), before) {
                (None, 0) => Refusal::None,
                (None, _) => Refusal::Condition(None),
                (Some(_), 0) if off(Mutant::OrderIsNew) => Refusal::None,
                (Some(_), 1..) if off(Mutant::OrderVersion) => Refusal::None,
                (Some(row), before)
                    if row.order.version == *before
                        && (row.order.published == order.published
                            || off(Mutant::PublishedStays)) =>
                {
                    Refusal::None
                }
                (Some(row), _) => Refusal::Condition(Some(Found::Order(Arc::clone(&row.order)))),
            },
            Write::Published(before, order) => match self.row(&order.id) {
                Some(row)
                    if row.order.version == order.version && row.order.published == *before =>
                {
                    Refusal::None
                }
                Some(row) => Refusal::Condition(Some(Found::Order(Arc::clone(&row.order)))),
                None => Refusal::Condition(None),
            },
            Write::Level(change) | Write::LevelTurned(change, _) => {
                let Some(shelf) = self.shelf(&change.sku, &change.location, change.share) else {
                    let plain = matches!(write, Write::Level(_)) && change.needs() == 0;
                    return match plain {
                        true => Refusal::None,
                        false => Refusal::Condition(None),
                    };
                };
                let level = &shelf.level;
                let needs = match change.needs() {
                    needs if off(Mutant::SafetyStockStays) => needs - change.kept,
                    needs => needs,
                };
                let enough = needs == 0 || level.available >= needs || off(Mutant::StockIsThere);
                let room = match write {
                    Write::LevelTurned(_, seen) => {
                        level.movements == *seen || off(Mutant::PageIsOfTheLevelSeen)
                    }
                    _ => level.tail.len() <= room_for(change),
                };
                let shares = change.shares == 0 || level.shares <= change.shares;
                match enough && room && shares {
                    true => Refusal::None,
                    false => Refusal::Condition(Some(Found::Level(Box::new(level.clone())))),
                }
            }
            Write::FactApplied(sku, id) => {
                let known = self.facts.iter().find(|f| f.sku == *sku && f.id == *id);
                match known.is_some_and(|fact| !fact.applied || off(Mutant::FactAppliedOnce)) {
                    true => Refusal::None,
                    false => Refusal::Condition(None),
                }
            }
            Write::Transit(transit) => {
                let (Transit::Begins(transfer) | Transit::Ends(transfer)) = transit;
                let same = |t: &Transfer| t.sku == transfer.sku && t.id == transfer.id;
                let known = self.transfers.iter().any(same);
                match known == matches!(transit, Transit::Ends(_)) {
                    true => Refusal::None,
                    false => Refusal::Condition(None),
                }
            }
            Write::Received(sku, id, _) => {
                let mut inbound = self.inbound.iter();
                match inbound.any(|line| line.sku == *sku && line.id == *id) {
                    true => Refusal::None,
                    false => Refusal::Condition(None),
                }
            }
            Write::Reserved(reservation) => match self.reservation(&reservation.id) {
                Some(_) => Refusal::Condition(None),
                None => Refusal::None,
            },
            Write::ReservationEnded(ending) => {
                let known = self.reservation(&ending.id);
                let ends = known.is_some_and(|known| {
                    let held = known.is_held() || off(Mutant::ReservationEndsOnce);
                    let seen = ending.held_until.is_none_or(|seen| {
                        known.held_until == seen || off(Mutant::ExpiryIsOfTheTimeSeen)
                    });
                    held && seen
                });
                match ends {
                    true => Refusal::None,
                    false => Refusal::Condition(None),
                }
            }
            Write::Load(load) => {
                let fits = self.load(&load.location, load.day) + load.orders <= load.most;
                match fits || off(Mutant::LocationHasRoom) {
                    true => Refusal::None,
                    false => Refusal::Condition(None),
                }
            }
            Write::Contact(..)
            | Write::Events(..)
            | Write::Waiting(..)
            | Write::Breakdown(..)
            | Write::Discrepancy(..)
            | Write::LedgerPage { .. } => Refusal::None,
        }
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

    fn end_reservation(&mut self, ending: &Ending) {
        let known = self.reservations.iter_mut();
        for known in known.filter(|known| known.id == ending.id) {
            known.status = ending.status;
            known.order.clone_from(&ending.order);
        }
    }

    fn set_waiting(&mut self, waiting: &Waiting) {
        let same = |w: &Waiting| w.sku == waiting.sku && w.order == waiting.order;
        self.waiting.retain(|w| !same(w));
        if waiting.units > 0 {
            self.waiting.push(waiting.clone());
        }
    }
}

impl State {
    /// Writes all, or nothing.
    pub fn write(&mut self, writes: &[Write]) -> Written {
        let mutant = self.mutant;
        let off = |safeguard| mutant == Some(safeguard);
        let refusals = writes.iter().map(|write| self.tables.refusal(write, off));
        let refusals: Vec<Refusal> = refusals.collect();
        let refused = |refusal: &Refusal| !matches!(refusal, Refusal::None);
        if refusals.iter().any(refused) {
            if off(Mutant::AllOrNothing) {
                for (write, refusal) in writes.iter().zip(&refusals) {
                    if !refused(refusal) {
                        self.apply(write);
                    }
                }
            }
            let alone = matches!(writes, [Write::Order(..) | Write::Published(..)]);
            let acknowledged = match alone {
                true => off(Mutant::FailedPutIsRedriven),
                false => off(Mutant::FailedTransactionIsRedriven),
            };
            return match acknowledged {
                true => Written::Done,
                false => Written::Refused(refusals),
            };
        }
        for write in writes {
            self.apply(write);
        }
        Written::Done
    }

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Order(_, order) => self.put_order(order),
            Write::Published(_, order) => self.put_published(order),
            Write::Contact(id, contact) if !self.is_off(Mutant::ContactIsStored) => {
                if let Some(row) = self.tables.row_mut(id) {
                    row.contact = Some(Contact::clone(contact));
                }
            }
            Write::Events(id, page) if !self.is_off(Mutant::TimelinePageIsStored) => {
                if let Some(row) = self.tables.row_mut(id) {
                    row.pages.push(page.clone());
                }
            }
            Write::Level(change) => self.change_level(change, false),
            Write::LevelTurned(change, _) => self.change_level(change, true),
            Write::Breakdown(breakdown) if !self.is_off(Mutant::BreakdownIsStored) => {
                self.tables.breakdowns.push(breakdown.clone());
            }
            Write::Waiting(waiting) => {
                if !(waiting.units > 0 && self.is_off(Mutant::WaitingIsNoted)) {
                    self.tables.set_waiting(waiting);
                }
            }
            Write::Load(load) => {
                let taken = self.tables.load(&load.location, load.day) + load.orders;
                let loads = &mut self.tables.loads;
                loads.retain(|known| known.0 != load.location || known.1 != load.day);
                loads.push((load.location.clone(), load.day, taken));
            }
            Write::FactApplied(sku, id) => {
                for fact in &mut self.tables.facts {
                    fact.applied |= fact.sku == *sku && fact.id == *id;
                }
            }
            Write::Transit(Transit::Begins(transfer)) => {
                if !self.is_off(Mutant::TransitIsNoted) {
                    self.tables.transfers.push(transfer.clone());
                }
            }
            Write::Transit(Transit::Ends(ended)) => {
                let same = |t: &Transfer| t.sku == ended.sku && t.id == ended.id;
                self.tables.transfers.retain(|transfer| !same(transfer));
            }
            Write::Received(sku, id, units) => {
                let same = |line: &&mut Inbound| line.sku == *sku && line.id == *id;
                let counted = !self.is_off(Mutant::ReceiptIsCounted);
                let line = self.tables.inbound.iter_mut().find(same);
                if let Some(line) = line.filter(|_| counted) {
                    line.received += units;
                }
            }
            Write::Reserved(reservation) => self.tables.reservations.push(reservation.clone()),
            Write::ReservationEnded(ending) => self.tables.end_reservation(ending),
            Write::Discrepancy(found) => {
                if !self.is_off(Mutant::DiscrepancyIsNoted) {
                    let known = &mut self.tables.discrepancies;
                    known.retain(|known| known.id != found.id);
                    known.push(found.clone());
                }
            }
            Write::LedgerPage {
                sku,
                location,
                share,
                first,
                movements,
            } if !self.is_off(Mutant::LedgerPageIsStored) => {
                if let Some(shelf) = self.tables.shelf_mut(sku, location, *share) {
                    shelf.pages.retain(|page| page.0 != *first);
                    shelf.pages.push((*first, movements.clone()));
                }
            }
            Write::Contact(..)
            | Write::Events(..)
            | Write::Breakdown(..)
            | Write::LedgerPage { .. } => {}
        }
    }

    fn put_order(&mut self, order: &Arc<Order>) {
        let Some(row) = self.tables.row_mut(&order.id) else {
            self.blame(check::order_written(None, order));
            self.tables.orders.push(Row {
                order: Arc::clone(order),
                contact: None,
                pages: Vec::new(),
                decisions: Vec::new(),
                deliveries: Vec::new(),
                previous: None,
            });
            return;
        };
        let before = std::mem::replace(&mut row.order, Arc::clone(order));
        let broken = check::order_written(Some(&before), &row.order);
        let unread = self.queues.holds_unread(Step::AllocateWarehouse, &order.id);
        let told = unread || self.queues.needs_sweeper;
        let given = check::goods_given(&before, &row.order, told);
        row.previous = Some(before);
        self.blame(broken);
        self.blame(given);
    }

    fn put_published(&mut self, order: &Arc<Order>) {
        if let Some(row) = self.tables.row_mut(&order.id) {
            let before = std::mem::replace(&mut row.order, Arc::clone(order));
            let broken = check::order_published(&before, order);
            row.previous = Some(before);
            self.blame(broken);
        }
    }

    /// Goes on from a delivery as it was a turn before; whether it was.
    pub fn save_delivery(&mut self, delivery: &Delivery) -> bool {
        let noted = delivery.due_at.is_none() || !self.is_off(Mutant::DueDeliveryIsNoted);
        let Some(row) = self.tables.row_mut(&delivery.order) else {
            return false;
        };
        let same = |known: &Delivery| known.subscriber == delivery.subscriber;
        let turn = row.deliveries.iter().find(|known| same(known));
        let turn = turn.map_or(0, |known| known.turn);
        if turn + 1 != delivery.turn {
            return false;
        }
        if noted {
            row.deliveries.retain(|known| !same(known));
            row.deliveries.push(delivery.clone());
            let key = |known: &Delivery| known.subscriber.clone();
            row.deliveries.sort_by_cached_key(key);
        }
        true
    }

    fn change_level(&mut self, change: &LevelChange, turns: bool) {
        let delta = change.delta();
        let (ledger, counters) = (
            !self.is_off(Mutant::MovementIsInTheLedger),
            !self.is_off(Mutant::MovementIsCounted),
        );
        let known = self
            .tables
            .shelf(&change.sku, &change.location, change.share)
            .is_some();
        let shelf = match self
            .tables
            .shelf_mut(&change.sku, &change.location, change.share)
        {
            Some(shelf) => shelf,
            None => {
                self.tables.shelves.push(Shelf {
                    level: Level {
                        sku: change.sku.clone(),
                        location: change.location.clone(),
                        share: change.share,
                        ..Level::default()
                    },
                    pages: Vec::new(),
                    previous: None,
                });
                let last = self.tables.shelves.len() - 1;
                &mut self.tables.shelves[last]
            }
        };
        let before = shelf.level.clone();
        let level = &mut shelf.level;
        if counters {
            level.on_hand += delta.on_hand;
            level.allocated += delta.allocated;
            level.reserved += delta.reserved;
            level.available += delta.available;
        }
        if turns {
            level.tail.clear();
        }
        if ledger {
            level.tail.extend(change.movements.iter().cloned());
        }
        level.movements += change.movements.len() as u64;
        level.rejected_at = change.rejected_at().or(level.rejected_at);
        level.shares = level.shares.max(change.shares);
        let broken = check::level_written(Some(&before), level);
        // What was not there cannot be seen as it was.
        shelf.previous = known.then_some(before);
        self.blame(broken);
    }

    /// Keeps the records of routing decisions.
    pub fn put_decisions(&mut self, decisions: &[(OrderId, Decision)]) {
        if self.is_off(Mutant::DecisionIsStored) {
            return;
        }
        for (id, decision) in decisions {
            if let Some(row) = self.tables.row_mut(id) {
                let key = |d: &Decision| (d.of_version, d.outcome());
                row.decisions.retain(|known| key(known) != key(decision));
                row.decisions.push(decision.clone());
                row.decisions.sort_by_cached_key(key);
            }
        }
    }

    /// The order as a consistent read shows it.
    pub fn current_order(&self, id: &OrderId) -> Option<&Arc<Order>> {
        let row = self.tables.row(id)?;
        match &row.previous {
            Some(previous) if self.is_off(Mutant::OrdersConsistent) => Some(previous),
            _ => Some(&row.order),
        }
    }

    /// The index of open work, of one shard.
    pub fn open_orders(&self, shard: u32, before: Timestamp, stale: bool) -> Vec<OrderId> {
        if self.is_off(Mutant::OpenWorkIsIndexed) || (shard > 0 && self.is_off(Mutant::AllShards)) {
            return Vec::new();
        }
        let shard = shard.to_string();
        let rows = self.tables.orders.iter();
        let open = rows.filter_map(|row| row.indexed(stale)).filter(|order| {
            order.open_at.is_some_and(|at| at < before)
                && key::open_shard(order.id.as_str()) == shard
        });
        let mut open: Vec<&Order> = open.collect();
        open.sort_by_key(|order| (order.open_at, &order.id));
        open.into_iter().map(|order| order.id.clone()).collect()
    }

    /// Stores a fact, unless one of that id is there.
    pub fn store_fact(&mut self, fact: &StockFact) -> Option<StockFact> {
        if self.is_off(Mutant::FactIsStored) {
            return None;
        }
        let facts = &mut self.tables.facts;
        let known = facts
            .iter_mut()
            .find(|f| f.sku == fact.sku && f.id == fact.id);
        match known {
            Some(known) if self.mutant == Some(Mutant::FactIsNew) => {
                *known = fact.clone();
                None
            }
            Some(known) => Some(known.clone()),
            None => {
                facts.push(fact.clone());
                None
            }
        }
    }

    /// Notes a discrepancy, unless it is noted; whether nobody has closed it.
    pub fn note_discrepancy(&mut self, found: &Discrepancy) -> bool {
        if self.is_off(Mutant::DiscrepancyIsNoted) {
            return true;
        }
        let discrepancies = &mut self.tables.discrepancies;
        match discrepancies.iter().find(|known| known.id == found.id) {
            Some(known) => known.resolved.is_none(),
            None => {
                discrepancies.push(found.clone());
                true
            }
        }
    }

    /// What waits in the stock table, of one shard.
    pub fn open_stock(&self, shard: u32, before: Timestamp) -> Vec<OpenStock> {
        let shard = shard.to_string();
        let is_of_shard = |id: &str| key::open_shard(id) == shard;
        let facts = self.tables.facts.iter();
        let facts = facts.filter(|f| !f.applied && f.at < before && is_of_shard(&f.id));
        let facts = facts.filter(|_| !self.is_off(Mutant::OpenFactsAreIndexed));
        let facts = facts.map(|f| (f.at, &f.sku, 0, f.id.as_str()));
        let waiting = self.tables.waiting.iter();
        let waiting = waiting.filter(|w| w.placed_at < before && is_of_shard(w.order.as_str()));
        let waiting = waiting.filter(|_| !self.is_off(Mutant::WaitingIsIndexed));
        let waiting = waiting.map(|w| (w.placed_at, &w.sku, 1, w.order.as_str()));
        // By time, and where that is the same by the items' own keys.
        let mut open: Vec<_> = facts.chain(waiting).collect();
        open.sort();
        let name = |(_, sku, kind, id): (Timestamp, &String, u8, &str)| match kind {
            0 => Some(OpenStock::Fact(sku.clone(), id.to_owned())),
            _ => Some(OpenStock::Waiting(sku.clone(), OrderId::parse(id)?)),
        };
        open.into_iter().filter_map(name).collect()
    }

    /// Takes a claim, or says since when it is held.
    pub fn claim(
        &mut self,
        of: &str,
        notice: &str,
        stale: Option<Timestamp>,
        now: Timestamp,
    ) -> Claim {
        let name = format!("{of}#{notice}");
        let known = self.tables.claims.iter_mut().find(|c| c.0 == name);
        let off = |safeguard| self.mutant == Some(safeguard);
        match known {
            None if stale.is_none() => {
                self.tables.claims.push((name, now));
                Claim::Taken
            }
            None => Claim::Held(now),
            Some(held) => {
                let free = match stale {
                    None => off(Mutant::ClaimIsTakenOnce),
                    Some(stale) => held.1 == stale || off(Mutant::ClaimIsTakenOverOnce),
                };
                if free {
                    held.1 = now;
                    return Claim::Taken;
                }
                Claim::Held(held.1)
            }
        }
    }
}
