//! BigCommerce: webhooks, which say that an order has changed, and the order as the API (`v2/orders`)
//! gives it, with its `products` and `shipping_addresses` put in their places.
//!
//! Nothing is signed: what is checked is a header that was agreed on when the webhook was made. The
//! `hash` of a body is no name of the delivery: that an order was created and that it was archived have
//! the same.

use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{same, with_any};
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// The header that carries the secret.
const HEADER: &str = "x-webhook-secret";

/// The channel.
#[derive(Debug)]
pub struct BigCommerce;

const NAMES: Names = Names {
    lines: "/products",
    address: "/shipping_addresses/0",
    fields: &[
        ("/number", "/id"),
        ("/email", "/billing_address/email"),
        ("*/unit_price", "/price_inc_tax"),
        ("@/line1", "/street_1"),
        ("@/line2", "/street_2"),
        ("@/region", "/state"),
        ("@/postal_code", "/zip"),
        ("@/country", "/country_iso2"),
    ],
};

impl Channel for BigCommerce {
    fn name(&self) -> &'static str {
        "bigcommerce"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let given = delivery.header(HEADER).unwrap_or_default();
        with_any(secrets, |secret| Some(same(given, secret.key()?)))
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let scope = body.words("scope");
        let as_of = body.take("created_at").and_then(|time| time.epoch());
        if !scope.starts_with("store/order/") {
            return Ok(Said::Nothing("webhooks of this scope are not handled"));
        }
        let mut data = body.inner("data");
        let id = data.as_mut().and_then(|data| {
            // Of a message or a refund it is the order that counts.
            let id = data.take("order_id").or_else(|| data.take("id"));
            id?.digits()
        });
        Ok(match id {
            Some(external_id) => Said::Changed(vec![Hint { external_id, as_of }]),
            None => Said::Nothing("it names no order"),
        })
    }

    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        let faults = Faults::default();
        let order = document::object(document, &faults)?;
        draft(order).finish(self.name(), account, &faults, &NAMES)
    }

    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        elements(answer, "")
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    let currency = order
        .require("currency_code")
        .and_then(|code| code.currency());
    let lines = order.lines("products", |line| Some(new_line(line, currency)));
    let mut of = |name: &str| order.amount(name, currency);
    let extras =
        of("shipping_cost_inc_tax") + of("handling_cost_inc_tax") + of("wrapping_cost_inc_tax");
    let discount = of("discount_amount") + of("coupon_discount");
    let total = order
        .require("total_inc_tax")
        .and_then(|total| total.amount(currency));
    let status = order.take("status_id").and_then(|status| status.digits());
    let status = status.unwrap_or_default();
    let paid = order.words("payment_status");
    let payments = total.map(|total| match paid.as_str() {
        "captured" | "paid" | "refunded" | "partially refunded" => Payment::Captured(total),
        "authorized" => Payment::Authorised(total),
        // Awaiting fulfillment, shipment or pickup: the shop says that it may go.
        _ if matches!(status.as_str(), "2" | "8" | "9" | "10" | "11") => Payment::Authorised(total),
        _ => Payment::Captured(0),
    });
    let mut billing = order.inner("billing_address");
    let address = order.objects("shipping_addresses").into_iter().next();
    Draft {
        external_id: order.require("id").and_then(|id| id.digits()),
        placed_at: order
            .require("date_created")
            .and_then(|time| time.mail_time()),
        as_of: order
            .take("date_modified")
            .filter(|time| time.text().is_some_and(|text| !text.is_empty()))
            .and_then(|time| time.mail_time()),
        currency,
        taxes_included: true,
        lines,
        discount,
        extras,
        total,
        payments: payments.into_iter().collect(),
        phone: billing
            .as_mut()
            .and_then(|billing| billing.take("phone")?.short_text())
            .filter(|phone| !phone.is_empty()),
        email: billing.and_then(|mut billing| billing.take("email")?.email()),
        address: address.and_then(|mut address| {
            if_any(Address {
                name: full_name(&mut address, "first_name", "last_name"),
                company: address.words("company"),
                line1: address.words("street_1"),
                line2: address.words("street_2"),
                city: address.words("city"),
                region: address.words("state"),
                postal_code: address.words("zip"),
                country: address.words("country_iso2"),
            })
        }),
        // Shipped, or completed.
        shipped: matches!(status.as_str(), "2" | "10"),
        // Cancelled, or declined.
        cancelled: matches!(status.as_str(), "5" | "6"),
        ..Draft::default()
    }
}

fn new_line(mut line: Object<'_>, currency: Option<Currency>) -> NewLine {
    let quantity = line.units("quantity");
    let goods = match line.has("total_inc_tax") {
        true => line.amount("total_inc_tax", currency),
        false => quantity.cost_at(line.amount("price_inc_tax", currency)),
    };
    let (unit_price, discount) = quantity.price_of(goods);
    NewLine {
        id: line
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: sku(&mut line, "sku"),
        title: title(&line.words("name")),
        quantity,
        intangible: matches!(line.words("type").as_str(), "digital" | "giftcertificate"),
        unit_price,
        discount,
        tax: line.amount("total_tax", currency),
        ..NewLine::default()
    }
}
