//! Purchase lines on their way, in the partition of their SKU.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use domain::inbound::Inbound;

use crate::item::{key, number, text, value};
use crate::write::refused;
use crate::{DynamoDb, StoreError, key};

/// Purchase lines.
#[async_trait]
pub trait Inbounds: Send + Sync {
    /// Stores what is expected, new or changed; as it is now. What has come in of it stays as it is.
    async fn put_inbound(&self, inbound: &Inbound) -> Result<Inbound, StoreError>;

    /// The purchase lines of a SKU, by id.
    async fn inbound_of(&self, sku: &str) -> Result<Vec<Inbound>, StoreError>;
}

#[async_trait]
impl Inbounds for DynamoDb {
    async fn put_inbound(&self, inbound: &Inbound) -> Result<Inbound, StoreError> {
        let (pk, sk) = (key::sku(&inbound.sku), key::inbound(&inbound.id));
        let written = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(pk, sk)))
            .update_expression(
                "SET entity = :entity, #schema = :schema, id = :id, sku = :sku, \
                 #location = :location, quantity = :quantity, expected_on = :expected_on, \
                 received = if_not_exists(received, :none) ADD version :one",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#location", "location")
            .expression_attribute_values(":entity", text("inbound"))
            .expression_attribute_values(":schema", number(1))
            .expression_attribute_values(":id", text(&inbound.id))
            .expression_attribute_values(":sku", text(&inbound.sku))
            .expression_attribute_values(":location", text(&inbound.location))
            .expression_attribute_values(":quantity", number(inbound.quantity))
            .expression_attribute_values(":expected_on", text(inbound.expected_on.to_string()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| StoreError::of("UpdateItem (inbound)", error))?;
        value(written.attributes.unwrap_or_default())
    }

    async fn inbound_of(&self, sku: &str) -> Result<Vec<Inbound>, StoreError> {
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), key::INBOUND)
            .await?;
        items.into_iter().map(value).collect()
    }
}

impl DynamoDb {
    /// The action that counts what has come in of a purchase line, which has to be there.
    pub(crate) fn receive(&self, sku: &str, id: &str, units: i64) -> Result<Update, StoreError> {
        Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(sku), key::inbound(id))))
            .update_expression("ADD received :units, version :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(refused)
    }
}
