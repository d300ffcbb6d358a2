//! What was found to differ from the books, until a person has looked into it.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::discrepancy::{Discrepancy, Resolution};
use domain::reconcile::Reconciliation;
use jiff::Timestamp;

use crate::item::{Item, attribute, item, key, number, text, update_or_see, value};
use crate::{DynamoDb, StoreError, key};

/// Discrepancies, and how far the search for them is.
#[async_trait]
pub trait Discrepancies: Send + Sync {
    /// A page of those that are open, the oldest first, after one of this time and id; and the time
    /// and id to go on after. Read from an index: what was closed a moment ago is left out, what was
    /// opened a moment ago may be missing.
    async fn open_discrepancies(
        &self,
        after: Option<(Timestamp, String)>,
    ) -> Result<(Vec<Discrepancy>, Option<(Timestamp, String)>), StoreError>;

    /// Notes one, unless it is noted; whether nobody has closed it.
    async fn note_discrepancy(&self, found: &Discrepancy) -> Result<bool, StoreError>;

    /// How far the reconciliation of all levels is.
    async fn load_reconciliation(&self) -> Result<Option<Reconciliation>, StoreError>;

    /// Notes how far it is, if that was last noted as version `before` (0: never); `false` if somebody
    /// else has noted it since.
    async fn store_reconciliation(
        &self,
        before: u64,
        after: &Reconciliation,
    ) -> Result<bool, StoreError>;

    /// Closes one with what a person found out, and gives it as it is now: if it was closed before,
    /// what was said then stays. `None` if there is none of this id.
    async fn resolve_discrepancy(
        &self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<Option<Discrepancy>, StoreError>;
}

/// The item of one that is open.
pub(crate) fn discrepancy_item(found: &Discrepancy) -> Result<Item, StoreError> {
    let pk = key::discrepancy(&found.id);
    let mut item = item(found, "discrepancy", pk, key::ALONE)?;
    item.insert("open".into(), text(key::OPEN_DISCREPANCIES));
    item.insert("open_at".into(), number(found.at.as_second()));
    Ok(item)
}

#[async_trait]
impl Discrepancies for DynamoDb {
    async fn open_discrepancies(
        &self,
        after: Option<(Timestamp, String)>,
    ) -> Result<(Vec<Discrepancy>, Option<(Timestamp, String)>), StoreError> {
        let from = after.map(|(at, id)| {
            let mut from = key(key::discrepancy(&id), key::ALONE);
            from.insert("open".into(), text(key::OPEN_DISCREPANCIES));
            from.insert("open_at".into(), number(at.as_second()));
            from
        });
        let stock = &self.tables.stock;
        let (items, next) = self
            .query_open(stock, key::OPEN_DISCREPANCIES, Timestamp::MAX, from)
            .await?;
        let keys = items.into_iter().map(|mut item| {
            item.retain(|name, _| name == "pk" || name == "sk");
            item
        });
        let found = self.batch_get(stock, keys.collect()).await?.into_iter();
        let found: Vec<Discrepancy> = found.map(value).collect::<Result<_, _>>()?;
        let mut found: Vec<_> = found.into_iter().filter(|d| d.resolved.is_none()).collect();
        found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok((found, next.as_ref().and_then(place)))
    }

    async fn note_discrepancy(&self, found: &Discrepancy) -> Result<bool, StoreError> {
        let written = self
            .db
            .put_item()
            .table_name(&self.tables.stock)
            .set_item(Some(discrepancy_item(found)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = written else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(known)) => {
                let closed = known
                    .item()
                    .is_some_and(|item| item.contains_key("resolved"));
                Ok(!closed)
            }
            _ => Err(StoreError::of("PutItem (discrepancy)", error)),
        }
    }

    async fn load_reconciliation(&self) -> Result<Option<Reconciliation>, StoreError> {
        let found = self
            .db
            .get_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::RECONCILIATION, key::ALONE)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (reconciliation)", error))?;
        found.item.map(value).transpose()
    }

    async fn store_reconciliation(
        &self,
        before: u64,
        after: &Reconciliation,
    ) -> Result<bool, StoreError> {
        let pk = key::RECONCILIATION.to_owned();
        let put = self
            .db
            .put_item()
            .table_name(&self.tables.stock)
            .set_item(Some(item(after, "reconciliation", pk, key::ALONE)?));
        let put = match before {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            before => put
                .condition_expression("version = :before")
                .expression_attribute_values(":before", number(before)),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::of("PutItem (reconciliation)", error)),
            },
        }
    }

    async fn resolve_discrepancy(
        &self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<Option<Discrepancy>, StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::discrepancy(id), key::ALONE)))
            .update_expression("SET resolved = :resolution REMOVE #open, open_at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(resolved)")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":resolution", attribute(resolution)?);
        update_or_see(update, "UpdateItem (discrepancy)").await
    }
}

/// The place in the list that a key of the index stands for.
fn place(item: &Item) -> Option<(Timestamp, String)> {
    let (Some(AttributeValue::N(at)), Some(AttributeValue::S(pk))) =
        (item.get("open_at"), item.get("pk"))
    else {
        return None;
    };
    let at = Timestamp::from_second(at.parse().ok()?).ok()?;
    Some((at, pk.strip_prefix(key::DISCREPANCY)?.to_owned()))
}
