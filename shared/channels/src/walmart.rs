//! Walmart Marketplace: notifications, which say that an order has changed, and the order as the
//! Orders API (v3) gives it. Walmart writes to the customer.
//!
//! Walmart documents the signature for one kind of its notifications; the others are taken to be signed
//! alike. Its time is read as seconds, milliseconds or text.

mod stock;
mod updates;

use data_encoding::{BASE64, HEXLOWER};
use domain::Quantity;
use domain::id::derived;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::{SignedDuration, Timestamp, ToSpan};
use sha2::{Digest, Sha256};

use crate::document::{self, MoneyShape, Object, Value, elements};
use crate::draft::{Draft, Names, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{hmac_sha256_matches, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// How far the signed time may be from ours, either way. Walmart names no window.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Seconds beyond which a number is one of milliseconds: the year 5138.
const MAX_SECONDS: i64 = 100_000_000_000;

/// The channel.
#[derive(Debug)]
pub struct Walmart;

const NAMES: Names = Names {
    lines: "/orderLines/orderLine",
    address: "/shippingInfo/postalAddress",
    fields: &[
        ("/number", "/customerOrderId"),
        ("/id", "/purchaseOrderId"),
        ("/email", "/customerEmailId"),
        ("*/id", "/lineNumber"),
        ("*/sku", "/item/sku"),
        ("*/quantity", "/orderLineQuantity/amount"),
        ("@/line1", "/address1"),
        ("@/line2", "/address2"),
        ("@/region", "/state"),
        ("@/postal_code", "/postalCode"),
    ],
};
const MONEY: MoneyShape = MoneyShape {
    amount: "amount",
    currency: "currency",
    minor: false,
};

impl Channel for Walmart {
    fn name(&self) -> &'static str {
        "walmart"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
        let signature = delivery
            .header("wm_sec.signature")
            .and_then(|signature| BASE64.decode(signature.as_bytes()).ok());
        let sent_at = delivery.header("wm_sec.timestamp");
        let (Some(signature), Some(sent_at)) = (signature, sent_at) else {
            return false;
        };
        let digest = HEXLOWER.encode(&Sha256::digest(delivery.raw_body));
        let signed = with_any(secrets, |secret| {
            let url = secret.part("url").unwrap_or(delivery.url);
            let target = path_and_query(url);
            let lines = [delivery.method, target, sent_at, &digest].join("\n");
            let key = secret.key()?.as_bytes();
            Some(hmac_sha256_matches(key, &[lines.as_bytes()], &signature))
        });
        signed && time(sent_at).is_some_and(|at| now.duration_since(at).abs() <= TOLERANCE)
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let mut payload = body.inner("payload");
        let id = payload
            .as_mut()
            .and_then(|payload| payload.take("purchaseOrderId"))
            .or_else(|| body.take("purchaseOrderId"))
            .and_then(|id| id.digits());
        Ok(match id {
            // Its time is that of the notification, and not that of the change.
            Some(external_id) => Said::Changed(vec![Hint {
                external_id,
                as_of: None,
            }]),
            None => Said::Nothing("it names no purchase order"),
        })
    }

    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        let faults = Faults::default();
        let mut order = document::object(document, &faults)?;
        if let Some(inner) = order.inner("order") {
            order = inner;
        }
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
        elements(answer, "list/elements/order")
    }
}

fn path_and_query(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

fn time(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(seconds @ ..MAX_SECONDS) => Timestamp::from_second(seconds).ok(),
        Ok(millis) => Timestamp::from_millisecond(millis).ok(),
        Err(_) => text.parse().ok(),
    }
}

/// Walmart's own address.
const WALMART: &str = "https://marketplace.walmartapis.com";
/// Days for which an order is found after it was placed: Walmart refuses to look back further than 180, and what is looked
/// for may itself lie some days back.
const FOUND_FOR_DAYS: i64 = 170;

