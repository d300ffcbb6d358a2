//! Shopify: the order with what is left of each line; refunds, and returns (`outside/returns.rs`), by webhooks of their own.

use jiff::Timestamp;

use super::{Sender, State, Stated, TimeFormat, Writer, phone, signature};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Shopify;

const SECRET: &str = "simulated-secret";

/// The header that says what a webhook is about.
pub fn topic(topic: &str) -> Vec<(&'static str, String)> {
    vec![("x-shopify-topic", topic.into())]
}

impl Sender for Shopify {
    fn name(&self) -> &'static str {
        "shopify"
    }

    fn secret(&self) -> String {
        SECRET.into()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signature = signature(SECRET, &ask.body);
        ask.headers.push(("x-shopify-hmac-sha256", signature));
    }
}

impl Writer for Shopify {
    fn time(&self) -> TimeFormat {
        |at| at.to_string()
    }

    fn about(&self, is_new: bool) -> Vec<(&'static str, String)> {
        topic(if is_new {
            "orders/create"
        } else {
            "orders/updated"
        })
    }

    fn body(&self, order: &Stated, n: usize) -> String {
        let State { money, off, .. } = &order.said[n];
        let (id, placed_at, at) = (order.n, order.placed_at, order.at(n));
        let cancelled = match order.said[n].cancelled {
            true => format!(r#""cancelled_at":"{at}","#),
            false => String::new(),
        };
        let email = order.email.as_ref();
        let email = email.map_or(String::new(), |email| format!(r#""email":"{email}","#));
        let status = money.named(["paid", "authorized", "pending"]);
        let lines = order.lines.iter().enumerate().map(|(k, line)| {
            let left = line.units - if k == 0 { *off } else { 0 };
            let [quantity, left] = [line.units, left].map(|n| shown(n.into(), line.decimals));
            let (id, sku, price, shipped) =
                (k + 1, &line.sku, decimal(line.price), line.shipped);
            format!(
                r#"{{"id":{id},"sku":"{sku}","title":"{sku}","quantity":{quantity},"current_quantity":{left},"price":"{price}","requires_shipping":{shipped}}}"#
            )
        });
        let lines = lines.collect::<Vec<_>>().join(",");
        let [total, discount, shipping] =
            [order.total, order.discount, order.shipping].map(decimal);
        let ((country, code, city), phone) = (order.to, phone(n));
        format!(
            r##"{{"id":{id},"name":"#{id}","created_at":"{placed_at}",{cancelled}"phone":"{phone}","currency":"EUR","taxes_included":true,{email}"financial_status":"{status}","total_price":"{total}","total_discounts":"{discount}","total_tax":"0.00","line_items":[{lines}],"shipping_lines":[{{"price":"{shipping}"}}],"shipping_address":{{"name":"C","address1":"1 Street","city":"{city}","zip":"{code}","country_code":"{country}"}},"updated_at":"{at}"}}"##
        )
    }

    fn takes_off(&self) -> bool {
        true
    }

    fn refund(
        &self,
        order: &Stated,
        named: &str,
        minor: i64,
    ) -> Option<(Vec<(&'static str, String)>, String)> {
        let (n, amount) = (order.n, decimal(minor));
        let body = format!(
            r#"{{"id":"{named}","order_id":{n},"transactions":[{{"kind":"refund","status":"success","amount":"{amount}","currency":"EUR"}}]}}"#
        );
        Some((topic("refunds/create"), body))
    }
}
