//! What is written, and on which condition: all of a list of writes, or none of them.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::allocation::Load;
use domain::discrepancy::Discrepancy;
use domain::event::Timeline;
use domain::fact::Transit;
use domain::limits::{LEDGER_PAGE, MAX_LEDGER_TAIL};
use domain::order::Contact;
use domain::owed::owed;
use domain::reservation::Reservation;
use domain::stock::{Breakdown, Level, LevelChange};
use domain::{Order, OrderId};
use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::discrepancies::discrepancy_item;
use crate::item::{Item, attribute, item, key, number, text, value};
use crate::ledger::LedgerPage;
use crate::reservations::Ending;
use crate::transact::Waiting;
use crate::{DynamoDb, StoreError, key};

/// Days for which it is kept what a location took on a day.
const LOAD_KEPT: i64 = 8;
const OPERATION: &str = "TransactWriteItems";

/// One write.
#[derive(Debug, Clone)]
pub enum Write {
    /// An order, if it is still at this version (0: if it is not there yet).
    Order(u64, Arc<Order>),
    /// The same version of an order, of which more is handed over to subscribers, if it is still at that version
    /// and so much was (`None`: nobody heard of it).
    Published(Option<u64>, Arc<Order>),
    /// An order's names and addresses.
    Contact(OrderId, Box<Contact>),
    /// A page of an order's timeline.
    Events(OrderId, Timeline),
    /// A level: counters added to, movements appended. Refused when it would promise what is not
    /// available, when the level's own item has no [room](room_for) for the movements, or when it would have
    /// fewer shares than it has. With a page of its ledger that is written: its movements leave the level's own item. Refused
    /// when others have left since they were read.
    Level(LevelChange, Option<LedgerPage>),
    /// What a movement that stands for many is made of.
    Breakdown(Breakdown),
    /// Who waits for what.
    Waiting(Waiting),
    /// What a location takes on a day is more. Refused when that is more than it can.
    Load(Load),
    /// A fact of this SKU and id becomes applied, and leaves the index of open work. Refused if it is.
    FactApplied(String, String),
    /// Goods are on the road, or no longer. Refused if they are already, or not.
    Transit(Transit),
    /// So many units came in of the purchase line of this SKU and id. Refused if there is none.
    Received(String, String, i64),
    /// A discrepancy, for a person.
    Discrepancy(Discrepancy),
    /// A reservation begins. Refused if there is one of that id.
    Reserved(Reservation),
    /// A reservation ends, and leaves the index of open work. Refused if it is not held, or not until then.
    ReservationEnded(Ending),
}

/// What came of writing.
#[derive(Debug)]
pub enum Written {
    /// All of it is stored.
    Done,
    /// Nothing is stored; for each write, in order, why not.
    Refused(Vec<Refusal>),
}

/// Why a write was refused.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// It was not: another one was.
    None,
    /// Its condition failed; what is there instead, if that was asked for.
    Condition(Option<Found>),
    /// Anything else, such as a conflict with another transaction: it may pass later.
    Passing(String),
}

/// What stood in the way of a write.
#[derive(Debug, Clone)]
pub enum Found {
    /// The order as it is.
    Order(Arc<Order>),
    /// The level as it is.
    Level(Box<Level>),
}

/// How many movements a level's own item may hold for those of a change to be added: always as many as are too few for a
/// page, so that what stands in the way of a change can be moved.
pub fn room_for(change: &LevelChange) -> usize {
    let room = MAX_LEDGER_TAIL.saturating_sub(change.movements.len());
    room.max(LEDGER_PAGE - 1)
}

/// Conditional writes.
#[async_trait]
pub trait Writes: Send + Sync {
    /// Writes all, or nothing. At most [`MAX_TRANSACTION_ACTIONS`](domain::limits::MAX_TRANSACTION_ACTIONS),
    /// no two of them to one item.
    async fn write(&self, writes: &[Write]) -> Result<Written, StoreError>;
}