/// The Marketplace API of the United States, opened by the credentials of a seller's account: an access has `client_id` and
/// `client_secret`, and `url` for the sandbox. A request has the name that Walmart wants for finding it in its
/// logs; said again it has the same. Older documents want the credentials beside the token, newer ones do not: they are there.
///
/// Orders are asked for by the time of their last change, and say only when the status of their lines has changed: what changes otherwise
/// is found again in each walk until the status of some order has. Left open by its documents: the sequence of a list. If it were that of
/// changes, an order could be missed that is behind one which changes while pages of 200 are turned. When a
/// request may be made again Walmart says in a header of its own, which is not followed.
impl Vendor for Walmart {
    fn parts(&self) -> &'static [&'static str] {
        &["client_id", "client_secret"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let at = format!("{}/v3/token", vendor::base(access, WALMART));
        let fields = [("grant_type", "client_credentials")];
        let mut request = named(Request::form(at, &fields));
        request.headers.extend([credentials(access), service()]);
        Some(request)
    }

    fn open(&self, access: &Secret, token: &str) -> Vec<Header> {
        let token = ("wm_sec.access_token", token.into());
        vec![credentials(access), service(), token]
    }

    /// What is missing has a code that says so: other words of 404 are of an address that is not Walmart's.
    fn refusal(&self, status: u16, body: &[u8]) -> Option<Refusal> {
        let code = vendor::code(body).unwrap_or_default();
        let nowhere = code.is_empty() || code.starts_with("URI_NOT_FOUND");
        (status == 404 && nowhere).then_some(Refusal::Locked)
    }
}

fn credentials(access: &Secret) -> Header {
    vendor::basic(access.text("client_id"), access.text("client_secret"))
}

fn service() -> Header {
    ("wm_svc.name", "Walmart Marketplace".into())
}

/// A request with its name.
fn named(mut request: Request) -> Request {
    let name = derived(&[request.method, &request.url, &request.body]);
    request.headers.push(("wm_qos.correlation_id", name));
    request
}

/// Where an order is.
fn order_at(access: &Secret, id: &str) -> String {
    let url = vendor::base(access, WALMART);
    format!("{url}/v3/orders/{}", vendor::encode(id))
}

impl Api for Walmart {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) if is_walmarts(answer) => Next::NotOurs("Walmart ships it itself"),
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(named(Request::get(order_at(access, id)))),
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

fn is_walmarts(answer: &[u8]) -> bool {
    let faults = Faults::default();
    let answer = document::object(answer, &faults).ok();
    let node = answer.and_then(|mut answer| answer.inner("order")?.inner("shipNode"));
    node.is_some_and(|mut node| node.words("type") == "WFSFulfilled")
}

impl Changes for Walmart {
    fn is_sorted(&self) -> bool {
        false
    }

    fn is_missing_when_empty(&self) -> bool {
        true
    }

    /// Without a day from which orders were placed it would be a week ago.
    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let before = |seconds: i64| {
            let at = since.saturating_sub(seconds.seconds()).unwrap_or(since);
            at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let query = match page {
            "" => vendor::query(&[
                ("lastModifiedStartDate", &before(1)),
                ("createdStartDate", &before(FOUND_FOR_DAYS * 86_400)),
                ("limit", "200"),
            ]),
            page => page.to_owned(),
        };
        let url = vendor::base(access, WALMART);
        named(Request::get(format!("{url}/v3/orders?{query}")))
    }

    /// What the next page is called is the query that asks for it.
    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let ids = ("purchaseOrderId", "orderLines");
        let orders = vendor::listed(answer, "list/elements/order", ids, |lines| {
            changed_at(lines).or_else(|| lines.expected("lines with a statusDate"))
        })?;
        let faults = Faults::default();
        let list = document::object(answer, &faults)?.inner("list");
        let next = list.and_then(|mut list| list.inner("meta")?.take("nextCursor")?.text());
        let next = next.map(|next| next.trim_start_matches('?').to_owned());
        let next = next.filter(|next| !next.is_empty());
        Ok(Page { orders, next })
    }
}

/// When the status of some line has last changed.
fn changed_at(lines: &Value<'_>) -> Option<Timestamp> {
    let lines = lines.object()?.objects("orderLine").into_iter();
    let times = lines.filter_map(|mut line| time(&line.take("statusDate")?.digits()?));
    times.max()
}

