//! Meta: orders wait to be acknowledged, and a shipment is known by its name. What is cancelled is in no list and has to be said:
//! nobody cancels here. An order has no telephone number.

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{API, Asked, Heard, Sender, Sent, Sold, Vendor, Word, field, place};
use crate::ask::Ask;
use crate::channel::hmac;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Meta;

const KEY: &str = "simulated-app";

impl Sender for Meta {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn secret(&self) -> String {
        json!({"key": KEY, "verify_token": "simulated"}).to_string()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signature = hmac(KEY.as_bytes(), &[ask.body.as_bytes()]);
        let hex: String = signature.iter().map(|b| format!("{b:02x}")).collect();
        let signature = format!("sha256={hex}");
        ask.headers.push(("x-hub-signature-256", signature));
    }
}

impl Vendor for Meta {
    fn access(&self) -> String {
        json!({"url": API, "cms_id": "cms", "token": "simulated", "catalog_id": "catalog"})
            .to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let change = json!({"field": "order", "value": {"order_id": id}});
        Word::Webhook(json!({"object": "commerce", "entry": [{"changes": [change]}]}).to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/")?;
        let form = request.body();
        match path.split_once('/') {
            None => Some(Asked::Order(place(path)?, "")),
            Some(("cms", "commerce_orders")) => {
                let after = field(request.uri().query()?, "updated_after")?;
                let after = Timestamp::from_second(after.parse().ok()?).ok()?;
                Some(Asked::Changes(after))
            }
            Some(("catalog", "items_batch")) => {
                let said: Value = serde_json::from_str(form).ok()?;
                let items = said["requests"].as_array()?.iter();
                let item = |item: &Value| {
                    let sku = item["data"]["id"].as_str()?.to_owned();
                    let quantity = item["data"]["quantity_to_sell_on_facebook"].as_i64()?;
                    Some((sku, quantity))
                };
                Some(Asked::Available(items.map(item).collect::<Option<_>>()?))
            }
            Some((id, "acknowledge_order")) => Some(Asked::Accepted(place(id)?)),
            Some((id, "shipments")) => {
                let items: Value = serde_json::from_str(&field(form, "items")?).ok()?;
                let tracking = field(form, "tracking_info")?;
                let tracking: Value = serde_json::from_str(&tracking).ok()?;
                let sent = Sent {
                    number: tracking["tracking_number"].as_str()?.to_owned(),
                    pieces: items[0]["quantity"].as_u64(),
                    name: field(form, "external_shipment_id"),
                    ..Sent::default()
                };
                Some(Asked::Sent(place(id)?, sent))
            }
            Some(_) => None,
        }
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry = |(id, at): &(String, Timestamp)| json!({"id": id, "last_updated": time(*at)});
        let list: Value = orders.iter().map(entry).collect();
        (200, json!({"data": list}).to_string())
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let money = |minor| json!({"amount": decimal(minor), "currency": "EUR"});
        let state = match sold.accepted {
            true => "IN_PROGRESS",
            false => "CREATED",
        };
        let quantity = shown(sold.units.into(), sold.decimals);
        let line = json!({"id": "1", "retailer_id": sold.sku, "product_name": sold.sku, "quantity": quantity});
        json!({
            "id": sold.id(),
            "order_status": {"state": state},
            "created": time(sold.placed_at()),
            "last_updated": time(sold.states[n].0),
            "buyer_details": {"name": "C", "email": sold.email()},
            "items": {"data": [line]},
            "estimated_payment_details": {
                "subtotal": {"items": money(sold.total), "shipping": money(0)},
                "tax": money(0),
                "total_amount": money(sold.total),
            },
            "shipping_address": {"name": "C", "street1": "1 Street", "city": "Lyon", "country": "FR"},
        })
        .to_string()
    }

    fn waits(&self) -> bool {
        true
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (200, r#"{"success":true}"#.into()),
            Heard::Changed | Heard::Refused => (400, r#"{"error":{"code":2361081}}"#.into()),
        }
    }

    fn available(&self, _: &[(String, i64)], unknown: &[&str]) -> (u16, String) {
        let wrong = |sku: &&str| json!({"retailer_id": sku, "errors": [{"message": "unknown"}]});
        let wrong: Value = unknown.iter().map(wrong).collect();
        let said = json!({"handles": ["1"], "validation_status": wrong});
        (200, said.to_string())
    }

    fn has_phones(&self) -> bool {
        false
    }

    fn cancels(&self, _: &[Sent]) -> bool {
        false
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
