//! Other systems that hear of what happens to orders: few and small, all in one partition.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::subscriber::Subscriber;
use jiff::Timestamp;

use crate::item::{item, key, text};
use crate::reference::plain;
use crate::{DynamoDb, StoreError, key};

/// Other systems that hear of what happens to orders.
#[async_trait]
pub trait Subscribers: Send + Sync {
    /// All of them, by their ids.
    async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError>;

    /// Stores one, new or changed.
    async fn put_subscriber(&self, subscriber: &Subscriber) -> Result<(), StoreError>;

    /// Deletes one, and the walk for it; whether there was one of this id.
    async fn delete_subscriber(&self, id: &str) -> Result<bool, StoreError>;

    /// Switches one off that says that it is gone, if it still has the URL that said so, and is on; whether it is so.
    async fn switch_off(&self, id: &str, url: &str, now: Timestamp) -> Result<bool, StoreError>;
}

#[async_trait]
impl Subscribers for DynamoDb {
    async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        let items = self
            .query_partition(&self.tables.reference, key::SUBSCRIBER.into(), "")
            .await?;
        items.into_iter().map(plain).collect()
    }

    async fn put_subscriber(&self, subscriber: &Subscriber) -> Result<(), StoreError> {
        let (pk, sk) = (key::SUBSCRIBER.to_owned(), &*subscriber.id);
        let put = self.db.put_item().table_name(&self.tables.reference);
        let put = put.set_item(Some(item(subscriber, "subscriber", pk, sk)?));
        let put = put.send().await;
        put.map_err(|error| StoreError::of("PutItem (subscriber)", error))?;
        Ok(())
    }

    async fn delete_subscriber(&self, id: &str) -> Result<bool, StoreError> {
        let deleted = self
            .db
            .delete_item()
            .table_name(&self.tables.reference)
            .set_key(Some(key(key::SUBSCRIBER, id)))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| StoreError::of("DeleteItem (subscriber)", error))?;
        // Another of the same name has not asked for it.
        let walk = self.db.delete_item().table_name(&self.tables.reference);
        let walk = walk.set_key(Some(key(key::REPLAY, id))).send().await;
        walk.map_err(|error| StoreError::of("DeleteItem (replay)", error))?;
        Ok(deleted.attributes.is_some())
    }

    async fn switch_off(&self, id: &str, url: &str, now: Timestamp) -> Result<bool, StoreError> {
        let updated = self
            .db
            .update_item()
            .table_name(&self.tables.reference)
            .set_key(Some(key(key::SUBSCRIBER, id)))
            .update_expression("SET enabled = :off, gone_at = :now")
            .condition_expression("#url = :url AND enabled = :on")
            .expression_attribute_names("#url", "url")
            .expression_attribute_values(":url", text(url))
            .expression_attribute_values(":on", AttributeValue::Bool(true))
            .expression_attribute_values(":off", AttributeValue::Bool(false))
            .expression_attribute_values(":now", text(now.to_string()))
            .send()
            .await;
        let Err(error) = updated else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::of("UpdateItem (subscriber)", error)),
        }
    }
}
