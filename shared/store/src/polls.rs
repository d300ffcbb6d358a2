//! How far the orders of channels' accounts are known: one small item each, all in one partition.

use async_trait::async_trait;
use domain::poll::Poll;

use crate::item::{item, put_after};
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
        let item = item(poll, "poll", key::POLL.into(), sk)?;
        let put = self.db.put_item().table_name(&self.tables.reference);
        put_after(put.set_item(Some(item)), before, "PutItem (poll)").await
    }
}
