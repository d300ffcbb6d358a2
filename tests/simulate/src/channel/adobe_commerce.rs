//! Adobe Commerce: I/O Events, signed by RSA. It says of a line how much of it is cancelled, and nothing of what has gone back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use super::{Sender, State, Stated, TimeFormat, Writer, phone, rsa};
use crate::ask::Ask;
use crate::channel::Money;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct AdobeCommerce;

/// What it is answered: it does not hear what its order is called.
pub const GO_ON: &str = r#"[{"op":"success"}]"#;
/// Who its events are for.
const CLIENT: &str = "simulated";

impl Sender for AdobeCommerce {
    fn name(&self) -> &'static str {
        "adobe-commerce"
    }

    fn secret(&self) -> String {
        json!({"client_id": CLIENT, "public_key1": rsa::key().public()}).to_string()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signature = STANDARD.encode(rsa::key().sign(ask.body.as_bytes()));
        ask.headers.push(("x-adobe-digital-signature-1", signature));
    }
}

impl Writer for AdobeCommerce {
    fn time(&self) -> TimeFormat {
        |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn body(&self, order: &Stated, n: usize) -> String {
        let State {
            money,
            cancelled,
            off,
            ..
        } = &order.said[n];
        let [placed_at, at] = [order.placed_at, order.at(n)].map(self.time());
        let state = match cancelled {
            true => "canceled",
            false => money.named(["processing", "processing", "new"]),
        };
        let lines = order.lines.iter().enumerate().map(|(k, line)| {
            let off = if k == 0 { *off } else { 0 };
            let [quantity, off] = [line.units, off].map(|n| shown(n.into(), line.decimals));
            let (id, sku, goods) = (k + 1, &line.sku, decimal(line.goods()));
            let is_virtual = u8::from(!line.shipped);
            format!(
                r#"{{"item_id":{id},"sku":"{sku}","name":"{sku}","product_type":"simple","qty_ordered":{quantity},"qty_canceled":{off},"row_total":{goods},"is_virtual":{is_virtual}}}"#
            )
        });
        let lines = lines.collect::<Vec<_>>().join(",");
        let paid = if *money == Money::Paid {
            order.total
        } else {
            0
        };
        let [total, paid, discount, shipping] =
            [order.total, paid, order.discount, order.shipping].map(decimal);
        let ((country, code, city), phone) = (order.to, phone(n));
        let (id, email) = (order.n, order.email.as_deref().unwrap_or_default());
        format!(
            r#"{{"recipient_client_id":"{CLIENT}","event":{{"data":{{"value":{{"entity_id":{id},"increment_id":"{id}","state":"{state}","created_at":"{placed_at}","order_currency_code":"EUR","grand_total":{total},"total_paid":{paid},"discount_amount":-{discount},"shipping_amount":{shipping},"customer_email":"{email}","items":[{lines}],"shipping_address":{{"firstname":"C","street":["1 Street"],"city":"{city}","postcode":"{code}","country_id":"{country}","telephone":"{phone}"}},"updated_at":"{at}"}}}}}}}}"#
        )
    }

    fn takes_off(&self) -> bool {
        true
    }
}
