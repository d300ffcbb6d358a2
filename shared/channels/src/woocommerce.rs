//! WooCommerce: `order.*` webhooks, whose body is the order as its REST API (`wc/v3`) gives it.
//!
//! Lines never contain the tax here, whatever `prices_include_tax` says: that tells how the prices
//! were entered. The id of a delivery is that of its second, so that it tells no deliveries apart.

mod stock;
mod updates;

use domain::intake::{ChannelRefund, NewLine, NewOrder};
use domain::order::{Address, Payment};
use domain::{Currency, Quantity};

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, first_of, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::html::unescape;
use crate::signature::hmac_sha256_base64_matches;
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Request, Vendor};
use crate::{Channel, Delivery, Greeting, Said, Secret, Unreadable};
use jiff::{Timestamp, ToSpan};

/// The channel.
#[derive(Debug)]
pub struct WooCommerce;

const NAMES: Names = Names {
    lines: "/line_items",
    address: "/shipping",
    fields: &[
        ("*/unit_price", "/subtotal"),
        ("/email", "/billing/email"),
        ("/phone", "/billing/phone"),
        ("@/line1", "/address_1"),
        ("@/line2", "/address_2"),
        ("@/region", "/state"),
        ("@/postal_code", "/postcode"),
    ],
};

impl Channel for WooCommerce {
    fn name(&self) -> &'static str {
        "woocommerce"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let signature = delivery.header("x-wc-webhook-signature");
        signature.is_some_and(|signature| {
            hmac_sha256_base64_matches(delivery.raw_body, signature, secrets)
        })
    }

    /// The ping that a webhook is saved with: a form, unsigned, about nothing.
    fn greet(&self, delivery: &Delivery<'_>, secrets: &[Secret]) -> Option<Greeting> {
        let id = delivery.raw_body.strip_prefix(b"webhook_id=")?;
        let is_ping = delivery.method == "POST"
            && delivery.header("x-wc-webhook-signature").is_none()
            && (1..=20).contains(&id.len())
            && id.iter().all(u8::is_ascii_digit);
        (is_ping && !secrets.is_empty()).then(|| Greeting::Text(String::new()))
    }

    fn topic<'d>(&self, delivery: &Delivery<'d>) -> &'d str {
        delivery.header("x-wc-webhook-topic").unwrap_or_default()
    }

    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable> {
        match self.topic(delivery) {
            // Of a cart there is no order to tell of.
            "" | "order.created" | "order.updated" | "order.restored"
                if is_draft(delivery.raw_body) =>
            {
                Ok(Said::Changed(Vec::new()))
            }
            "" | "order.created" | "order.updated" | "order.restored" => self
                .parse(delivery.raw_body, account)
                .map(|order| Said::Order(Box::new(order))),
            "order.deleted" => {
                let faults = Faults::default();
                let body = document::root(delivery.raw_body, &faults)?.object();
                let id = body.and_then(|mut body| body.require("id")?.digits());
                id.map(Said::Deleted).ok_or_else(|| faults.unreadable())
            }
            _ => Ok(Said::Nothing("webhooks of this topic are not handled")),
        }
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

/// Whether it is a cart that somebody has at the checkout, which shops tell of like of an order until it is one,
/// or an order that somebody is still writing. What cannot be read is neither.
fn is_draft(document: &[u8]) -> bool {
    let faults = Faults::default();
    let order = document::object(document, &faults);
    order.is_ok_and(|mut order| {
        let status = order.words("status");
        matches!(status.as_str(), "checkout-draft" | "auto-draft" | "draft")
    })
}

/// Orders of a page (the most that WordPress gives).
const PAGE: usize = 100;

/// The REST API `wc/v3`, opened by a consumer key and its secret: an access has `url` (of the shop),
/// `key` and `secret`. `modified_after` and the order by `modified` are there since WooCommerce 5.8; a
/// time is in whole seconds, and one that is asked for is not included itself.
impl Vendor for WooCommerce {
    fn parts(&self) -> &'static [&'static str] {
        &["url", "key", "secret"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![vendor::basic(access.text("key"), access.text("secret"))]
    }
}

impl Api for WooCommerce {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) if is_draft(answer) => {
                Next::NotOurs("a cart at the checkout, or an order that is still being written")
            }
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(Request::get(format!(
                "{}/wp-json/wc/v3/orders/{}",
                vendor::base(access, ""),
                vendor::encode(id)
            ))),
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

impl Changes for WooCommerce {
    fn is_sorted(&self) -> bool {
        true
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let before = since.saturating_sub(1.second()).unwrap_or(since);
        let query = vendor::query(&[
            (
                "modified_after",
                &before.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            ),
            ("dates_are_gmt", "true"),
            ("orderby", "modified"),
            ("order", "asc"),
            ("per_page", &PAGE.to_string()),
            ("page", &vendor::number(page).to_string()),
            ("_fields", "id,date_modified_gmt"),
        ]);
        let url = vendor::base(access, "");
        Request::get(format!("{url}/wp-json/wc/v3/orders?{query}"))
    }

    fn read(&self, page: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let orders = vendor::listed(answer, "", ("id", "date_modified_gmt"), |time| time.utc())?;
        let next = vendor::next_number(page, orders.len(), PAGE);
        Ok(Page { orders, next })
    }
}

/// The name of a time of the order. What passes an order on may leave out what is in UTC: the shop's own time,
/// which does not say its zone, is then taken for UTC.
fn time_of<'n>(order: &Object<'_>, utc: &'n str, local: &'n str) -> &'n str {
    match !order.has(utc) && order.has(local) {
        true => local,
        false => utc,
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    let placed = time_of(&order, "date_created_gmt", "date_created");
    let changed = time_of(&order, "date_modified_gmt", "date_modified");
    let currency = order.require("currency").and_then(|code| code.currency());
    let status = order.words("status");
    let once_completed = order.has("date_completed_gmt") || order.has("date_completed");
    let refunded = status == "refunded";
    let is_empty = |name| {
        let list = order.peek(name).and_then(|list| list.list());
        list.is_none_or(|list| list.is_empty())
    };
    let lines = match is_empty("line_items") && !is_empty("fee_lines") {
        // An amount that was asked for by itself.
        true => order.lines("fee_lines", |fee| Some(fee_line(fee, currency))),
        false => order.lines("line_items", |line| {
            // What is all paid back before it is sent is not sent.
            Some(new_line(line, refunded && !once_completed, currency))
        }),
    };
    let mut discount = 0;
    let mut extras = order.amount("shipping_total", currency);
    let mut other_tax = order.amount("shipping_tax", currency);
    for mut fee in order.objects("fee_lines") {
        match fee.signed("total", currency) {
            off @ ..0 => discount -= off,
            fee => extras += fee,
        }
        other_tax += fee.signed("total_tax", currency);
    }
    extras += other_tax;
    // Each line's tax is rounded by itself, and so is the sum.
    let line_tax: i64 = lines.iter().map(|line| line.tax).sum();
    let tax = order.amount("total_tax", currency) - line_tax - other_tax;
    if (-(lines.len() as i64)..0).contains(&tax) {
        discount -= tax;
    }
    // What a gift card paid is not in the total that is left to pay.
    let cards = order.objects("gift_cards").into_iter();
    let by_card: i64 = cards.map(|mut card| card.amount("amount", currency)).sum();
    let total = order
        .require("total")
        .and_then(|total| total.amount(currency))
        .map(|total| total + by_card);
    let paid_at = order.has("date_paid_gmt") || order.has("date_paid");
    let payments = total.map(|total| match status.as_str() {
        "refunded" | "completed" => Payment::Captured(total),
        _ if paid_at => Payment::Captured(total),
        // Cash on delivery and the like: the shop says that it may go.
        "processing" => Payment::Authorised(total),
        _ => Payment::Captured(by_card),
    });
    let refunds = order.objects("refunds").into_iter();
    let refunds = refunds.map(|mut refund| ChannelRefund {
        id: refund
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        amount: refund.signed("total", currency).saturating_abs(),
        lines: Vec::new(),
    });
    let refunds = refunds.collect();
    let mut billing = order.inner("billing");
    let mut shipping = order.inner("shipping");
    let phone = |object: &mut Option<Object<'_>>| {
        let phone = object.as_mut()?.take("phone")?.short_text()?;
        Some(phone).filter(|phone| !phone.is_empty())
    };
    Draft {
        external_id: order.require("id").and_then(|id| id.digits()),
        number: order
            .take("number")
            .and_then(|number| number.digits())
            .unwrap_or_default(),
        placed_at: order.require(placed).and_then(|time| time.utc()),
        as_of: order.take(changed).and_then(|time| time.utc()),
        currency,
        lines,
        discount,
        tax,
        extras,
        total,
        payments: payments.into_iter().collect(),
        refunds,
        phone: phone(&mut shipping).or_else(|| phone(&mut billing)),
        email: billing.and_then(|mut billing| billing.take("email")?.email()),
        address: shipping.and_then(address),
        shipped: status == "completed" || (refunded && once_completed),
        cancelled: matches!(status.as_str(), "cancelled" | "failed" | "trash"),
        ..Draft::default()
    }
}

