//! One transaction for whatever has to change together: orders, levels, who waits for what.

use std::sync::Arc;

use domain::allocation::Load;
use domain::discrepancy::Discrepancy;
use domain::fact::Transit;
use domain::limits::MAX_TRANSACTION_ACTIONS;
use domain::stock::{Level, LevelChange};
use domain::{Order, OrderId};
use jiff::Timestamp;

use crate::drive::MAX_ATTEMPTS;
use crate::write::{Found, Refusal, Write, Written, room_for};
use crate::{Store, StoreError};

/// An order that waits for a SKU, or no longer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The article.
    pub sku: String,
    /// When the order was placed: the oldest is served first.
    pub placed_at: Timestamp,
    /// The order.
    pub order: OrderId,
    /// How many units it waits for; 0: it waits no longer.
    pub units: u32,
}

/// What is to change together.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Orders: the version each has to be at, and what it becomes.
    pub orders: Vec<(u64, Order)>,
    /// Levels, one change each.
    pub changes: Vec<LevelChange>,
    /// Who waits for what.
    pub waiting: Vec<Waiting>,
    /// What locations take on one of their days, one entry each.
    pub loads: Vec<Load>,
    /// A fact about stock that becomes applied: its SKU and id.
    pub fact: Option<(String, String)>,
    /// What that does to the goods on the road.
    pub transit: Option<Transit>,
    /// What came in of a purchase line: its SKU, its id, units.
    pub received: Option<(String, String, i64)>,
    /// What was found to differ.
    pub discrepancies: Vec<Discrepancy>,
}

impl Commit {
    /// How many actions it takes, a timeline page for each order included.
    pub fn actions(&self) -> usize {
        self.orders.len() * 2
            + self.changes.len()
            + self.waiting.len()
            + self.loads.len()
            + usize::from(self.fact.is_some())
            + usize::from(self.transit.is_some())
            + usize::from(self.received.is_some())
            + self.discrepancies.len()
    }

    /// Adds to what a location takes on a day.
    pub fn add_load(&mut self, load: Load) {
        let same = |known: &&mut Load| known.location == load.location && known.day == load.day;
        match self.loads.iter_mut().find(same) {
            Some(known) => known.orders += load.orders,
            None => self.loads.push(load),
        }
    }

    /// Whether it fits one transaction.
    pub fn fits(&self) -> bool {
        self.actions() <= MAX_TRANSACTION_ACTIONS
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Transacted {
    /// All is stored: the orders as they now are.
    Done(Vec<Arc<Order>>),
    /// Nothing is stored, because something is no longer as it was: the orders that have changed, as
    /// they are. Empty when it was the stock, the fact, or another transaction in the way.
    Conflict(Vec<Arc<Order>>),
}

impl Store {
    /// Changes everything in the commit, or nothing. Makes room in a level's ledger when that is
    /// what stands in the way.
    pub async fn transact(&self, commit: Commit) -> Result<Transacted, StoreError> {
        let writes = writes(commit);
        for _ in 0..MAX_ATTEMPTS {
            let Written::Refused(refusals) = self.write(&writes).await? else {
                let order = |write| match write {
                    Write::Order(_, order) => Some(order),
                    _ => None,
                };
                let orders = writes.into_iter().filter_map(order).collect();
                return Ok(Transacted::Done(orders));
            };
            let mut conflicts = Vec::new();
            let mut full = Vec::new();
            let mut contended = false;
            for (refusal, write) in refusals.into_iter().zip(&writes) {
                match (refusal, write) {
                    (Refusal::None, _) => {}
                    (Refusal::Condition(Some(Found::Order(order))), _) => conflicts.push(order),
                    (Refusal::Condition(Some(Found::Level(level))), Write::Level(change))
                        if level.tail.len() > room_for(change) =>
                    {
                        full.push(level);
                    }
                    (Refusal::Condition(_) | Refusal::Passing(_), _) => contended = true,
                }
            }
            if contended || !conflicts.is_empty() || full.is_empty() {
                return Ok(Transacted::Conflict(conflicts));
            }
            for level in full {
                self.turn_ledger_page(*level).await?;
            }
        }
        Ok(Transacted::Conflict(Vec::new()))
    }

    /// Moves the movements that a level's own item holds to a page of the ledger. Nothing to do if
    /// somebody has done it, or the level has moved on: the caller tries again in any case.
    async fn turn_ledger_page(&self, level: Level) -> Result<(), StoreError> {
        let writes = [
            Write::LedgerPage {
                sku: level.sku.clone(),
                location: level.location.clone(),
                first: level.movements + 1 - level.tail.len() as u64,
                movements: level.tail,
            },
            Write::TailCleared {
                sku: level.sku,
                location: level.location,
                seen: level.movements,
            },
        ];
        self.write(&writes).await.map(drop)
    }
}

/// The writes of a commit; an order whose own item holds too much of its timeline leaves a page.
fn writes(commit: Commit) -> Vec<Write> {
    let mut writes = Vec::with_capacity(commit.actions());
    for (before, mut order) in commit.orders {
        let page = order.timeline.take_page();
        writes.extend(page.map(|page| Write::Events(order.id.clone(), page)));
        writes.push(Write::Order(before, Arc::new(order)));
    }
    writes.extend(commit.changes.into_iter().map(Write::Level));
    writes.extend(commit.waiting.into_iter().map(Write::Waiting));
    writes.extend(commit.loads.into_iter().map(Write::Load));
    let fact = commit.fact;
    writes.extend(fact.map(|(sku, id)| Write::FactApplied(sku, id)));
    writes.extend(commit.transit.map(Write::Transit));
    let received = commit.received;
    writes.extend(received.map(|(sku, id, units)| Write::Received(sku, id, units)));
    writes.extend(commit.discrepancies.into_iter().map(Write::Discrepancy));
    writes
}
