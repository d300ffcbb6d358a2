//! eBay: it says that an order was placed, and nothing of it afterwards; nobody asks what has changed. So its orders do not change, and its
//! word is not lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{API, Asked, Heard, Sender, Sent, Sold, UNKNOWN_SKU, Vendor, Word, phone, place};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Ebay;

// openssl ecparam -name prime256v1 -genkey
const KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoki9MGlbXM9FTnPFu8+vabY9tG1edxhuUUeSePU1UvGENxOlhOwUVlZAK05kg7tkfLGuhD+Y3hHJJnv3d+/lEg==-----END PUBLIC KEY-----";
/// The signatures of the notifications of the only two orders that there are, in turn: they say nothing else.
// printf %s BODY | openssl dgst -sha1 -sign | base64 -w0
const SIGNATURES: [&str; 2] = [
    "MEYCIQCWmZJIXz5CMSnM9WiYi/U9ty9zIln5vBw/TsoNLULKIgIhAI2WH1/2zdLLlBLez6oCyqJq7NM96itycNuPhEHFcSpR",
    "MEQCIDyfzWi3OPFT9gExj8W5vDojMi+ttYsrj4tl9vlc1xn7AiBb0yqWbaM5D3Kx/v52KyHHYu88GWa1M6arxXoUVqBKcQ==",
];

fn notification(id: &str) -> String {
    let before =
        r#"{"metadata":{"topic":"ORDER_CONFIRMATION"},"notification":{"data":{"orderId":""#;
    format!(r#"{before}{id}"}}}}}}"#)
}

impl Sender for Ebay {
    fn name(&self) -> &'static str {
        "ebay"
    }

    fn secret(&self) -> String {
        json!({"token": "simulated", "k": KEY}).to_string()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let of = |(n, _): &(u32, &str)| ask.body == notification(&n.to_string());
        if let Some((_, signature)) = (1..).zip(SIGNATURES).find(of) {
            let header =
                json!({"alg": "ecdsa", "kid": "k", "digest": "SHA1", "signature": signature});
            let header = STANDARD.encode(header.to_string());
            ask.headers.push(("x-ebay-signature", header));
        }
    }
}

impl Vendor for Ebay {
    fn access(&self) -> String {
        json!({
            "url": API, "client_id": "simulated", "client_secret": "simulated", "refresh_token": "simulated",
        })
        .to_string()
    }

    fn hint(&self, id: &str) -> Word {
        Word::Webhook(notification(id))
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/")?;
        if path == "identity/v1/oauth2/token" {
            return Some(Asked::Token);
        }
        let said: Value = serde_json::from_str(request.body()).unwrap_or_default();
        if path == "sell/inventory/v1/bulk_update_price_quantity" {
            let items = said["requests"].as_array()?.iter();
            let item = |item: &Value| {
                let quantity = item["shipToLocationAvailability"]["quantity"].as_i64()?;
                Some((item["sku"].as_str()?.to_owned(), quantity))
            };
            return Some(Asked::Available(items.map(item).collect::<Option<_>>()?));
        }
        let order = path.strip_prefix("sell/fulfillment/v1/order/")?;
        let Some(id) = order.strip_suffix("/shipping_fulfillment") else {
            return Some(Asked::Order(place(order)?, ""));
        };
        if request.method() == http::Method::GET {
            return Some(Asked::Shipments(place(id)?));
        }
        let sent = Sent {
            number: said["trackingNumber"].as_str()?.to_owned(),
            pieces: Some(said["lineItems"][0]["quantity"].as_u64()?),
            ..Sent::default()
        };
        Some(Asked::Sent(place(id)?, sent))
    }

    fn changes(&self, _: &[(String, Timestamp)]) -> (u16, String) {
        (404, String::new())
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let money = json!({"value": decimal(sold.total), "currency": "EUR"});
        let to = json!({
            "fullName": "C", "email": sold.email(), "primaryPhone": {"phoneNumber": phone(n)},
            "contactAddress": {"addressLine1": "1 Street", "city": "Lyon", "countryCode": "FR"},
        });
        json!({
            "orderId": sold.id(),
            "creationDate": sold.placed_at().to_string(),
            "lastModifiedDate": sold.states[n].0.to_string(),
            "orderPaymentStatus": "PAID",
            "orderFulfillmentStatus": "NOT_STARTED",
            "pricingSummary": {"total": money},
            "lineItems": [{
                "lineItemId": "1", "sku": sold.sku, "title": sold.sku, "lineItemCost": money,
                "quantity": shown(sold.units.into(), sold.decimals),
            }],
            "fulfillmentStartInstructions": [{"shippingStep": {"shipTo": to}}],
        })
        .to_string()
    }

    fn shipments(&self, sent: &[Sent]) -> String {
        let known = |sent: &Sent| {
            let line = json!({"lineItemId": "1", "quantity": sent.pieces});
            json!({"shipmentTrackingNumber": sent.number, "lineItems": [line]})
        };
        let known: Value = sent.iter().map(known).collect();
        json!({"fulfillments": known}).to_string()
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (201, "{}".into()),
            Heard::Changed | Heard::Refused => (400, r#"{"errors":[{"errorId":32800}]}"#.into()),
        }
    }

    fn available(&self, said: &[(String, i64)], _: &[&str]) -> (u16, String) {
        let answer = |(sku, _): &(String, i64)| match sku == UNKNOWN_SKU {
            true => json!({"sku": sku, "statusCode": 404, "errors": [{"errorId": 25702}]}),
            false => json!({"sku": sku, "statusCode": 200}),
        };
        let answers: Value = said.iter().map(answer).collect();
        (200, json!({"responses": answers}).to_string())
    }

    fn is_polled(&self) -> bool {
        false
    }
}
