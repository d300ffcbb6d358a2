//! Amazon: its word comes by a queue of ours, and a package is known by its number within the order. What is cancelled it does not
//! say to be paid. An order has no telephone number.

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ACCOUNT, API, Asked, Heard, Sender, Sent, Sold, UNKNOWN_SKU, Vendor, Word, field, place,
};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Amazon;

impl Sender for Amazon {
    fn name(&self) -> &'static str {
        "amazon"
    }

    /// It sends no webhooks.
    fn secret(&self) -> String {
        String::new()
    }

    fn sign(&self, _: &mut Ask, _: Timestamp) {}
}

impl Vendor for Amazon {
    fn access(&self) -> String {
        json!({
            "url": API, "token_url": format!("{API}/token"), "client_id": "simulated", "client_secret": "simulated",
            "refresh_token": "simulated", "seller_id": ACCOUNT, "marketplace_ids": "M",
        })
        .to_string()
    }

    fn hint(&self, id: &str) -> Word {
        let change = json!({"SellerId": ACCOUNT, "AmazonOrderId": id});
        let payload = json!({"OrderChangeNotification": change});
        let message = json!({"NotificationType": "ORDER_CHANGE", "Payload": payload});
        Word::Message(message.to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/")?;
        let said: Value = serde_json::from_str(request.body()).unwrap_or_default();
        if path == "token" {
            return Some(Asked::Token);
        }
        if let Some(item) = path.strip_prefix("listings/2021-08-01/items/") {
            let (_, sku) = item.split_once('/')?;
            let quantity = said["patches"][0]["value"][0]["quantity"].as_i64()?;
            return Some(Asked::Available(vec![(sku.to_owned(), quantity)]));
        }
        if let Some(order) = path.strip_prefix("orders/v0/orders/") {
            let package = &said["packageDetail"];
            let sent = Sent {
                number: package["trackingNumber"].as_str()?.to_owned(),
                pieces: package["orderItems"][0]["quantity"].as_u64(),
                name: Some(package["packageReferenceId"].as_str()?.to_owned()),
                ..Sent::default()
            };
            let id = order.strip_suffix("/shipmentConfirmation")?;
            return Some(Asked::Sent(place(id)?, sent));
        }
        match path.strip_prefix("orders/2026-01-01/orders")? {
            "" => {
                let since = field(request.uri().query()?, "lastUpdatedAfter")?;
                Some(Asked::Changes(since.parse().ok()?))
            }
            id => Some(Asked::Order(place(id.strip_prefix('/')?)?, "")),
        }
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry = |(id, at): &(String, Timestamp)| json!({"orderId": id, "lastUpdatedTime": at.to_string()});
        let list: Value = orders.iter().map(entry).collect();
        (200, json!({"orders": list}).to_string())
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let money = json!({"amount": decimal(sold.total), "currencyCode": "EUR"});
        let (changed, is_cancelled) = sold.states[n];
        let status = if is_cancelled {
            "CANCELLED"
        } else {
            "UNSHIPPED"
        };
        let address =
            json!({"name": "C", "addressLine1": "1 Street", "city": "Lyon", "countryCode": "FR"});
        json!({"order": {
            "orderId": sold.id(),
            "createdTime": sold.placed_at().to_string(),
            "lastUpdatedTime": changed.to_string(),
            "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"},
            "proceeds": {"grandTotal": money},
            "orderItems": [{
                "orderItemId": "1", "quantityOrdered": shown(sold.units.into(), sold.decimals),
                "product": {"sellerSku": sold.sku, "title": sold.sku}, "proceeds": {"proceedsTotal": money},
            }],
            "buyer": {"buyerEmail": sold.email()},
            "recipient": {"deliveryAddress": address},
        }})
        .to_string()
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (204, String::new()),
            Heard::Changed | Heard::Refused => {
                (400, r#"{"errors":[{"code":"InvalidInput"}]}"#.into())
            }
        }
    }

    fn available(&self, said: &[(String, i64)], _: &[&str]) -> (u16, String) {
        let is_unknown = said.iter().any(|(sku, _)| sku == UNKNOWN_SKU);
        let answer = match is_unknown {
            true => json!({"status": "INVALID", "issues": [{"code": "4000001"}]}),
            false => json!({"status": "ACCEPTED"}),
        };
        (200, answer.to_string())
    }

    fn has_phones(&self) -> bool {
        false
    }

    fn is_paid_if_cancelled(&self) -> bool {
        false
    }
}
