//! How far the orders of channels' accounts are known: one small item each, all in one partition.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::poll::Poll;

use crate::item::{item, number};
use crate::reference::plain;
use crate::{DynamoDb, StoreError, key};

/// How far the orders of channels' accounts are known.
#[async_trait]
pub trait Polls: Send + Sync {
    /// All accounts whose orders are looked for.
    async fn polls(&self) -> Result<Vec<Poll>, StoreError>;

    /// Begins to look for an account's orders; what is known of one that is looked for already stays.
    async fn begin_poll(&self, poll: &Poll) -> Result<(), StoreError>;

    /// Goes on, if nobody has since the turn before: whether it is so. One that was taken away meanwhile
    /// does not come back.
    async fn save_poll(&self, poll: &Poll) -> Result<bool, StoreError>;
}

#[async_trait]
impl Polls for DynamoDb {
    async fn polls(&self) -> Result<Vec<Poll>, StoreError> {
        let items = self
            .query_partition(&self.tables.reference, key::POLL.into(), "")
            .await?;
        items.into_iter().map(plain).collect()
    }

    async fn begin_poll(&self, poll: &Poll) -> Result<(), StoreError> {
        self.put_poll(poll, None).await.map(drop)
    }

    async fn save_poll(&self, poll: &Poll) -> Result<bool, StoreError> {
        self.put_poll(poll, Some(poll.turn.saturating_sub(1))).await
    }
}

impl DynamoDb {
    /// Puts it where there is none, or one of that turn; whether it was so.
    async fn put_poll(&self, poll: &Poll, before: Option<u64>) -> Result<bool, StoreError> {
        let sk = key::of_account(&poll.channel, &poll.account);
        let put = self
            .db
            .put_item()
            .table_name(&self.tables.reference)
            .set_item(Some(item(poll, "poll", key::POLL.into(), sk)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(turn) => put
                .condition_expression("turn = :turn")
                .expression_attribute_values(":turn", number(turn)),
        };
        let Err(error) = put.send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::of("PutItem (poll)", error)),
        }
    }
}
