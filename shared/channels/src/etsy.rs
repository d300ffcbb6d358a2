//! Etsy: webhooks by Standard Webhooks, which say that a receipt has changed, and the receipt as the
//! Open API (v3) gives it. Etsy writes to the customer.

mod stock;
mod updates;

use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, if_any, sku, title};
use crate::faults::Faults;
use crate::html::unescape;
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Request, Vendor};
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable, standard};

/// The channel.
#[derive(Debug)]
pub struct Etsy;

const NAMES: Names = Names {
    lines: "/transactions",
    address: "",
    fields: &[
        ("/number", "/receipt_id"),
        ("/id", "/receipt_id"),
        ("/email", "/buyer_email"),
        ("/country", "/country_iso"),
        ("/line1", "/first_line"),
        ("/line2", "/second_line"),
        ("/region", "/state"),
        ("/postal_code", "/zip"),
        ("*/id", "/transaction_id"),
        ("*/unit_price", "/price"),
    ],
};

impl Channel for Etsy {
    fn name(&self) -> &'static str {
        "etsy"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
        standard::verify(delivery, secrets, now)
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let url = body.words("resource_url");
        let id = url.rsplit_once("/receipts/").map(|(_, id)| id);
        let id = id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
        Ok(match id {
            // Its time is that of the delivery, and not that of the change.
            Some(id) => Said::Changed(vec![Hint {
                external_id: id.to_owned(),
                as_of: None,
            }]),
            None => Said::Nothing("it names no receipt"),
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
        elements(answer, "results")
    }
}

/// Etsy's own address.
const ETSY: &str = "https://api.etsy.com";
/// Entries of a page: as many as Etsy gives at once.
const PAGE: usize = 100;

/// The Open API, opened by OAuth: an access has `client_id` (the app's keystring), `client_secret` (its shared secret),
/// `refresh_token` and `shop_id` (a number). Etsy gives a new refresh token with every token, and keeps the old one good for 90 days from when it was
/// given: so long an access lasts, and its reader cannot replace it. An app may ask some 10,000 times a day.
///
/// Left open by its documents: whether receipts are sorted by the time that they are asked for by (`min_last_modified`), which is taken to be
/// `updated_timestamp`, and whether that time itself counts.
impl Vendor for Etsy {
    fn parts(&self) -> &'static [&'static str] {
        &["client_id", "client_secret", "refresh_token", "shop_id"]
    }

    /// Etsy's apps are public ones: their secret is no part of this.
    fn token(&self, access: &Secret) -> Option<Request> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", access.text("client_id")),
            ("refresh_token", access.text("refresh_token")),
        ];
        let url = vendor::base(access, ETSY);
        Some(Request::form(
            format!("{url}/v3/public/oauth/token"),
            &fields,
        ))
    }

    fn open(&self, access: &Secret, token: &str) -> Vec<Header> {
        let (id, secret) = (access.text("client_id"), access.text("client_secret"));
        vec![
            vendor::bearer(token),
            ("x-api-key", format!("{id}:{secret}")),
        ]
    }
}

/// Where a shop is.
fn shop_at(access: &Secret) -> String {
    let (url, shop) = (vendor::base(access, ETSY), access.text("shop_id"));
    format!("{url}/v3/application/shops/{}", vendor::encode(shop))
}

/// Where a receipt is.
fn receipt_at(access: &Secret, id: &str) -> String {
    format!("{}/receipts/{}", shop_at(access), vendor::encode(id))
}

impl Api for Etsy {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(Request::get(receipt_at(access, id))),
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

impl Changes for Etsy {
    fn is_sorted(&self) -> bool {
        true
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let offset = (vendor::number(page) as usize).saturating_sub(1) * PAGE;
        let query = vendor::query(&[
            ("min_last_modified", &(since.as_second() - 1).to_string()),
            ("sort_on", "updated"),
            ("sort_order", "asc"),
            ("limit", &PAGE.to_string()),
            ("offset", &offset.to_string()),
        ]);
        Request::get(format!("{}/receipts?{query}", shop_at(access)))
    }

    fn read(&self, page: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let names = ("receipt_id", "updated_timestamp");
        let orders = vendor::listed(answer, "results", names, |time| time.epoch())?;
        let next = vendor::next_number(page, orders.len(), PAGE);
        Ok(Page { orders, next })
    }
}

/// An amount and what it is to be divided by.
fn money(object: &mut Object<'_>, name: &str) -> Option<(Currency, i64)> {
    let mut money = object.inner(name)?;
    let currency = money.require("currency_code")?.currency()?;
    let amount = money.require("amount")?;
    let divisor = money.require("divisor")?.integer()?;
    let scaled = amount.minor()?.checked_mul(10_i64.pow(currency.exponent()));
    let exact = scaled.filter(|scaled| divisor > 0 && scaled % divisor == 0);
    match exact {
        Some(scaled) => Some((currency, scaled / divisor)),
        None => amount.expected(&format!("whole minor units of {currency}")),
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    if !order.has("grandtotal") {
        order.require("grandtotal");
    }
    let total = money(&mut order, "grandtotal");
    let currency = total.map(|(currency, _)| currency);
    // What is in another currency is no part of the sum: the total differs, and the order is held.
    let of = |object: &mut Object<'_>, name: &str| {
        let found = money(object, name).filter(|(found, _)| Some(*found) == currency);
        found.map_or(0, |(_, amount)| amount)
    };
    let lines = order.lines("transactions", |mut line| {
        let id = line.require("transaction_id").and_then(|id| id.digits());
        Some(NewLine {
            id: id.unwrap_or_default(),
            sku: sku(&mut line, "sku"),
            title: title(&unescape(&line.words("title"))),
            quantity: line.units("quantity"),
            intangible: line.flag("is_digital", false),
            unit_price: of(&mut line, "price"),
            ..NewLine::default()
        })
    });
    let extras = of(&mut order, "total_shipping_cost") + of(&mut order, "gift_wrap_price");
    let total = total.map(|(_, total)| total);
    let paid = order.flag("is_paid", false);
    let status = order.words("status").to_lowercase();
    let shipped = order.flag("is_shipped", false);
    let address = if_any(Address {
        name: unescape(&order.words("name")),
        company: String::new(),
        line1: unescape(&order.words("first_line")),
        line2: unescape(&order.words("second_line")),
        city: unescape(&order.words("city")),
        region: unescape(&order.words("state")),
        postal_code: order.words("zip"),
        country: order.words("country_iso"),
    });
    Draft {
        external_id: order.require("receipt_id").and_then(|id| id.digits()),
        placed_at: order
            .take("created_timestamp")
            .or_else(|| order.require("create_timestamp"))
            .and_then(|time| time.epoch()),
        as_of: order
            .take("updated_timestamp")
            .or_else(|| order.take("update_timestamp"))
            .and_then(|time| time.epoch()),
        currency,
        lines,
        discount: of(&mut order, "discount_amt"),
        // VAT is in the prices, sales tax is not.
        tax: of(&mut order, "total_tax_cost"),
        extras,
        total,
        payments: total
            .filter(|_| paid)
            .map(Payment::Captured)
            .into_iter()
            .collect(),
        email: order.take("buyer_email").and_then(|email| email.email()),
        address,
        unmailed: true,
        shipped,
        // What is paid back before it is sent is not sent.
        cancelled: matches!(status.as_str(), "canceled" | "cancelled")
            || (status == "fully refunded" && !shipped),
        ..Draft::default()
    }
}
