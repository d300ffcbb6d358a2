//! Walmart: notifications that sign the time at which they are sent; orders wait to be acknowledged; each part of a line has a status
//! of its own, and the number that it was shipped under. Nothing is cancelled that has left in part.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{API, Asked, Heard, Sender, Sent, Sold, Vendor, Word, field, phone, place};
use crate::ask::Ask;
use crate::channel::hmac;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Walmart;

const KEY: &str = "simulated-walmart";
/// The path that its notifications are registered to go to, which is signed with them.
const HOOK: &str = "/hook";

impl Sender for Walmart {
    fn name(&self) -> &'static str {
        "walmart"
    }

    fn secret(&self) -> String {
        json!({"key": KEY, "url": format!("https://oms.example{HOOK}")}).to_string()
    }

    fn sign(&self, ask: &mut Ask, now: Timestamp) {
        let digest = Sha256::digest(ask.body.as_bytes());
        let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        let at = now.as_second().to_string();
        let signed = ["POST", HOOK, &at, &digest].join("\n");
        let signature = STANDARD.encode(hmac(KEY.as_bytes(), &[signed.as_bytes()]));
        ask.headers
            .extend([("wm_sec.timestamp", at), ("wm_sec.signature", signature)]);
    }
}

impl Vendor for Walmart {
    fn access(&self) -> String {
        json!({"url": API, "client_id": "simulated", "client_secret": "simulated"}).to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let payload = json!({"purchaseOrderId": id});
        Word::Webhook(
            json!({"source": {"eventType": "PO_LINE_AUTOCANCELLED"}, "payload": payload})
                .to_string(),
        )
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/v3/")?;
        if path == "token" {
            return Some(Asked::Token);
        }
        if path == "inventory" {
            let said: Value = serde_json::from_str(request.body()).ok()?;
            let sku = said["sku"].as_str()?.to_owned();
            let quantity = said["quantity"]["amount"].as_i64()?;
            return Some(Asked::Available(vec![(sku, quantity)]));
        }
        let Some(order) = path.strip_prefix("orders/") else {
            let since = field(request.uri().query()?, "lastModifiedStartDate")?;
            return Some(Asked::Changes(since.parse().ok()?));
        };
        Some(match order.split_once('/') {
            None => Asked::Order(place(order)?, ""),
            Some((id, "acknowledge")) => Asked::Accepted(place(id)?),
            Some((id, _)) => {
                let said: Value = serde_json::from_str(request.body()).ok()?;
                let line = &said["orderShipment"]["orderLines"]["orderLine"][0];
                let part = &line["orderLineStatuses"]["orderLineStatus"][0];
                let pieces = part["statusQuantity"]["amount"].as_str()?;
                let sent = Sent {
                    number: part["trackingInfo"]["trackingNumber"].as_str()?.to_owned(),
                    pieces: Some(pieces.parse().ok()?),
                    ..Sent::default()
                };
                Asked::Sent(place(id)?, sent)
            }
        })
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        if orders.is_empty() {
            return (404, self.missing());
        }
        let entry = |(id, at): &(String, Timestamp)| {
            let line = json!({"lineNumber": "1", "statusDate": at.as_millisecond()});
            json!({"purchaseOrderId": id, "orderLines": {"orderLine": [line]}})
        };
        let list: Value = orders.iter().map(entry).collect();
        (
            200,
            json!({"list": {"elements": {"order": list}}}).to_string(),
        )
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let (changed, is_cancelled) = sold.states[n];
        let of = |units: u64| json!({"unitOfMeasurement": "EACH", "amount": shown(units as i64, sold.decimals)});
        let whole = 10_u64.pow(sold.decimals.into());
        let mut left = u64::from(sold.units);
        let mut parts = Vec::new();
        for sent in &sold.sent {
            let units = sent.pieces.unwrap_or(0) * whole;
            left = left.saturating_sub(units);
            parts.push(json!({
                "status": "Shipped", "statusQuantity": of(units), "trackingInfo": {"trackingNumber": sent.number},
            }));
        }
        if left > 0 {
            let status = match (is_cancelled, sold.accepted) {
                (true, _) => "Cancelled",
                (false, true) => "Acknowledged",
                (false, false) => "Created",
            };
            parts.push(json!({"status": status, "statusQuantity": of(left)}));
        }
        let price = json!({"currency": "EUR", "amount": decimal(sold.total)});
        let line = json!({
            "lineNumber": "1",
            "item": {"sku": sold.sku, "productName": sold.sku},
            "charges": {"charge": [{"chargeType": "PRODUCT", "chargeAmount": price}]},
            "orderLineQuantity": of(sold.units.into()),
            "orderLineStatuses": {"orderLineStatus": parts},
            "statusDate": changed.as_millisecond(),
        });
        json!({"order": {
            "purchaseOrderId": sold.id(),
            "customerOrderId": sold.id(),
            "customerEmailId": sold.email(),
            "orderDate": sold.placed_at().as_millisecond(),
            "orderLines": {"orderLine": [line]},
            "shippingInfo": {
                "phone": phone(n), "methodCode": "Standard",
                "postalAddress": {"name": "C", "address1": "1 Street", "city": "Lyon", "country": "FR"},
            },
        }})
        .to_string()
    }

    fn waits(&self) -> bool {
        true
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (200, "{}".into()),
            Heard::Changed | Heard::Refused => {
                (400, failed("INVALID_REQUEST_CONTENT.GMP_ORDER_API"))
            }
        }
    }

    fn available(&self, said: &[(String, i64)], unknown: &[&str]) -> (u16, String) {
        match unknown {
            [] => (200, json!({"sku": said[0].0}).to_string()),
            _ => (404, failed("CONTENT_NOT_FOUND.GMP_INVENTORY_API")),
        }
    }

    fn missing(&self) -> String {
        failed("CONTENT_NOT_FOUND.GMP_ORDER_API")
    }

    fn cancels(&self, sent: &[Sent]) -> bool {
        sent.is_empty()
    }
}

fn failed(code: &str) -> String {
    json!({"errors": {"error": [{"code": code}]}}).to_string()
}
