//! The documents that shops send.

use jiff::Timestamp;
use serde_json::{Value, json};

/// An order of our own API, paid, to an address in Berlin: SKUs and how many of each, ten euros apiece.
pub fn document(lines: &[(&str, u32)]) -> Value {
    let line = |(n, (sku, quantity)): (usize, &(&str, u32))| {
        json!({
            "id": format!("L{}", n + 1),
            "sku": sku,
            "title": format!("Article {sku}"),
            "quantity": quantity,
            "unit_price": "10.00",
        })
    };
    json!({
        "currency": "EUR",
        "taxes_included": true,
        "lines": lines.iter().enumerate().map(line).collect::<Vec<_>>(),
        "payment": {"status": "paid"},
        "customer": {"name": "Ada Quist", "email": "ada.quist@example.com", "phone": "+49 30 5550 0199"},
        "shipping_address": {
            "line1": "Oderberger Str. 7",
            "city": "Berlin",
            "postal_code": "10435",
            "country": "DE",
            "latitude": 52.54,
            "longitude": 13.41,
        },
    })
}

/// A sample order as Shopify sends it, placed now: one hand grinder and two bags of beans to Berlin.
pub fn shopify() -> Value {
    let sample = include_str!("../../../events/orders/shopify-1001-berlin.json");
    let mut order: Value = serde_json::from_str(sample).unwrap();
    let now = Timestamp::now().to_string();
    order["created_at"] = json!(now);
    order["processed_at"] = json!(now);
    order
}
