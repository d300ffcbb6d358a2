//! Facts about stock: stored when they are reported, applied afterwards.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::OrderId;
use domain::fact::{StockFact, Transfer, Transit};
use jiff::Timestamp;

use crate::item::{Item, attribute, item, key, number, text, value};
use crate::write::refused;
use crate::{DynamoDb, StoreError, key};

/// Something in the stock table that may need a hint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenStock {
    /// A fact that the level does not have yet: SKU and id.
    Fact(String, String),
    /// An order that waits for a SKU.
    Waiting(String, OrderId),
}

/// Facts about stock.
#[async_trait]
pub trait Facts: Send + Sync {
    /// Stores a fact, unless one of that id is there: then that one is given back.
    async fn store_fact(&self, fact: &StockFact) -> Result<Option<StockFact>, StoreError>;

    /// A fact as it is now.
    async fn load_fact(&self, sku: &str, id: &str) -> Result<Option<StockFact>, StoreError>;

    /// Facts as they are now, at most 100; those that do not exist are left out.
    async fn load_facts(&self, sku: &str, ids: &[&str]) -> Result<Vec<StockFact>, StoreError>;

    /// The transfers of a SKU that are on the road.
    async fn in_transit(&self, sku: &str) -> Result<Vec<Transfer>, StoreError>;

    /// What of one shard has waited since `before`, and where to go on.
    async fn open_stock(
        &self,
        shard: u32,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OpenStock>, Option<Item>), StoreError>;
}

#[async_trait]
impl Facts for DynamoDb {
    async fn store_fact(&self, fact: &StockFact) -> Result<Option<StockFact>, StoreError> {
        let mut item = item(fact, "fact", key::sku(&fact.sku), key::fact(&fact.id))?;
        item.insert("open".into(), text(key::open_shard(&fact.id)));
        item.insert("open_at".into(), number(fact.at.as_second()));
        let written = self
            .db
            .put_item()
            .table_name(&self.tables.stock)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = written else {
            return Ok(None);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(known)) => match known.item() {
                Some(known) => Ok(Some(value(known.clone())?)),
                None => self.load_fact(&fact.sku, &fact.id).await,
            },
            _ => Err(StoreError::of("PutItem (fact)", error)),
        }
    }

    async fn load_fact(&self, sku: &str, id: &str) -> Result<Option<StockFact>, StoreError> {
        let found = self
            .db
            .get_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(sku), key::fact(id))))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (fact)", error))?;
        found.item.map(value).transpose()
    }

    async fn load_facts(&self, sku: &str, ids: &[&str]) -> Result<Vec<StockFact>, StoreError> {
        let keys = ids.iter().map(|id| key(key::sku(sku), key::fact(id)));
        let items = self.batch_get(&self.tables.stock, keys.collect()).await?;
        items.into_iter().map(value).collect()
    }

    async fn in_transit(&self, sku: &str) -> Result<Vec<Transfer>, StoreError> {
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), key::TRANSFER)
            .await?;
        items.into_iter().map(value).collect()
    }

    async fn open_stock(
        &self,
        shard: u32,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OpenStock>, Option<Item>), StoreError> {
        let shard = shard.to_string();
        let (items, next) = self
            .query_open(&self.tables.stock, &shard, before, from)
            .await?;
        let open = items.iter().filter_map(|item| {
            let part = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text)) => Some(text.as_str()),
                _ => None,
            };
            let (sku, sk) = (part("pk")?.strip_prefix("SKU#")?.to_owned(), part("sk")?);
            match (sk.strip_prefix("FACT#"), sk.strip_prefix(key::WAITING)) {
                (Some(id), _) => Some(OpenStock::Fact(sku, id.to_owned())),
                (_, Some(waiting)) => {
                    let (_, order) = waiting.split_once('#')?;
                    Some(OpenStock::Waiting(sku, OrderId::parse(order)?))
                }
                _ => None,
            }
        });
        Ok((open.collect(), next))
    }
}

impl DynamoDb {
    /// The action that marks a fact as applied, and takes it out of the index of open work. It is
    /// refused if it has been applied.
    pub(crate) fn apply_fact(&self, sku: &str, id: &str) -> Result<Update, StoreError> {
        Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(sku), key::fact(id))))
            .update_expression("SET applied = :true REMOVE #open, open_at")
            .condition_expression("applied = :false")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":true", attribute(&true)?)
            .expression_attribute_values(":false", attribute(&false)?)
            .build()
            .map_err(refused)
    }

    /// The action that puts goods on the road, or takes them off it: each once.
    pub(crate) fn pass_transit(&self, transit: &Transit) -> Result<TransactWriteItem, StoreError> {
        let table = &self.tables.stock;
        let action = TransactWriteItem::builder();
        match transit {
            Transit::Begins(transfer) => {
                let (pk, sk) = (key::sku(&transfer.sku), key::transfer(&transfer.id));
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item(transfer, "transfer", pk, sk)?))
                    .condition_expression("attribute_not_exists(pk)");
                Ok(action.put(put.build().map_err(refused)?).build())
            }
            Transit::Ends(transfer) => {
                let (pk, sk) = (key::sku(&transfer.sku), key::transfer(&transfer.id));
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key(pk, sk)))
                    .condition_expression("attribute_exists(pk)");
                Ok(action.delete(delete.build().map_err(refused)?).build())
            }
        }
    }
}
