//! Keys, load, commit: the only code that knows DynamoDB.
//!
//! Everything that decides is read consistently or guarded by a condition; what an index says is
//! only a hint. A write whose condition fails brings back the item as it is, so that the caller
//! decides again on the truth without reading it.

mod claim;
mod commit;
mod deliveries;
mod discrepancies;
mod drive;
mod error;
mod facts;
mod inbound;
mod item;
pub mod key;
mod ledger;
mod levels;
mod listings;
mod orders;
mod polls;
mod postal;
mod prospect;
mod reference;
mod replays;
mod reservations;
mod subscribers;
mod transact;
mod write;

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::candidates::Network;

pub use claim::{Claim, Claims};
pub use commit::{Committed, Created};
pub use deliveries::Deliveries;
pub use discrepancies::Discrepancies;
pub use drive::{Driven, MAX_ATTEMPTS};
pub use error::StoreError;
pub use facts::{Facts, OpenStock};
pub use inbound::Inbounds;
pub use item::Item as Cursor;
pub use ledger::{LEDGER_PAGES, LedgerPage, Ledgers, TakenOut};
pub use levels::{Levels, cursor_at, level_place, place_of};
pub use listings::Listings;
pub use orders::{Orders, Story, UnreadableDelivery};
pub use polls::Polls;
pub use postal::{PostalCode, PostalCodes};
pub use prospect::Prospect;
pub use reference::Reference;
pub use replays::{Again, Heard, Replays};
pub use reservations::{Ending, Reservations};
pub use subscribers::Subscribers;
pub use transact::{Commit, Conflict, Transacted, Waiting};
pub use write::{Found, Refusal, Write, Writes, Written, room_for};

/// The names of the tables; empty for those that a function does not use.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Orders, their contacts and timelines.
    pub orders: String,
    /// Levels, ledgers, facts about stock.
    pub stock: String,
    /// Products, locations, suppliers, tariffs, accounts, keys.
    pub reference: String,
    /// Imported postal codes: many more than a retailer has products.
    pub places: String,
}

/// What the store asks of a database: single reads, and writes that are conditional and whole. Each
/// call is one request to DynamoDB, pages apart. A simulation answers them from memory instead.
#[async_trait]
pub trait Database:
    Writes
    + Orders
    + Levels
    + Ledgers
    + Facts
    + Inbounds
    + Reservations
    + Discrepancies
    + Claims
    + Reference
    + Polls
    + Subscribers
    + Deliveries
    + Replays
    + Listings
    + PostalCodes
{
    /// Opens a connection while there is time: the first caller then does not wait for it.
    async fn warm(&self) -> Result<(), StoreError>;
}

/// The store: what a database offers, and what makes a protocol of it (drive, commit, transact).
/// Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<dyn Database>);

impl Store {
    /// A store on the given tables.
    pub fn new(aws: &aws_types::SdkConfig, tables: Tables) -> Self {
        Self::on(Arc::new(DynamoDb {
            db: Client::new(aws),
            tables,
        }))
    }

    /// All that routing rests on and that seldom changes.
    pub async fn network(&self) -> Result<Network, StoreError> {
        let locations = self.locations().await?;
        let (rates, rules) = (self.rates().await?, self.rules().await?);
        Ok(Network::new(locations, rates, rules))
    }

    /// A store on another database.
    pub fn on(database: Arc<dyn Database>) -> Self {
        Self(database)
    }
}

impl Deref for Store {
    type Target = dyn Database;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Store")
    }
}

/// Amazon DynamoDB.
struct DynamoDb {
    db: Client,
    tables: Tables,
}

#[async_trait]
impl Database for DynamoDb {
    /// Reads an item that need not exist.
    async fn warm(&self) -> Result<(), StoreError> {
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
