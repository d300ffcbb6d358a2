//! On a schedule: gives orders and facts that have stood still too long their hint again, and orders
//! that wait for goods which are there, so that even a lost queue heals.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::offer::offered;
use domain::{OrderId, Step};
use jiff::ToSpan;
use runtime::function::handler;
use runtime::{Clock, Emit, Error, Function, Hint, Outbox};
use serde::Deserialize;
use serde_json::{Value, json};
use store::key::OPEN_SHARDS;
use store::{OpenStock, Store};

/// Seconds for which work is left to its own queue: longer than a message rests after a failure.
const PATIENCE_S: i64 = 900;

/// The function.
pub fn function() -> Function {
    Function {
        name: "sweep-orders",
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
        ],
        init: |setup| {
            Box::pin(async move {
                let sweeper = Sweeper {
                    store: setup.store(),
                    outbox: setup.outbox(),
                    clock: setup.clock,
                };
                Ok(handler(sweeper, |sweeper, event| async move {
                    sweeper.run(event).await
                }))
            })
        },
    }
}

struct Sweeper {
    store: Store,
    outbox: Outbox,
    clock: Clock,
}

/// What an operator may add to the schedule's event, to sweep now what is younger.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    older_than_s: Option<i64>,
}

impl Sweeper {
    async fn run(self: Arc<Self>, event: Value) -> Result<Value, Error> {
        let wish: Wish = serde_json::from_value(event)?;
        let patience = wish.older_than_s.unwrap_or(PATIENCE_S).clamp(0, 86_400);
        // A second more: the index knows whole seconds, and what is due now is due.
        let before = self.clock.now().checked_sub((patience - 1).seconds())?;
        let (mut orders, mut facts) = (0, 0);
        let mut waiting: BTreeMap<String, Vec<OrderId>> = BTreeMap::new();
        for shard in 0..OPEN_SHARDS {
            let mut from = None;
            loop {
                let (ids, next) = self.store.open_orders(shard, before, from).await?;
                if !ids.is_empty() {
                    let found = self.store.load_orders(&ids).await?;
                    let emits: Vec<Emit> = found.iter().flat_map(Emit::again).collect();
                    self.outbox.send_all(&emits).await?;
                    orders += found.len();
                }
                from = next;
                if from.is_none() {
                    break;
                }
            }
            let mut from = None;
            loop {
                let (open, next) = self.store.open_stock(shard, before, from).await?;
                let mut emits = Vec::new();
                for open in open {
                    match open {
                        OpenStock::Fact(sku, id) => {
                            facts += 1;
                            let (step, hint) = (Step::UpdateStock, Hint::Fact(sku, id));
                            emits.push(Emit { step, hint });
                        }
                        OpenStock::Waiting(sku, id) => {
                            waiting.entry(sku).or_default().push(id);
                        }
                    }
                }
                self.outbox.send_all(&emits).await?;
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        let waiting = self.tell_waiting(waiting).await?;
        Ok(json!({"orders": orders, "facts": facts, "waiting": waiting}))
    }

    /// Tells the orders that wait for goods that are there; how many. The hint that told them when the
    /// goods came in may be lost.
    async fn tell_waiting(&self, waiting: BTreeMap<String, Vec<OrderId>>) -> Result<usize, Error> {
        let mut told = 0;
        if waiting.is_empty() {
            return Ok(told);
        }
        let skus: Vec<&str> = waiting.keys().map(String::as_str).collect();
        let products = self.store.products(&skus).await?;
        let locations = self.store.locations().await?;
        let now = self.clock.now();
        for (sku, ids) in waiting {
            let levels = self.store.levels_of(&sku).await?;
            let product = products.iter().find(|product| product.sku == sku);
            let there = levels.iter().any(|level| {
                let mut locations = locations.iter();
                let location = locations.find(|location| location.id == level.location);
                location.is_some_and(|here| offered(level.available, product, here, now) > 0)
            });
            if !there {
                continue;
            }
            told += ids.len();
            let hint = |id| Emit {
                step: Step::AllocateWarehouse,
                hint: Hint::Order(id, None),
            };
            let emits: Vec<Emit> = ids.into_iter().map(hint).collect();
            self.outbox.send_all(&emits).await?;
        }
        Ok(told)
    }
}
