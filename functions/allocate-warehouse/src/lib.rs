//! Sets goods aside: for a whole batch of orders in one transaction. Where that meets somebody else's, what
//! is at fault is told apart, and the rest goes on together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::allocation::{Allocation, Available, allocate, waits_for, wanted_skus};
use domain::candidates::Network;
use domain::decision::Decision;
use domain::limits::MAX_TRANSACTION_ACTIONS;
use domain::reservation::{Reservation, ReservationStatus};
use domain::shipping::today_in;
use domain::stock::{Changes, Level};
use domain::{Order, OrderId, Product, Step as StepName};
use jiff::Timestamp;
use jiff::civil::Date;
use runtime::backoff::{pause, spread};
use runtime::cached::Cached;
use runtime::products::Products;
use runtime::queue::{Handled, Outcome, whole_batch};
use runtime::{Clock, Emit, Function, Hint, Outbox};
use store::{Commit, Ending, Store, StoreError, Transacted, Waiting};

mod follow;
mod shares;

use shares::Shares;

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

/// What a decision rests on that changes seldom.
struct Facts {
    network: Arc<Network>,
    products: Vec<Product>,
}

/// What the orders of a batch find: as it was read, less what those before have taken.
#[derive(Default)]
struct View {
    available: Available,
    /// The levels that were read, unless they were written since.
    seen: Vec<Level>,
    /// The SKUs and shares that were read.
    read: BTreeSet<(String, u8)>,
    /// The SKUs of which every share was read.
    whole: BTreeSet<String>,
    /// The reservations that the orders name, as they were read.
    reservations: Vec<Reservation>,
}

impl View {
    fn note(&mut self, level: Level) {
        self.available.note(&level);
        self.forget(&level.sku, &level.location, level.share);
        self.seen.push(level);
    }

    fn forget(&mut self, sku: &str, location: &str, share: u8) {
        let same = |l: &Level| l.sku == sku && l.location == location && l.share == share;
        self.seen.retain(|seen| !same(seen));
    }
}

