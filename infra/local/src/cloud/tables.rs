//! Tables, made once and found again in a data directory.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::template::Table;

/// Makes a table, or finds it as the template wants it.
pub(super) fn create(database: &Database, table: &Table) -> Result<()> {
    let name = &table.name;
    match database.create_table(serde_json::from_value(table.create.clone())?) {
        Ok(_) => {}
        Err(DynoxideError::ResourceInUseException(_)) => {
            let described =
                database.describe_table(serde_json::from_value(json!({"TableName": name}))?)?;
            let found = &serde_json::to_value(described)?["Table"];
            if shape(found) != shape(&table.create) {
                bail!("the data directory holds it with other keys or indexes than the template's");
            }
        }
        Err(error) => return Err(error.into()),
    }
    if let Some(attribute) = &table.expires_by {
        let ttl =
            database.describe_time_to_live(serde_json::from_value(json!({"TableName": name}))?)?;
        let ttl = serde_json::to_value(ttl)?;
        if ttl["TimeToLiveDescription"]["TimeToLiveStatus"] != "ENABLED" {
            database.update_time_to_live(serde_json::from_value(json!({
                "TableName": name,
                "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
            }))?)?;
        }
    }
    Ok(())
}

/// The keys of a table and of its indexes.
fn shape(table: &Value) -> (String, BTreeSet<String>) {
    let indexes = table["GlobalSecondaryIndexes"].as_array();
    (
        table["KeySchema"].to_string(),
        indexes
            .into_iter()
            .flatten()
            .map(|index| format!("{} {}", index["IndexName"], index["KeySchema"]))
            .collect(),
    )
}
