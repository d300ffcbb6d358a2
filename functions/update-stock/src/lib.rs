//! Moves stock: what orders have caused, and what people report, into the ledger and the level.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::discrepancy::Discrepancy;
use domain::fact::{StockFact, Transit};
use domain::limits::MAX_SHARES;
use domain::stock::{Changes, LevelChange, gather_moves, moved};
use domain::{Order, OrderId};
use jiff::Timestamp;
use runtime::queue::{Handled, Outcome, whole_batch};
use runtime::{Clock, Emit, Function, Hint};
use store::{Commit, Store, StoreError, Transacted};

/// The function.
pub fn function() -> Function {
    Function {
        name: "update-stock",
        variables: &[
            "ORDERS_TABLE",
            "STOCK_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
            "UPDATE_CHANNEL_QUEUE",
            "PUBLISH_EVENTS_QUEUE",
            "DEAD_LETTERS_QUEUE",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let clock = setup.clock.clone();
                let step = Step { store, clock };
                Ok(whole_batch(
                    "update-stock",
                    &setup,
                    step,
                    |step, hints| async move { step.take(hints).await },
                ))
            })
        },
    }
}

struct Step {
    store: Store,
    clock: Clock,
}

/// Orders whose movements are committed together.
#[derive(Default)]
struct Group {
    before: Vec<Arc<Order>>,
    commit: Commit,
    changes: Changes,
}

impl Step {
    async fn take(self: Arc<Self>, hints: Vec<Hint>) -> Vec<Handled> {
        let mut seen: BTreeMap<OrderId, Option<Arc<Order>>> = BTreeMap::new();
        for hint in &hints {
            if let Hint::Order(id, state) = hint {
                let state = state.as_ref().filter(|state| state.id == *id).cloned();
                seen.insert(id.clone(), state);
            }
        }
        let ids: Vec<OrderId> = seen.keys().cloned().collect();
        let mut orders = match self.take_orders(seen).await {
            Ok(handled) => handled,
            Err(error) => {
                let failed = |id| (id, Handled::from(Outcome::from_store(&error)));
                ids.into_iter().map(failed).collect()
            }
        };
        let mut handled = Vec::with_capacity(hints.len());
        for hint in hints {
            handled.push(match hint {
                // A hint that came twice in one batch has its answer with the first.
                Hint::Order(id, _) => orders
                    .remove(&id)
                    .unwrap_or_else(|| Outcome::AlreadyDone.into()),
                Hint::Fact(sku, id) => self
                    .take_fact(&sku, &id)
                    .await
                    .unwrap_or_else(Handled::from),
                Hint::Changed(_) => {
                    Outcome::Permanent("the message cannot be read: it is not for this step".into())
                        .into()
                }
            });
        }
        handled
    }

    /// Commits the movements of many orders together, and of each by itself where that fails.
    async fn take_orders(
        &self,
        seen: BTreeMap<OrderId, Option<Arc<Order>>>,
    ) -> Result<BTreeMap<OrderId, Handled>, StoreError> {
        let now = self.clock.now();
        let mut handled = BTreeMap::new();
        let mut singly: Vec<OrderId> = Vec::new();
        let mut groups = vec![Group::default()];
        for (id, state) in seen {
            // A state without movements says nothing: the store is asked.
            let Some(order) = state.filter(|state| !state.moves.is_empty()) else {
                singly.push(id);
                continue;
            };
            let moves = order.moves.len();
            let mut group = groups.pop().unwrap_or_default();
            let joined = join(&group, &order, moves, now);
            if joined.commit.fits() {
                group = joined;
                group.before.push(order);
                groups.push(group);
                continue;
            }
            groups.push(group);
            // What does not fit even a transaction of its own is taken in parts.
            let alone = join(&Group::default(), &order, moves, now);
            match alone.commit.fits() {
                true => groups.push(Group {
                    before: vec![order],
                    ..alone
                }),
                false => singly.push(order.id.clone()),
            }
        }
        for group in groups.into_iter().filter(|group| !group.before.is_empty()) {
            match self.store.transact(group.commit).await? {
                Transacted::Done(after) => {
                    for (before, after) in group.before.iter().zip(&after) {
                        let emits = self.follow(before, after).await?;
                        let done = Handled {
                            outcome: Outcome::Done,
                            emits,
                            left: Some(Arc::clone(after)),
                            untold: Vec::new(),
                        };
                        handled.insert(after.id.clone(), done);
                    }
                }
                Transacted::Conflict(_) => singly.extend(group.before.iter().map(|o| o.id.clone())),
            }
        }
        for id in singly {
            let alone = self.take_order(&id).await.unwrap_or_else(Handled::from);
            handled.insert(id, alone);
        }
        Ok(handled)
    }

