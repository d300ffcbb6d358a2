//! Sets goods aside: for a whole batch of orders in one transaction. Where that meets somebody else's, what
//! is at fault is told apart, and the rest goes on together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::allocation::{waits_for, wanted_skus};
use domain::candidates::Network;
use domain::limits::{LEDGER_PAGE, MAX_TRANSACTION_ACTIONS};
use domain::{Order, OrderId, Step as StepName};
use futures::join;
use runtime::backoff::pause;
use runtime::cached::Cached;
use runtime::products::Products;
use runtime::queue::{Handled, Outcome, whole_batch};
use runtime::{Clock, Emit, Function, Hint, Outbox};
use store::{Commit, Store, StoreError, Transacted};

mod follow;
mod group;
mod shares;
mod view;

use group::{Group, gather, waiting};
use shares::Shares;
use view::{Facts, View};

/// How often orders are tried together before they are tried in smaller parts. Where very many want one level, one try of
/// four or five finds it free.
const MAX_TRIES: usize = 32;
const CHANGING: &str = "its stock or the order itself keeps changing";

/// The function.
pub fn function() -> Function {
    Function {
        name: "allocate-warehouse",
        variables: &[
            "ORDERS_TABLE",
            "STOCK_TABLE",
            "REFERENCE_TABLE",
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
                let outbox = setup.outbox();
                runtime::function::warm(&store, Some(&outbox)).await;
                let step = Step {
                    products: Products::new(store.clone(), setup.clock.clone()),
                    store,
                    network: Cached::new(setup.clock.clone()),
                    shares: Shares::default(),
                    outbox,
                    clock: setup.clock.clone(),
                };
                Ok(whole_batch(
                    "allocate-warehouse",
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
    network: Cached<Network>,
    products: Products,
    shares: Shares,
    outbox: Outbox,
    clock: Clock,
}

impl Step {
    async fn take(self: Arc<Self>, hints: Vec<Hint>) -> Vec<Handled> {
        let ids: Vec<Option<OrderId>> = hints
            .iter()
            .map(|hint| match hint {
                Hint::Order(id, _) => Some(id.clone()),
                Hint::Fact(..) | Hint::Changed(_) => None,
            })
            .collect();
        let mut handled = match self.take_together(hints).await {
            Ok(handled) => handled,
            Err(error) => {
                let failed =
                    |id: &OrderId| (id.clone(), Handled::from(Outcome::from_store(&error)));
                ids.iter().flatten().map(failed).collect()
            }
        };
        let not_ours = || Outcome::Permanent("expected a hint at an order".into()).into();
        ids.into_iter()
            .map(|id| match id {
                // A hint that came twice in one batch has its answer with the first.
                Some(id) => handled
                    .remove(&id)
                    .unwrap_or_else(|| Outcome::AlreadyDone.into()),
                None => not_ours(),
            })
            .collect()
    }

    async fn take_together(
        &self,
        hints: Vec<Hint>,
    ) -> Result<BTreeMap<OrderId, Handled>, StoreError> {
        let mut orders: BTreeMap<OrderId, Arc<Order>> = BTreeMap::new();
        let mut unseen = Vec::new();
        for hint in hints {
            match hint {
                Hint::Order(id, Some(seen)) if seen.id == id => {
                    orders.insert(id, seen);
                }
                Hint::Order(id, _) => unseen.push(id),
                Hint::Fact(..) | Hint::Changed(_) => {}
            }
        }
        unseen.sort();
        unseen.dedup();
        let mut handled = BTreeMap::new();
        if !unseen.is_empty() {
            let found = self.store.load_orders(&unseen).await?;
            orders.extend(found.into_iter().map(|order| (order.id.clone(), order)));
            for id in unseen.into_iter().filter(|id| !orders.contains_key(id)) {
                handled.insert(
                    id,
                    Outcome::Permanent("there is no such order".into()).into(),
                );
            }
        }
        let mut orders: Vec<Arc<Order>> = orders.into_values().collect();
        // What there is goes to who has waited longest.
        orders.sort_by_key(|order| order.placed_at);
        let facts = self.facts(&orders).await?;
        let view = self.view(&orders, &facts).await?;
        let singly = self.commit(orders, view, &facts, &mut handled).await;
        for id in singly {
            let alone = self.take_alone(&id).await.unwrap_or_else(Handled::from);
            handled.insert(id, alone);
        }
        Ok(handled)
    }

    /// Commits orders, the oldest first and as many at once as a transaction takes. What stands in the
    /// way is told apart: an order that has changed is left out and given back, to be decided by itself;
    /// a level that has too little is decided on as it is; and what is only busy is tried again in a
    /// moment, and in smaller parts if it stays so.
    async fn commit(
        &self,
        mut rest: Vec<Arc<Order>>,
        mut view: View,
        facts: &Facts,
        handled: &mut BTreeMap<OrderId, Handled>,
    ) -> Vec<OrderId> {
        let mut singly = Vec::new();
        let (mut most, mut tries) = (rest.len(), 0);
        // What an order would have to do without, or be sent from further off, for all that is known.
        let mut doubtful: BTreeSet<String> = BTreeSet::new();
        let (mut recorded, mut crowded) = (Vec::new(), false);
        let mut pages = Vec::new();
        loop {
            let doubted = std::mem::take(&mut doubtful);
            let mut read = self.widen(&mut view, &doubted, facts).await;
            if crowded && read.is_ok() {
                read = self.note_loads(&mut view.available, facts).await;
            }
            crowded = false;
            if let Err(error) = read {
                let failed =
                    |order: Arc<Order>| (order.id.clone(), Outcome::from_store(&error).into());
                handled.extend(rest.into_iter().map(failed));
                return singly;
            }
            let now = self.clock.now();
            let mut group = gather(&mut rest, most, &view, facts, now, &mut singly);
            let count = group.before.len();
            if count == 0 {
                return singly;
            }
            let missed = group.commit.orders.iter().flat_map(|(_, o)| wanted_skus(o));
            let missed = missed.filter(|sku| !view.whole.contains(*sku));
            doubtful.extend(missed.map(str::to_owned));
            if !doubtful.is_empty() {
                continue;
            }
            let changed = group.commit.changes.clone();
            let full = view.take_seen(&changed, LEDGER_PAGE);
            let prepare = async {
                match recorded == group.decisions {
                    true => Ok(()),
                    false => self.prepare(&group).await,
                }
            };
            let (prepared, put) = join!(prepare, self.store.put_pages(&full));
            pages.extend(put);
            group.commit.pages.clone_from(&pages);
            recorded = group.decisions;
            let committed = match prepared {
                Ok(()) => {
                    let committed = self.store.transact(group.commit).await;
                    committed.map_err(|error| Outcome::from_store(&error))
                }
                Err(outcome) => Err(outcome),
            };
            match committed {
                Ok(Transacted::Done(after)) => {
                    rest.drain(..count);
                    view.available = group.available;
                    view.take_seen(&changed, 0);
                    (most, tries) = (rest.len(), 0);
                    pages.clear();
                    let given_back = &group.given_back;
                    handled.extend(self.follow(&group.before, &after, given_back).await);
                }
                Ok(Transacted::Conflict(conflict)) => {
                    let unmoved = conflict.orders.is_empty() && conflict.levels.is_empty();
                    let busy = unmoved && conflict.busy;
                    tries = if conflict.orders.is_empty() {
                        tries + 1
                    } else {
                        0
                    };
                    rest.retain(|order| !conflict.orders.contains(&order.id));
                    singly.extend(conflict.orders);
                    for level in conflict.levels {
                        // Where one share is found empty the others are no longer what they were.
                        if self.shares.count(&level.sku) > 1 {
                            view.read.retain(|(sku, _)| *sku != level.sku);
                            view.whole.remove(&level.sku);
                        }
                        doubtful.insert(level.sku.clone());
                        view.note(level);
                    }
                    // Nothing else is left than a location's day that has become too full.
                    crowded = unmoved && !busy;
                    // Where many want a level what was seen of it is old, and who waits has the time to look.
                    let met = match busy {
                        true => view.take_seen(&changed, 0),
                        false => Vec::new(),
                    };
                    if !met.is_empty() {
                        pages.extend(self.store.put_pages(&met).await);
                    } else if busy && pages.is_empty() {
                        let id = group.before[0].id.as_str();
                        // Who wants several levels needs all of them free at once.
                        let times = if changed.len() > 1 { 2 } else { 1 };
                        self.clock.pause(pause(id, tries) * times).await;
                    }
                    match tries < MAX_TRIES {
                        true => {}
                        false if count > 1 => (most, tries) = (count.div_ceil(2), 0),
                        false => {
                            let order = rest.remove(0);
                            let changing = Outcome::Transient(CHANGING.into());
                            handled.insert(order.id.clone(), changing.into());
                            (most, tries) = (rest.len(), 0);
                        }
                    }
                }
                Err(outcome) => {
                    let failed = |order: Arc<Order>| (order.id.clone(), outcome.clone().into());
                    handled.extend(rest.drain(..count).map(failed));
                }
            }
        }
    }

    /// Records why, before it is done. And where goods that have come go to who waits for them, a hint is sent that
    /// arrives when all is over: should this die between its commit and its hints, whoever brought the goods finds
    /// nobody waiting any more, and somebody else may have ended the message that this works on, when there was
    /// nothing for the order yet. What nobody has looked for yet needs none: whoever works on the same message
    /// meets the commit.
    async fn prepare(&self, group: &Group) -> Result<(), Outcome> {
        let recorded = self.store.put_decisions(&group.decisions).await;
        recorded.map_err(|error| Outcome::from_store(&error))?;
        let waited = |order: &&Arc<Order>| {
            let sent = group.decisions.iter().any(|(id, _)| *id == order.id);
            sent && order.lines.iter().all(|line| line.units.open == 0)
        };
        let step = StepName::AllocateWarehouse;
        let hints = group.before.iter().filter(waited).map(|order| Emit {
            step,
            hint: Hint::Order(order.id.clone(), None),
        });
        let hints: Vec<Emit> = hints.collect();
        let sent = self.outbox.send_beyond(&hints).await;
        sent.map_err(|why| Outcome::Transient(format!("a hint was not sent: {why}")))
    }

    /// Allocates one order on the truth of the store, as often as somebody else is quicker.
    async fn take_alone(&self, id: &OrderId) -> Result<Handled, StoreError> {
        for tries in 1..=store::MAX_ATTEMPTS {
            let Some(order) = self.store.load_order(id).await? else {
                return Ok(Outcome::Permanent("there is no such order".into()).into());
            };
            let mut rest = vec![Arc::clone(&order)];
            let facts = self.facts(&rest).await?;
            let mut view = self.whole_view(&rest, &facts).await?;
            let now = self.clock.now();
            let mut group = gather(&mut rest, 1, &view, &facts, now, &mut Vec::new());
            if group.before.is_empty() {
                // The levels are younger than the order: what they lack may have gone to this very order, and
                // whoever took it for it may fail to tell of that, and find his message deleted by us.
                let newest = self.store.load_order(id).await?;
                if newest.is_some_and(|newest| newest.version != order.version) {
                    continue;
                }
                self.stop_waiting(&order).await?;
                let (_, untold) = self.tell_of_reservation(&order, None).await?;
                return Ok(Handled {
                    outcome: Outcome::AlreadyDone,
                    emits: Emit::again(&order),
                    left: None,
                    untold,
                });
            }
            let full = view.take_seen(&group.commit.changes, LEDGER_PAGE);
            let (prepared, pages) = join!(self.prepare(&group), self.store.put_pages(&full));
            if let Err(outcome) = prepared {
                return Ok(outcome.into());
            }
            group.commit.pages = pages;
            match self.store.transact(group.commit).await? {
                Transacted::Done(after) => {
                    let given_back = &group.given_back;
                    let mut followed = self.follow(&group.before, &after, given_back).await;
                    let handled = followed.pop().map(|(_, handled)| handled);
                    return Ok(handled.unwrap_or_else(|| Outcome::AlreadyDone.into()));
                }
                Transacted::Conflict(conflict) if conflict.busy => {
                    self.clock.pause(pause(id.as_str(), tries)).await;
                }
                Transacted::Conflict(_) => {}
            }
        }
        Ok(Outcome::Transient(CHANGING.into()).into())
    }

    /// Takes a cancelled order off the lists of those that wait for its SKUs.
    async fn stop_waiting(&self, order: &Order) -> Result<(), StoreError> {
        let cancelled = order.lines.iter().any(|line| line.units.cancelled > 0);
        if !cancelled || !waits_for(order).is_empty() {
            return Ok(());
        }
        let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
        let skus: Vec<&str> = skus.collect::<BTreeSet<_>>().into_iter().collect();
        for skus in skus.chunks(MAX_TRANSACTION_ACTIONS) {
            let commit = Commit {
                waiting: skus.iter().map(|sku| waiting(order, sku, 0)).collect(),
                ..Commit::default()
            };
            // Whether somebody else has done it makes no difference.
            self.store.transact(commit).await?;
        }
        Ok(())
    }
}
