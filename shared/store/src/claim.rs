//! Who may send a message to a person: one claim per message, taken before it is sent.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use crate::item::{key, number, text};
use crate::{DynamoDb, StoreError, key};

/// What came of claiming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours: send.
    Taken,
    /// Somebody took it then. Either it was sent, or whoever took it is at it, or has died.
    Held(Timestamp),
}

/// Days for which a claim is kept: longer than any message can wait in a queue (14 days).
const KEPT_DAYS: i64 = 60;

/// Claims to send something, each taken once.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Claims the sending of something about an order. `stale` is the claim to take over, as
    /// [`Claim::Held`] told of it, for when its holder has evidently died.
    async fn claim_notice(
        &self,
        id: &domain::OrderId,
        notice: &str,
        stale: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Claim, StoreError>;
}

#[async_trait]
impl Claims for DynamoDb {
    async fn claim_notice(
        &self,
        id: &domain::OrderId,
        notice: &str,
        stale: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut item = key(key::order(id), key::claim(notice));
        item.insert("entity".into(), text("claim"));
        item.insert("schema".into(), number(1));
        item.insert("version".into(), number(1));
        item.insert("at".into(), number(now.as_millisecond()));
        let expires_at = now.as_second() + KEPT_DAYS * 86_400;
        item.insert("expires_at".into(), number(expires_at));
        let put = self
            .db
            .put_item()
            .table_name(&self.tables.orders)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match stale {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(stale) => put
                .condition_expression("#at = :stale")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":stale", number(stale.as_millisecond())),
        };
        let Err(error) = put.send().await else {
            return Ok(Claim::Taken);
        };
        if let Some(PutItemError::ConditionalCheckFailedException(held)) = error.as_service_error()
        {
            let at = match held.item().and_then(|item| item.get("at")) {
                Some(AttributeValue::N(at)) => at.parse().ok(),
                _ => None,
            };
            let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
            return Ok(Claim::Held(at.unwrap_or(now)));
        }
        Err(StoreError::of("PutItem (claim)", error))
    }
}