/// Orders that are to be committed together, the oldest first.
struct Group {
    commit: Commit,
    before: Vec<Arc<Order>>,
    decisions: Vec<(OrderId, Decision)>,
    /// The SKUs of which each of them gives something back.
    given_back: Vec<(OrderId, BTreeSet<String>)>,
    /// What is left for those after them.
    available: Available,
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
            group.commit.seen.clone_from(&view.seen);
            let changed = group.commit.changes.clone();
            let prepared = match recorded == group.decisions {
                true => Ok(()),
                false => self.prepare(&group).await,
            };
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
                    for change in &changed {
                        view.forget(&change.sku, &change.location, change.share);
                    }
                    (most, tries) = (rest.len(), 0);
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
                    if busy {
                        self.clock
                            .pause(pause(group.before[0].id.as_str(), tries))
                            .await;
                    }
                    match tries < store::MAX_ATTEMPTS {
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
            let view = self.whole_view(&rest, &facts).await?;
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
            group.commit.seen = view.seen;
            if let Err(outcome) = self.prepare(&group).await {
                return Ok(outcome.into());
            }
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

    /// What there is for some orders, as it is now: of each SKU one share, or all of them where that one has too
    /// little for all of the orders.
    async fn view(&self, orders: &[Arc<Order>], facts: &Facts) -> Result<View, StoreError> {
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for order in orders {
            let skus = wanted_skus(order);
            for line in &order.lines {
                if let Some(sku) = line.sku.as_deref().filter(|sku| skus.contains(sku)) {
                    let units = line.units.open + line.units.backordered;
                    *wanted.entry(sku).or_default() += i64::from(units);
                }
            }
        }
        let mut view = View::default();
        let named: BTreeSet<&str> = orders
            .iter()
            .filter_map(|order| order.unused_reservation())
            .collect();
        if !named.is_empty() {
            let named: Vec<&str> = named.into_iter().collect();
            view.reservations = self.store.load_reservations(&named).await?;
        }
        let spread = orders.first().map_or(0, |order| spread(order.id.as_str()));
        let share = |sku: &str| self.shares.of_batch(sku, spread);
        let one_each = wanted.keys().map(|sku| ((*sku).to_owned(), share(sku)));
        self.read(&mut view, one_each.collect(), facts).await?;
        self.note_loads(&mut view.available, facts).await?;
        let now = self.clock.now();
        let scarce = |(sku, units): &(&str, i64)| {
            let mut ids = facts.network.locations.iter().map(|l| l.id.as_str());
            ids.any(|id| {
                view.available.units(sku, id) < *units && !self.shares.is_empty(sku, id, now)
            })
        };
        let scarce = wanted.into_iter().filter(scarce);
        let scarce = scarce.map(|(sku, _)| sku.to_owned()).collect();
        self.widen(&mut view, &scarce, facts).await?;
        Ok(view)
    }

    /// All that there is for some orders, as it is now.
    async fn whole_view(&self, orders: &[Arc<Order>], facts: &Facts) -> Result<View, StoreError> {
        let mut view = self.view(orders, facts).await?;
        let skus = orders.iter().flat_map(|order| wanted_skus(order));
        let skus = skus.map(str::to_owned).collect();
        self.widen(&mut view, &skus, facts).await?;
        Ok(view)
    }

    /// Looks into all shares of some SKUs that were not looked into. Nothing is asked of those that have one.
    async fn widen(
        &self,
        view: &mut View,
        skus: &BTreeSet<String>,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        loop {
            let shares = skus.iter().flat_map(|sku| {
                let all = 0..self.shares.count(sku);
                all.map(|share| (sku.clone(), share))
            });
            let unread: BTreeSet<_> = shares.filter(|share| !view.read.contains(share)).collect();
            if unread.is_empty() {
                break;
            }
            // The first says how many there are: then again.
            self.read(view, unread, facts).await?;
        }
        let now = self.clock.now();
        for sku in skus.iter().filter(|sku| self.shares.count(sku) > 1) {
            let ids = facts.network.locations.iter().map(|l| l.id.as_str());
            for id in ids.filter(|id| view.available.units(sku, id) == 0) {
                self.shares.note_empty(sku, id, now);
            }
        }
        view.whole.extend(skus.iter().cloned());
        Ok(())
    }

    /// Reads shares in all locations.
    async fn read(
        &self,
        view: &mut View,
        shares: BTreeSet<(String, u8)>,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        let keys: Vec<(&str, &str, u8)> = shares
            .iter()
            .flat_map(|(sku, share)| {
                let ids = facts.network.locations.iter().map(|l| l.id.as_str());
                ids.map(|id| (sku.as_str(), id, *share))
            })
            .collect();
        for level in self.store.load_levels(&keys).await? {
            self.shares.note(&level);
            view.note(level);
        }
        let whole = shares
            .iter()
            .filter(|(sku, share)| *share == 0 && self.shares.count(sku) == 1);
        view.whole.extend(whole.map(|(sku, _)| sku.clone()));
        view.read.extend(shares);
        Ok(())
    }

    /// What allocating some orders rests on that changes seldom, and is remembered for a while.
    async fn facts(&self, orders: &[Arc<Order>]) -> Result<Facts, StoreError> {
        let network = self.network.get(self.store.network()).await?;
        let ordered = orders.iter().flat_map(|order| &order.lines);
        let skus = ordered.filter_map(|line| line.sku.as_deref()).collect();
        let products = self.products.get(skus).await?;
        Ok(Facts { network, products })
    }

    /// Notes how full the day of those locations is that take only so many orders.
    async fn note_loads(&self, available: &mut Available, facts: &Facts) -> Result<(), StoreError> {
        let now = self.clock.now();
        let locations = facts.network.locations.iter();
        let bounded = locations.filter(|location| location.daily_orders.is_some());
        let days = bounded.map(|location| (location.id.as_str(), today_in(location, now)));
        let days: Vec<(&str, Date)> = days.collect();
        for (location, day, orders) in self.store.loads(&days).await? {
            available.note_load(&location, day, orders);
        }
        Ok(())
    }
}

/// As many of the oldest orders as a transaction takes, at most so many. Those for which nothing is to
/// be done as they were seen are moved to `singly`: the store is asked about them.
fn gather(
    rest: &mut Vec<Arc<Order>>,
    most: usize,
    view: &View,
    facts: &Facts,
    now: Timestamp,
    singly: &mut Vec<OrderId>,
) -> Group {
    let available = view.available.clone();
    let group = gather_from(available, view, rest, most, facts, now, singly);
    match group.commit.fits() {
        true => group,
        // One order that would take from too many shares: what it does not get of one now, it does then.
        false => {
            let one_each = view.available.of_one_share_each();
            gather_from(one_each, view, rest, 1, facts, now, singly)
        }
    }
}

fn gather_from(
    available: Available,
    view: &View,
    rest: &mut Vec<Arc<Order>>,
    most: usize,
    facts: &Facts,
    now: Timestamp,
    singly: &mut Vec<OrderId>,
) -> Group {
    let Facts { network, products } = facts;
    let mut group = Group {
        commit: Commit::default(),
        before: Vec::new(),
        decisions: Vec::new(),
        given_back: Vec::new(),
        available,
    };
    while let Some(order) = rest.get(group.before.len())
        && group.before.len() < most
    {
        let mut available = group.available.clone();
        let mut changes = Changes::from(group.commit.changes.clone());
        let ended = &group.commit.ended;
        let reservation = order.unused_reservation().and_then(|id| {
            let mut held = view.reservations.iter().filter(|known| known.is_held());
            held.find(|held| held.id == id && !ended.iter().any(|ending| ending.id == id))
        });
        if let Some(reservation) = reservation {
            available.note_kept(&reservation.kept);
            for kept in &reservation.kept {
                changes.take_up(kept, order, now);
            }
        }
        let plan = allocate(order, network, products, &mut available, &mut changes, now);
        let Some(plan) = plan else {
            singly.push(rest.remove(group.before.len()).id.clone());
            continue;
        };
        let (waiting, unchanged) = (group.commit.waiting.len(), changes.into_vec());
        let unchanged = std::mem::replace(&mut group.commit.changes, unchanged);
        let (loads, ended) = (group.commit.loads.clone(), group.commit.ended.len());
        if let Some(reservation) = reservation {
            let given_back = reservation.given_back(order, &plan.order).into_iter();
            let given_back = given_back.map(str::to_owned).collect();
            group.given_back.push((order.id.clone(), given_back));
            group.commit.ended.push(Ending {
                id: reservation.id.clone(),
                status: ReservationStatus::Committed,
                order: Some(order.id.clone()),
                at: now,
                held_until: None,
            });
        }
        group.commit.waiting.extend(waits(order, &plan));
        group.commit.orders.push((order.version, plan.order));
        for load in plan.loads {
            group.commit.add_load(load);
        }
        if !group.commit.fits() && !group.before.is_empty() {
            // The order opens the next transaction.
            group.commit.orders.pop();
            group.commit.waiting.truncate(waiting);
            group.commit.changes = unchanged;
            group.commit.loads = loads;
            group.commit.ended.truncate(ended);
            break;
        }
        // Where nothing is sent the timeline says all.
        let decision = plan.decision.filter(|decision| decision.sent > 0);
        let decision = decision.map(|decision| (order.id.clone(), decision));
        group.decisions.extend(decision);
        group.available = available;
        group.before.push(Arc::clone(order));
    }
    group
}

/// Who begins to wait with an allocation, or for another number, and who no longer does.
fn waits(before: &Order, plan: &Allocation) -> Vec<Waiting> {
    let starts = plan.starts_waiting.iter();
    let starts = starts.map(|(sku, units)| waiting(before, sku, *units));
    let stops = plan.stops_waiting.iter();
    starts
        .chain(stops.map(|sku| waiting(before, sku, 0)))
        .collect()
}

fn waiting(order: &Order, sku: &str, units: u32) -> Waiting {
    Waiting {
        sku: sku.to_owned(),
        placed_at: order.placed_at,
        order: order.id.clone(),
        units,
    }
}
