//! Hints to the steps' queues, in batches, one failure never costing another its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Order, Step};
use futures::future::join_all;
use store::{Driven, Store, StoreError, Waiting};

use crate::Hint;
use crate::sqs::{MAX_BATCH, Queues};

/// The variable that holds the URL of each step's queue, in the order of [`Step::ALL`].
pub const STEP_QUEUES: [&str; 9] = [
    "ALLOCATE_WAREHOUSE_QUEUE",
    "NOTIFY_WAREHOUSE_QUEUE",
    "SHIP_ORDER_QUEUE",
    "UPDATE_STOCK_QUEUE",
    "NOTIFY_CUSTOMER_QUEUE",
    "REFUND_ORDER_QUEUE",
    "UPDATE_CHANNEL_QUEUE",
    "FETCH_ORDER_QUEUE",
    "PUBLISH_EVENTS_QUEUE",
];

/// Seconds after which an invocation that sends hints beyond its life has ended, well or not: more than its time-out
/// (the template's).
pub const OUTLIVED_S: i32 = 60;

/// A hint to be sent to a step.
#[derive(Debug, Clone)]
pub struct Emit {
    /// To whom.
    pub step: Step,
    /// What.
    pub hint: Hint,
}

impl Emit {
    /// A hint at an order for each of some steps.
    pub fn each(steps: Vec<Step>, order: &Arc<Order>) -> Vec<Self> {
        if steps.is_empty() {
            return Vec::new();
        }
        let hint = Hint::at(order);
        let emit = |step| Self {
            step,
            hint: hint.clone(),
        };
        steps.into_iter().map(emit).collect()
    }

    /// What follows from a change: hints at the work that the state before did not call for.
    pub fn after(before: &Order, after: &Arc<Order>) -> Vec<Self> {
        Self::each(domain::owed::newly_owed(before, after), after)
    }

    /// Hints at the orders that wait for a SKU: some of it may be available now.
    pub async fn to_waiting(store: &Store, sku: &str) -> Result<Vec<Self>, StoreError> {
        let waiting = store.waiting_for(sku).await?.into_iter();
        let hint = |waiting: Waiting| Self {
            step: Step::AllocateWarehouse,
            hint: Hint::Order(waiting.order, None),
        };
        Ok(waiting.map(hint).collect())
    }

    /// Everything that an order is owed, once more: for when the sender of the first hints may have
    /// died before it sent them.
    pub fn again(order: &Arc<Order>) -> Vec<Self> {
        Self::each(domain::owed::steps(domain::owed::owed(order)), order)
    }
}

/// The way to the steps' queues.
#[derive(Clone)]
pub struct Outbox(Arc<dyn Queues>);

impl Outbox {
    /// An outbox to these queues.
    pub fn new(queues: Arc<dyn Queues>) -> Self {
        Self(queues)
    }

    /// Sends hints, as few calls as can be; for each, in order, whether it is on its way.
    pub async fn send(&self, emits: &[Emit]) -> Vec<Result<(), String>> {
        self.send_in(0, emits).await
    }

    async fn send_in(&self, delay_s: i32, emits: &[Emit]) -> Vec<Result<(), String>> {
        let mut by_step: BTreeMap<Step, Vec<usize>> = BTreeMap::new();
        for (n, emit) in emits.iter().enumerate() {
            by_step.entry(emit.step).or_default().push(n);
        }
        let calls = by_step.iter().flat_map(|(step, places)| {
            places.chunks(MAX_BATCH).map(async |places| {
                let hints: Vec<&Hint> = places.iter().map(|place| &emits[*place].hint).collect();
                (places, self.0.send(*step, &hints, delay_s).await)
            })
        });
        let mut results: Vec<Result<(), String>> = vec![Ok(()); emits.len()];
        for (places, sent) in join_all(calls).await {
            for (place, sent) in places.iter().zip(sent) {
                results[*place] = sent;
            }
        }
        results
    }

    /// Sends hints, or says why not all of them are on their way.
    pub async fn send_all(&self, emits: &[Emit]) -> Result<(), String> {
        self.send(emits).await.into_iter().collect()
    }

    /// Sends hints that arrive when the sender has ended, so that they are there even if it dies; or says why not
    /// all of them are on their way.
    pub async fn send_beyond(&self, emits: &[Emit]) -> Result<(), String> {
        self.send_in(OUTLIVED_S, emits).await.into_iter().collect()
    }

    /// Sends hints that follow from what is already stored. Should they fail, the sweeper sends them:
    /// the sender has its answer, because what it said is safe.
    pub async fn send_or_leave(&self, emits: &[Emit]) {
        if let Err(error) = self.send_all(emits).await {
            tracing::warn!(error, "hints are left to the sweeper");
        }
    }

    /// Tells the steps what an order is owed after a request, and gives the order; `None` if there is none. Of everything,
    /// not only of what is new: the request may be the repeat of one that changed it and ended before it told of that,
    /// and still find something else to change.
    pub async fn tell(&self, driven: Driven) -> Option<Arc<Order>> {
        let order = match driven {
            Driven::Changed(_, order) | Driven::Unchanged(order) => order,
            Driven::Missing => return None,
        };
        self.send_or_leave(&Emit::again(&order)).await;
        Some(order)
    }

    /// Opens a connection while there is time.
    pub async fn warm(&self) -> Result<(), String> {
        self.0.warm().await
    }
}
