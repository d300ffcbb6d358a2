//! On a schedule: ends reservations whose time is over, so that what they kept is anybody's again.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::reservation::{Reservation, ReservationStatus};
use domain::stock::MovementKind;
use futures::future::join_all;
use jiff::Timestamp;
use runtime::backoff::pause;
use runtime::function::handler;
use runtime::{Clock, Emit, Error, Function, Outbox};
use serde_json::{Value, json};
use store::key::OPEN_SHARDS;
use store::{Commit, Ending, Store, StoreError, Transacted};

/// Reservations that are ended at the same time, each by itself.
const AT_ONCE: usize = 8;

/// The function.
pub fn function() -> Function {
    Function {
        name: "expire-reservations",
        variables: &["STOCK_TABLE", "ALLOCATE_WAREHOUSE_QUEUE"],
        init: |setup| {
            Box::pin(async move {
                let step = Step {
                    store: setup.store(),
                    outbox: setup.outbox(),
                    clock: setup.clock,
                };
                Ok(handler(step, |step, _| step.run()))
            })
        },
    }
}

struct Step {
    store: Store,
    outbox: Outbox,
    clock: Clock,
}

impl Step {
    /// Ends what is due. One that cannot be ended stops no other; the next run finds it again.
    async fn run(self: Arc<Self>) -> Result<Value, Error> {
        let now = self.clock.now();
        let (mut expired, mut failures) = (0, Vec::new());
        for shard in 0..OPEN_SHARDS {
            let mut from = None;
            loop {
                let (ids, next) = self.store.due_reservations(shard, now, from).await?;
                for ids in ids.chunks(AT_ONCE) {
                    match self.expire_all(ids, now, &mut failures).await {
                        Ok(count) => expired += count,
                        Err(error) => failures.push(error),
                    }
                }
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        match failures.len() {
            0 => Ok(json!({"expired": expired})),
            count => Err(format!("{count} failures, the first: {}", failures[0]).into()),
        }
    }

    /// Ends those of some reservations that are due, and tells who waits for what they kept: should that fail,
    /// the sweeper sees that the goods are there. How many were ended.
    async fn expire_all(
        &self,
        ids: &[String],
        now: Timestamp,
        failures: &mut Vec<String>,
    ) -> Result<usize, String> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let known = self.store.load_reservations(&ids).await;
        let known = known.map_err(|error| error.to_string())?;
        let ends = known.iter().map(|known| self.expire(known.clone(), now));
        let (mut count, mut skus) = (0, BTreeSet::new());
        for (known, ended) in known.iter().zip(join_all(ends).await) {
            match ended {
                Ok(true) => {
                    count += 1;
                    skus.extend(known.skus());
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(reservation = known.id, %error, "a reservation cannot be ended");
                    failures.push(error.to_string());
                }
            }
        }
        let mut emits = Vec::new();
        for sku in skus {
            match Emit::to_waiting(&self.store, sku).await {
                Ok(waiting) => emits.extend(waiting),
                Err(error) => failures.push(error.to_string()),
            }
        }
        self.outbox.send_all(&emits).await?;
        Ok(count)
    }

    /// Ends a reservation if it is held, and was not extended; whether it was this that ended it.
    async fn expire(&self, mut known: Reservation, now: Timestamp) -> Result<bool, StoreError> {
        for tries in 1..=store::MAX_ATTEMPTS {
            if !known.is_due(now) {
                return Ok(false);
            }
            let commit = Commit {
                changes: known.changes(MovementKind::Expire, now).into_vec(),
                ended: vec![Ending {
                    id: known.id.clone(),
                    status: ReservationStatus::Expired,
                    order: None,
                    at: now,
                    held_until: Some(known.held_until),
                }],
                ..Commit::default()
            };
            match self.store.transact(commit).await? {
                Transacted::Done(_) => return Ok(true),
                Transacted::Conflict(conflict) if conflict.busy => {
                    self.clock.pause(pause(&known.id, tries)).await;
                }
                Transacted::Conflict(_) => {}
            }
            let newest = self.store.load_reservations(&[&known.id]).await?.pop();
            match newest {
                Some(newest) => known = newest,
                None => return Ok(false),
            }
        }
        Err(StoreError::Transient {
            operation: "TransactWriteItems",
            cause: format!("the levels of reservation {} keep changing", known.id),
        })
    }
}
