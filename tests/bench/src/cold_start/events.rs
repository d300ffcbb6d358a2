//! The sample events, in an order in which each finds what it is about.

use anyhow::{Result, ensure};
use domain::OrderId;
use serde_json::Value;

/// The sample events' files.
macro_rules! events {
    ($($function:literal: $file:literal),* $(,)?) => {
        [$(($function, include_str!(concat!("../../../../events/", $file, ".json")))),*]
    };
}

/// The order of the first event goes from its webhook to shipped; that of the second is cancelled and refunded.
const EVENTS: [(&str, &str); 20] = events![
    "accept-order": "accept-order-shopify",
    "accept-order": "accept-order",
    "allocate-warehouse": "allocate-warehouse",
    "notify-warehouse": "notify-warehouse",
    "notify-customer": "notify-customer",
    "confirm-fulfillment": "confirm-fulfillment",
    "ship-order": "ship-order",
    "update-stock": "update-stock",
    "query-orders": "query-orders",
    "change-order": "change-order",
    "refund-order": "refund-order",
    "edit-catalog": "edit-catalog",
    "adjust-stock": "adjust-stock",
    "reserve-stock": "reserve-stock",
    "expire-reservations": "expire-reservations",
    "check-restock": "check-restock",
    "sweep-orders": "sweep-orders",
    "reconcile-stock": "reconcile-stock",
    "redrive-messages": "redrive-messages",
    "rehearse-routing": "rehearse-routing",
];
/// The order that the sample events are about.
const FIRST: &str = "AD4OVS4KRET6JAPB";
/// What the order of the second event is called.
const SECOND: [&str; 3] = ["api", "default", "sample-3001"];

/// Functions and their events.
pub fn journey() -> Result<Vec<(&'static str, Value)>> {
    let [channel, account, name] = SECOND;
    let second = OrderId::of(channel, account, name).to_string();
    let event = |(function, text): (&'static str, &str)| {
        let text = match function {
            "change-order" | "refund-order" => text.replace(FIRST, &second),
            _ => text.to_owned(),
        };
        Ok((function, serde_json::from_str(&text)?))
    };
    EVENTS.into_iter().map(event).collect()
}

/// Fails if the answer says that the event was not dealt with.
pub fn check(answer: &Value) -> Result<()> {
    let status = answer["statusCode"].as_i64().unwrap_or(200);
    // That the sample's order is not there is an answer too: the table was read for it.
    ensure!((200..500).contains(&status), "status {status}");
    let failures = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
    ensure!(failures == 0, "{failures} messages failed");
    Ok(())
}
