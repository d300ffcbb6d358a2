//! Wix: a token, signed by RSA, with a document as text within a document as text. It says nothing of a part of an order that is
//! cancelled, or of what has gone back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Sender, State, Stated, TimeFormat, Writer, phone, rsa};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Wix;

impl Sender for Wix {
    fn name(&self) -> &'static str {
        "wix"
    }

    fn secret(&self) -> String {
        rsa::key().public()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let event = json!({"eventType": "", "data": ask.body}).to_string();
        let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let (head, payload) = (part(json!({"alg": "RS256"})), part(json!({"data": event})));
        let signed = format!("{head}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(rsa::key().sign(signed.as_bytes()));
        ask.body = format!("{signed}.{signature}");
    }
}

impl Writer for Wix {
    fn time(&self) -> TimeFormat {
        |at| at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    }

    fn body(&self, order: &Stated, n: usize) -> String {
        let State {
            money, cancelled, ..
        } = &order.said[n];
        let [placed_at, at] = [order.placed_at, order.at(n)].map(self.time());
        let (event, entity) = match n {
            0 => ("createdEvent", "entity"),
            _ => ("updatedEvent", "currentEntity"),
        };
        let status = if *cancelled { "CANCELED" } else { "APPROVED" };
        let paid = money.named(["PAID", "AUTHORIZED", "NOT_PAID"]);
        let lines = order.lines.iter().enumerate().map(|(k, line)| {
            let (id, sku, price, shipped) =
                (k + 1, &line.sku, decimal(line.price), line.shipped);
            let quantity = shown(line.units.into(), line.decimals);
            format!(
                r#"{{"id":"{id}","productName":{{"original":"{sku}"}},"quantity":{quantity},"physicalProperties":{{"sku":"{sku}","shippable":{shipped}}},"price":{{"amount":"{price}"}}}}"#
            )
        });
        let lines = lines.collect::<Vec<_>>().join(",");
        let [total, discount, shipping] =
            [order.total, order.discount, order.shipping].map(decimal);
        let ((country, code, city), phone) = (order.to, phone(n));
        let (id, email) = (order.n, order.email.as_deref().unwrap_or_default());
        format!(
            r#"{{"entityFqdn":"wix.ecom.v1.order","entityId":"{id}","{event}":{{"{entity}":{{"id":"{id}","number":"{id}","createdDate":"{placed_at}","currency":"EUR","taxIncludedInPrices":true,"status":"{status}","paymentStatus":"{paid}","fulfillmentStatus":"NOT_FULFILLED","lineItems":[{lines}],"priceSummary":{{"shipping":{{"amount":"{shipping}"}},"discount":{{"amount":"{discount}"}},"tax":{{"amount":"0.00"}},"total":{{"amount":"{total}"}}}},"buyerInfo":{{"email":"{email}"}},"shippingInfo":{{"logistics":{{"shippingDestination":{{"address":{{"addressLine1":"1 Street","city":"{city}","postalCode":"{code}","country":"{country}"}},"contactDetails":{{"firstName":"C","phone":"{phone}"}}}}}}}},"updatedDate":"{at}"}}}}}}"#
        )
    }
}
