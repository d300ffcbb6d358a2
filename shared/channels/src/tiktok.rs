//! TikTok Shop: webhooks, which say that an order has changed, and the order as `Get Order Detail`
//! (202309) gives it: one entry for each unit.
//!
//! TikTok writes to the customer; the address of the e-mail is of its own chat.

mod api;
mod stock;
mod updates;

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, first_of, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{hmac_sha256_matches, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::Api;
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// The channel. A secret has the parts `app_key` and `key` (the app's secret).
#[derive(Debug)]
pub struct TikTok;

const NAMES: Names = Names {
    lines: "/line_items",
    address: "/recipient_address",
    fields: &[
        ("/number", "/id"),
        ("/email", "/buyer_email"),
        ("*/sku", "/seller_sku"),
        ("*/unit_price", "/original_price"),
        ("@/line1", "/address_line1"),
        ("@/line2", "/address_line2"),
        ("@/country", "/region_code"),
    ],
};

impl Channel for TikTok {
    fn name(&self) -> &'static str {
        "tiktok"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let signature = delivery
            .header("authorization")
            .and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
        signature.is_some_and(|signature| {
            with_any(secrets, |secret| {
                let message = [secret.part("app_key")?.as_bytes(), delivery.raw_body];
                let key = secret.key()?.as_bytes();
                Some(hmac_sha256_matches(key, &message, &signature))
            })
        })
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let sent_at = body.take("timestamp").and_then(|time| time.epoch());
        let Some(mut data) = body.inner("data") else {
            return Ok(Said::Nothing("it says nothing of an order"));
        };
        let as_of = data.take("update_time").and_then(|time| time.epoch());
        let id = data.take("order_id").and_then(|id| id.digits());
        Ok(match id {
            Some(external_id) => Said::Changed(vec![Hint {
                external_id,
                as_of: as_of.or(sent_at),
            }]),
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
        elements(answer, "data/orders")
    }
}

/// What the customer pays besides the goods and the tax.
const FEES: &[&str] = &[
    "shipping_fee",
    "small_order_fee",
    "retail_delivery_fee",
    "buyer_service_fee",
    "handling_fee",
    "shipping_insurance_fee",
    "item_insurance_fee",
];

fn draft(mut order: Object<'_>) -> Draft {
    let mut payment = order
        .require("payment")
        .and_then(|payment| payment.object());
    let currency = payment
        .as_mut()
        .and_then(|payment| payment.require("currency")?.currency());
    let mut of = |name: &str| match &mut payment {
        Some(payment) => payment.amount(name, currency),
        None => 0,
    };
    let extras: i64 = FEES.iter().map(|fee| of(fee)).sum();
    let (tax, sub_total) = (of("tax"), of("sub_total"));
    let total = payment
        .as_mut()
        .and_then(|payment| payment.require("total_amount")?.amount(currency));
    let lines = order.lines("line_items", |mut line| {
        let (name, variant) = (line.words("product_name"), line.words("sku_name"));
        let variant = Some(variant).filter(|variant| !variant.is_empty());
        Some(NewLine {
            id: line
                .require("id")
                .and_then(|id| id.digits())
                .unwrap_or_default(),
            sku: sku(&mut line, "seller_sku"),
            title: title(&variant.map_or(name.clone(), |variant| format!("{name} - {variant}"))),
            quantity: 1.into(),
            cancelled: i64::from(line.words("display_status") == "CANCELLED").into(),
            unit_price: line.amount("original_price", currency),
            discount: line.amount("seller_discount", currency)
                + line.amount("platform_discount", currency),
            ..NewLine::default()
        })
    });
    let goods: i64 = lines
        .iter()
        .map(|line| line.unit_price - line.discount)
        .sum();
    let status = order.words("status");
    let on_delivery = order.flag("is_cod", false);
    let payments = total.map(|total| match status.as_str() {
        // What is on hold can still be called off by the customer, or is not to be had yet.
        "UNPAID" | "ON_HOLD" | "CANCELLED" | "" => Payment::Captured(0),
        _ if on_delivery => Payment::Authorised(total),
        _ => Payment::Captured(total),
    });
    let by = order.take("fulfillment_type");
    if let Some(by) = by.filter(|by| by.text().is_some_and(|by| by == "FULFILLMENT_BY_TIKTOK")) {
        by.expected::<()>("FULFILLMENT_BY_SELLER: TikTok ships the others itself");
    }
    let mut address = order.inner("recipient_address");
    Draft {
        external_id: order.require("id").and_then(|id| id.digits()),
        placed_at: order.require("create_time").and_then(|time| time.epoch()),
        as_of: order.take("update_time").and_then(|time| time.epoch()),
        currency,
        lines,
        // Discounts that no line bears.
        discount: goods - sub_total,
        tax,
        extras,
        total,
        payments: payments.into_iter().collect(),
        email: order.take("buyer_email").and_then(|email| email.email()),
        phone: address
            .as_mut()
            .and_then(|address| address.take("phone_number")?.short_text()),
        address: address.and_then(new_address),
        unmailed: true,
        shipped: matches!(status.as_str(), "IN_TRANSIT" | "DELIVERED" | "COMPLETED"),
        cancelled: status == "CANCELLED",
        ..Draft::default()
    }
}

fn new_address(mut address: Object<'_>) -> Option<Address> {
    let (mut city, mut region) = (String::new(), String::new());
    for mut district in address.objects("district_info") {
        let name = district.words("address_name");
        match district.words("address_level_name").to_lowercase().as_str() {
            "city" => city = name,
            "state" | "province" => region = name,
            _ => {}
        }
    }
    // An empty line comes as two quotation marks.
    let mut words = |name: &str| address.words(name).trim_matches('"').to_owned();
    let [first, rest @ ..] = [
        "address_line1",
        "address_line2",
        "address_line3",
        "address_line4",
    ]
    .map(&mut words);
    let line1 = first_of([first, words("address_detail")]);
    let rest: Vec<String> = rest.into_iter().filter(|line| !line.is_empty()).collect();
    if_any(Address {
        name: address.words("name"),
        company: String::new(),
        line1,
        line2: rest.join(", "),
        city,
        region,
        postal_code: address.words("postal_code"),
        country: address.words("region_code"),
    })
}
