//! Amazon: `ORDER_CHANGE` notifications of the Selling Partner API, which come as messages of a queue of
//! ours, and the order: as the API of 2026-01-01 gives it, or as the older one (v0) does in several
//! answers, put together as `{"order", "items", "address", "buyer"}`.
//!
//! Amazon writes to the customer. What Amazon itself ships is no order of ours.

mod stock;
mod updates;
mod v0;

use domain::intake::{NewLine, NewOrder};
use domain::limits::MAX_NAME_CHARS;
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, MoneyShape, Object, Value, elements};
use crate::draft::{Draft, Names, if_any, sku, title};
use crate::faults::Faults;
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// The channel. Nothing of it comes as a webhook: who may put messages into the queue is the queue's to
/// say.
#[derive(Debug)]
pub struct Amazon;

const OF_2026: Names = Names {
    lines: "/orderItems",
    address: "/recipient/deliveryAddress",
    fields: &[
        ("/number", "/orderId"),
        ("/id", "/orderId"),
        ("*/id", "/orderItemId"),
        ("*/sku", "/product/sellerSku"),
        ("*/quantity", "/quantityOrdered"),
        ("@/line1", "/addressLine1"),
        ("@/line2", "/addressLine2"),
        ("@/region", "/stateOrRegion"),
        ("@/postal_code", "/postalCode"),
        ("@/country", "/countryCode"),
    ],
};
const MONEY_OF_2026: MoneyShape = MoneyShape {
    amount: "amount",
    currency: "currencyCode",
    minor: false,
};

/// Whose order has changed, by the seller's id, and which, both of at most [`MAX_NAME_CHARS`] bytes; `None`: a notification of
/// something else.
pub fn notified(message: &[u8]) -> Result<Option<(String, Hint)>, Unreadable> {
    let faults = Faults::default();
    let mut message = document::object(message, &faults)?;
    let payload = message.inner("Payload");
    let change = payload.and_then(|mut payload| payload.inner("OrderChangeNotification"));
    let named = change.and_then(|mut change| {
        let mut name = |field| {
            let name = change.take(field)?.text()?;
            (1..=MAX_NAME_CHARS).contains(&name.len()).then_some(name)
        };
        let (seller, external_id) = (name("SellerId")?, name("AmazonOrderId")?);
        // When Amazon says so is not when the order changed: its API may give an earlier time for good.
        let hint = Hint {
            external_id,
            as_of: None,
        };
        Some((seller, hint))
    });
    Ok(named)
}

impl Channel for Amazon {
    fn name(&self) -> &'static str {
        "amazon"
    }

    fn verify(&self, _: &Delivery<'_>, _: &[Secret], _: Timestamp) -> bool {
        false
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let said = notified(delivery.raw_body)?;
        Ok(match said {
            Some((_, hint)) => Said::Changed(vec![hint]),
            None => Said::Nothing("it names no order"),
        })
    }

    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        let faults = Faults::default();
        let mut order = document::object(document, &faults)?;
        if order.has("order") && order.has("items") {
            return match v0::draft_of_v0(&mut order) {
                Some(draft) => draft.finish(self.name(), account, &faults, &v0::OF_V0),
                None => Err(faults.unreadable()),
            };
        }
        draft_of_2026(order).finish(self.name(), account, &faults, &OF_2026)
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
        elements(answer, "orders")
    }
}

/// Login with Amazon, where tokens are had.
const TOKENS: &str = "https://api.amazon.com/auth/o2/token";

/// The Orders API of 2026-01-01, opened by Login with Amazon: an access has `url` (of the region),
/// `client_id`, `client_secret` and `refresh_token`, and perhaps `marketplace_ids` (by commas) and
/// `token_url`. Only what the retailer ships himself is looked for. Buyers and recipients are told to apps
/// with the roles for that; an order without them is held. Amazon shows a change two minutes late, and a
/// list's pages for a day.
impl Vendor for Amazon {
    fn parts(&self) -> &'static [&'static str] {
        &["url", "client_id", "client_secret", "refresh_token"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let url = access.part("token_url").unwrap_or(TOKENS);
        Some(vendor::refresh(access, url.to_owned(), false))
    }

    fn open(&self, _: &Secret, token: &str) -> Vec<Header> {
        vec![("x-amz-access-token", token.into())]
    }

    /// A token that is over is answered with 403, as what the app may not do is: a fresh one tells.
    fn refusal(&self, status: u16, body: &[u8]) -> Option<Refusal> {
        let unauthorised = vendor::code(body).as_deref() == Some("Unauthorized");
        (status == 403 && unauthorised).then_some(Refusal::Locked)
    }
}

