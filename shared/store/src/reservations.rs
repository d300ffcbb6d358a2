//! Reservations: begun and ended with the levels that they keep goods of.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::OrderId;
use domain::reservation::{Reservation, ReservationStatus};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Item, attribute, item, key, number, text, update_or_see, value};
use crate::write::refused;
use crate::{DynamoDb, StoreError, key};

/// Days for which a reservation that has ended can still be looked at, and its name be recognised.
const ENDED_KEPT_DAYS: i64 = 30;

/// How a reservation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Which.
    pub id: String,
    /// What it is then.
    pub status: ReservationStatus,
    /// The order that takes it up, if that is how.
    pub order: Option<OrderId>,
    /// When.
    pub at: Timestamp,
    /// Until when it has to be held for that: if it was extended meanwhile, it does not end. `None`: that makes
    /// no difference.
    pub held_until: Option<Timestamp>,
}

/// Reservations.
#[async_trait]
pub trait Reservations: Send + Sync {
    /// Reservations as they are now; those that do not exist are left out. At most 100.
    async fn load_reservations(&self, ids: &[&str]) -> Result<Vec<Reservation>, StoreError>;

    /// Holds a reservation until another time, if it is held; as it is now. `None` if there is none of this id.
    async fn extend_reservation(
        &self,
        id: &str,
        until: Timestamp,
    ) -> Result<Option<Reservation>, StoreError>;

    /// The ids of reservations of one shard that were to be held until `now` at most, the longest overdue
    /// first, and where to go on. Read from an index: some may have ended, or have been extended.
    async fn due_reservations(
        &self,
        shard: u32,
        now: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<String>, Option<Item>), StoreError>;
}

#[async_trait]
impl Reservations for DynamoDb {
    async fn load_reservations(&self, ids: &[&str]) -> Result<Vec<Reservation>, StoreError> {
        let keys = ids.iter().map(|id| key(key::reservation(id), key::ALONE));
        let items = self.batch_get(&self.tables.stock, keys.collect()).await?;
        items.into_iter().map(value).collect()
    }

    async fn extend_reservation(
        &self,
        id: &str,
        until: Timestamp,
    ) -> Result<Option<Reservation>, StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::reservation(id), key::ALONE)))
            .update_expression("SET held_until = :until, open_at = :until ADD version :one")
            .condition_expression("#status = :held")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":held", attribute(&ReservationStatus::Held)?)
            .expression_attribute_values(":until", number(until.as_second()))
            .expression_attribute_values(":one", number(1));
        update_or_see(update, "UpdateItem (reservation)").await
    }

    async fn due_reservations(
        &self,
        shard: u32,
        now: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<String>, Option<Item>), StoreError> {
        // The index knows whole seconds: what is due in this one is due.
        let before = now + SignedDuration::from_secs(1);
        let shard = key::reserved(&shard.to_string());
        let (items, next) = self
            .query_open(&self.tables.stock, &shard, before, from)
            .await?;
        let ids = items.iter().filter_map(|item| match item.get("pk") {
            Some(AttributeValue::S(pk)) => pk.strip_prefix(key::RESERVATION).map(str::to_owned),
            _ => None,
        });
        Ok((ids.collect(), next))
    }
}

impl DynamoDb {
    /// The action that stores a reservation, in the index of what is held. It is refused if it is there.
    pub(crate) fn begin_reservation(
        &self,
        reservation: &Reservation,
    ) -> Result<TransactWriteItem, StoreError> {
        let id = &reservation.id;
        let mut item = item(reservation, "reservation", key::reservation(id), key::ALONE)?;
        item.insert("open".into(), text(key::reserved_shard(id)));
        item.insert("open_at".into(), number(reservation.held_until.as_second()));
        let put = Put::builder()
            .table_name(&self.tables.stock)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        let put = put.build().map_err(refused)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The action that ends a reservation. Some time later it is deleted: nothing is decided by that.
    pub(crate) fn end_reservation(&self, ending: &Ending) -> Result<Update, StoreError> {
        let mut set = "SET #status = :status, expires_at = :expires_at".to_owned();
        let mut condition = "#status = :held".to_owned();
        let expires_at = ending.at + SignedDuration::from_hours(24 * ENDED_KEPT_DAYS);
        let mut update = Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::reservation(&ending.id), key::ALONE)))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":held", attribute(&ReservationStatus::Held)?)
            .expression_attribute_values(":status", attribute(&ending.status)?)
            .expression_attribute_values(":expires_at", number(expires_at.as_second()))
            .expression_attribute_values(":one", number(1));
        if let Some(order) = &ending.order {
            set.push_str(", #order = :order");
            update = update
                .expression_attribute_names("#order", "order")
                .expression_attribute_values(":order", text(order.as_str()));
        }
        if let Some(until) = ending.held_until {
            condition.push_str(" AND held_until = :until");
            update = update.expression_attribute_values(":until", number(until.as_second()));
        }
        update
            .update_expression(format!("{set} REMOVE #open, open_at ADD version :one"))
            .condition_expression(condition)
            .build()
            .map_err(refused)
    }
}
