//! One transaction for whatever has to change together: orders, levels, who waits for what.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::limits::{MAX_LEDGER_TAIL, MAX_TRANSACTION_ACTIONS};
use domain::stock::{Level, LevelChange};
use domain::{Order, OrderId};
use jiff::Timestamp;

use crate::drive::MAX_ATTEMPTS;
use crate::item::{Item, attribute, key, number, text, value};
use crate::orders::{put_order, put_page};
use crate::{Store, StoreError, key};

const OPERATION: &str = "TransactWriteItems";

/// Why an action of a transaction was refused.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// It was not: another one was.
    None,
    /// Its condition failed; the item as it is, if there is one.
    Condition(Option<Item>),
    /// Anything else, such as a conflict with another transaction: it may pass later.
    Passing(String),
}

/// Reads why a transaction was cancelled, action by action. An error that is no cancellation stays
/// an error.
pub(crate) fn cancelled<R: std::fmt::Debug>(
    operation: &'static str,
    error: SdkError<TransactWriteItemsError, R>,
) -> Result<Vec<Refusal>, StoreError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Err(StoreError::of(operation, error));
    };
    let refusals = cancelled.cancellation_reasons().iter().map(|reason| {
        match reason.code().unwrap_or("None") {
            "None" => Refusal::None,
            "ConditionalCheckFailed" => Refusal::Condition(reason.item().cloned()),
            passing => Refusal::Passing(passing.to_owned()),
        }
    });
    Ok(refusals.collect())
}

/// An order that waits for a SKU, or no longer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The article.
    pub sku: String,
    /// When the order was placed: the oldest is served first.
    pub placed_at: Timestamp,
    /// The order.
    pub order: OrderId,
    /// Whether it waits.
    pub waits: bool,
}

/// What is to change together.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Orders: the version each has to be at, and what it becomes.
    pub orders: Vec<(u64, Order)>,
    /// Levels, one change each.
    pub changes: Vec<LevelChange>,
    /// Who waits for what.
    pub waiting: Vec<Waiting>,
    /// A fact about stock that becomes applied: its SKU and id.
    pub fact: Option<(String, String)>,
}

impl Commit {
    /// How many actions it takes, a timeline page for each order included.
    pub fn actions(&self) -> usize {
        self.orders.len() * 2
            + self.changes.len()
            + self.waiting.len()
            + usize::from(self.fact.is_some())
    }

