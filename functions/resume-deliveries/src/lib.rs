//! On a schedule: has subscribers told again of orders of which they have not taken an event, once its time has come.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{OrderId, Step};
use runtime::function::handler;
use runtime::{Clock, Emit, Error, Function, Hint, Outbox};
use serde_json::{Value, json};
use store::Store;
use store::key::OPEN_SHARDS;

/// The function.
pub fn function() -> Function {
    Function {
        name: "resume-deliveries",
        variables: &["ORDERS_TABLE", "PUBLISH_EVENTS_QUEUE"],
        init: |setup| {
            Box::pin(async move {
                let run = Run {
                    store: setup.store(),
                    outbox: setup.outbox(),
                    clock: setup.clock,
                };
                Ok(handler(run, |run, _| run.all()))
            })
        },
    }
}

struct Run {
    store: Store,
    outbox: Outbox,
    clock: Clock,
}

impl Run {
    /// Gives each order of which something is due a hint. What is not on its way is found again by the next run.
    async fn all(self: Arc<Self>) -> Result<Value, Error> {
        let (now, mut resumed) = (self.clock.now(), 0);
        for shard in 0..OPEN_SHARDS {
            let mut from = None;
            loop {
                let (ids, next) = self.store.due_deliveries(shard, now, from).await?;
                // Several subscribers may wait for the same order.
                let ids: BTreeSet<OrderId> = ids.into_iter().collect();
                resumed += ids.len();
                let hint = |id| Emit {
                    step: Step::PublishEvents,
                    hint: Hint::Order(id, None),
                };
                let emits: Vec<Emit> = ids.into_iter().map(hint).collect();
                self.outbox.send_all(&emits).await?;
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(json!({"resumed": resumed}))
    }
}
