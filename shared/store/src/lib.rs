//! Keys, load, commit: the only code that knows DynamoDB.
//!
//! Everything that decides is read consistently or guarded by a condition; what an index says is
//! only a hint. A write whose condition fails brings back the item as it is, so that the caller
//! decides again on the truth without reading it.

mod claim;
mod drive;
mod error;
mod facts;
mod item;
pub mod key;
mod levels;
mod orders;
mod reference;
mod transact;

use aws_sdk_dynamodb::Client;

pub use claim::Claim;
pub use drive::{Driven, MAX_ATTEMPTS};
pub use error::StoreError;
pub use orders::{Committed, Created, Story, UnreadableDelivery};
pub use transact::{Commit, Transacted, Waiting};

/// The names of the tables; empty for those that a function does not use.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Orders, their contacts and timelines.
    pub orders: String,
    /// Levels, ledgers, facts about stock.
    pub stock: String,
    /// Products, locations, suppliers, tariffs, accounts, keys.
    pub reference: String,
}

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: Client,
    tables: Tables,
}

impl Store {
    /// A store on the given tables.
    pub fn new(aws: &aws_types::SdkConfig, tables: Tables) -> Self {
        Self {
            db: Client::new(aws),
            tables,
        }
    }

    /// Opens a connection while there is time, by reading an item that need not exist: the first
    /// caller then does not wait for it.
    pub async fn warm(&self) -> Result<(), StoreError> {
        let (table, pk) = match self.tables {
            Tables { ref orders, .. } if !orders.is_empty() => (orders, "ORDER#-"),
            Tables { ref stock, .. } if !stock.is_empty() => (stock, "SKU#-"),
            Tables { ref reference, .. } => (reference, key::LOCATION),
        };
        self.db
            .get_item()
            .table_name(table)
            .set_key(Some(item::key(pk, key::ALONE)))
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (warm-up)", error))?;
        Ok(())
    }
}
