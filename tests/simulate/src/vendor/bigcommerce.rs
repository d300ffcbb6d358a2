//! BigCommerce: webhooks that carry an agreed secret; an order in three answers; shipments that are asked for before one is told.

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{API, Asked, Heard, Sender, Sent, Sold, Vendor, Word, field, phone, place};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct BigCommerce;

const SECRET: &str = "simulated-hook";
/// The shop's number of every address.
const ADDRESS: u64 = 5;

impl Sender for BigCommerce {
    fn name(&self) -> &'static str {
        "bigcommerce"
    }

    fn secret(&self) -> String {
        SECRET.into()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        ask.headers.push(("x-webhook-secret", SECRET.into()));
    }
}

impl Vendor for BigCommerce {
    fn access(&self) -> String {
        json!({"url": API, "token": "simulated-token"}).to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let data = json!({"type": "order", "id": id.parse::<u64>().ok()});
        Word::Webhook(json!({"scope": "store/order/updated", "data": data}).to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h")?;
        if path == "/v3/inventory/adjustments/absolute" {
            let said: Value = serde_json::from_str(request.body()).ok()?;
            let items = said["items"].as_array()?.iter();
            let item = |item: &Value| {
                let sku = item["sku"].as_str()?.to_owned();
                Some((sku, item["quantity"].as_i64()?))
            };
            return Some(Asked::Available(items.map(item).collect::<Option<_>>()?));
        }
        let path = path.strip_prefix("/v2/orders")?;
        if path.is_empty() {
            let since = field(request.uri().query()?, "min_date_modified")?;
            return Some(Asked::Changes(since.parse().ok()?));
        }
        let mut parts = path[1..].split('/');
        let place = place(parts.next()?)?;
        Some(match (request.method().as_str(), parts.next()) {
            ("POST", Some("shipments")) => {
                let said: Value = serde_json::from_str(request.body()).ok()?;
                // An address of another order is none.
                (said["order_address_id"] == ADDRESS).then_some(())?;
                let sent = Sent {
                    number: said["tracking_number"].as_str()?.to_owned(),
                    pieces: Some(said["items"][0]["quantity"].as_u64()?),
                    ..Sent::default()
                };
                Asked::Sent(place, sent)
            }
            (_, None) => Asked::Order(place, ""),
            (_, Some("products")) => Asked::Order(place, "products"),
            (_, Some("shipping_addresses")) => Asked::Order(place, "addresses"),
            (_, Some("shipments")) => Asked::Shipments(place),
            _ => return None,
        })
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry =
            |(id, at): &(String, Timestamp)| json!({"id": id, "date_modified": mail_time(*at)});
        (200, orders.iter().map(entry).collect::<Value>().to_string())
    }

    fn order(&self, sold: &Sold, n: usize, part: &str) -> String {
        let total = decimal(sold.total);
        let document = match part {
            "products" => json!([{
                "id": 1, "order_address_id": ADDRESS, "sku": sold.sku, "name": sold.sku,
                "quantity": shown(sold.units.into(), sold.decimals), "total_inc_tax": total, "type": "physical",
            }]),
            "addresses" => json!([{
                "first_name": "C", "street_1": "1 Street", "city": "Lyon", "country_iso2": "FR",
            }]),
            _ => json!({
                "id": sold.id(),
                "date_created": mail_time(sold.placed_at()),
                "date_modified": mail_time(sold.states[n].0),
                "currency_code": "EUR",
                "total_inc_tax": total,
                "status_id": if sold.states[n].1 { 5 } else { 11 },
                "payment_status": "captured",
                "billing_address": {"phone": phone(n), "email": sold.email()},
            }),
        };
        document.to_string()
    }

    fn shipments(&self, sent: &[Sent]) -> String {
        let known = |sent: &Sent| {
            json!({
                "tracking_number": sent.number,
                "items": [{"order_product_id": 1, "quantity": sent.pieces}],
            })
        };
        sent.iter().map(known).collect::<Value>().to_string()
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (201, "{}".into()),
            Heard::Changed | Heard::Refused => (400, "[]".into()),
        }
    }

    fn is_all_or_nothing(&self) -> bool {
        true
    }

    fn available(&self, _: &[(String, i64)], unknown: &[&str]) -> (u16, String) {
        match unknown {
            [] => (200, r#"{"transaction_id":"1"}"#.into()),
            _ => (422, r#"{"status":422,"title":"Unknown SKU"}"#.into()),
        }
    }
}

fn mail_time(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
