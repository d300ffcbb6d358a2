//! Etsy: its webhooks are Standard Webhooks; it is told of a number when the last of an order leaves; and the inventory of each listing is read and
//! written as a whole. It keeps no listing of which there is nothing: somebody puts it back at once. An order has no telephone number.

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{API, Asked, Heard, Sender, Sent, Sold, UNKNOWN_SKU, Vendor, Word, field, place};
use crate::ask::Ask;
use crate::channel::standard;
use crate::measure::shown;

/// The channel.
#[derive(Debug)]
pub struct Etsy;

const KEY: &[u8] = b"simulated-etsy-secret";
/// What a listing has that somebody has just put back: more than there ever is.
const PUT_BACK: i64 = 900;

impl Sender for Etsy {
    fn name(&self) -> &'static str {
        "etsy"
    }

    fn secret(&self) -> String {
        standard::secret(KEY)
    }

    fn sign(&self, ask: &mut Ask, now: Timestamp) {
        standard::sign(KEY, ask, now);
    }
}

impl Vendor for Etsy {
    fn access(&self) -> String {
        json!({
            "url": API, "client_id": "simulated", "client_secret": "simulated", "refresh_token": "simulated", "shop_id": "7",
        })
        .to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let url = format!("{API}/v3/application/shops/7/receipts/{id}");
        Word::Webhook(json!({"event_type": "order.paid", "resource_url": url}).to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/v3/")?;
        let method = request.method().as_str();
        if path == "public/oauth/token" {
            return Some(Asked::Token);
        }
        let path = path.strip_prefix("application/")?;
        if let Some(sku) = path.strip_prefix("listings/") {
            let sku = sku.strip_suffix("/inventory")?.to_owned();
            if method == "GET" {
                return Some(Asked::Listed(vec![sku], "inventory"));
            }
            let said: Value = serde_json::from_str(request.body()).ok()?;
            let quantity = said["products"][0]["offerings"][0]["quantity"].as_i64()?;
            return Some(Asked::Available(vec![(sku, quantity)]));
        }
        let path = path.strip_prefix("shops/7/")?;
        Some(match path.split_once('/') {
            None if path == "receipts" => {
                let after = field(request.uri().query()?, "min_last_modified")?;
                Asked::Changes(Timestamp::from_second(after.parse().ok()?).ok()?)
            }
            None if path == "listings" => {
                let all = ["CUP", "POT", UNKNOWN_SKU, "SET"].into_iter();
                let known = all.filter(|sku| *sku != UNKNOWN_SKU);
                Asked::Listed(known.map(str::to_owned).collect(), "")
            }
            // It is taken off.
            Some(("listings", sku)) => Asked::Available(vec![(sku.to_owned(), 0)]),
            Some(("receipts", receipt)) => match receipt.split_once('/') {
                None => Asked::Order(place(receipt)?, ""),
                Some((id, "tracking")) => {
                    let number = field(request.body(), "tracking_code")?;
                    let sent = Sent {
                        number,
                        ..Sent::default()
                    };
                    Asked::Sent(place(id)?, sent)
                }
                Some(_) => return None,
            },
            _ => return None,
        })
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry = |(id, at): &(String, Timestamp)| json!({"receipt_id": id, "updated_timestamp": at.as_second()});
        let list: Value = orders.iter().map(entry).collect();
        (200, json!({"results": list}).to_string())
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let money = |minor: i64| json!({"amount": minor, "divisor": 100, "currency_code": "EUR"});
        let (changed, is_cancelled) = sold.states[n];
        let known = |sent: &Sent| json!({"tracking_code": sent.number});
        json!({
            "receipt_id": sold.id(),
            "status": if is_cancelled { "Canceled" } else { "Paid" },
            "is_paid": true,
            "is_shipped": !sold.sent.is_empty(),
            "created_timestamp": sold.placed_at().as_second(),
            "updated_timestamp": changed.as_second(),
            "buyer_email": sold.email(),
            "name": "C", "first_line": "1 Street", "city": "Lyon", "country_iso": "FR",
            "grandtotal": money(sold.total),
            "transactions": [{
                "transaction_id": 1, "sku": sold.sku, "title": sold.sku, "price": money(sold.price),
                "quantity": shown(sold.units.into(), sold.decimals),
            }],
            "shipments": sold.sent.iter().map(known).collect::<Value>(),
        })
        .to_string()
    }

    fn listed(&self, skus: &[(String, i64)], part: &str) -> String {
        if part.is_empty() {
            let listing = |(sku, _): &(String, i64)| json!({"listing_id": sku, "skus": [sku]});
            let list: Value = skus.iter().map(listing).collect();
            return json!({"results": list}).to_string();
        }
        let price = json!({"amount": 100, "divisor": 100, "currency_code": "EUR"});
        let product = |(sku, shown): &(String, i64)| {
            let quantity = if *shown > 0 { *shown } else { PUT_BACK };
            let offering = json!({"price": price, "quantity": quantity, "is_enabled": true});
            json!({"sku": sku, "property_values": [], "offerings": [offering]})
        };
        let products: Value = skus.iter().map(product).collect();
        json!({"products": products}).to_string()
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (200, "{}".into()),
            Heard::Changed | Heard::Refused => (400, r#"{"error":"it is cancelled"}"#.into()),
        }
    }

    fn available(&self, _: &[(String, i64)], _: &[&str]) -> (u16, String) {
        (200, "{}".into())
    }

    fn has_phones(&self) -> bool {
        false
    }
}
