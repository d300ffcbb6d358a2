//! Reading whole tables, which only somebody who looks at everything has reason to do.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Order;
use serde::Serialize;
use std::collections::HashMap;

/// Characters of a kept delivery that are shown.
const SHOWN_CHARS: usize = 4_000;

/// Scans of the table of orders.
pub(super) struct Scans {
    db: Client,
    orders: String,
}

/// What the table of orders holds that a person asks for.
#[derive(Default)]
pub(super) struct Found {
    /// All orders, in no order.
    pub orders: Vec<Order>,
    /// Deliveries that could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// Items that say they are orders and cannot be read as such: key and reason.
    pub broken: Vec<(String, String)>,
}

/// A delivery that was signed and could not be understood.
#[derive(Serialize)]
pub(super) struct Unreadable {
    source: String,
    pub at: String,
    topic: String,
    reason: String,
    /// The body's beginning.
    body: String,
    /// Whether there is more of it.
    cut: bool,
}

type Item = HashMap<String, AttributeValue>;

fn text(item: &Item, name: &str) -> String {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    }
}

impl Scans {
    pub(super) fn new(aws: &aws_types::SdkConfig, orders: String) -> Self {
        Self {
            db: Client::new(aws),
            orders,
        }
    }

    pub(super) async fn orders(&self) -> Result<Found> {
        let (mut found, mut from) = (Found::default(), None);
        loop {
            let page = self
                .db
                .scan()
                .table_name(&self.orders)
                .consistent_read(true)
                .filter_expression("entity IN (:order, :unreadable)")
                .expression_attribute_values(":order", AttributeValue::S("order".into()))
                .expression_attribute_values(":unreadable", AttributeValue::S("unreadable".into()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .context("the orders cannot be read")?;
            for item in page.items.unwrap_or_default() {
                found.take(item);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(found);
            }
        }
    }
}

impl Found {
    fn take(&mut self, item: Item) {
        if text(&item, "entity") == "unreadable" {
            self.unreadable.extend(Unreadable::first_part(&item));
            return;
        }
        let key = text(&item, "pk");
        match serde_dynamo::from_item(item) {
            Ok(order) => self.orders.push(order),
            Err(error) => self.broken.push((key, error.to_string())),
        }
    }
}

impl Unreadable {
    /// A large body is kept in parts, each of which repeats the rest: the first stands for all.
    fn first_part(item: &Item) -> Option<Self> {
        if !text(item, "sk").ends_with("#0") {
            return None;
        }
        let body = match item.get("body") {
            Some(AttributeValue::B(bytes)) => String::from_utf8_lossy(bytes.as_ref()).into_owned(),
            _ => String::new(),
        };
        let pk = text(item, "pk");
        let source = pk.strip_prefix("UNREADABLE#").unwrap_or(&pk);
        Some(Self {
            source: source.replace('#', "/"),
            at: text(item, "at"),
            topic: text(item, "topic"),
            reason: text(item, "reason"),
            cut: body.chars().nth(SHOWN_CHARS).is_some(),
            body: body.chars().take(SHOWN_CHARS).collect(),
        })
    }
}
