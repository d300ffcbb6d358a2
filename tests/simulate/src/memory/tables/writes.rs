//! What a write does to what is stored, and what refuses it.

use std::sync::Arc;

use domain::fact::{Transfer, Transit};
use domain::inbound::Inbound;
use domain::order::Contact;
use domain::stock::{Level, LevelChange};
use domain::{Order, Step};
use store::{Ending, Found, LedgerPage, Refusal, Waiting, Write, Written, room_for};

use super::items::{is_next, take_out};
use super::{Row, Shelf, Tables};
use crate::check;
use crate::mutant::Mutant;
use crate::sim::State;

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
            Write::Level(change, page) => self.change_level(change, page.as_ref()),
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
            Write::Contact(..) | Write::Events(..) | Write::Breakdown(..) => {}
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

    fn change_level(&mut self, change: &LevelChange, page: Option<&LedgerPage>) {
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
        if let Some(page) = page {
            take_out(page, level);
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
}

impl Tables {
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
            Write::Level(change, page) => {
                let Some(shelf) = self.shelf(&change.sku, &change.location, change.share) else {
                    return match change.needs() == 0 {
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
                let room = level.tail.len() <= room_for(change);
                let shares = change.shares == 0 || level.shares <= change.shares;
                let once = !off(Mutant::PageIsTakenOutOnce);
                let oldest = page.as_ref().is_none_or(|page| is_next(page, level, once));
                match enough && room && shares && oldest {
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
            | Write::Discrepancy(..) => Refusal::None,
        }
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
