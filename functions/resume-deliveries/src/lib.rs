//! On a schedule: has subscribers told again of orders of which they have not taken an event, once its time has come;
//! and walks over all orders for those that want to hear again of what has been.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::replay::{Passed, Replay};
use domain::{Order, OrderId, Step};
use futures::future::join_all;
use runtime::function::handler;
use runtime::{Clock, Emit, Error, Function, Hint, Outbox};
use serde_json::{Value, json};
use store::key::OPEN_SHARDS;
use store::{Again, Heard, Store, StoreError, cursor_at, place_of};

/// Orders that are noted at the same time, each by itself.
const AT_ONCE: usize = 8;
/// How long a run begins new pages for: what is left then is for the next one.
const WALKS_FOR: Duration = Duration::from_secs(40);

/// The function.
pub fn function() -> Function {
    Function {
        name: "resume-deliveries",
        variables: &["ORDERS_TABLE", "REFERENCE_TABLE", "PUBLISH_EVENTS_QUEUE"],
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
    async fn all(self: Arc<Self>) -> Result<Value, Error> {
        let resumed = self.resume().await?;
        let replayed = self.replay(resumed).await?;
        Ok(json!({"resumed": resumed, "replayed": replayed}))
    }

    /// Gives each order of which something is due a hint; how many. What is not on its way is found again by the next
    /// run.
    async fn resume(&self) -> Result<usize, Error> {
        let (now, mut resumed) = (self.clock.now(), 0);
        for shard in 0..OPEN_SHARDS {
            let mut from = None;
            loop {
                let (ids, next) = self.store.due_deliveries(shard, now, from).await?;
                // Several subscribers may wait for the same order.
                let ids: BTreeSet<OrderId> = ids.into_iter().collect();
                resumed += ids.len();
                self.tell(ids).await?;
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(resumed)
    }

    async fn tell(&self, ids: impl IntoIterator<Item = OrderId>) -> Result<(), Error> {
        let hint = |id| Emit {
            step: Step::PublishEvents,
            hint: Hint::Order(id, None),
        };
        let emits: Vec<Emit> = ids.into_iter().map(hint).collect();
        self.outbox.send_all(&emits).await?;
        Ok(())
    }

    /// Goes on with the walks for subscribers that are on, while there is time and not too much waits; how many orders
    /// are told of again. `waiting`: those that wait for it already.
    async fn replay(&self, mut waiting: usize) -> Result<u64, Error> {
        let (started_at, mut replayed) = (self.clock.now(), 0);
        let mut replays = self.store.replays().await?;
        replays.retain(|replay| replay.is_due(waiting, started_at));
        if replays.is_empty() {
            return Ok(replayed);
        }
        let subscribers = self.store.subscribers().await?;
        let is_on = |replay: &Replay| {
            let mut on = subscribers.iter().filter(|known| known.enabled);
            on.any(|known| known.id == replay.subscriber)
        };
        replays.retain(is_on);
        for mut replay in replays {
            while replay.is_due(waiting, started_at) && self.clock.within(started_at, WALKS_FOR) {
                let next = self.page(&replay).await?;
                // Somebody else goes on with it, or it was asked for anew.
                if !self.store.save_replay(&next).await? {
                    break;
                }
                let told = next.told - replay.told;
                replayed += told;
                waiting += usize::try_from(told).unwrap_or(usize::MAX);
                replay = next;
            }
        }
        Ok(replayed)
    }

    /// A walk behind its next page of orders, all of which are noted, and on their way.
    async fn page(&self, replay: &Replay) -> Result<Replay, Error> {
        let from = replay.after.as_ref().map(cursor_at);
        let (orders, next) = self.store.scan_orders(from).await?;
        // Its newest events are part of an order, and it has as many as fit.
        let recent = |order: &&Order| {
            let mut newest = order.timeline.entries.iter();
            newest.any(|entry| entry.at >= replay.from)
        };
        let recent: Vec<&Order> = orders.iter().filter(recent).collect();
        let mut told = Vec::new();
        for some in recent.chunks(AT_ONCE) {
            let noted = some.iter().map(|order| self.note(&order.id, replay));
            for noted in join_all(noted).await {
                told.extend(noted?);
            }
        }
        let passed = Passed {
            seen: orders.len() as u64,
            told: told.len() as u64,
            after: next.as_ref().and_then(place_of),
        };
        self.tell(told).await?;
        Ok(replay.behind(passed, self.clock.now()))
    }

    /// Notes that a subscriber hears again of an order, if there is anything to hear. One that cannot be read does not
    /// keep it from the others.
    async fn note(&self, id: &OrderId, replay: &Replay) -> Result<Option<OrderId>, StoreError> {
        let (again, now) = (Again::Since(replay.from), self.clock.now());
        let subscriber = &replay.subscriber;
        match self.store.tell_again(id, subscriber, again, now).await {
            Ok(heard) => Ok((heard == Heard::Again).then(|| id.clone())),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                tracing::error!(%error, order = %id, subscriber, "an order cannot be told of again");
                Ok(None)
            }
        }
    }
}
