//! Facts about stock: stored when they are reported, applied afterwards.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::stock::StockFact;
use jiff::Timestamp;

use crate::item::{Item, attribute, item, key, number, text, value};
use crate::{Store, StoreError, key};

impl Store {
    /// Stores a fact, unless one of that id is there: then that one is given back.
    pub async fn store_fact(&self, fact: &StockFact) -> Result<Option<StockFact>, StoreError> {
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

    /// A fact as it is now.
    pub async fn load_fact(&self, sku: &str, id: &str) -> Result<Option<StockFact>, StoreError> {
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

    /// The action that marks a fact as applied, and takes it out of the index of open work. It is
    /// refused if it has been applied.
    pub(crate) fn apply_fact(&self, sku: &str, id: &str) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(sku), key::fact(id))))
            .update_expression("SET applied = :true REMOVE #open, open_at")
            .condition_expression("applied = :false")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":true", attribute(&true)?)
            .expression_attribute_values(":false", attribute(&false)?)
            .build()
            .map_err(|error| StoreError::Refused {
                operation: "applying a fact",
                cause: error.to_string(),
            })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// SKU and id of the facts of one shard that have waited since `before`, and where to go on.
    pub async fn open_facts(
        &self,
        shard: u32,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<(String, String)>, Option<Item>), StoreError> {
        let (items, next) = self
            .query_open(&self.tables.stock, shard, before, from)
            .await?;
        let names = items.iter().filter_map(|item| {
            let part = |name: &str, prefix: &str| match item.get(name) {
                Some(AttributeValue::S(text)) => text.strip_prefix(prefix).map(str::to_owned),
                _ => None,
            };
            Some((part("pk", "SKU#")?, part("sk", "FACT#")?))
        });
        Ok((names.collect(), next))
    }
}
