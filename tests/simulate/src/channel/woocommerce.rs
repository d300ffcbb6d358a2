//! WooCommerce: what is off the whole order is a fee below nothing, and what has gone back is in the order. It does not say which
//! lines nobody ships, nor that units are taken off one.

use jiff::Timestamp;

use super::{Sender, State, Stated, TimeFormat, Writer, phone, signature};
use crate::ask::Ask;
use crate::channel::Money;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct WooCommerce;

const SECRET: &str = "simulated-woocommerce-secret";

impl Sender for WooCommerce {
    fn name(&self) -> &'static str {
        "woocommerce"
    }

    fn secret(&self) -> String {
        SECRET.into()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signature = signature(SECRET, &ask.body);
        ask.headers.push(("x-wc-webhook-signature", signature));
    }
}

impl Writer for WooCommerce {
    fn time(&self) -> TimeFormat {
        |at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    fn about(&self, is_new: bool) -> Vec<(&'static str, String)> {
        let topic = if is_new {
            "order.created"
        } else {
            "order.updated"
        };
        vec![("x-wc-webhook-topic", topic.into())]
    }

    fn body(&self, order: &Stated, n: usize) -> String {
        let State {
            money,
            cancelled,
            refunds,
            ..
        } = &order.said[n];
        let [placed_at, at] = [order.placed_at, order.at(n)].map(self.time());
        let status = match cancelled {
            true => "cancelled",
            false => money.named(["processing", "processing", "pending"]),
        };
        let paid = match money {
            Money::Paid => format!(r#""date_paid_gmt":"{placed_at}","#),
            _ => String::new(),
        };
        let lines = order.lines.iter().enumerate().map(|(k, line)| {
            let (id, sku, goods) = (k + 1, &line.sku, decimal(line.goods()));
            let quantity = shown(line.units.into(), line.decimals);
            format!(
                r#"{{"id":{id},"name":"{sku}","sku":"{sku}","quantity":{quantity},"subtotal":"{goods}","total":"{goods}","total_tax":"0.00"}}"#
            )
        });
        let lines = lines.collect::<Vec<_>>().join(",");
        let fees = match order.discount {
            0 => String::new(),
            minor => format!(r#"{{"id":91,"name":"Off","total":"-{}"}}"#, decimal(minor)),
        };
        let refunds = refunds.iter().map(|(id, minor)| {
            let total = decimal(*minor);
            format!(r#"{{"id":"{id}","total":"-{total}"}}"#)
        });
        let refunds = refunds.collect::<Vec<_>>().join(",");
        let [total, shipping] = [order.total, order.shipping].map(decimal);
        let ((country, code, city), phone) = (order.to, phone(n));
        let (id, email) = (order.n, order.email.as_deref().unwrap_or_default());
        format!(
            r#"{{"id":{id},"number":"{id}","status":"{status}","currency":"EUR","date_created_gmt":"{placed_at}",{paid}"shipping_total":"{shipping}","shipping_tax":"0.00","total":"{total}","total_tax":"0.00","billing":{{"email":"{email}","phone":"{phone}"}},"shipping":{{"first_name":"C","address_1":"1 Street","city":"{city}","postcode":"{code}","country":"{country}"}},"line_items":[{lines}],"fee_lines":[{fees}],"refunds":[{refunds}],"date_modified_gmt":"{at}"}}"#
        )
    }

    fn lists_refunds(&self) -> bool {
        true
    }
}