#[async_trait]
impl Writes for DynamoDb {
    async fn write(&self, writes: &[Write]) -> Result<Written, StoreError> {
        // Alone it costs half of what it costs in a transaction.
        match writes {
            [Write::Order(before, order)] => {
                let put = self.put_order(*before, order.published, order)?;
                return self.put_order_alone(put).await;
            }
            [Write::Published(before, order)] => {
                let put = self.put_order(order.version, *before, order)?;
                return self.put_order_alone(put).await;
            }
            _ => {}
        }
        let actions = writes.iter().map(|write| self.action(write));
        let written = self
            .db
            .transact_write_items()
            .set_transact_items(Some(actions.collect::<Result<_, _>>()?))
            .send()
            .await;
        match written {
            Ok(_) => Ok(Written::Done),
            Err(error) => Ok(Written::Refused(cancelled(error, writes)?)),
        }
    }
}

/// Reads why a transaction was cancelled, write by write. An error that is no cancellation stays
/// an error.
fn cancelled<R: std::fmt::Debug>(
    error: SdkError<TransactWriteItemsError, R>,
    writes: &[Write],
) -> Result<Vec<Refusal>, StoreError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Err(StoreError::of(OPERATION, error));
    };
    let reasons = cancelled.cancellation_reasons().iter().zip(writes);
    let refusals = reasons.map(|(reason, write)| match reason.code().unwrap_or("None") {
        "None" => Ok(Refusal::None),
        "ConditionalCheckFailed" => {
            let found = reason.item().cloned().map(|item| found(write, item));
            Ok(Refusal::Condition(found.transpose()?.flatten()))
        }
        passing => Ok(Refusal::Passing(passing.to_owned())),
    });
    refusals.collect()
}

/// The item in the way of a write.
fn found(write: &Write, item: Item) -> Result<Option<Found>, StoreError> {
    Ok(match write {
        Write::Order(..) | Write::Published(..) => Some(Found::Order(Arc::new(value(item)?))),
        Write::Level(..) => Some(Found::Level(Box::new(value(item)?))),
        _ => None,
    })
}

pub(crate) fn refused(error: BuildError) -> StoreError {
    StoreError::Refused {
        operation: OPERATION,
        cause: error.to_string(),
    }
}

fn order_item(order: &Order) -> Result<Item, StoreError> {
    let mut item = item(order, "order", key::order(&order.id), key::ORDER)?;
    let name = key::number(&order.source.channel, &order.number);
    item.insert("number".into(), text(name));
    if !owed(order).is_empty() {
        item.insert("open".into(), text(key::open_shard(order.id.as_str())));
    }
    Ok(item)
}

