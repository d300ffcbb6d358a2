//! Who hears of what happens to orders, and how far.

use async_trait::async_trait;
use domain::OrderId;
use domain::delivery::{Attempt, Delivery};
use domain::limits::MAX_BATCH_WRITES;
use domain::replay::Replay;
use domain::subscriber::Subscriber;
use jiff::Timestamp;
use store::{Cursor, Deliveries, Replays, StoreError, Subscribers};

use super::{Memory, unknown};
use crate::faults::Kind;
use crate::mutant::Mutant;

#[async_trait]
impl Subscribers for Memory {
    async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        self.read("Query", |state| state.tables.subscribers.clone())
            .await
    }

    async fn put_subscriber(&self, subscriber: &Subscriber) -> Result<(), StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.subscribers;
            known.retain(|known| known.id != subscriber.id);
            known.push(subscriber.clone());
            known.sort_by_cached_key(|known| known.id.clone());
        })
        .await
    }

    async fn delete_subscriber(&self, _: &str) -> Result<bool, StoreError> {
        Err(unknown("that a subscriber is deleted"))
    }

    async fn switch_off(&self, id: &str, url: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.change("UpdateItem", |state| {
            let mut known = state.tables.subscribers.iter_mut();
            let on = known.find(|s| s.id == id && s.url == url && s.enabled);
            let Some(on) = on else { return false };
            on.enabled = false;
            on.gone_at = Some(now);
            true
        })
        .await
    }
}

#[async_trait]
impl Deliveries for Memory {
    async fn save_delivery(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        self.change("PutItem", |state| state.save_delivery(delivery))
            .await
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        _from: Option<Cursor>,
    ) -> Result<(Vec<OrderId>, Option<Cursor>), StoreError> {
        let found = self
            .look("Query", Kind::EventualRead, |state, stale| {
                // What is due was not, a write ago.
                let none = stale || state.is_off(Mutant::DueDeliveriesAreIndexed);
                match none {
                    true => Vec::new(),
                    false => state.tables.due_deliveries(shard, now),
                }
            })
            .await?;
        Ok((found, None))
    }

    async fn log_attempts(&self, _: &OrderId, attempts: &[Attempt]) -> Result<(), StoreError> {
        for _ in attempts.chunks(MAX_BATCH_WRITES) {
            self.change("BatchWriteItem", |_| ()).await?;
        }
        Ok(())
    }

    async fn attempts(
        &self,
        _: &str,
        _: Option<&str>,
        _: i32,
    ) -> Result<Vec<(String, Attempt)>, StoreError> {
        Err(unknown("the log of a subscriber"))
    }
}

#[async_trait]
impl Replays for Memory {
    async fn replays(&self) -> Result<Vec<Replay>, StoreError> {
        self.read("Query", |state| state.tables.replays.clone())
            .await
    }

    async fn save_replay(&self, replay: &Replay) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.replays;
            let same = |known: &Replay| known.subscriber == replay.subscriber;
            let turn = known.iter().find(|known| same(known));
            if turn.map_or(0, |known| known.turn) + 1 != replay.turn {
                return false;
            }
            known.retain(|known| !same(known));
            known.push(replay.clone());
            known.sort_by_cached_key(|known| known.subscriber.clone());
            true
        })
        .await
    }
}