impl Api for Amazon {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        let Some(answer) = answers.first() else {
            let query = vendor::query(&[("includedData", "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT")]);
            let (url, id) = (vendor::base(access, ""), vendor::encode(id));
            let url = format!("{url}/orders/2026-01-01/orders/{id}?{query}");
            return Ok(Next::Ask(Request::get(url)));
        };
        let faults = Faults::default();
        let order = document::object(answer, &faults)?.require("order");
        let order = order.filter(|order| order.is_object());
        match order {
            Some(order) if is_amazons(&order) => Ok(Next::NotOurs("Amazon ships it itself")),
            Some(order) => Ok(Next::Order(order.as_json().into())),
            None => Err(faults.unreadable()),
        }
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

fn is_amazons(order: &Value<'_>) -> bool {
    let fulfillment = order
        .object()
        .and_then(|mut order| order.inner("fulfillment"));
    fulfillment.is_some_and(|mut by| by.words("fulfilledBy") == "AMAZON")
}

impl Changes for Amazon {
    fn is_sorted(&self) -> bool {
        false
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut fields = vec![
            ("lastUpdatedAfter", since.as_str()),
            ("fulfilledBy", "MERCHANT"),
            ("maxResultsPerPage", "100"),
        ];
        if let Some(places) = access.part("marketplace_ids") {
            fields.push(("marketplaceIds", places));
        }
        if !page.is_empty() {
            fields.push(("paginationToken", page));
        }
        let url = vendor::base(access, "");
        Request::get(format!(
            "{url}/orders/2026-01-01/orders?{}",
            vendor::query(&fields)
        ))
    }

    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let orders = vendor::listed(answer, "orders", ("orderId", "lastUpdatedTime"), |time| {
            time.timestamp()
        })?;
        let faults = Faults::default();
        let pagination = document::object(answer, &faults)?.inner("pagination");
        let next = pagination.and_then(|mut pages| pages.take("nextToken")?.text());
        let next = next.filter(|next| !next.is_empty());
        Ok(Page { orders, next })
    }
}

fn draft_of_2026(mut order: Object<'_>) -> Draft {
    let mut proceeds = order
        .require("proceeds")
        .and_then(|proceeds| proceeds.object());
    let total = proceeds
        .as_mut()
        .and_then(|proceeds| proceeds.total("grandTotal", MONEY_OF_2026));
    let currency = total.map(|(currency, _)| currency);
    // All else is in what the items come to.
    let tips = proceeds
        .map_or_else(Vec::new, |mut proceeds| proceeds.objects("breakdowns"))
        .into_iter()
        .filter_map(|mut part| {
            let is_tip = part.words("type") == "DELIVERY_TIP";
            is_tip.then(|| part.money_in("subtotal", MONEY_OF_2026, currency))
        });
    let extras = tips.fold(0, i64::saturating_add);
    let lines = order.lines("orderItems", |mut line| {
        let mut product = line.inner("product");
        let price = product.as_mut().and_then(|product| product.inner("price"));
        let unit = price.map_or(0, |mut price| {
            price.money_in("unitPrice", MONEY_OF_2026, currency)
        });
        let quantity = line.units("quantityOrdered");
        // What the item comes to, taxes, shipping and discounts of its own included.
        let comes_to = line
            .inner("proceeds")
            .map(|mut proceeds| proceeds.money_in("proceedsTotal", MONEY_OF_2026, currency));
        let comes_to = comes_to.unwrap_or_else(|| quantity.cost_at(unit));
        let (unit_price, discount) = quantity.price_of(comes_to);
        let id = line.require("orderItemId").and_then(|id| id.digits());
        Some(NewLine {
            id: id.unwrap_or_default(),
            sku: product
                .as_mut()
                .and_then(|product| sku(product, "sellerSku")),
            title: title(&product.map_or_else(String::new, |mut product| product.words("title"))),
            quantity,
            unit_price,
            discount,
            ..NewLine::default()
        })
    });
    let mut fulfillment = order.inner("fulfillment");
    let status = fulfillment.as_mut().map(|f| f.words("fulfillmentStatus"));
    ships_itself(fulfillment.as_mut(), "fulfilledBy", "AMAZON", "MERCHANT");
    let total = total.map(|(_, total)| total);
    let status = status.unwrap_or_default();
    let address = order.inner("recipient").and_then(|mut to| {
        let mut address = to.inner("deliveryAddress")?;
        if_any(Address {
            name: address.words("name"),
            company: address.words("companyName"),
            line1: address.words("addressLine1"),
            line2: address.words("addressLine2"),
            city: address.words("city"),
            region: address.words("stateOrRegion"),
            postal_code: address.words("postalCode"),
            country: address.words("countryCode"),
        })
    });
    Draft {
        external_id: order.require("orderId").and_then(|id| id.text()),
        placed_at: order
            .require("createdTime")
            .and_then(|time| time.timestamp()),
        as_of: order
            .take("lastUpdatedTime")
            .and_then(|time| time.timestamp()),
        currency,
        taxes_included: true,
        lines,
        extras,
        total,
        payments: paid(total, &status),
        email: order
            .inner("buyer")
            .and_then(|mut buyer| buyer.take("buyerEmail")?.email()),
        address,
        unmailed: true,
        shipped: status == "SHIPPED",
        cancelled: status == "CANCELLED",
        ..Draft::default()
    }
}

/// Records it as a fault that Amazon ships the order.
fn ships_itself(order: Option<&mut Object<'_>>, field: &str, amazon: &str, merchant: &str) {
    let by = order.and_then(|order| order.take(field));
    if let Some(by) = by
        && by.text().is_some_and(|text| text == amazon)
    {
        by.expected::<()>(&format!("{merchant}: Amazon ships the others itself"));
    }
}

/// An order is paid once it is no longer pending.
fn paid(total: Option<i64>, status: &str) -> Vec<Payment> {
    let status = status.to_lowercase();
    let pending = status.starts_with("pending") || status == "canceled" || status == "cancelled";
    let paid = total.filter(|_| !pending);
    paid.map(Payment::Captured).into_iter().collect()
}
