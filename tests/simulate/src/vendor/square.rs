//! Square: an order names variations of the catalogue, which have the SKUs. What is said of an order is for the version that was looked
//! at; it has one fulfillment, which is completed as a whole.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{API, Asked, Heard, Sender, Sent, Sold, UNKNOWN_SKU, Vendor, Word, phone, place};
use crate::ask::Ask;
use crate::channel::hmac;
use crate::measure::shown;

/// The channel.
#[derive(Debug)]
pub struct Square;

const KEY: &str = "simulated-square";
/// Where its notifications are registered to go, which is signed with them.
const HOOK: &str = "https://oms.example/hook";
/// What an id of a variation begins with.
const VARIATION: &str = "v-";
const LOCATION: &str = "L";

impl Sender for Square {
    fn name(&self) -> &'static str {
        "square"
    }

    fn secret(&self) -> String {
        json!({"key": KEY, "url": HOOK}).to_string()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signed = [HOOK.as_bytes(), ask.body.as_bytes()];
        let signature = STANDARD.encode(hmac(KEY.as_bytes(), &signed));
        ask.headers
            .push(("x-square-hmacsha256-signature", signature));
    }
}

impl Vendor for Square {
    fn access(&self) -> String {
        json!({"url": API, "token": "simulated", "location_ids": LOCATION}).to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let data = json!({"type": "order", "id": id});
        Word::Webhook(json!({"type": "order.updated", "data": data}).to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/v2/")?;
        let said: Value = match request.body().as_str() {
            "" => Value::Null,
            body => serde_json::from_str(body).ok()?,
        };
        let texts = |of: &Value| -> Option<Vec<String>> {
            let texts = of.as_array()?.iter();
            texts.map(|text| Some(text.as_str()?.to_owned())).collect()
        };
        Some(match path {
            "orders/search" => {
                let since = &said["query"]["filter"]["date_time_filter"]["updated_at"];
                Asked::Changes(since["start_at"].as_str()?.parse().ok()?)
            }
            "catalog/batch-retrieve" => {
                let sku = |id: String| Some(id.strip_prefix(VARIATION)?.to_owned());
                let ids = texts(&said["object_ids"])?.into_iter();
                Asked::Listed(ids.map(sku).collect::<Option<_>>()?, "")
            }
            "catalog/search" => {
                let mut skus = texts(&said["query"]["set_query"]["attribute_values"])?;
                skus.retain(|sku| sku != UNKNOWN_SKU);
                Asked::Listed(skus, "")
            }
            "inventory/changes/batch-create" => {
                let count = |change: &Value| {
                    let count = &change["physical_count"];
                    let sku = count["catalog_object_id"].as_str()?;
                    let sku = sku.strip_prefix(VARIATION)?.to_owned();
                    Some((sku, count["quantity"].as_str()?.parse().ok()?))
                };
                let counts = said["changes"].as_array()?.iter();
                Asked::Available(counts.map(count).collect::<Option<_>>()?)
            }
            path => {
                let place = place(path.strip_prefix("orders/")?)?;
                if request.method() != http::Method::PUT {
                    return Some(Asked::Order(place, ""));
                }
                let order = &said["order"];
                let details = &order["fulfillments"][0]["shipment_details"];
                let sent = Sent {
                    number: details["tracking_number"].as_str()?.to_owned(),
                    version: Some(order["version"].as_u64()?),
                    ..Sent::default()
                };
                Asked::Sent(place, sent)
            }
        })
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry =
            |(id, at): &(String, Timestamp)| json!({"id": id, "updated_at": at.to_string()});
        let list: Value = orders.iter().map(entry).collect();
        (200, json!({"orders": list}).to_string())
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let money = json!({"amount": sold.total, "currency": "EUR"});
        let (changed, is_cancelled) = sold.states[n];
        let sent = sold.sent.last();
        let state = match (is_cancelled, sent) {
            (_, Some(_)) => "COMPLETED",
            (true, None) => "CANCELED",
            (false, None) => "PROPOSED",
        };
        let recipient = json!({
            "display_name": "C", "email_address": sold.email(), "phone_number": phone(n),
            "address": {"address_line_1": "1 Street", "locality": "Lyon", "country": "FR"},
        });
        let number = sent.map(|sent| &sent.number);
        json!({"order": {
            "id": sold.id(),
            "location_id": LOCATION,
            "version": sold.version(n),
            "state": if is_cancelled { "CANCELED" } else { "OPEN" },
            "created_at": sold.placed_at().to_string(),
            "updated_at": changed.to_string(),
            "total_money": money,
            "tenders": [{"amount_money": money}],
            "line_items": [{
                "uid": "1", "catalog_object_id": format!("{VARIATION}{}", sold.sku), "name": sold.sku,
                "quantity": shown(sold.units.into(), sold.decimals), "gross_sales_money": money, "total_money": money,
            }],
            "fulfillments": [{
                "uid": "f", "type": "SHIPMENT", "state": state,
                "shipment_details": {"tracking_number": number, "recipient": recipient},
            }],
        }})
        .to_string()
    }

    fn listed(&self, skus: &[(String, i64)], _: &str) -> String {
        let variation = |(sku, _): &(String, i64)| json!({"id": format!("{VARIATION}{sku}"), "item_variation_data": {"sku": sku}});
        let objects: Value = skus.iter().map(variation).collect();
        json!({"objects": objects}).to_string()
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (200, "{}".into()),
            Heard::Changed => (409, r#"{"errors":[{"code":"VERSION_MISMATCH"}]}"#.into()),
            Heard::Refused => (400, r#"{"errors":[{"code":"BAD_REQUEST"}]}"#.into()),
        }
    }

    fn available(&self, _: &[(String, i64)], _: &[&str]) -> (u16, String) {
        (200, "{}".into())
    }
}
