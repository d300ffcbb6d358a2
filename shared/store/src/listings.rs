//! What channels list: an item each, in a partition of each account; and how far each account is told, all in one.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::listing::{Listing, Round, Told};

use crate::item::{attribute, item, key, put_after, text};
use crate::reference::plain;
use crate::{DynamoDb, StoreError, key};

/// What channels list.
#[async_trait]
pub trait Listings: Send + Sync {
    /// All accounts that list something, or have.
    async fn rounds(&self) -> Result<Vec<Round>, StoreError>;

    /// Begins to tell an account; one that is told already stays as it is.
    async fn begin_round(&self, round: &Round) -> Result<(), StoreError>;

    /// Goes on, if nobody has since the turn before: whether it is so.
    async fn save_round(&self, round: &Round) -> Result<bool, StoreError>;

    /// The listings of an account by SKU, after the one given, at most so many.
    async fn listings(
        &self,
        channel: &str,
        account: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<Listing>, StoreError>;

    /// Stores a listing; what its channel was told of one that is there stays.
    async fn put_listing(&self, listing: &Listing) -> Result<(), StoreError>;

    /// Deletes a listing; whether there was one.
    async fn delete_listing(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
    ) -> Result<bool, StoreError>;

    /// Notes what a channel was told of a listing, or that nobody knows; one that was deleted meanwhile does not come
    /// back.
    async fn note_told(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
        told: Option<&Told>,
    ) -> Result<(), StoreError>;
}

#[async_trait]
impl Listings for DynamoDb {
    async fn rounds(&self) -> Result<Vec<Round>, StoreError> {
        let items = self
            .query_partition(&self.tables.stock, key::LISTED.into(), "")
            .await?;
        items.into_iter().map(plain).collect()
    }

    async fn begin_round(&self, round: &Round) -> Result<(), StoreError> {
        self.put_round(round, None).await.map(drop)
    }

    async fn save_round(&self, round: &Round) -> Result<bool, StoreError> {
        let before = round.turn.saturating_sub(1);
        self.put_round(round, Some(before)).await
    }

    async fn listings(
        &self,
        channel: &str,
        account: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<Listing>, StoreError> {
        let query = self
            .db
            .query()
            .table_name(&self.tables.stock)
            .consistent_read(true)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .expression_attribute_values(":pk", text(key::listing(channel, account)));
        let query = match after {
            "" => query.key_condition_expression("pk = :pk"),
            after => query
                .key_condition_expression("pk = :pk AND sk > :after")
                .expression_attribute_values(":after", text(after)),
        };
        let page = query.send().await;
        let page = page.map_err(|error| StoreError::of("Query (listings)", error))?;
        let listings = page.items.unwrap_or_default().into_iter().map(plain);
        listings.collect()
    }

    async fn put_listing(&self, listing: &Listing) -> Result<(), StoreError> {
        let pk = key::listing(&listing.channel, &listing.account);
        let item = item(listing, "listing", pk, &*listing.sku)?;
        let put = self.db.put_item().table_name(&self.tables.stock);
        let put = put_after(put.set_item(Some(item)), None, "PutItem (listing)");
        put.await.map(drop)
    }

    async fn delete_listing(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .db
            .delete_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::listing(channel, account), sku)))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| StoreError::of("DeleteItem (listing)", error))?;
        Ok(deleted.attributes.is_some())
    }

    async fn note_told(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
        told: Option<&Told>,
    ) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::listing(channel, account), sku)))
            .condition_expression("attribute_exists(pk)");
        let update = match told {
            None => update.update_expression("REMOVE told"),
            Some(told) => update
                .update_expression("SET told = :told")
                .expression_attribute_values(":told", attribute(told)?),
        };
        let Err(error) = update.send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(StoreError::of("UpdateItem (listing)", error)),
        }
    }
}

impl DynamoDb {
    /// Puts it where there is none, or one of that turn; whether it was so.
    async fn put_round(&self, round: &Round, before: Option<u64>) -> Result<bool, StoreError> {
        let sk = key::of_account(&round.channel, &round.account);
        let item = item(round, "round", key::LISTED.into(), sk)?;
        let put = self.db.put_item().table_name(&self.tables.stock);
        put_after(put.set_item(Some(item)), before, "PutItem (round)").await
    }
}
