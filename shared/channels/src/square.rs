//! Square: webhooks, which say that an order has changed, and the order as the Orders API gives it.
//!
//! An order names the variation of the catalogue that was bought (`catalog_object_id`) and no SKU: the
//! variation's id is taken for it.

use data_encoding::BASE64;
use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, MoneyShape, Object, elements};
use crate::draft::{Draft, Names, first_of, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{hmac_sha256_matches, with_any};
use crate::vendor::{self, Api, Header, Next, Request, Vendor};
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
        let as_of = body.take("created_at").and_then(|time| time.timestamp());
        if !kind.starts_with("order.") {
            return Ok(Said::Nothing("webhooks of this type are not handled"));
        }
        let id = body
            .inner("data")
            .and_then(|mut data| data.take("id")?.digits());
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

    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        elements(answer, "orders")
    }
}

/// Square's own address.
const SQUARE: &str = "https://connect.squareup.com";

/// The Orders API, opened by an access token: an access has `token`, and `url` for the sandbox. Changed
/// orders are not looked for.
impl Vendor for Square {
    fn parts(&self) -> &'static [&'static str] {
        &["token"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![vendor::bearer(access.text("token"))]
    }
}

impl Api for Square {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) if is_return(answer) => {
                Next::NotOurs("what comes back, and nothing that is sold")
            }
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(Request::get(format!(
                "{}/v2/orders/{}",
                vendor::base(access, SQUARE),
                vendor::encode(id)
            ))),
        })
    }
}

/// Whether it is one of the orders that Square keeps returns in.
fn is_return(answer: &[u8]) -> bool {
    let faults = Faults::default();
    let answer = document::object(answer, &faults).ok();
    let order = answer.and_then(|mut answer| answer.inner("order"));
    order.is_some_and(|order| order.has("returns") && !order.has("line_items"))
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
        sku: sku(&mut line, "catalog_object_id"),
        title: title(&name),
        quantity,
        intangible: kind == "GIFT_CARD",
        unit_price,
        discount: off + rounding,
        tax: comes_to.saturating_sub(goods.saturating_sub(off)),
        ..NewLine::default()
    }
}