impl DynamoDb {
    async fn put_order_alone(&self, put: Put) -> Result<Written, StoreError> {
        let written = self
            .db
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_values(put.expression_attribute_values)
            .set_return_values_on_condition_check_failure(
                put.return_values_on_condition_check_failure,
            )
            .send()
            .await;
        let Err(error) = written else {
            return Ok(Written::Done);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        else {
            return Err(StoreError::of("PutItem (order)", error));
        };
        let current = failed.item().cloned().map(value).transpose()?;
        let found = current.map(|order| Found::Order(Arc::new(order)));
        Ok(Written::Refused(vec![Refusal::Condition(found)]))
    }

    fn action(&self, write: &Write) -> Result<TransactWriteItem, StoreError> {
        let put = |table: &str, item| {
            let put = Put::builder().table_name(table).set_item(Some(item));
            let put = put.build().map_err(refused)?;
            Ok(TransactWriteItem::builder().put(put).build())
        };
        let update = |update| TransactWriteItem::builder().update(update).build();
        let (orders, stock) = (&self.tables.orders, &self.tables.stock);
        match write {
            Write::Order(before, order) => {
                let put = self.put_order(*before, order.published, order)?;
                Ok(TransactWriteItem::builder().put(put).build())
            }
            Write::Published(before, order) => {
                let put = self.put_order(order.version, *before, order)?;
                Ok(TransactWriteItem::builder().put(put).build())
            }
            Write::Contact(id, contact) => {
                let contact = item(contact, "contact", key::order(id), key::CONTACT)?;
                put(orders, contact)
            }
            Write::Events(id, page) => {
                let page = item(page, "events", key::order(id), key::events(page.first))?;
                put(orders, page)
            }
            Write::Level(change, page) => self.change_level(change, page.as_ref()).map(update),
            Write::Breakdown(breakdown) => {
                let pk = key::breakdown(&breakdown.sku, &breakdown.id);
                put(stock, item(breakdown, "breakdown", pk, key::ALONE)?)
            }
            Write::Waiting(waiting) => self.set_waiting(waiting),
            Write::Load(load) => self.add_load(load).map(update),
            Write::FactApplied(sku, id) => self.apply_fact(sku, id).map(update),
            Write::Transit(transit) => self.pass_transit(transit),
            Write::Received(sku, id, units) => self.receive(sku, id, *units).map(update),
            Write::Discrepancy(found) => put(stock, discrepancy_item(found)?),
            Write::Reserved(reservation) => self.begin_reservation(reservation),
            Write::ReservationEnded(ending) => self.end_reservation(ending).map(update),
        }
    }

    /// `before`: the version that it has to be at, 0 if it is not to be there; `published`: how much of it
    /// has to be handed over to subscribers. No step changes that: who decides on a state in which less was
    /// would take it back, and nobody be told of what he adds.
    fn put_order(
        &self,
        before: u64,
        published: Option<u64>,
        after: &Order,
    ) -> Result<Put, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.orders)
            .set_item(Some(order_item(after)?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match before {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            before => {
                let put = put.expression_attribute_values(":before", number(before));
                match published {
                    None => {
                        put.condition_expression("version = :before AND attribute_not_exists(pb)")
                    }
                    Some(upto) => put
                        .condition_expression("version = :before AND pb = :published")
                        .expression_attribute_values(":published", number(upto)),
                }
            }
        };
        put.build().map_err(refused)
    }

    /// The update of a level: counters added to, movements appended; refused when it would promise
    /// what is not available, or when the level's own item has no room for the movements.
    fn change_level(
        &self,
        change: &LevelChange,
        page: Option<&LedgerPage>,
    ) -> Result<Update, StoreError> {
        let delta = change.delta();
        let mut condition = "(attribute_not_exists(tail) OR size(tail) <= :room)".to_owned();
        let mut set =
            "SET entity = :entity, #schema = :schema, sku = :sku, #location = :location".to_owned();
        let mut update = Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(
                key::share(&change.sku, change.share),
                key::level(&change.location),
            )))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#location", "location")
            .expression_attribute_values(":entity", text("level"))
            .expression_attribute_values(":schema", number(1))
            .expression_attribute_values(":sku", text(&change.sku))
            .expression_attribute_values(":location", text(&change.location))
            .expression_attribute_values(":room", number(room_for(change)))
            .expression_attribute_values(":on_hand", number(delta.on_hand))
            .expression_attribute_values(":allocated", number(delta.allocated))
            .expression_attribute_values(":available", number(delta.available))
            .expression_attribute_values(":count", number(change.movements.len()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut remove = String::new();
        match page {
            None => {
                set.push_str(", tail = list_append(if_not_exists(tail, :none), :movements)");
                update = update
                    .expression_attribute_values(":movements", attribute(&change.movements)?)
                    .expression_attribute_values(":none", AttributeValue::L(Vec::new()));
            }
            // An expression cannot name both a list and elements of it. What is set beyond the end is appended: `:room` is less than
            // these numbers.
            Some(page) => {
                set.push_str(", paged = :last");
                for (n, movement) in change.movements.iter().enumerate() {
                    let value = format!(":movement{n}");
                    set.push_str(&format!(", tail[{}] = {value}", MAX_LEDGER_TAIL + n));
                    update = update.expression_attribute_values(value, attribute(movement)?);
                }
                let removal = page.removal();
                remove = removal.clause;
                condition.push_str(" AND ");
                condition.push_str(removal.condition);
                for (name, value) in removal.values {
                    update = update.expression_attribute_values(name, value);
                }
            }
        }
        if change.share > 0 {
            set.push_str(", #share = :share");
            update = update
                .expression_attribute_names("#share", "share")
                .expression_attribute_values(":share", number(change.share));
        }
        if change.shares > 0 {
            set.push_str(", shares = :shares");
            condition.push_str(" AND (attribute_not_exists(shares) OR shares <= :shares)");
            update = update.expression_attribute_values(":shares", number(change.shares));
        }
        if let Some(rejected_at) = change.rejected_at() {
            set.push_str(", rejected_at = :rejected_at");
            update =
                update.expression_attribute_values(":rejected_at", number(rejected_at.as_second()));
        }
        if change.needs() > 0 {
            condition.push_str(" AND available >= :needs");
            update = update.expression_attribute_values(":needs", number(change.needs()));
        }
        let mut add =
            "ADD on_hand :on_hand, allocated :allocated, available :available, version :count"
                .to_owned();
        if delta.reserved != 0 {
            add.push_str(", reserved :reserved");
            update = update.expression_attribute_values(":reserved", number(delta.reserved));
        }
        update
            .update_expression(format!("{set} {remove} {add}"))
            .condition_expression(condition)
            .build()
            .map_err(refused)
    }

    /// A location's day: how many fulfillment orders it has taken. Days that have passed are deleted.
    fn add_load(&self, load: &Load) -> Result<Update, StoreError> {
        let room = i64::from(load.most) - i64::from(load.orders);
        let expires_at = load.day.saturating_add(LOAD_KEPT.days());
        let expires_at = expires_at.to_zoned(TimeZone::UTC);
        let expires_at = expires_at.map_or(i64::MAX, |end| end.timestamp().as_second());
        Update::builder()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::load(&load.location), load.day.to_string())))
            .update_expression(
                "SET entity = :entity, #schema = :schema, expires_at = :expires_at \
                 ADD orders :orders, version :one",
            )
            // Nobody plans more for a day than it has room for: the first of a day always fits.
            .condition_expression("attribute_not_exists(orders) OR orders <= :room")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":entity", text("load"))
            .expression_attribute_values(":schema", number(1))
            .expression_attribute_values(":expires_at", number(expires_at))
            .expression_attribute_values(":orders", number(load.orders))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":room", number(room))
            .build()
            .map_err(refused)
    }

    fn set_waiting(&self, waiting: &Waiting) -> Result<TransactWriteItem, StoreError> {
        let mut item = key(
            key::sku(&waiting.sku),
            key::waiting(waiting.placed_at, &waiting.order),
        );
        let action = TransactWriteItem::builder();
        if waiting.units == 0 {
            let delete = Delete::builder()
                .table_name(&self.tables.stock)
                .set_key(Some(item));
            return Ok(action.delete(delete.build().map_err(refused)?).build());
        }
        item.insert("entity".into(), text("waiting"));
        item.insert("schema".into(), number(1));
        item.insert("version".into(), number(1));
        item.insert("order".into(), text(waiting.order.as_str()));
        item.insert("units".into(), number(waiting.units));
        let placed_at = waiting.placed_at.as_second();
        item.insert("open".into(), text(key::open_shard(waiting.order.as_str())));
        item.insert("open_at".into(), number(placed_at));
        let put = Put::builder()
            .table_name(&self.tables.stock)
            .set_item(Some(item));
        Ok(action.put(put.build().map_err(refused)?).build())
    }
}
