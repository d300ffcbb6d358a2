//! Rust values as items and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// An item; of a page, the key to go on from.
pub type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([("pk".into(), text(pk)), ("sk".into(), text(sk))])
}

/// Any value as an attribute.
pub(crate) fn attribute<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| StoreError::Refused {
        operation: "writing an attribute",
        cause: error.to_string(),
    })
}

/// A value as an item: its own fields beside the key, what it is, and its format's number.
pub(crate) fn item<T: Serialize>(
    value: &T,
    entity: &str,
    pk: String,
    sk: impl Into<String>,
) -> Result<Item, StoreError> {
    let sk = sk.into();
    let fields: Item = serde_dynamo::to_item(value).map_err(|error| StoreError::Refused {
        operation: "writing an item",
        cause: format!("{pk} {sk}: {error}"),
    })?;
    let mut item = key(pk, sk);
    item.insert("entity".into(), text(entity));
    item.insert("schema".into(), number(1));
    // What is written once has had one version.
    item.insert("version".into(), number(1));
    item.extend(fields);
    Ok(item)
}

/// Puts an item where there is none, or over the one that was written in the turn `before`; whether it was so. Of two
/// who go on from the same turn one does.
pub(crate) async fn put_after(
    put: PutItemFluentBuilder,
    before: Option<u64>,
    operation: &'static str,
) -> Result<bool, StoreError> {
    let put = match before {
        None => put.condition_expression("attribute_not_exists(pk)"),
        Some(turn) => put
            .condition_expression("turn = :turn")
            .expression_attribute_values(":turn", number(turn)),
    };
    let Err(error) = put.send().await else {
        return Ok(true);
    };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
        _ => Err(StoreError::of(operation, error)),
    }
}

/// Sends an update that has a condition; the item as it is then, whether that held or not. `None` if there
/// is no such item.
pub(crate) async fn update_or_see<T: DeserializeOwned>(
    update: UpdateItemFluentBuilder,
    operation: &'static str,
) -> Result<Option<T>, StoreError> {
    let written = update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(OnFailure::AllOld)
        .send()
        .await;
    let now = match written {
        Ok(written) => written.attributes,
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(known)) => known.item().cloned(),
            _ => return Err(StoreError::of(operation, error)),
        },
    };
    now.map(value).transpose()
}

/// An item as a value.
pub(crate) fn value<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let part = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::from("?"),
    };
    let key = format!("{} {}", part("pk"), part("sk"));
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable {
        key,
        cause: error.to_string(),
    })
}