    /// Whether it fits one transaction.
    pub fn fits(&self) -> bool {
        self.actions() <= MAX_TRANSACTION_ACTIONS
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Transacted {
    /// All is stored: the orders as they now are.
    Done(Vec<Order>),
    /// Nothing is stored, because something is no longer as it was: the orders that have changed, as
    /// they are. Empty when it was the stock, the fact, or another transaction in the way.
    Conflict(Vec<Order>),
}

/// Which action of the transaction is what.
enum Action {
    Order,
    /// A level, with room for the movements if its tail has at most so many.
    Level(usize),
    Other,
}

/// How many movements a level's own item may hold for those of a change to be added.
fn room_for(change: &LevelChange) -> usize {
    MAX_LEDGER_TAIL.saturating_sub(change.movements.len())
}

type Actions = (Vec<TransactWriteItem>, Vec<Action>, Vec<Order>);

impl Store {
    /// Changes everything in the commit, or nothing. Makes room in a level's ledger when that is
    /// what stands in the way.
    pub async fn transact(&self, commit: Commit) -> Result<Transacted, StoreError> {
        let (actions, kinds, orders) = self.actions(commit)?;
        for _ in 0..MAX_ATTEMPTS {
            let written = self
                .db
                .transact_write_items()
                .set_transact_items(Some(actions.clone()))
                .send()
                .await;
            let Err(error) = written else {
                return Ok(Transacted::Done(orders));
            };
            let mut conflicts = Vec::new();
            let mut full = Vec::new();
            let mut contended = false;
            for (refusal, kind) in cancelled(OPERATION, error)?.into_iter().zip(&kinds) {
                match (refusal, kind) {
                    (Refusal::None, _) => {}
                    (Refusal::Passing(_), _) => contended = true,
                    (Refusal::Condition(Some(item)), Action::Order) => conflicts.push(value(item)?),
                    (Refusal::Condition(Some(item)), Action::Level(room)) => {
                        let level: Level = value(item)?;
                        match level.tail.len() > *room {
                            true => full.push(level),
                            false => contended = true,
                        }
                    }
                    (Refusal::Condition(_), _) => contended = true,
                }
            }
            if contended || !conflicts.is_empty() || full.is_empty() {
                return Ok(Transacted::Conflict(conflicts));
            }
            for level in full {
                self.turn_ledger_page(&level).await?;
            }
        }
        Ok(Transacted::Conflict(Vec::new()))
    }

    fn actions(&self, commit: Commit) -> Result<Actions, StoreError> {
        let (mut actions, mut kinds, mut orders) = (Vec::new(), Vec::new(), Vec::new());
        let put = |put| TransactWriteItem::builder().put(put).build();
        for (before, mut order) in commit.orders {
            if let Some(page) = put_page(self, &mut order)? {
                actions.push(put(page));
                kinds.push(Action::Other);
            }
            actions.push(put(put_order(self, before, &order)?));
            kinds.push(Action::Order);
            orders.push(order);
        }
        for change in commit.changes {
            let update = self.change_level(&change)?;
            actions.push(TransactWriteItem::builder().update(update).build());
            kinds.push(Action::Level(room_for(&change)));
        }
        for waiting in commit.waiting {
            actions.push(self.set_waiting(waiting)?);
            kinds.push(Action::Other);
        }
        if let Some((sku, fact)) = commit.fact {
            actions.push(self.apply_fact(&sku, &fact)?);
            kinds.push(Action::Other);
        }
        Ok((actions, kinds, orders))
    }

    /// The update of a level: counters added to, movements appended; refused when it would promise
    /// what is not available, or when the level's own item has no room for the movements.
    fn change_level(&self, change: &LevelChange) -> Result<Update, StoreError> {
        let delta = change.delta();
        let room = room_for(change);
        let mut condition = String::from("(attribute_not_exists(tail) OR size(tail) <= :room)");
        let mut update = Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(
                key::sku(&change.sku),
                key::level(&change.location),
            )))
            .update_expression(
                "SET entity = :entity, #schema = :schema, sku = :sku, #location = :location, \
                 tail = list_append(if_not_exists(tail, :none), :movements) \
                 ADD on_hand :on_hand, allocated :allocated, available :available, version :count",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#location", "location")
            .expression_attribute_values(":entity", text("level"))
            .expression_attribute_values(":schema", number(1))
            .expression_attribute_values(":sku", text(&change.sku))
            .expression_attribute_values(":location", text(&change.location))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":movements", attribute(&change.movements)?)
            .expression_attribute_values(":on_hand", number(delta.on_hand))
            .expression_attribute_values(":allocated", number(delta.allocated))
            .expression_attribute_values(":available", number(delta.available))
            .expression_attribute_values(":count", number(change.movements.len()))
            .expression_attribute_values(":room", number(room))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if change.needs() > 0 {
            condition.push_str(" AND available >= :needs");
            update = update.expression_attribute_values(":needs", number(change.needs()));
        }
        update
            .condition_expression(condition)
            .build()
            .map_err(|error| StoreError::Refused {
                operation: OPERATION,
                cause: error.to_string(),
            })
    }

    fn set_waiting(&self, waiting: Waiting) -> Result<TransactWriteItem, StoreError> {
        let refused = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Refused {
            operation: OPERATION,
            cause: error.to_string(),
        };
        let mut item = key(
            key::sku(&waiting.sku),
            key::waiting(waiting.placed_at, &waiting.order),
        );
        let action = TransactWriteItem::builder();
        if !waiting.waits {
            let delete = Delete::builder()
                .table_name(&self.tables.stock)
                .set_key(Some(item));
            return Ok(action.delete(delete.build().map_err(refused)?).build());
        }
        item.insert("entity".into(), text("waiting"));
        item.insert("schema".into(), number(1));
        item.insert("version".into(), number(1));
        item.insert("order".into(), text(waiting.order.as_str()));
        let put = Put::builder()
            .table_name(&self.tables.stock)
            .set_item(Some(item));
        Ok(action.put(put.build().map_err(refused)?).build())
    }

    /// Moves the movements that a level's own item holds to a page of the ledger. Nothing to do if
    /// somebody has done it, or the level has moved on: the caller tries again in any case.
    async fn turn_ledger_page(&self, level: &Level) -> Result<(), StoreError> {
        const OPERATION: &str = "TransactWriteItems (ledger page)";
        let refused = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Refused {
            operation: OPERATION,
            cause: error.to_string(),
        };
        let first = level.movements + 1 - level.tail.len() as u64;
        let mut page = key(key::sku(&level.sku), key::ledger(&level.location, first));
        page.insert("entity".into(), text("ledger"));
        page.insert("schema".into(), number(1));
        page.insert("version".into(), number(1));
        page.insert("movements".into(), attribute(&level.tail)?);
        let page = Put::builder()
            .table_name(&self.tables.stock)
            .set_item(Some(page));
        let update = Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(&level.sku), key::level(&level.location))))
            .update_expression("SET tail = :none")
            .condition_expression("version = :seen")
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":seen", number(level.movements));
        let action = TransactWriteItem::builder;
        let written = self
            .db
            .transact_write_items()
            .transact_items(action().put(page.build().map_err(refused)?).build())
            .transact_items(action().update(update.build().map_err(refused)?).build())
            .send()
            .await;
        if let Err(error) = written {
            cancelled(OPERATION, error)?;
        }
        Ok(())
    }
}
