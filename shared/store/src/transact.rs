//! One transaction for whatever has to change together: orders, levels, who waits for what.

use std::sync::Arc;

use domain::allocation::Load;
use domain::discrepancy::Discrepancy;
use domain::fact::Transit;
use domain::limits::MAX_TRANSACTION_ACTIONS;
use domain::reservation::Reservation;
use domain::stock::{Level, LevelChange};
use domain::{Order, OrderId};
use jiff::Timestamp;

use crate::drive::MAX_ATTEMPTS;
use crate::ledger::LedgerPage;
use crate::reservations::Ending;
use crate::write::{Found, Refusal, Write, Written};
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
    /// [Pages](Store::put_pages) that leave their levels with it, those that change.
    pub pages: Vec<LedgerPage>,
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
    /// A reservation that begins.
    pub reserved: Option<Reservation>,
    /// Reservations that end.
    pub ended: Vec<Ending>,
}

impl Commit {
    /// How many actions it takes.
    pub fn actions(&self) -> usize {
        let full = |(_, order): &&(u64, Order)| order.timeline.is_full();
        let breakdowns = self.changes.iter().map(LevelChange::breakdowns);
        self.orders.len()
            + self.orders.iter().filter(full).count()
            + self.changes.len()
            + breakdowns.sum::<usize>()
            + self.waiting.len()
            + self.loads.len()
            + usize::from(self.fact.is_some())
            + usize::from(self.transit.is_some())
            + usize::from(self.received.is_some())
            + self.discrepancies.len()
            + usize::from(self.reserved.is_some())
            + self.ended.len()
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
    /// Nothing is stored.
    Conflict(Conflict),
}

/// What stood in the way of a commit. Nothing of it, when it was the fact or a reservation that no order takes up.
#[derive(Debug, Default)]
pub struct Conflict {
    /// Orders that are no longer as they were, or that somebody else is changing just now; or whose
    /// reservation is.
    pub orders: Vec<OrderId>,
    /// Levels that have too little, as they are.
    pub levels: Vec<Level>,
    /// Whether another transaction or too many of them were in the way of anything else: the same
    /// commit may pass in a moment.
    pub busy: bool,
}

impl Conflict {
    /// Names an order, once.
    fn blame(&mut self, order: &OrderId) {
        if !self.orders.contains(order) {
            self.orders.push(order.clone());
        }
    }
}

impl Store {
    /// Changes everything in the commit, or nothing. Makes room in a level's ledger when that is
    /// what stands in the way.
    pub async fn transact(&self, commit: Commit) -> Result<Transacted, StoreError> {
        let mut writes = writes(commit);
        for _ in 0..MAX_ATTEMPTS {
            let Written::Refused(refusals) = self.write(&writes).await? else {
                let order = |write| match write {
                    Write::Order(_, order) => Some(order),
                    _ => None,
                };
                let orders = writes.into_iter().filter_map(order).collect();
                return Ok(Transacted::Done(orders));
            };
            match obstacles(refusals, &writes) {
                Obstacle::Ledgers(levels) => {
                    // Somebody else may have taken out what was to leave with it.
                    for write in &mut writes {
                        if let Write::Level(_, page) = write {
                            *page = None;
                        }
                    }
                    for level in levels {
                        match self.move_page(&level).await {
                            Err(error) if !error.is_transient() => return Err(error),
                            // Who keeps changing the level makes room, too.
                            _ => {}
                        }
                    }
                }
                Obstacle::Conflict(conflict) => return Ok(Transacted::Conflict(conflict)),
            }
        }
        let busy = true;
        Ok(Transacted::Conflict(Conflict {
            busy,
            ..Conflict::default()
        }))
    }
}

/// What has to be dealt with before a commit can pass.
enum Obstacle {
    /// Nothing but ledgers without room: the levels as they are.
    Ledgers(Vec<Level>),
    Conflict(Conflict),
}

fn obstacles(refusals: Vec<Refusal>, writes: &[Write]) -> Obstacle {
    let (mut ledgers, mut conflict, mut other) = (Vec::new(), Conflict::default(), false);
    for (refusal, write) in refusals.into_iter().zip(writes) {
        let passing = matches!(refusal, Refusal::Passing(_));
        match (refusal, write) {
            (Refusal::None, _) => {}
            (_, Write::Order(_, order)) => conflict.blame(&order.id),
            (
                _,
                Write::ReservationEnded(Ending {
                    order: Some(order), ..
                }),
            ) => conflict.blame(order),
            (Refusal::Condition(found), Write::Level(change, _)) => {
                let level = match found {
                    Some(Found::Level(level)) => *level,
                    _ => Level {
                        sku: change.sku.clone(),
                        location: change.location.clone(),
                        share: change.share,
                        ..Level::default()
                    },
                };
                // With more shares than was known, it is decided anew.
                other |= change.shares > 0 && level.shares > change.shares;
                // What takes nothing is never too much: a discrepancy does not stand in its way.
                match change.needs() > 0 && level.available < change.needs() {
                    true => conflict.levels.push(level),
                    false => ledgers.push(level),
                }
            }
            _ if passing => conflict.busy = true,
            _ => other = true,
        }
    }
    let free = conflict.orders.is_empty() && conflict.levels.is_empty() && !conflict.busy;
    match free && !other && !ledgers.is_empty() {
        true => Obstacle::Ledgers(ledgers),
        false => Obstacle::Conflict(conflict),
    }
}

/// The writes of a commit; an order whose own item holds too much of its timeline leaves a page, and
/// what moves on a level for many orders becomes one movement and a breakdown.
fn writes(commit: Commit) -> Vec<Write> {
    let mut writes = Vec::with_capacity(commit.actions());
    // An order has each version once: this names one commit.
    let first = commit.orders.first();
    let name = first.map(|(before, order)| format!("{}-{before}", order.id));
    for (before, mut order) in commit.orders {
        let page = order.timeline.take_page();
        writes.extend(page.map(|page| Write::Events(order.id.clone(), page)));
        writes.push(Write::Order(before, Arc::new(order)));
    }
    for mut change in commit.changes {
        let breakdowns = name.as_ref().map(|name| change.gather(name));
        let mut pages = commit.pages.iter();
        let page = pages.find(|page| page.is_of(&change)).cloned();
        writes.push(Write::Level(change, page));
        writes.extend(breakdowns.into_iter().flatten().map(Write::Breakdown));
    }
    writes.extend(commit.waiting.into_iter().map(Write::Waiting));
    writes.extend(commit.loads.into_iter().map(Write::Load));
    let fact = commit.fact;
    writes.extend(fact.map(|(sku, id)| Write::FactApplied(sku, id)));
    writes.extend(commit.transit.map(Write::Transit));
    let received = commit.received;
    writes.extend(received.map(|(sku, id, units)| Write::Received(sku, id, units)));
    writes.extend(commit.discrepancies.into_iter().map(Write::Discrepancy));
    writes.extend(commit.reserved.map(Write::Reserved));
    writes.extend(commit.ended.into_iter().map(Write::ReservationEnded));
    writes
}
