//! Where postal codes are, for the countries whose codes a retailer has imported.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::geo::Point;
use serde::{Deserialize, Serialize};

use crate::item::{item, key, number, text};
use crate::{DynamoDb, StoreError, key};

/// Where a postal code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalCode {
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// The code, as [`postal_area`](domain::geo::postal_area) reads it.
    pub area: String,
    /// Where it is.
    pub point: Point,
}

#[derive(Serialize, Deserialize)]
struct Place {
    point: Point,
}

#[derive(Deserialize)]
struct Countries {
    countries: BTreeSet<String>,
}

/// Imported postal codes.
#[async_trait]
pub trait PostalCodes: Send + Sync {
    /// The countries of which any have been imported; of others none need be asked for.
    async fn postal_countries(&self) -> Result<BTreeSet<String>, StoreError>;

    /// Where a code of one of these countries is, if it has been imported.
    async fn postal_code(&self, country: &str, area: &str) -> Result<Option<Point>, StoreError>;

    /// Stores codes, new or changed: at most [`MAX_BATCH_WRITES`](domain::limits::MAX_BATCH_WRITES),
    /// none twice. Gives back those that the database had no capacity for at the moment.
    async fn put_postal_codes(&self, codes: &[PostalCode]) -> Result<Vec<PostalCode>, StoreError>;

    /// From now on codes of these countries, one at least, are asked for, besides those of others.
    async fn add_postal_countries(&self, countries: &BTreeSet<String>) -> Result<(), StoreError>;
}

#[async_trait]
impl PostalCodes for DynamoDb {
    async fn postal_countries(&self) -> Result<BTreeSet<String>, StoreError> {
        let found: Option<Countries> = self
            .get(&self.tables.places, key(key::POSTAL, key::ALONE))
            .await?;
        Ok(found.map(|found| found.countries).unwrap_or_default())
    }

    async fn postal_code(&self, country: &str, area: &str) -> Result<Option<Point>, StoreError> {
        let found: Option<Place> = self
            .get(
                &self.tables.places,
                key(key::postal_code(country, area), key::ALONE),
            )
            .await?;
        Ok(found.map(|found| found.point))
    }

    async fn put_postal_codes(&self, codes: &[PostalCode]) -> Result<Vec<PostalCode>, StoreError> {
        const OPERATION: &str = "BatchWriteItem";
        let refused = |error: BuildError| StoreError::Refused {
            operation: OPERATION,
            cause: error.to_string(),
        };
        let mut requests = Vec::with_capacity(codes.len());
        for code in codes {
            let pk = key::postal_code(&code.country, &code.area);
            let item = item(&Place { point: code.point }, "postal_code", pk, key::ALONE)?;
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(refused)?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        let written = self
            .db
            .batch_write_item()
            .request_items(&self.tables.places, requests)
            .send()
            .await
            .map_err(|error| StoreError::of(OPERATION, error))?;
        let unwritten = written.unprocessed_items.unwrap_or_default();
        let unwritten = unwritten.values().flatten();
        let keys: BTreeSet<&String> = unwritten
            .filter_map(|request| request.put_request()?.item().get("pk")?.as_s().ok())
            .collect();
        let is_left =
            |code: &&PostalCode| keys.contains(&key::postal_code(&code.country, &code.area));
        Ok(codes.iter().filter(is_left).cloned().collect())
    }

    async fn add_postal_countries(&self, countries: &BTreeSet<String>) -> Result<(), StoreError> {
        self.db
            .update_item()
            .table_name(&self.tables.places)
            .set_key(Some(key(key::POSTAL, key::ALONE)))
            .update_expression(
                "SET entity = :entity, #schema = :one, version = :one ADD countries :countries",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":entity", text("postal_countries"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(
                ":countries",
                AttributeValue::Ss(countries.iter().cloned().collect()),
            )
            .send()
            .await
            .map_err(|error| StoreError::of("UpdateItem (postal countries)", error))?;
        Ok(())
    }
}
