//! What single calls find and do to one item or one index, with the safeguards that those have.

use std::sync::Arc;

use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::discrepancy::Discrepancy;
use domain::fact::StockFact;
use domain::stock::Level;
use domain::{Order, OrderId};
use jiff::Timestamp;
use store::{Claim, LedgerPage, OpenStock, TakenOut, key};

use crate::check;
use crate::mutant::Mutant;
use crate::sim::State;

/// Whether the movements of a page may be taken out of a level's own item: no others were since they were read, as far as that is
/// looked at.
pub(super) fn is_next(page: &LedgerPage, level: &Level, once: bool) -> bool {
    level.tail.len() >= page.movements.len() && (level.paged == page.noted || !once)
}

/// Takes them out.
pub(super) fn take_out(page: &LedgerPage, level: &mut Level) {
    level.tail.drain(..page.movements.len());
    level.paged = page.last();
}

impl State {
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

    /// Writes a page of a ledger where there is none; whether there was none.
    pub fn put_page(&mut self, page: &LedgerPage) -> bool {
        let stored = !self.is_off(Mutant::LedgerPageIsStored);
        let (sku, location, share) = (&page.sku, &page.location, page.share);
        let Some(shelf) = self.tables.shelf_mut(sku, location, share) else {
            return false;
        };
        let new = shelf.pages.iter().all(|known| known.0 != page.first);
        if new && stored {
            shelf.pages.push((page.first, page.movements.clone()));
        }
        new
    }

    /// Takes the movements of a page out of the level's own item, if no others were since they were read.
    pub fn take_out(&mut self, page: &LedgerPage) -> TakenOut {
        let once = !self.is_off(Mutant::PageIsTakenOutOnce);
        let (sku, location, share) = (&page.sku, &page.location, page.share);
        let Some(shelf) = self.tables.shelf_mut(sku, location, share) else {
            return TakenOut::Before;
        };
        let (before, level) = (shelf.level.clone(), &mut shelf.level);
        if !is_next(page, level, once) {
            return TakenOut::Before;
        }
        take_out(page, level);
        let broken = check::level_written(Some(&before), level);
        shelf.previous = Some(before);
        self.blame(broken);
        TakenOut::Done
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
