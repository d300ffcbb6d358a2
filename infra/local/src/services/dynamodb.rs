//! DynamoDB on `dynoxide`, an embedded database that behaves as DynamoDB does.

use bytes::Bytes;
use dynoxide::actions::*;
use dynoxide::types::{ConsumedCapacity, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use http::Response;
use serde::de::DeserializeOwned;

use super::answer::{Failure, success};
use super::counters::Units;

type Answer = (Result<Response<Bytes>, Failure>, Units);

/// Runs an operation with its cost asked for, and keeps the cost from a client that did not ask.
macro_rules! meter {
    ($db:ident.$method:ident, $request:expr, $default:expr) => {{
        let mut request = $request;
        let asked = ask_for_cost(&mut request.return_consumed_capacity);
        $db.$method(request).map(|mut answer| {
            let units = match &answer.consumed_capacity {
                Some(cost) => cost.units($default),
                None => Units::default(),
            };
            if !asked {
                answer.consumed_capacity = None;
            }
            (success(&answer), units)
        })
    }};
}

/// An operation that costs capacity.
macro_rules! metered {
    ($db:ident.$method:ident, $request:ty, $body:expr, $default:expr) => {
        match parse::<$request>($body) {
            Ok(request) => meter!($db.$method, request, $default).unwrap_or_else(failed),
            Err(failure) => (Err(failure), Units::default()),
        }
    };
}

/// A write of one item, possibly with a condition. A failed condition is charged by the size of the item that
/// stood in the way, so that item is always asked for.
macro_rules! conditional {
    ($db:ident.$method:ident, $request:ty, $body:expr) => {
        match parse::<$request>($body) {
            Ok(mut request) => {
                let asked = request.return_values_on_condition_check_failure.is_some();
                request
                    .return_values_on_condition_check_failure
                    .get_or_insert_with(|| "ALL_OLD".to_owned());
                match meter!($db.$method, request, WRITE) {
                    Ok(answer) => answer,
                    Err(DynoxideError::ConditionalCheckFailedException(message, item)) => {
                        let size = item.as_ref().map_or(0, item_size);
                        let units = Units {
                            write: write_capacity_units(size),
                            read: 0.0,
                        };
                        let item = item.filter(|_| asked);
                        let error = DynoxideError::ConditionalCheckFailedException(message, item);
                        (Err(error.into()), units)
                    }
                    Err(error) => failed(error),
                }
            }
            Err(failure) => (Err(failure), Units::default()),
        }
    };
}

/// An operation on tables, free of charge.
macro_rules! plain {
    ($db:ident.$method:ident, $body:expr) => {
        match parse($body).and_then(|request| Ok($db.$method(request)?)) {
            Ok(answer) => (success(&answer), Units::default()),
            Err(failure) => (Err(failure), Units::default()),
        }
    };
}

/// The tables of the account.
pub struct DynamoDb {
    database: Database,
}

impl DynamoDb {
    pub(super) fn new(database: Database) -> Self {
        Self { database }
    }

    /// The database underneath, for looking inside without a client.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Deletes what its time to live says has expired, and tells how many items that were.
    pub fn sweep_expired(&self) -> Result<usize, Failure> {
        Ok(self.database.sweep_ttl()?)
    }

    /// The database answers on the calling thread: one call takes tens of microseconds, and they are
    /// serialised by the database's own lock anyway, so a hop to another thread costs more than it frees.
    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Answer {
        let db = &self.database;
        match operation {
            "PutItem" => conditional!(db.put_item, put_item::PutItemRequest, body),
            "UpdateItem" => conditional!(db.update_item, update_item::UpdateItemRequest, body),
            "DeleteItem" => conditional!(db.delete_item, delete_item::DeleteItemRequest, body),
            "GetItem" => metered!(db.get_item, get_item::GetItemRequest, body, READ),
            "Query" => metered!(db.query, query::QueryRequest, body, READ),
            "Scan" => metered!(db.scan, scan::ScanRequest, body, READ),
            "BatchGetItem" => metered!(
                db.batch_get_item,
                batch_get_item::BatchGetItemRequest,
                body,
                READ
            ),
            "BatchWriteItem" => metered!(
                db.batch_write_item,
                batch_write_item::BatchWriteItemRequest,
                body,
                WRITE
            ),
            "TransactGetItems" => metered!(
                db.transact_get_items,
                transact_get_items::TransactGetItemsRequest,
                body,
                READ
            ),
            "TransactWriteItems" => self.transact_write(body),
            "ExecuteStatement" => metered!(
                db.execute_statement,
                execute_statement::ExecuteStatementRequest,
                body,
                READ
            ),
            "ExecuteTransaction" => metered!(
                db.execute_transaction,
                execute_transaction::ExecuteTransactionRequest,
                body,
                WRITE
            ),
            "BatchExecuteStatement" => metered!(
                db.batch_execute_statement,
                batch_execute_statement::BatchExecuteStatementRequest,
                body,
                READ
            ),
            "CreateTable" => plain!(db.create_table, body),
            "DeleteTable" => plain!(db.delete_table, body),
            "DescribeTable" => plain!(db.describe_table, body),
            "UpdateTable" => plain!(db.update_table, body),
            "ListTables" => plain!(db.list_tables, body),
            "UpdateTimeToLive" => plain!(db.update_time_to_live, body),
            "DescribeTimeToLive" => plain!(db.describe_time_to_live, body),
            "TagResource" => plain!(db.tag_resource, body),
            "UntagResource" => plain!(db.untag_resource, body),
            "ListTagsOfResource" => plain!(db.list_tags_of_resource, body),
            _ => {
                let failure = Failure::bad(
                    "com.amazon.coral.service#UnknownOperationException",
                    "the database does not offer this operation",
                );
                (Err(failure), Units::default())
            }
        }
    }

    fn transact_write(&self, body: &[u8]) -> Answer {
        let request: transact_write_items::TransactWriteItemsRequest = match parse(body) {
            Ok(request) => request,
            Err(failure) => return (Err(failure), Units::default()),
        };
        let actions = request.transact_items.len();
        let db = &self.database;
        match meter!(db.transact_write_items, request, WRITE) {
            Ok(answer) => answer,
            // AWS charges a cancelled transaction too, but publishes no rule by size: count the least that
            // its actions can cost.
            Err(error @ DynoxideError::TransactionCanceledException(..)) => {
                let write = 2.0 * actions as f64;
                (Err(error.into()), Units { write, read: 0.0 })
            }
            Err(error) => failed(error),
        }
    }
}

/// Which kind of unit a cost counts as when the database does not say.
type Kind = fn(f64) -> Units;
const WRITE: Kind = |write| Units { write, read: 0.0 };
const READ: Kind = |read| Units { write: 0.0, read };

trait Cost {
    fn units(&self, default: Kind) -> Units;
}

impl Cost for ConsumedCapacity {
    fn units(&self, default: Kind) -> Units {
        match (self.write_capacity_units, self.read_capacity_units) {
            (None, None) => default(self.capacity_units),
            (write, read) => Units {
                write: write.unwrap_or_default(),
                read: read.unwrap_or_default(),
            },
        }
    }
}

impl Cost for Vec<ConsumedCapacity> {
    fn units(&self, default: Kind) -> Units {
        self.iter()
            .map(|cost| cost.units(default))
            .fold(Units::default(), |sum, units| Units {
                write: sum.write + units.write,
                read: sum.read + units.read,
            })
    }
}

/// Asks for the cost if the client did not, and tells whether it did.
fn ask_for_cost(mode: &mut Option<String>) -> bool {
    let asked = mode.as_deref().is_some_and(|mode| mode != "NONE");
    if !asked {
        *mode = Some("TOTAL".to_owned());
    }
    asked
}

/// Reads a request. The database's types mark in their messages which of AWS's two errors a mistake is.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let (mark, message) = match text.split_once(':') {
            Some((mark, message)) if !mark.contains(' ') => (mark, message),
            _ => ("", text.as_str()),
        };
        let invalid = mark.starts_with("VALIDATION")
            || message.starts_with("missing field")
            || message.starts_with("unknown variant")
            || message.contains("AttributeValue");
        let error: fn(String) -> DynoxideError = match invalid {
            true => DynoxideError::ValidationException,
            false => DynoxideError::SerializationException,
        };
        error(message.to_owned()).into()
    })
}

fn failed(error: DynoxideError) -> Answer {
    (Err(error.into()), Units::default())
}

/// The operation's name as a constant to count it under.
pub(super) fn known(operation: &str) -> &'static str {
    const OPERATIONS: [&str; 23] = [
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "GetItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
        "ExecuteStatement",
        "ExecuteTransaction",
        "BatchExecuteStatement",
        "CreateTable",
        "DeleteTable",
        "DescribeTable",
        "UpdateTable",
        "ListTables",
        "UpdateTimeToLive",
        "DescribeTimeToLive",
        "TagResource",
        "UntagResource",
        "ListTagsOfResource",
    ];
    super::known(&OPERATIONS, operation)
}
