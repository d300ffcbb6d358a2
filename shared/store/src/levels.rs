//! Levels and who waits for goods.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::OrderId;
use domain::restock::Crossing;
use domain::stock::{Level, Movement};

use crate::item::{Item, attribute, key, number, text, value};
use crate::{DynamoDb, StoreError, key};

/// Levels, their ledgers, and who waits for goods.
#[async_trait]
pub trait Levels: Send + Sync {
    /// The levels of SKUs in locations, as they are now; those that do not exist are left out.
    async fn load_levels(&self, keys: &[(&str, &str)]) -> Result<Vec<Level>, StoreError>;

    /// The levels of a SKU in every location.
    async fn levels_of(&self, sku: &str) -> Result<Vec<Level>, StoreError>;

    /// The movements of a SKU that are on pages, for a location: what its level's own item does not
    /// hold any more.
    async fn ledger_pages(&self, sku: &str, location: &str) -> Result<Vec<Movement>, StoreError>;

    /// The orders that wait for a SKU, the oldest first.
    async fn waiting_for(&self, sku: &str) -> Result<Vec<OrderId>, StoreError>;

    /// A page of all levels, and where to go on.
    async fn scan_levels(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Level>, Option<Item>), StoreError>;

    /// Notes that a level has crossed its reorder point; `false` if somebody has noted it.
    async fn open_crossing(&self, level: &Level, crossing: &Crossing) -> Result<bool, StoreError>;

    /// Notes that everybody has been told of a crossing.
    async fn tell_crossing(&self, level: &Level, crossing: &Crossing) -> Result<bool, StoreError>;

    /// Notes that a level is above its reorder point again.
    async fn close_crossing(&self, level: &Level) -> Result<bool, StoreError>;
}

#[async_trait]
impl Levels for DynamoDb {
    async fn load_levels(&self, keys: &[(&str, &str)]) -> Result<Vec<Level>, StoreError> {
        let mut levels = Vec::with_capacity(keys.len());
        for keys in keys.chunks(100) {
            let keys = keys
                .iter()
                .map(|(sku, location)| key(key::sku(sku), key::level(location)));
            let items = self.batch_get(&self.tables.stock, keys.collect()).await?;
            for item in items {
                levels.push(value(item)?);
            }
        }
        Ok(levels)
    }

    async fn levels_of(&self, sku: &str) -> Result<Vec<Level>, StoreError> {
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), key::LEVEL)
            .await?;
        items.into_iter().map(value).collect()
    }

    async fn ledger_pages(&self, sku: &str, location: &str) -> Result<Vec<Movement>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Page {
            movements: Vec<Movement>,
        }
        let prefix = format!("{}{location}#", key::LEDGER);
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), &prefix)
            .await?;
        let mut movements = Vec::new();
        for item in items {
            movements.extend(value::<Page>(item)?.movements);
        }
        Ok(movements)
    }

    async fn waiting_for(&self, sku: &str) -> Result<Vec<OrderId>, StoreError> {
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), key::WAITING)
            .await?;
        let order = |item: &Item| match item.get("order") {
            Some(AttributeValue::S(id)) => OrderId::parse(id),
            _ => None,
        };
        Ok(items.iter().filter_map(order).collect())
    }

    async fn scan_levels(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Level>, Option<Item>), StoreError> {
        let page = self
            .db
            .scan()
            .table_name(&self.tables.stock)
            .filter_expression("entity = :level")
            .expression_attribute_values(":level", text("level"))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| StoreError::of("Scan (levels)", error))?;
        let levels = page.items.unwrap_or_default().into_iter().map(value);
        Ok((levels.collect::<Result<_, _>>()?, page.last_evaluated_key))
    }

    async fn open_crossing(&self, level: &Level, crossing: &Crossing) -> Result<bool, StoreError> {
        let update = "SET low = :low, crossings = :n";
        let values = [(":low", attribute(crossing)?), (":n", number(crossing.n))];
        self.update_crossing(level, update, "attribute_not_exists(low)", values.into())
            .await
    }

    async fn tell_crossing(&self, level: &Level, crossing: &Crossing) -> Result<bool, StoreError> {
        let told = Crossing {
            told: true,
            ..crossing.clone()
        };
        let values = [(":low", attribute(&told)?), (":n", number(crossing.n))];
        self.update_crossing(level, "SET low = :low", "low.n = :n", values.into())
            .await
    }

    async fn close_crossing(&self, level: &Level) -> Result<bool, StoreError> {
        let n = level.low.as_ref().map_or(0, |low| low.n);
        let values = [(":n", number(n))];
        self.update_crossing(level, "REMOVE low", "low.n = :n", values.into())
            .await
    }
}

impl DynamoDb {
    async fn update_crossing(
        &self,
        level: &Level,
        update: &str,
        condition: &str,
        values: Vec<(&str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let written = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(&level.sku), key::level(&level.location))))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values.collect()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::of("UpdateItem (crossing)", error)),
            },
        }
    }
}
