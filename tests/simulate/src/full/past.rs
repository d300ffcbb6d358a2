//! What an eventually consistent read may still show: each order and each level as it was before
//! its newest write.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use store::key;

use super::call::Call;
use super::{Ground, names};

/// An item's table and key.
type Name = (String, String, String);

/// What there was, and in which order orders came.
#[derive(Default)]
pub(super) struct Past {
    previous: BTreeMap<Name, Value>,
    /// The partitions of all orders, oldest first.
    pub orders: Vec<String>,
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

/// An item's name, if it is an order or a level.
fn name_of(table: &Value, item: &Value) -> Option<Name> {
    let (pk, sk) = (text(item, "pk"), text(item, "sk"));
    let known = sk == key::ORDER || sk.starts_with(key::LEVEL);
    known.then(|| {
        (
            table.as_str().unwrap_or_default().into(),
            pk.into(),
            sk.into(),
        )
    })
}

/// The orders and levels that a write changes.
fn changed(body: &Value) -> Vec<Name> {
    let one = |write: &Value| {
        let item = write.get("Item").or_else(|| write.get("Key"))?;
        name_of(&write["TableName"], item)
    };
    match body["TransactItems"].as_array() {
        None => one(body).into_iter().collect(),
        Some(actions) => {
            let actions = actions.iter().filter_map(Value::as_object);
            actions.flat_map(|a| a.values()).filter_map(one).collect()
        }
    }
}

/// A request without the members that are null.
fn without_nulls(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body
}

impl Ground {
    /// An item as it is.
    pub(super) fn item(&self, table: &str, pk: &str, sk: &str) -> Option<Value> {
        let request = json!({
            "TableName": table,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "ConsistentRead": true,
        });
        let request = serde_json::from_value(request).ok()?;
        let found = self.services.dynamodb.database().get_item(request).ok()?;
        serde_json::to_value(found.item?).ok()
    }

    /// Lets a write through, and remembers what it has changed.
    pub(super) async fn write(&self, call: &Call, request: Request<Bytes>) -> Response<Bytes> {
        let changed = changed(&call.body);
        let stale = self.sim.state().faults.stale > 0;
        let before: Vec<(Name, Value)> = changed
            .iter()
            .filter(|_| stale)
            .filter_map(|name| Some((name.clone(), self.item(&name.0, &name.1, &name.2)?)))
            .collect();
        let answer = self.services.handle(&self.caller, request).await;
        if answer.status().is_success() {
            let mut past = self.past();
            past.previous.extend(before);
            for (_, pk, sk) in changed {
                if sk == key::ORDER && !past.orders.contains(&pk) {
                    past.orders.push(pk);
                }
            }
        }
        answer
    }

    /// Lets a read through. A scan has no order; here it has that of the keys, also where it goes on.
    pub(super) async fn read(&self, call: &Call, request: Request<Bytes>) -> Response<Bytes> {
        if call.operation != "Scan" {
            return self.services.handle(&self.caller, request).await;
        }
        let mut whole = call.body.clone();
        let after = whole["ExclusiveStartKey"].take();
        let request = request.map(|_| Bytes::from(without_nulls(whole).to_string()));
        let answer = self.services.handle(&self.caller, request).await;
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else {
            return answer;
        };
        if let Some(items) = body["Items"].as_array_mut() {
            let name = |item: &Value| (text(item, "pk").to_owned(), text(item, "sk").to_owned());
            items.sort_by_cached_key(name);
            items.retain(|item| after.is_null() || name(item) > name(&after));
        }
        answer.map(|_| Bytes::from(body.to_string()))
    }

    /// Answers a read that may be of the past. What is asked of the other indexes never changes, or
    /// is as it is.
    pub(super) async fn stale(&self, call: &Call, request: Request<Bytes>) -> Response<Bytes> {
        let tables = names().map(|names| &names.tables);
        let orders = tables.is_ok_and(|tables| call.body["TableName"] == tables.orders.as_str());
        if orders && call.body["IndexName"] == "open" {
            let open = self.once_open(&call.body);
            let answer = json!({"Count": open.len(), "ScannedCount": open.len(), "Items": open});
            return Response::new(Bytes::from(answer.to_string()));
        }
        let answer = self.read(call, request).await;
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else {
            return answer;
        };
        let past = self.past();
        for item in body["Items"].as_array_mut().into_iter().flatten() {
            let name = name_of(&call.body["TableName"], item);
            if let Some(previous) = name.and_then(|name| past.previous.get(&name)) {
                *item = previous.clone();
            }
        }
        answer.map(|_| Bytes::from(body.to_string()))
    }

    /// The index of open work as it was before the newest write to each order.
    fn once_open(&self, query: &Value) -> Vec<Value> {
        let table = query["TableName"].as_str().unwrap_or_default();
        let number = |value: &Value| -> i64 {
            let text = value["N"].as_str().unwrap_or_default();
            text.parse().unwrap_or(0)
        };
        let values = &query["ExpressionAttributeValues"];
        let past = self.past();
        let orders = past.orders.iter().filter_map(|pk| {
            let name = (table.to_owned(), pk.clone(), key::ORDER.to_owned());
            let previous = past.previous.get(&name).cloned();
            previous.or_else(|| self.item(table, pk, key::ORDER))
        });
        let mut open: Vec<Value> = orders
            .filter(|o| o["open"] == values[":open"])
            .filter(|o| number(&o["open_at"]) < number(&values[":before"]))
            .collect();
        open.sort_by_key(|o| (number(&o["open_at"]), text(o, "pk").to_owned()));
        open
    }
}
