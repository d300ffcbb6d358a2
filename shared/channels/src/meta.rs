//! Facebook and Instagram Shops: Meta's webhooks, which say that an order has changed, and the order
//! as the Graph API gives it with the fields that this reads.
//!
//! Orders are paid before they can be seen. Meta writes to the customer, and does not want us to.

mod stock;
mod updates;

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::intake::{NewLine, NewOrder};
use domain::limits::MAX_DECIMALS;
use domain::money::split;
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, MoneyShape, Object, elements};
use crate::draft::{Draft, Names, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{hmac_sha256_matches, same, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Channel, Delivery, Greeting, Hint, Said, Secret, Unreadable};

/// The channel. A secret has the parts `key` (the app's secret) and `verify_token`.
#[derive(Debug)]
pub struct Meta;

const NAMES: Names = Names {
    lines: "/items/data",
    address: "/shipping_address",
    fields: &[
        ("/number", "/id"),
        ("/email", "/buyer_details/email"),
        ("*/sku", "/retailer_id"),
        ("@/line1", "/street1"),
        ("@/line2", "/street2"),
        ("@/region", "/state"),
    ],
};

const MONEY: MoneyShape = MoneyShape {
    amount: "amount",
    currency: "currency",
    minor: false,
};

impl Channel for Meta {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let signature = delivery.header("x-hub-signature-256");
        let signature = signature
            .and_then(|signature| signature.strip_prefix("sha256="))
            .and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
        signature.is_some_and(|signature| {
            with_any(secrets, |secret| {
                let key = secret.key()?.as_bytes();
                Some(hmac_sha256_matches(key, &[delivery.raw_body], &signature))
            })
        })
    }

    fn greet(&self, delivery: &Delivery<'_>, secrets: &[Secret]) -> Option<Greeting> {
        if delivery.method != "GET" || delivery.query("hub.mode") != Some("subscribe") {
            return None;
        }
        let token = delivery.query("hub.verify_token")?;
        let known = with_any(secrets, |secret| {
            Some(same(token, secret.part("verify_token")?))
        });
        let challenge = delivery.query("hub.challenge")?;
        known.then(|| Greeting::Text(challenge.to_owned()))
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let mut hints = Vec::new();
        for mut entry in body.objects("entry") {
            let as_of = entry.take("time").and_then(|time| time.epoch());
            for mut change in entry.objects("changes") {
                let order = change.inner("value");
                let id = order.and_then(|mut order| {
                    let id = order.take("order_id").or_else(|| order.take("id"));
                    id?.digits()
                });
                hints.extend(id.map(|external_id| Hint { external_id, as_of }));
            }
        }
        match hints.is_empty() {
            true => Ok(Said::Nothing("it names no order")),
            false => Ok(Said::Changed(hints)),
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
        elements(answer, "data")
    }
}

/// The Graph API, in the version that its documents show.
const GRAPH: &str = "https://graph.facebook.com/v25.0";
/// What is asked for of an order.
const ASKED_FOR: &str = "id,buyer_details,channel,created,estimated_payment_details,items.limit(500),\
                         last_updated,merchant_order_id,order_status,shipping_address";

/// The Graph API, opened by the token of a system user: an access has `cms_id` (of the shop's commerce
/// settings) and `token`. Orders that Meta still works on (`FB_PROCESSING`) are not to be touched, and not
/// asked for. Whether a list can be asked for cancelled orders is not said: they come by webhooks. How long
/// a list's pages stay good is not said either; one that no longer is is begun anew.
impl Vendor for Meta {
    fn parts(&self) -> &'static [&'static str] {
        &["cms_id", "token"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![vendor::bearer(access.text("token"))]
    }

    /// Meta says in its errors' codes what others say by status (Graph API, "Handle Errors").
    fn refusal(&self, _: u16, body: &[u8]) -> Option<Refusal> {
        let faults = Faults::default();
        let mut answer = document::object(body, &faults).ok()?;
        let mut error = answer.inner("error")?;
        let code = error.take("code")?.integer()?;
        let within = error.take("error_subcode").and_then(|code| code.integer());
        match (code, within) {
            (1 | 2 | 4 | 17 | 32 | 341 | 613, _) => Some(Refusal::Passing),
            (10 | 102 | 190 | 200..=299, _) => Some(Refusal::Locked),
            (100, Some(33)) => Some(Refusal::Missing),
            _ => None,
        }
    }
}

impl Api for Meta {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        let Some(answer) = answers.first() else {
            let query = vendor::query(&[("fields", ASKED_FOR)]);
            let (url, id) = (vendor::base(access, GRAPH), vendor::encode(id));
            return Ok(Next::Ask(Request::get(format!("{url}/{id}?{query}"))));
        };
        let faults = Faults::default();
        let mut order = document::object(answer, &faults)?;
        let paging = order
            .inner("items")
            .and_then(|mut items| items.inner("paging"));
        if let Some(mut paging) = paging
            && let Some(next) = paging.take("next")
        {
            next.expected::<()>("an order of at most 500 lines");
            return Err(faults.unreadable());
        }
        Ok(Next::Order(answer.clone()))
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

impl Changes for Meta {
    fn is_sorted(&self) -> bool {
        false
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let since = (since.as_second() - 1).to_string();
        let mut fields = vec![
            ("updated_after", since.as_str()),
            ("state", "CREATED,IN_PROGRESS,COMPLETED"),
            ("fields", "id,last_updated"),
            ("limit", "100"),
        ];
        if !page.is_empty() {
            fields.push(("after", page));
        }
        let (url, shop) = (
            vendor::base(access, GRAPH),
            vendor::encode(access.text("cms_id")),
        );
        Request::get(format!(
            "{url}/{shop}/commerce_orders?{}",
            vendor::query(&fields)
        ))
    }

    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let orders = vendor::listed(answer, "data", ("id", "last_updated"), |time| time.utc())?;
        let faults = Faults::default();
        let paging = document::object(answer, &faults)?.inner("paging");
        let next = paging.and_then(|mut paging| {
            paging.take("next")?;
            paging.inner("cursors")?.take("after")?.text()
        });
        Ok(Page { orders, next })
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    let mut details = order
        .require("estimated_payment_details")
        .and_then(|details| details.object());
    let total = details
        .as_mut()
        .and_then(|details| details.total("total_amount", MONEY));
    let currency = total.map(|(currency, _)| currency);
    let mut subtotal = details
        .as_mut()
        .and_then(|details| details.inner("subtotal"));
    let mut of_subtotal = |name| match &mut subtotal {
        Some(subtotal) => subtotal.money_in(name, MONEY, currency),
        None => 0,
    };
    let goods = of_subtotal("items");
    let extras = of_subtotal("shipping");
    let tax = details.map_or(0, |mut details| details.money_in("tax", MONEY, currency));
    let mut items = order.require("items").and_then(|items| items.object());
    let mut unpriced = false;
    let mut lines = items.as_mut().map_or_else(Vec::new, |items| {
        items.lines("data", |mut line| {
            let price = line.has("price_per_unit");
            unpriced |= !price;
            let sku = sku(&mut line, "retailer_id");
            let id = line.take("id").and_then(|id| id.digits());
            Some(NewLine {
                id: id.or_else(|| sku.clone()).unwrap_or_default(),
                sku,
                title: title(&line.words("product_name")),
                quantity: line.units("quantity"),
                unit_price: line.money_in("price_per_unit", MONEY, currency),
                ..NewLine::default()
            })
        })
    });
    if unpriced {
        // Not asked for, or not given: what all of them cost is known.
        let steps = |line: &NewLine| line.quantity.units(MAX_DECIMALS).unwrap_or(0).max(0);
        let quantities: Vec<i64> = lines.iter().map(steps).collect();
        for (line, cost) in lines.iter_mut().zip(split(goods, &quantities)) {
            (line.unit_price, line.discount) = line.quantity.price_of(cost);
        }
    }
    let priced: i64 = lines
        .iter()
        .map(NewLine::goods)
        .fold(0, i64::saturating_add);
    let state = order
        .inner("order_status")
        .map(|mut status| status.words("state"));
    let state = state.unwrap_or_default();
    let paid = !matches!(state.as_str(), "FB_PROCESSING" | "");
    let total = total.map(|(_, total)| total);
    Draft {
        external_id: order.require("id").and_then(|id| id.digits()),
        placed_at: order.require("created").and_then(|time| time.utc()),
        as_of: order.take("last_updated").and_then(|time| time.utc()),
        currency,
        lines,
        // The subtotal is after discounts.
        discount: priced.saturating_sub(goods),
        tax,
        extras,
        total,
        payments: total
            .filter(|_| paid)
            .map(Payment::Captured)
            .into_iter()
            .collect(),
        email: order
            .inner("buyer_details")
            .and_then(|mut buyer| buyer.take("email")?.email()),
        address: order.inner("shipping_address").and_then(|mut address| {
            if_any(Address {
                name: address.words("name"),
                company: String::new(),
                line1: address.words("street1"),
                line2: address.words("street2"),
                city: address.words("city"),
                region: address.words("state"),
                postal_code: address.words("postal_code"),
                country: address.words("country"),
            })
        }),
        unmailed: true,
        shipped: state == "COMPLETED",
        cancelled: state == "CANCELLED",
        ..Draft::default()
    }
}
