//! Sets goods aside: for a whole batch of orders in one transaction, and one by one where that
//! meets somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::allocation::{Allocation, Available, allocate, waits_for, wanted_skus};
use domain::candidates::Network;
use domain::decision::Decision;
use domain::limits::{MAX_LINES_PER_COMMIT, MAX_TRANSACTION_ACTIONS};
use domain::shipping::today_in;
use domain::stock::Changes;
use domain::{Order, OrderId, Product, Step as StepName};
use jiff::civil::Date;
use runtime::cached::Cached;
use runtime::products::Products;
use runtime::queue::{Handled, Outcome, whole_batch};
use runtime::{Clock, Emit, Function, Hint};
use store::{Commit, Store, StoreError, Transacted, Waiting};

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
            "DEAD_LETTERS_QUEUE",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let step = Step {
                    products: Products::new(store.clone(), setup.clock.clone()),
                    store,
                    network: Cached::new(setup.clock.clone()),
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
    clock: Clock,
}

/// Orders that are committed together, and what each was.
#[derive(Default)]
struct Group {
    commit: Commit,
    before: Vec<Arc<Order>>,
    changes: Changes,
    decisions: Vec<(OrderId, Decision)>,
}

/// What a decision rests on besides the orders.
struct Facts {
    network: Arc<Network>,
    products: Vec<Product>,
    available: Available,
}

