//! Tables, made once and found again in a data directory.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::template::Table;

/// How the database says that it has not made what it knows of.
const NO_TABLE: &str = "no such table";

/// Makes a table, or finds it as the template wants it.
pub(super) fn create(database: &Database, table: &Table) -> Result<()> {
    let name = &table.name;
    let make = || {
        let request = serde_json::from_value(table.create.clone())?;
        Ok::<_, anyhow::Error>(database.create_table(request))
    };
    match make()? {
        Ok(_) => {}
        // Who made it was killed before it was whole: nothing has been served from it.
        Err(DynoxideError::ResourceInUseException(_)) if is_half_made(database, table)? => {
            database.delete_table(serde_json::from_value(json!({"TableName": name}))?)?;
            make()??;
        }
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

/// Whether a table is known of, and has nothing in it because it, or an index of it, is not there: the database
/// makes them one after the other, and says only what it looked for in vain.
fn is_half_made(database: &Database, table: &Table) -> Result<bool> {
    let look = |index: Option<&Value>| {
        let request = json!({"TableName": table.name, "IndexName": index, "Limit": 1});
        match database.scan(serde_json::from_value(request)?) {
            Ok(found) => Ok(Some(found.count)),
            Err(DynoxideError::InternalServerError(what)) if what.contains(NO_TABLE) => Ok(None),
            Err(error) => Err(anyhow::Error::from(error)),
        }
    };
    let Some(items) = look(None)? else {
        return Ok(true);
    };
    let indexes = table.create["GlobalSecondaryIndexes"].as_array();
    let mut whole = true;
    for index in indexes.into_iter().flatten() {
        whole &= look(Some(&index["IndexName"]))?.is_some();
    }
    if !whole && items > 0 {
        bail!("an index of it is missing in the data directory, and there is something in it");
    }
    Ok(!whole)
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

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "Orders::gsi::open";

    fn orders() -> Table {
        let key = |name| json!([{"AttributeName": name, "KeyType": "HASH"}]);
        let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
        Table {
            name: "Orders".into(),
            create: json!({
                "TableName": "Orders",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": key("pk"),
                "AttributeDefinitions": [text("pk"), text("open")],
                "GlobalSecondaryIndexes": [
                    {"IndexName": "open", "KeySchema": key("open"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
                ],
            }),
            expires_by: None,
        }
    }

    /// Makes the table in a file, takes out of it what a killed process would not have made, and makes it again.
    fn after_a_kill(test: &str, missing: &[&str], item: Option<Value>) -> Result<()> {
        let name = format!("waybill-tables-{}-{test}.sqlite", std::process::id());
        let file = std::env::temp_dir().join(name);
        let open = || Database::new(&file.to_string_lossy()).unwrap();
        let put = |database: &Database, item: &Value| {
            let request = json!({"TableName": "Orders", "Item": item});
            database.put_item(serde_json::from_value(request).unwrap())
        };
        let database = open();
        create(&database, &orders()).unwrap();
        if let Some(item) = &item {
            put(&database, item).unwrap();
        }
        drop(database);
        let inside = rusqlite::Connection::open(&file).unwrap();
        for table in missing {
            let dropped = inside.execute(&format!("DROP TABLE \"{table}\""), []);
            dropped.unwrap();
        }
        drop(inside);
        let database = open();
        let made = create(&database, &orders());
        if made.is_ok() {
            let indexed = json!({"pk": {"S": "1"}, "open": {"S": "0"}});
            put(&database, &indexed).unwrap();
        }
        drop(database);
        std::fs::remove_file(&file).unwrap();
        made
    }

    #[test]
    fn a_table_that_was_made_by_half_is_made_again() {
        after_a_kill("whole", &[], None).unwrap();
        after_a_kill("nothing", &["Orders", INDEX], None).unwrap();
        after_a_kill("index", &[INDEX], None).unwrap();
    }

    #[test]
    fn what_is_in_a_table_is_never_thrown_away() {
        let item = json!({"pk": {"S": "0"}});
        after_a_kill("filled", &[], Some(item.clone())).unwrap();
        let error = after_a_kill("broken", &[INDEX], Some(item)).unwrap_err();
        let why = "an index of it is missing in the data directory, and there is something in it";
        assert_eq!(error.to_string(), why);
    }
}