fn fee_line(mut fee: Object<'_>, currency: Option<Currency>) -> NewLine {
    NewLine {
        id: fee
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        title: title(&unescape(&fee.words("name"))),
        quantity: 1.into(),
        intangible: true,
        unit_price: fee.amount("total", currency),
        tax: fee.amount("total_tax", currency),
        ..NewLine::default()
    }
}

fn new_line(mut line: Object<'_>, called_off: bool, currency: Option<Currency>) -> NewLine {
    let quantity = line.units("quantity");
    let cost = line.require("total").and_then(|t| t.amount(currency));
    let cost = cost.unwrap_or_default();
    let goods = line.take("subtotal").and_then(|t| t.amount(currency));
    let goods = goods.unwrap_or(cost);
    let (unit_price, rounding) = quantity.price_of(goods);
    NewLine {
        id: line
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: sku(&mut line, "sku"),
        title: title(&unescape(&line.words("name"))),
        quantity,
        cancelled: match called_off {
            true => quantity,
            false => Quantity::default(),
        },
        unit_price,
        discount: goods - cost + rounding,
        tax: line.amount("total_tax", currency),
        ..NewLine::default()
    }
}

fn address(mut address: Object<'_>) -> Option<Address> {
    let mut words = |name: &str| unescape(&address.words(name));
    let (company, line1, line2) = (words("company"), words("address_1"), words("address_2"));
    let (city, region) = (words("city"), words("state"));
    let name = unescape(&full_name(&mut address, "first_name", "last_name"));
    if_any(Address {
        name: first_of([name, company.clone()]),
        company,
        line1,
        line2,
        city,
        region,
        postal_code: address.words("postcode"),
        country: address.words("country"),
    })
}
