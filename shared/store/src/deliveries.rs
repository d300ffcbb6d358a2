//! How far subscribers have heard of orders, and what came of each time that they were sent an event.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::OrderId;
use domain::delivery::{Attempt, Delivery};
use domain::limits::{ATTEMPTS_KEPT_DAYS, MAX_BATCH_WRITES};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::item::{Item, item, number, put_after, text, value};
use crate::key::OPEN_SHARDS;
use crate::orders::id_of;
use crate::{DynamoDb, StoreError, key};

/// How far subscribers have heard of orders.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Goes on from the delivery as it was a turn before, if nobody has since; whether it is so.
    async fn save_delivery(&self, delivery: &Delivery) -> Result<bool, StoreError>;

    /// The ids of orders of one shard of which a subscriber was to be told again by `now`, the longest overdue
    /// first, and where to go on. Read from an index: some may have been told.
    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OrderId>, Option<Item>), StoreError>;

    /// Keeps what came of sending events, for [`ATTEMPTS_KEPT_DAYS`].
    async fn log_attempts(&self, id: &OrderId, attempts: &[Attempt]) -> Result<(), StoreError>;

    /// What came of sending events to a subscriber, the newest first, at most so many; of before the place of one,
    /// if that is given.
    async fn attempts(
        &self,
        subscriber: &str,
        before: Option<&str>,
        most: i32,
    ) -> Result<Vec<(String, Attempt)>, StoreError>;
}

#[async_trait]
impl Deliveries for DynamoDb {
    async fn save_delivery(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let (pk, sk) = (
            key::order(&delivery.order),
            key::delivery(&delivery.subscriber),
        );
        let mut item = item(delivery, "delivery", pk, sk)?;
        if let Some(due_at) = delivery.due_at {
            let shard = key::open_shard(delivery.order.as_str());
            item.insert("open".into(), text(key::due_deliveries(&shard)));
            item.insert("open_at".into(), number(due_at.as_second()));
        }
        let put = self.db.put_item().table_name(&self.tables.orders);
        let before = Some(delivery.turn.saturating_sub(1)).filter(|before| *before > 0);
        put_after(put.set_item(Some(item)), before, "PutItem (delivery)").await
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OrderId>, Option<Item>), StoreError> {
        // The index knows whole seconds: what is due in this one is due.
        let before = now + SignedDuration::from_secs(1);
        let shard = key::due_deliveries(&shard.to_string());
        let (items, next) = self
            .query_open(&self.tables.orders, &shard, before, from)
            .await?;
        Ok((items.iter().filter_map(id_of).collect(), next))
    }

    async fn log_attempts(&self, id: &OrderId, attempts: &[Attempt]) -> Result<(), StoreError> {
        let kept = SignedDuration::from_hours(24 * ATTEMPTS_KEPT_DAYS);
        for some in attempts.chunks(MAX_BATCH_WRITES) {
            let puts = some.iter().map(|attempt| {
                let pk = key::attempts(&attempt.subscriber, &key::open_shard(id.as_str()));
                let sk = key::attempt(attempt.at, &attempt.event);
                let mut item = item(attempt, "attempt", pk, sk)?;
                let expires_at = attempt.at.saturating_add(kept).unwrap_or(attempt.at);
                item.insert("expires_at".into(), number(expires_at.as_second()));
                let put = PutRequest::builder().set_item(Some(item)).build();
                let put = put.map_err(|error| StoreError::Refused {
                    operation: "BatchWriteItem",
                    cause: error.to_string(),
                })?;
                Ok(WriteRequest::builder().put_request(put).build())
            });
            let puts = puts.collect::<Result<Vec<_>, StoreError>>()?;
            self.batch_write(&self.tables.orders, puts).await?;
        }
        Ok(())
    }

    async fn attempts(
        &self,
        subscriber: &str,
        before: Option<&str>,
        most: i32,
    ) -> Result<Vec<(String, Attempt)>, StoreError> {
        let of_shard = async |shard: u32| {
            let query = self
                .db
                .query()
                .table_name(&self.tables.orders)
                .scan_index_forward(false)
                .limit(most)
                .expression_attribute_values(
                    ":pk",
                    text(key::attempts(subscriber, &shard.to_string())),
                );
            let query = match before {
                None => query.key_condition_expression("pk = :pk"),
                Some(before) => query
                    .key_condition_expression("pk = :pk AND sk < :before")
                    .expression_attribute_values(":before", text(before)),
            };
            let page = query.send().await;
            let page = page.map_err(|error| StoreError::of("Query (attempts)", error))?;
            let attempts = page.items.unwrap_or_default().into_iter().map(|item| {
                let place = match item.get("sk") {
                    Some(AttributeValue::S(sk)) => sk.clone(),
                    _ => String::new(),
                };
                Ok((place, value(item)?))
            });
            attempts.collect::<Result<Vec<(String, Attempt)>, StoreError>>()
        };
        let found = try_join_all((0..OPEN_SHARDS).map(of_shard)).await?;
        let mut found: Vec<(String, Attempt)> = found.into_iter().flatten().collect();
        found.sort_by(|one, other| other.0.cmp(&one.0));
        found.truncate(usize::try_from(most).unwrap_or(0));
        Ok(found)
    }
}