impl Step {
    async fn take(self: Arc<Self>, hints: Vec<Hint>) -> Vec<Handled> {
        let ids: Vec<Option<OrderId>> = hints
            .iter()
            .map(|hint| match hint {
                Hint::Order(id, _) => Some(id.clone()),
                Hint::Fact(..) => None,
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
                Hint::Fact(..) => {}
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
        let Facts {
            network,
            products,
            mut available,
        } = self.facts(&orders).await?;
        let now = self.clock.now();
        let mut groups = vec![Group::default()];
        let mut singly = Vec::new();
        for order in orders {
            let mut group = groups.pop().unwrap_or_default();
            let mut trial = (available.clone(), group.changes.clone());
            let plan = allocate(&order, &network, &products, &mut trial.0, &mut trial.1, now);
            let Some(plan) = plan else {
                groups.push(group);
                singly.push(order.id.clone());
                continue;
            };
            let mut commit = group.commit.clone();
            let decision = add(&mut commit, &order, plan, &trial.1);
            if commit.fits() {
                available = trial.0;
                group = Group {
                    commit,
                    changes: trial.1,
                    before: group.before,
                    decisions: group.decisions,
                };
                group.before.push(order);
                group.decisions.extend(decision);
                groups.push(group);
                continue;
            }
            // No room left in this transaction: the order opens the next.
            groups.push(group);
            let mut changes = Changes::default();
            let plan = allocate(
                &order,
                &network,
                &products,
                &mut available,
                &mut changes,
                now,
            );
            if let Some(plan) = plan {
                let mut commit = Commit::default();
                let decision = add(&mut commit, &order, plan, &changes);
                groups.push(Group {
                    commit,
                    before: vec![order],
                    changes,
                    decisions: decision.into_iter().collect(),
                });
            }
        }
        for group in groups.into_iter().filter(|group| !group.before.is_empty()) {
            self.store.put_decisions(&group.decisions).await?;
            match self.store.transact(group.commit).await? {
                Transacted::Done(after) => {
                    let come = self.come_meanwhile(&group.before, &after).await?;
                    for (before, after) in group.before.iter().zip(&after) {
                        let again = come.contains(&after.id);
                        handled.insert(after.id.clone(), done(before, after, again));
                    }
                }
                Transacted::Conflict(_) => singly.extend(group.before.iter().map(|o| o.id.clone())),
            }
        }
        for id in singly {
            let alone = self.take_alone(&id).await.unwrap_or_else(Handled::from);
            handled.insert(id, alone);
        }
        Ok(handled)
    }

    /// Allocates one order on the truth of the store, as often as somebody else is quicker.
    async fn take_alone(&self, id: &OrderId) -> Result<Handled, StoreError> {
        for _ in 0..store::MAX_ATTEMPTS {
            let Some(order) = self.store.load_order(id).await? else {
                return Ok(Outcome::Permanent("there is no such order".into()).into());
            };
            let Facts {
                network,
                products,
                mut available,
            } = self.facts(std::slice::from_ref(&order)).await?;
            let mut changes = Changes::default();
            let now = self.clock.now();
            let plan = allocate(
                &order,
                &network,
                &products,
                &mut available,
                &mut changes,
                now,
            );
            let Some(plan) = plan else {
                // The levels are younger than the order: what they lack may have gone to this very order, and
                // whoever took it for it may fail to tell of that, and find his message deleted by us.
                let newest = self.store.load_order(id).await?;
                if newest.is_some_and(|newest| newest.version != order.version) {
                    continue;
                }
                self.stop_waiting(&order).await?;
                return Ok(Handled {
                    outcome: Outcome::AlreadyDone,
                    emits: Emit::again(&order),
                    left: None,
                });
            };
            let mut commit = Commit::default();
            let decision = add(&mut commit, &order, plan, &changes);
            let decisions: Vec<_> = decision.into_iter().collect();
            self.store.put_decisions(&decisions).await?;
            if let Transacted::Done(after) = self.store.transact(commit).await? {
                let order = std::slice::from_ref(&order);
                let come = self.come_meanwhile(order, &after).await?;
                return Ok(match after.first() {
                    Some(after) => done(&order[0], after, !come.is_empty()),
                    None => Outcome::AlreadyDone.into(),
                });
            }
        }
        Ok(Outcome::Transient("its stock or the order itself keeps changing".into()).into())
    }

    /// The orders that now wait, and did not before, for goods that have come in meanwhile. Whoever
    /// brought them asked who waits after he had written; these were noted as waiting before this
    /// looks again: one of the two sees the other. Should this look fail, the message comes again, and
    /// looks at what waits.
    async fn come_meanwhile(
        &self,
        before: &[Arc<Order>],
        after: &[Arc<Order>],
    ) -> Result<BTreeSet<OrderId>, StoreError> {
        let begins = |(before, after): (&Arc<Order>, &Arc<Order>)| {
            let known = waits_for(before);
            let begins = waits_for(after).keys().any(|sku| !known.contains_key(sku));
            begins.then(|| Arc::clone(after))
        };
        let waiting: Vec<Arc<Order>> = before.iter().zip(after).filter_map(begins).collect();
        if waiting.is_empty() {
            return Ok(BTreeSet::new());
        }
        let Facts {
            network,
            products,
            available,
        } = self.facts(&waiting).await?;
        let now = self.clock.now();
        let finds = |order: &&Arc<Order>| {
            let (mut available, mut changes) = (available.clone(), Changes::default());
            allocate(
                order,
                &network,
                &products,
                &mut available,
                &mut changes,
                now,
            )
            .is_some()
        };
        let come = waiting.iter().filter(finds);
        Ok(come.map(|order| order.id.clone()).collect())
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

    /// What allocating some orders rests on. The levels are read anew each time; all else changes
    /// seldom and is remembered for a while.
    async fn facts(&self, orders: &[Arc<Order>]) -> Result<Facts, StoreError> {
        let read = async {
            let locations = self.store.locations().await?;
            let (rates, rules) = (self.store.rates().await?, self.store.rules().await?);
            Ok::<_, StoreError>(Network::new(locations, rates, rules))
        };
        let network = self.network.get(read).await?;
        let skus: BTreeSet<&str> = orders.iter().flat_map(|order| wanted_skus(order)).collect();
        let ordered = orders.iter().flat_map(|order| &order.lines);
        let products = self
            .products
            .get(ordered.filter_map(|line| line.sku.as_deref()).collect());
        let products = products.await?;
        let ids = || {
            network
                .locations
                .iter()
                .map(|location| location.id.as_str())
        };
        let keys = skus.iter().flat_map(|sku| ids().map(move |id| (*sku, id)));
        let keys: Vec<(&str, &str)> = keys.collect();
        let mut available = Available::default();
        for level in self.store.load_levels(&keys).await? {
            available.note(&level);
        }
        let now = self.clock.now();
        let bounded = network
            .locations
            .iter()
            .filter(|l| l.daily_orders.is_some());
        let days = bounded.map(|location| (location.id.as_str(), today_in(location, now)));
        let days: Vec<(&str, Date)> = days.collect();
        for (location, day, orders) in self.store.loads(&days).await? {
            available.note_load(&location, day, orders);
        }
        Ok(Facts {
            network,
            products,
            available,
        })
    }
}

/// What follows from an allocation. An order with more lines than one looks at may wait for goods
/// that are there, and so may one whose goods came in meanwhile (`again`): it is looked at again.
fn done(before: &Order, after: &Arc<Order>, again: bool) -> Handled {
    let mut emits = Emit::after(before, after);
    let taken = before.fulfillments.len() < after.fulfillments.len();
    let long = after.lines.len() > MAX_LINES_PER_COMMIT && !waits_for(after).is_empty();
    if (again || taken && long)
        && !emits
            .iter()
            .any(|emit| emit.step == StepName::AllocateWarehouse)
    {
        emits.extend(Emit::each(vec![StepName::AllocateWarehouse], after));
    }
    Handled {
        outcome: Outcome::Done,
        emits,
        left: Some(Arc::clone(after)),
    }
}

/// Adds an order to a commit; gives the record of why.
fn add(
    commit: &mut Commit,
    before: &Order,
    plan: Allocation,
    changes: &Changes,
) -> Option<(OrderId, Decision)> {
    let starts = plan
        .starts_waiting
        .iter()
        .map(|(sku, units)| waiting(before, sku, *units));
    let stops = plan.stops_waiting.iter().map(|sku| waiting(before, sku, 0));
    commit.waiting.extend(starts.chain(stops));
    commit.orders.push((before.version, plan.order));
    commit.changes = changes.clone().into_vec();
    plan.loads
        .into_iter()
        .for_each(|load| commit.add_load(load));
    // Where nothing is sent the timeline says all.
    let decision = plan.decision.filter(|decision| decision.sent > 0);
    decision.map(|decision| (before.id.clone(), decision))
}

fn waiting(order: &Order, sku: &str, units: u32) -> Waiting {
    Waiting {
        sku: sku.to_owned(),
        placed_at: order.placed_at,
        order: order.id.clone(),
        units,
    }
}
