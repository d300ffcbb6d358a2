//! BigCommerce: webhooks, which say that an order has changed, and the order as the API (`v2/orders`)
//! gives it, with its `products` and `shipping_addresses` put in their places.
//!
//! Nothing is signed: what is checked is a header that was agreed on when the webhook was made. The
//! `hash` of a body is no name of the delivery: that an order was created and that it was archived have
//! the same.

mod stock;
mod updates;

use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::limits::MAX_LINES;
use domain::order::{Address, Payment};
use jiff::{Timestamp, ToSpan};

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{same, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Request, Vendor};
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

    fn api(&self) -> Option<&dyn Api> {
        Some(self)
    }

    fn updates(&self) -> Option<&dyn Updates> {
        Some(self)
    }

    fn stock(&self) -> Option<&dyn Stock> {
        Some(self)
    }

    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        elements(answer, "")
    }
}

/// Entries of a page (the most that BigCommerce gives).
const PAGE: usize = 250;

/// The API `v2`, opened by the token of an API account: an access has `url`
/// (`https://api.bigcommerce.com/stores/HASH`) and `token`. An order has its products and its addresses in
/// answers of their own; what changes between two of them changes the order's time too, so that it is
/// fetched again. Nothing to tell is an empty answer.
impl Vendor for BigCommerce {
    fn parts(&self) -> &'static [&'static str] {
        &["url", "token"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![("x-auth-token", access.text("token").into())]
    }
}

impl Api for BigCommerce {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        let (url, id) = (vendor::base(access, ""), vendor::encode(id));
        let ask = |rest: String| {
            Ok(Next::Ask(Request::get(format!(
                "{url}/v2/orders/{id}{rest}"
            ))))
        };
        let Some((order, rest)) = answers.split_first() else {
            return ask(String::new());
        };
        let mut products: Vec<&[u8]> = Vec::new();
        let mut addresses = None;
        let mut whole = false;
        for answer in rest {
            let found = entries(answer)?;
            match whole {
                true => addresses = Some(found),
                false => {
                    whole = found.len() < PAGE || products.len() + found.len() > MAX_LINES;
                    products.extend(found);
                }
            }
        }
        match addresses {
            Some(addresses) => put_together(order, &products, &addresses).map(Next::Order),
            None if whole => ask("/shipping_addresses".into()),
            None => ask(format!("/products?limit={PAGE}&page={}", rest.len() + 1)),
        }
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

/// The entries of a list; none in an empty answer.
fn entries(answer: &[u8]) -> Result<Vec<&[u8]>, Unreadable> {
    match answer.iter().all(u8::is_ascii_whitespace) {
        true => Ok(Vec::new()),
        false => elements(answer, ""),
    }
}

/// The order with the entries of two lists in their places.
fn put_together(
    order: &[u8],
    products: &[&[u8]],
    addresses: &[&[u8]],
) -> Result<Vec<u8>, Unreadable> {
    let faults = Faults::default();
    let mut members = document::object(order, &faults)?;
    let list = |entries: &[&[u8]]| [&b"["[..], &entries.join(&b","[..]), b"]"].concat();
    let (products, addresses) = (list(products), list(addresses));
    let (products, addresses) = (
        document::root(&products, &faults)?,
        document::root(&addresses, &faults)?,
    );
    members.put("products", &products);
    members.put("shipping_addresses", &addresses);
    Ok(members.to_json().into_bytes())
}

impl Changes for BigCommerce {
    fn is_sorted(&self) -> bool {
        true
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        // Whether the moment itself is included is not said.
        let since = since.saturating_sub(1.second()).unwrap_or(since);
        let query = vendor::query(&[
            (
                "min_date_modified",
                &since.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
            ),
            ("sort", "date_modified:asc"),
            ("limit", &PAGE.to_string()),
            ("page", &vendor::number(page).to_string()),
        ]);
        let url = vendor::base(access, "");
        Request::get(format!("{url}/v2/orders?{query}"))
    }

    fn read(&self, page: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let orders = vendor::listed(answer, "", ("id", "date_modified"), |time| time.mail_time())?;
        let next = vendor::next_number(page, orders.len(), PAGE);
        Ok(Page { orders, next })
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    // What the customer pays in; `currency_code` is what prices were shown in.
    let currency = order
        .take("default_currency_code")
        .or_else(|| order.require("currency_code"))
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
    // What was given back before it left is not sent any more.
    let unsent = quantity.without(line.units_if_any("quantity_shipped"));
    let cancelled = line.units_if_any("quantity_refunded").min(unsent);
    NewLine {
        id: line
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: sku(&mut line, "sku"),
        title: title(&line.words("name")),
        quantity,
        cancelled,
        intangible: matches!(line.words("type").as_str(), "digital" | "giftcertificate"),
        unit_price,
        discount,
        tax: line.amount("total_tax", currency),
        ..NewLine::default()
    }
}