    /// Takes an order on the truth of the store. Whoever moved some of its goods before may have died
    /// before it told those who wait for them: they are told in any case.
    async fn take_order(&self, id: &OrderId) -> Result<Handled, StoreError> {
        for _ in 0..store::MAX_ATTEMPTS {
            let Some(order) = self.store.load_order(id).await? else {
                return Ok(Outcome::Permanent("there is no such order".into()).into());
            };
            if order.moves.is_empty() {
                let mut emits = Emit::again(&order);
                emits.extend(self.tell_waiting_for(&order).await?);
                return Ok(Handled {
                    outcome: Outcome::AlreadyDone,
                    emits,
                    left: None,
                    untold: Vec::new(),
                });
            }
            let now = self.clock.now();
            let mut moves = order.moves.len();
            let mut group = join(&Group::default(), &order, moves, now);
            while !group.commit.fits() && moves > 1 {
                moves -= 1;
                group = join(&Group::default(), &order, moves, now);
            }
            if let Transacted::Done(after) = self.store.transact(group.commit).await? {
                let Some(after) = after.into_iter().next() else {
                    return Ok(Outcome::AlreadyDone.into());
                };
                let mut emits = Emit::after(&order, &after);
                emits.extend(self.tell_waiting_for(&order).await?);
                return Ok(Handled {
                    outcome: Outcome::Done,
                    emits,
                    left: Some(after),
                    untold: Vec::new(),
                });
            }
        }
        Ok(Outcome::Transient("its stock or the order itself keeps changing".into()).into())
    }

    async fn take_fact(&self, sku: &str, id: &str) -> Result<Handled, StoreError> {
        for _ in 0..store::MAX_ATTEMPTS {
            let Some(fact) = self.store.load_fact(sku, id).await? else {
                return Ok(Outcome::Permanent("there is no such fact".into()).into());
            };
            if fact.applied {
                let emits = Emit::to_waiting(&self.store, sku).await?;
                return Ok(Handled {
                    outcome: Outcome::AlreadyDone,
                    emits,
                    left: None,
                    untold: Vec::new(),
                });
            }
            let transit = fact.transit();
            if let Some(Transit::Ends(transfer)) = &transit {
                // What has arrived has left, also where that hint comes later.
                let left = Box::pin(self.take_fact(sku, &transfer.id)).await?;
                if !matches!(left.outcome, Outcome::Done | Outcome::AlreadyDone) {
                    return Ok(left);
                }
            }
            let commit = Commit {
                changes: self.changes(&fact).await?,
                fact: Some((sku.to_owned(), id.to_owned())),
                transit,
                received: fact
                    .of_inbound()
                    .map(|(inbound, units)| (sku.to_owned(), inbound.to_owned(), units)),
                discrepancies: Discrepancy::of_fact(&fact).into_iter().collect(),
                ..Commit::default()
            };
            if let Transacted::Done(_) = self.store.transact(commit).await? {
                let emits = Emit::to_waiting(&self.store, sku).await?;
                return Ok(Handled {
                    outcome: Outcome::Done,
                    emits,
                    left: None,
                    untold: Vec::new(),
                });
            }
        }
        Ok(Outcome::Transient("its level keeps changing".into()).into())
    }

    /// What a fact changes. That there are several shares is known from the fact, or from the first of them;
    /// an article with one costs no read.
    async fn changes(&self, fact: &StockFact) -> Result<Vec<LevelChange>, StoreError> {
        if fact.shares == 1 {
            return Ok(vec![fact.change()]);
        }
        let shares = 0..MAX_SHARES;
        let keys = shares.map(|share| (fact.sku.as_str(), fact.location.as_str(), share));
        let levels = self.store.load_levels(&keys.collect::<Vec<_>>()).await?;
        Ok(fact.changes(&levels))
    }

    /// What follows once an order's movements are committed: its own further work, and that of the
    /// orders that wait for what is now available.
    async fn follow(&self, before: &Order, after: &Arc<Order>) -> Result<Vec<Emit>, StoreError> {
        let mut emits = Emit::after(before, after);
        let noted = before.moves.len() - after.moves.len();
        let mut changes = Changes::default();
        gather_moves(before, noted, &mut changes, Timestamp::UNIX_EPOCH);
        let freed = |change: &LevelChange| change.delta().available > 0;
        let freed: BTreeSet<String> = changes
            .into_vec()
            .into_iter()
            .filter(freed)
            .map(|change| change.sku)
            .collect();
        for sku in freed {
            emits.extend(Emit::to_waiting(&self.store, &sku).await?);
        }
        Ok(emits)
    }

    /// Hints at the orders that wait for any of an order's goods.
    async fn tell_waiting_for(&self, order: &Order) -> Result<Vec<Emit>, StoreError> {
        let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
        let mut emits = Vec::new();
        for sku in skus.collect::<BTreeSet<&str>>() {
            emits.extend(Emit::to_waiting(&self.store, sku).await?);
        }
        Ok(emits)
    }
}

/// A group with the first `moves` movements of an order added.
fn join(group: &Group, order: &Order, moves: usize, now: Timestamp) -> Group {
    let mut changes = group.changes.clone();
    gather_moves(order, moves, &mut changes, now);
    let mut commit = group.commit.clone();
    commit
        .orders
        .push((order.version, moved(order, moves, now)));
    commit.changes = changes.clone().into_vec();
    let short = Discrepancy::of_short_picks(order, moves, now);
    commit.discrepancies.extend(short);
    Group {
        before: group.before.clone(),
        commit,
        changes,
    }
}
