//! Square: webhooks, which say that an order has changed, and the order as the Orders API gives it.
//!
//! An order names the variation of the catalogue that was bought (`catalog_object_id`) and no SKU: an order that is
//! fetched gets the variation's in its lines (`sku`). Of a variation without one the id is taken for it.

mod stock;
mod updates;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;
use serde_json::json;

use crate::document::{self, MoneyShape, Object, Value, elements};
use crate::draft::{Draft, Names, first_of, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{hmac_sha256_matches, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// The channel. A secret has the parts `key` and `url` (of the notifications as it was registered, if
/// it differs from where requests arrive).
#[derive(Debug)]
pub struct Square;

const NAMES: Names = Names {
    lines: "/line_items",
    address: "/fulfillments/0/shipment_details/recipient/address",
    fields: &[
        ("/number", "/reference_id"),
        ("*/id", "/uid"),
        ("*/sku", "/catalog_object_id"),
        ("*/unit_price", "/gross_sales_money"),
        ("@/line1", "/address_line_1"),
        ("@/line2", "/address_line_2"),
        ("@/city", "/locality"),
        ("@/region", "/administrative_district_level_1"),
    ],
};
const MONEY: MoneyShape = MoneyShape {
    amount: "amount",
    currency: "currency",
    minor: true,
};

impl Channel for Square {
    fn name(&self) -> &'static str {
        "square"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let signature = delivery
            .header("x-square-hmacsha256-signature")
            .and_then(|signature| BASE64.decode(signature.as_bytes()).ok());
        signature.is_some_and(|signature| {
            with_any(secrets, |secret| {
                let url = secret.part("url").unwrap_or(delivery.url);
                let message = [url.as_bytes(), delivery.raw_body];
                let key = secret.key()?.as_bytes();
                Some(hmac_sha256_matches(key, &message, &signature))
            })
        })
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let kind = body.words("type");
        if !kind.starts_with("order.") {
            return Ok(Said::Nothing("webhooks of this type are not handled"));
        }
        let mut data = body.inner("data");
        let id = data.as_mut().and_then(|data| data.take("id")?.digits());
        // The time of the event is later than that of the change.
        let as_of = data.and_then(|mut data| {
            let mut object = data.inner("object")?;
            let created = object.inner("order_created");
            let changed = ["order_updated", "order_fulfillment_updated"];
            let mut order =
                created.or_else(|| changed.iter().find_map(|name| object.inner(name)))?;
            let changed_at = order.take("updated_at");
            changed_at.or_else(|| order.take("created_at"))?.timestamp()
        });
        Ok(match id {
            Some(external_id) => Said::Changed(vec![Hint { external_id, as_of }]),
            None => Said::Nothing("it names no order"),
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
        elements(answer, "orders")
    }
}

/// Square's own address.
const SQUARE: &str = "https://connect.squareup.com";

/// Orders of a page, of which Square gives a thousand at most: a sale at the till has some 10 KB.
const PAGE: usize = 200;

/// The Orders API, opened by an access token: an access has `token` (`ORDERS_READ`, `ITEMS_READ`) and `location_ids` (by commas, ten at
/// most), whose orders are looked for, and `url` for the sandbox. Left open by its documents: whether an order is missed that is behind one which
/// changes, and so moves to the end of the list, while pages are turned.
impl Vendor for Square {
    fn parts(&self) -> &'static [&'static str] {
        &["token", "location_ids"]
    }

    /// Somebody else has changed the order between the look and the word: it is looked at again.
    fn refusal(&self, _: u16, body: &[u8]) -> Option<Refusal> {
        let is_stale = vendor::code(body).as_deref() == Some("VERSION_MISMATCH");
        is_stale.then_some(Refusal::Passing)
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![vendor::bearer(access.text("token"))]
    }
}

/// The locations of an access, the first of which is the one that is told of stock.
fn locations(access: &Secret) -> impl Iterator<Item = &str> {
    let ids = access.text("location_ids").split(',').map(str::trim);
    ids.filter(|id| !id.is_empty())
}

impl Api for Square {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        let url = vendor::base(access, SQUARE);
        let Some((order, found)) = answers.split_first() else {
            let id = vendor::encode(id);
            return Ok(Next::Ask(Request::get(format!("{url}/v2/orders/{id}"))));
        };
        if let Some(why) = is_none_of_ours(order) {
            return Ok(Next::NotOurs(why));
        }
        let variations = variations_of(order)?;
        Ok(match found.first() {
            Some(found) => Next::Order(with_skus(order, found)?),
            None if variations.is_empty() => Next::Order(order.clone()),
            None => {
                let at = format!("{url}/v2/catalog/batch-retrieve");
                let body = json!({"object_ids": variations});
                Next::Ask(Request::json("POST", at, &body))
            }
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

/// Why it is no order, if it is one of those that Square keeps returns in, or still written.
fn is_none_of_ours(answer: &[u8]) -> Option<&'static str> {
    let faults = Faults::default();
    let answer = document::object(answer, &faults).ok();
    let mut order = answer.and_then(|mut answer| answer.inner("order"))?;
    if order.has("returns") && !order.has("line_items") {
        return Some("what comes back, and nothing that is sold");
    }
    (order.words("state") == "DRAFT").then_some("an order that is still being written")
}

/// The variations that an order's lines name.
fn variations_of(answer: &[u8]) -> Result<Vec<String>, Unreadable> {
    let faults = Faults::default();
    let order = document::object(answer, &faults)?.inner("order");
    let lines = order.map_or_else(Vec::new, |mut order| order.objects("line_items"));
    let ids = lines.into_iter();
    let mut ids: Vec<String> = ids
        .filter_map(|mut line| line.take("catalog_object_id")?.digits())
        .collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// The order with the SKUs of these variations in its lines.
fn with_skus(answer: &[u8], found: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let faults = Faults::default();
    let mut skus: BTreeMap<String, Value<'_>> = BTreeMap::new();
    for mut variation in document::object(found, &faults)?.objects("objects") {
        let sku = variation
            .inner("item_variation_data")
            .and_then(|mut of| of.take("sku"));
        let id = variation.take("id").and_then(|id| id.digits());
        skus.extend(id.zip(sku));
    }
    let mut answer = document::object(answer, &faults)?;
    let Some(mut order) = answer.require("order").and_then(|order| order.object()) else {
        return Err(faults.unreadable());
    };
    let lines = order.objects("line_items").into_iter().map(|mut line| {
        let id = line.peek("catalog_object_id").and_then(|id| id.digits());
        if let Some(sku) = id.and_then(|id| skus.get(&id)) {
            line.put("sku", sku);
        }
        line.to_json()
    });
    let lines = format!("[{}]", lines.collect::<Vec<_>>().join(","));
    let lines = document::root(lines.as_bytes(), &faults)?;
    order.put("line_items", &lines);
    Ok(order.to_json().into_bytes())
}

impl Changes for Square {
    fn is_sorted(&self) -> bool {
        false
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let locations: Vec<&str> = locations(access).collect();
        let mut body = json!({
            "location_ids": locations,
            "limit": PAGE,
            "query": {
                "filter": {
                    "date_time_filter": {"updated_at": {"start_at": since.to_string()}},
                    "state_filter": {"states": ["OPEN", "COMPLETED", "CANCELED"]},
                },
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
        });
        if !page.is_empty() {
            body["cursor"] = page.into();
        }
        let url = vendor::base(access, SQUARE);
        Request::json("POST", format!("{url}/v2/orders/search"), &body)
    }

    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let faults = Faults::default();
        let mut list = document::object(answer, &faults)?;
        let names = ("id", "updated_at");
        let orders = match list.has("orders") {
            true => vendor::listed(answer, "orders", names, |time| time.timestamp())?,
            false => Vec::new(),
        };
        let next = list.take("cursor").and_then(|next| next.text());
        let next = next.filter(|next| !next.is_empty());
        Ok(Page { orders, next })
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    let total = order.total("total_money", MONEY);
    let currency = total.map(|(currency, _)| currency);
    let lines = order.lines("line_items", |line| Some(new_line(line, currency)));
    let extras = order.money_in("total_service_charge_money", MONEY, currency)
        + order.money_in("total_tip_money", MONEY, currency);
    let total = total.map(|(_, total)| total);
    let tenders = order.objects("tenders").into_iter();
    let paid: i64 = tenders
        .map(|mut tender| tender.money_in("amount_money", MONEY, currency))
        .fold(0, i64::saturating_add);
    let state = order.words("state");
    let fulfillments = order.objects("fulfillments").into_iter();
    let mut recipients = fulfillments.filter_map(|mut fulfillment| {
        let shipped = fulfillment.inner("shipment_details");
        let brought = || fulfillment.inner("delivery_details");
        shipped.or_else(brought)?.inner("recipient")
    });
    let mut recipient = recipients.next();
    let external_id = order.require("id").and_then(|id| id.digits());
    Draft {
        external_id,
        number: order.words("reference_id"),
        placed_at: order
            .require("created_at")
            .and_then(|time| time.timestamp()),
        as_of: order.take("updated_at").and_then(|time| time.timestamp()),
        currency,
        lines,
        extras,
        total,
        payments: vec![Payment::Captured(paid)],
        email: recipient
            .as_mut()
            .and_then(|recipient| recipient.take("email_address")?.email()),
        phone: recipient
            .as_mut()
            .and_then(|recipient| recipient.take("phone_number")?.short_text()),
        address: recipient.and_then(|mut recipient| {
            let name = recipient.words("display_name");
            let mut address = recipient.inner("address")?;
            let own = full_name(&mut address, "first_name", "last_name");
            if_any(Address {
                name: first_of([name, own]),
                company: String::new(),
                line1: address.words("address_line_1"),
                line2: address.words("address_line_2"),
                city: address.words("locality"),
                region: address.words("administrative_district_level_1"),
                postal_code: address.words("postal_code"),
                country: address.words("country"),
            })
        }),
        shipped: state == "COMPLETED",
        cancelled: state == "CANCELED",
        ..Draft::default()
    }
}

/// What a line comes to in the end is exact, whichever of its taxes are in the price.
fn new_line(mut line: Object<'_>, currency: Option<Currency>) -> NewLine {
    let quantity = line.units("quantity");
    let base = line.money_in("base_price_money", MONEY, currency);
    let goods = match line.has("gross_sales_money") {
        true => line.money_in("gross_sales_money", MONEY, currency),
        false => quantity.cost_at(base),
    };
    let (unit_price, rounding) = quantity.price_of(goods);
    let off = line.money_in("total_discount_money", MONEY, currency);
    let comes_to = match line.has("total_money") {
        true => line.money_in("total_money", MONEY, currency),
        false => goods.saturating_sub(off),
    };
    let (name, variation) = (line.words("name"), line.words("variation_name"));
    let name = match variation.as_str() {
        "" | "Regular" => name,
        variation => format!("{name} - {variation}"),
    };
    let kind = line.words("item_type");
    NewLine {
        id: line
            .require("uid")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: sku(&mut line, "sku").or_else(|| sku(&mut line, "catalog_object_id")),
        title: title(&name),
        quantity,
        intangible: kind == "GIFT_CARD",
        unit_price,
        discount: off + rounding,
        tax: comes_to.saturating_sub(goods.saturating_sub(off)),
        ..NewLine::default()
    }
}
