//! Rules for tables.

use serde_json::{Value, json};

use crate::template::{Template, fault};

const TABLE: &str = "AWS::DynamoDB::Table";

fn each(template: &Template, what: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    template
        .resources(TABLE)
        .filter_map(|(id, table)| fault(holds(table), || format!("{id} {what}")))
        .collect()
}

/// A mistake can be undone for 35 days.
pub fn tables_can_be_restored(template: &Template) -> Vec<String> {
    each(template, "has no point-in-time recovery", |table| {
        table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true
    })
}

/// With a key that the account can see and audit.
pub fn tables_are_encrypted(template: &Template) -> Vec<String> {
    each(template, "is not encrypted", |table| {
        table["SSESpecification"]["SSEEnabled"] == true
    })
}

/// Nothing to plan, nothing to pay at rest.
pub fn tables_are_on_demand(template: &Template) -> Vec<String> {
    each(template, "is not on demand", |table| {
        table["BillingMode"] == "PAY_PER_REQUEST"
    })
}

/// What may be forgotten says so in one attribute everywhere.
pub fn tables_expire_by_one_attribute(template: &Template) -> Vec<String> {
    let expected = json!({"AttributeName": "expires_at", "Enabled": true});
    each(template, "does not expire items by expires_at", |table| {
        table["TimeToLiveSpecification"] == expected
    })
}

/// Orders outlive the stack, and nobody deletes them by accident.
pub fn tables_survive_the_stack(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, resource) in template.all().filter(|(_, all)| all["Type"] == TABLE) {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            faults.extend(fault(resource[policy] == "Retain", || {
                format!("{id} is deleted by its {policy}")
            }));
        }
        let protection = &resource["Properties"]["DeletionProtectionEnabled"];
        let parameter = protection["Ref"].as_str().unwrap_or_default();
        let default = &template.value["Parameters"][parameter]["Default"];
        faults.extend(fault(default == "true", || {
            format!("{id} is not protected from deletion by default")
        }));
    }
    faults
}

/// Partition and sort key have the same names everywhere; indexes copy keys alone, since every copy is paid for.
pub fn tables_have_the_usual_keys(template: &Template) -> Vec<String> {
    let keys = json!([
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]);
    let mut faults = each(template, "is not keyed by pk and sk", |table| {
        table["KeySchema"] == keys
    });
    for (id, table) in template.resources(TABLE) {
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        for index in indexes.into_iter().flatten() {
            faults.extend(fault(
                index["Projection"]["ProjectionType"] == "KEYS_ONLY",
                || format!("{id} copies more than keys to {}", index["IndexName"]),
            ));
        }
    }
    faults
}
