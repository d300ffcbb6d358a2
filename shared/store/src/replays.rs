//! Subscribers that hear again of orders: which, and how far the walk over all of them is.

use async_trait::async_trait;
use domain::OrderId;
use domain::delivery::Delivery;
use domain::replay::{Replay, first_since};
use jiff::Timestamp;

use crate::item::{item, put_after};
use crate::reference::plain;
use crate::{Committed, DynamoDb, MAX_ATTEMPTS, Store, StoreError, key};

/// Walks over all orders for subscribers: one small item each, all in one partition.
#[async_trait]
pub trait Replays: Send + Sync {
    /// All of them, also those that have come to their end.
    async fn replays(&self) -> Result<Vec<Replay>, StoreError>;

    /// Goes on from the walk as it was a turn before, if nobody has since; whether it is so.
    async fn save_replay(&self, replay: &Replay) -> Result<bool, StoreError>;
}

#[async_trait]
impl Replays for DynamoDb {
    async fn replays(&self) -> Result<Vec<Replay>, StoreError> {
        let items = self
            .query_partition(&self.tables.reference, key::REPLAY.into(), "")
            .await?;
        items.into_iter().map(plain).collect()
    }

    async fn save_replay(&self, replay: &Replay) -> Result<bool, StoreError> {
        let item = item(replay, "replay", key::REPLAY.into(), &*replay.subscriber)?;
        let put = self.db.put_item().table_name(&self.tables.reference);
        let before = Some(replay.turn.saturating_sub(1)).filter(|before| *before > 0);
        put_after(put.set_item(Some(item)), before, "PutItem (replay)").await
    }
}

/// From where on a subscriber hears of an order again.
#[derive(Debug, Clone, Copy)]
pub enum Again {
    /// From the first event since then, if there is one.
    Since(Timestamp),
    /// From the event of this number on, if there is one.
    From(u64),
}

/// What there is of an order to be heard again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// There is no such order.
    Unknown,
    /// Nothing; the order has so many events.
    Nothing(u64),
    /// It is noted, and due.
    Again,
}

impl Store {
    /// Has a subscriber hear again of what has happened to an order. If nobody hears of the order yet, subscribers do
    /// from now on. Of an order of which it has heard nothing it hears from the first event on.
    pub async fn tell_again(
        &self,
        id: &OrderId,
        subscriber: &str,
        again: Again,
        now: Timestamp,
    ) -> Result<Heard, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(story) = self.load_story(id).await? else {
                return Ok(Heard::Unknown);
            };
            let events = story.order.version;
            let first = match again {
                Again::Since(from) => first_since(&story.timeline, from),
                Again::From(first) => (1..=events).contains(&first).then_some(first),
            };
            let Some(first) = first else {
                return Ok(Heard::Nothing(events));
            };
            // Of an order that nobody hears of nobody is told, due or not. All that it has seen counts as handed
            // over: the others have not asked for it.
            if story.order.published.is_none()
                && let Committed::Conflict(_) = self.publish_order(&story.order).await?
            {
                continue;
            }
            let known = story.delivery(subscriber).cloned();
            let delivery = known.unwrap_or_else(|| Delivery::new(id, subscriber));
            let delivery = delivery.again_from(first, now).turned();
            if self.save_delivery(&delivery).await? {
                return Ok(Heard::Again);
            }
        }
        Err(StoreError::Transient {
            operation: "PutItem (delivery)",
            cause: format!("order {id} changed {MAX_ATTEMPTS} times meanwhile"),
        })
    }
}
