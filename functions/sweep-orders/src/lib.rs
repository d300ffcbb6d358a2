//! On a schedule: gives orders and facts that have stood still too long their hint again, so that
//! even a lost queue heals.

use std::sync::Arc;

use domain::Step;
use jiff::{Timestamp, ToSpan};
use runtime::function::handler;
use runtime::{Emit, Error, Function, Hint, Outbox};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;
use store::key::OPEN_SHARDS;

/// Seconds for which work is left to its own queue: longer than a message rests after a failure.
const PATIENCE_S: i64 = 900;

/// The function.
pub fn function() -> Function {
    Function {
        name: "sweep-orders",
        variables: &[
            "ORDERS_TABLE",
            "STOCK_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
        ],
        init: |setup| {
            Box::pin(async move {
                let sweeper = Sweeper {
                    store: setup.store(),
                    outbox: setup.outbox(),
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
        let before = Timestamp::now().checked_sub((patience - 1).seconds())?;
        let (mut orders, mut facts) = (0, 0);
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
                let (names, next) = self.store.open_facts(shard, before, from).await?;
                let hint = |(sku, id)| Emit {
                    step: Step::UpdateStock,
                    hint: Hint::Fact(sku, id),
                };
                let emits: Vec<Emit> = names.into_iter().map(hint).collect();
                self.outbox.send_all(&emits).await?;
                facts += emits.len();
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(json!({"orders": orders, "facts": facts}))
    }
}
