//! Any shop: our own document by Standard Webhooks, which sign the time at which they are sent. It says nothing of a part of an
//! order that is cancelled, or of what has gone back.

use jiff::Timestamp;

use super::{Sender, State, Stated, TimeFormat, Writer, phone, standard};
use crate::ask::Ask;
use crate::measure::shown;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct Generic;

const KEY: &[u8] = b"simulated-standard-secret";

impl Sender for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn secret(&self) -> String {
        standard::secret(KEY)
    }

    fn sign(&self, ask: &mut Ask, now: Timestamp) {
        standard::sign(KEY, ask, now);
    }
}

impl Writer for Generic {
    fn time(&self) -> TimeFormat {
        |at| at.to_string()
    }

    fn body(&self, order: &Stated, n: usize) -> String {
        let State {
            money, cancelled, ..
        } = &order.said[n];
        let (id, placed_at, at) = (order.n, order.placed_at, order.at(n));
        let lines = order.lines.iter().map(|line| {
            let (sku, price, shipped) = (&line.sku, decimal(line.price), line.shipped);
            let quantity = shown(line.units.into(), line.decimals);
            format!(
                r#"{{"sku":"{sku}","title":"{sku}","quantity":{quantity},"unit_price":"{price}","requires_shipping":{shipped}}}"#
            )
        });
        let lines = lines.collect::<Vec<_>>().join(",");
        let email = order.email.as_ref();
        let email = email.map_or(String::new(), |email| format!(r#""email":"{email}","#));
        let status = money.named(["paid", "authorised", "pending"]);
        let [total, discount, shipping] =
            [order.total, order.discount, order.shipping].map(decimal);
        let ((country, code, city), phone) = (order.to, phone(n));
        format!(
            r#"{{"id":"{id}","number":"{id}","placed_at":"{placed_at}","currency":"EUR","lines":[{lines}],"shipping":"{shipping}","discount":"{discount}","total":"{total}","payment":{{"status":"{status}"}},"cancelled":{cancelled},"customer":{{{email}"name":"C","phone":"{phone}"}},"shipping_address":{{"name":"C","line1":"1 Street","city":"{city}","postal_code":"{code}","country":"{country}"}},"updated_at":"{at}"}}"#
        )
    }
}