fn draft(mut order: Object<'_>) -> Draft {
    let as_of = order
        .peek("orderLines")
        .and_then(|lines| changed_at(&lines));
    let mut currency = None;
    let mut extras = 0_i64;
    let mut tax = 0_i64;
    let mut shipped = true;
    let mut lines = order.require("orderLines").and_then(|lines| lines.object());
    let lines = lines.as_mut().map_or_else(Vec::new, |lines| {
        lines.lines("orderLine", |mut line| {
            let mut goods = 0_i64;
            let mut charges = line.inner("charges");
            for mut charge in charges
                .as_mut()
                .map_or_else(Vec::new, |c| c.objects("charge"))
            {
                let product = charge.words("chargeType") == "PRODUCT";
                let amount = charge.money("chargeAmount", MONEY);
                currency = currency.or(amount.map(|(currency, _)| currency));
                let taxed = charge.inner("tax");
                tax += taxed.map_or(0, |mut tax| tax.money_in("taxAmount", MONEY, currency));
                match amount {
                    Some((_, amount)) if product => goods += amount,
                    Some((_, amount)) => extras += amount,
                    None => {}
                }
            }
            let mut ordered = line.inner("orderLineQuantity");
            let quantity = ordered
                .as_mut()
                .map(|ordered| ordered.units("amount"))
                .unwrap_or_default();
            let mut statuses = line.inner("orderLineStatuses");
            let statuses = statuses
                .as_mut()
                .map_or_else(Vec::new, |s| s.objects("orderLineStatus"));
            let mut cancelled = Quantity::default();
            let mut left = Quantity::default();
            for mut status in statuses {
                let count = status
                    .inner("statusQuantity")
                    .map_or(quantity, |mut count| count.units_if_any("amount"));
                match status.words("status").as_str() {
                    "Cancelled" => cancelled = cancelled + count,
                    "Shipped" | "Delivered" => left = left + count,
                    _ => {}
                }
            }
            shipped &= quantity.without(cancelled + left).is_zero();
            let (unit_price, discount) = quantity.price_of(goods);
            let mut item = line.inner("item");
            let id = line.require("lineNumber").and_then(|id| id.digits());
            Some(NewLine {
                id: id.unwrap_or_default(),
                sku: item.as_mut().and_then(|item| sku(item, "sku")),
                title: title(&item.map_or_else(String::new, |mut item| item.words("productName"))),
                quantity,
                cancelled: cancelled.min(quantity),
                unit_price,
                discount,
                ..NewLine::default()
            })
        })
    });
    let total = lines
        .iter()
        .map(NewLine::goods)
        .fold(tax + extras, i64::saturating_add);
    if currency.is_none() {
        order.require("currency");
    }
    let node = order
        .inner("shipNode")
        .and_then(|mut node| node.take("type"));
    if let Some(node) = node.filter(|node| node.text().is_some_and(|kind| kind == "WFSFulfilled")) {
        node.expected::<()>("SellerFulfilled: Walmart ships the others itself");
    }
    let mut shipping = order.inner("shippingInfo");
    let phone = shipping
        .as_mut()
        .and_then(|shipping| shipping.take("phone")?.short_text());
    let mut time = |name: &str| order.require(name).and_then(|time| time.digits());
    Draft {
        placed_at: time("orderDate").and_then(|text| self::time(&text)),
        external_id: time("purchaseOrderId"),
        number: order
            .take("customerOrderId")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        as_of,
        currency,
        shipped,
        lines,
        tax,
        extras,
        // It states no total: the charges are it. They are paid.
        payments: vec![Payment::Captured(total)],
        email: order
            .take("customerEmailId")
            .and_then(|email| email.email()),
        phone,
        address: shipping.and_then(|mut shipping| {
            let mut address = shipping.inner("postalAddress")?;
            if_any(Address {
                name: address.words("name"),
                company: String::new(),
                line1: address.words("address1"),
                line2: address.words("address2"),
                city: address.words("city"),
                region: address.words("state"),
                postal_code: address.words("postalCode"),
                country: country(&address.words("country")),
            })
        }),
        unmailed: true,
        ..Draft::default()
    }
}

/// Walmart names its countries by three letters.
fn country(code: &str) -> String {
    let two = match code {
        "USA" => "US",
        "CAN" => "CA",
        "MEX" => "MX",
        other => other,
    };
    two.to_owned()
}
