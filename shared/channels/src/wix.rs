//! Wix: webhooks whose whole body is a token (JWT, RS256), with a document as text within a document as
//! text; and the order as the eCommerce Orders API gives it.

mod api;
mod stock;
mod updates;

use data_encoding::BASE64URL_NOPAD;
use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;

use crate::document::{self, Object, elements};
use crate::draft::{Draft, Names, first_of, full_name, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{rsa_sha256_matches, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::Api;
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

/// The channel. A secret is the app's public key in PEM, or has it as the part `key`.
#[derive(Debug)]
pub struct Wix;

const NAMES: Names = Names {
    lines: "/lineItems",
    address: "/shippingInfo/logistics/shippingDestination/address",
    fields: &[
        ("/email", "/buyerInfo/email"),
        ("*/sku", "/physicalProperties/sku"),
        ("*/unit_price", "/price/amount"),
        ("@/line1", "/addressLine1"),
        ("@/line2", "/addressLine2"),
        ("@/region", "/subdivision"),
        ("@/postal_code", "/postalCode"),
    ],
};

impl Channel for Wix {
    fn name(&self) -> &'static str {
        "wix"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
        let Some(token) = Token::of(delivery.raw_body) else {
            return false;
        };
        let signed = with_any(secrets, |secret| {
            let key = secret.key()?;
            Some(rsa_sha256_matches(key, token.signed, &token.signature))
        });
        signed && !token.has_expired(now)
    }

    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable> {
        let not_a_token = || {
            let faults = Faults::default();
            faults.add("", "expected a token of three parts");
            faults.unreadable()
        };
        let token = Token::of(delivery.raw_body).ok_or_else(not_a_token)?;
        let faults = Faults::default();
        let outer = document::root(&token.payload, &faults)?.object();
        let data = outer.and_then(|mut outer| outer.require("data")?.text());
        let data = data.ok_or_else(|| faults.unreadable())?;
        let middle = document::root(data.as_bytes(), &faults)?.object();
        let event = middle.and_then(|mut middle| middle.require("data")?.text());
        let event = event.ok_or_else(|| faults.unreadable())?;
        let mut event = document::object(event.as_bytes(), &faults)?;
        let of_order = event.words("entityFqdn") == "wix.ecom.v1.order";
        if of_order && let Some(order) = whole_order(&mut event) {
            let order = self.parse(order.as_bytes(), account)?;
            return Ok(Said::Order(Box::new(order)));
        }
        let as_of = event.take("eventTime").and_then(|time| time.timestamp());
        let id = event.take("entityId").and_then(|id| id.digits());
        Ok(match id.filter(|_| of_order) {
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

struct Token<'a> {
    signed: &'a [u8],
    signature: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> Token<'a> {
    fn of(raw_body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(raw_body).ok()?.trim();
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, payload) = signed.split_once('.')?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let head = decode(head)?;
        let faults = Faults::default();
        let mut head = document::root(&head, &faults).ok()?.object()?;
        // The algorithm is ours to choose, not the sender's.
        (head.words("alg") == "RS256").then_some(())?;
        Some(Self {
            signed: signed.as_bytes(),
            signature: decode(signature)?,
            payload: decode(payload)?,
        })
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        let faults = Faults::default();
        let claims = document::root(&self.payload, &faults).ok();
        let expires = claims
            .and_then(|claims| claims.object())
            .and_then(|mut claims| claims.take("exp")?.epoch());
        expires.is_some_and(|expires| expires < now)
    }
}

/// The order itself, where the event has it.
fn whole_order(event: &mut Object<'_>) -> Option<String> {
    let created = event.inner("createdEvent");
    let updated = event.inner("updatedEvent");
    let text = created
        .and_then(|mut created| {
            created
                .take("entityAsJson")
                .or_else(|| created.take("entity"))
        })
        .or_else(|| {
            let mut updated = updated?;
            let text = updated.take("currentEntityAsJson");
            text.or_else(|| updated.take("currentEntity"))
        });
    let action = || {
        let mut action = event.inner("actionEvent")?;
        action.take("bodyAsJson").or_else(|| action.take("body"))
    };
    let text = text.or_else(action)?;
    match text.is_object() {
        true => Some(text.as_json().to_owned()),
        false => text.text(),
    }
}

/// The amount of a price.
fn amount(object: &mut Object<'_>, name: &str, currency: Option<Currency>) -> i64 {
    let price = object.inner(name);
    price.map_or(0, |mut price| price.signed("amount", currency))
}

fn draft(mut order: Object<'_>) -> Draft {
    let currency = order.require("currency").and_then(|code| code.currency());
    let taxes_included = order.flag("taxIncludedInPrices", false);
    let lines = order.lines("lineItems", |line| Some(new_line(line, currency)));
    let mut summary = order
        .require("priceSummary")
        .and_then(|summary| summary.object());
    let mut of = |name: &str| match &mut summary {
        Some(summary) => amount(summary, name, currency),
        None => 0,
    };
    let extras = of("shipping") + of("additionalFees").max(of("totalAdditionalFees"));
    let line_discounts: i64 = lines.iter().map(|line| line.discount).sum();
    let line_taxes: i64 = lines.iter().map(|line| line.tax).sum();
    let (discount, tax) = (of("discount") - line_discounts, of("tax") - line_taxes);
    let total = summary.as_mut().and_then(|summary| {
        let mut total = summary.require("total")?.object()?;
        total.require("amount")?.amount(currency)
    });
    let paid = order.words("paymentStatus");
    let payments = total.map(|total| match paid.as_str() {
        "PAID" | "PARTIALLY_REFUNDED" | "FULLY_REFUNDED" => Payment::Captured(total),
        "AUTHORIZED" => Payment::Authorised(total),
        _ => Payment::Captured(0),
    });
    let (status, sent) = (order.words("status"), order.words("fulfillmentStatus"));
    let shipping = order.inner("shippingInfo");
    let mut destination =
        shipping.and_then(|mut shipping| shipping.inner("logistics")?.inner("shippingDestination"));
    let mut who = destination
        .as_mut()
        .and_then(|to| to.inner("contactDetails"));
    Draft {
        external_id: order.require("id").and_then(|id| id.digits()),
        number: order
            .take("number")
            .and_then(|n| n.digits())
            .unwrap_or_default(),
        placed_at: order
            .require("createdDate")
            .and_then(|time| time.timestamp()),
        as_of: order.take("updatedDate").and_then(|time| time.timestamp()),
        currency,
        taxes_included,
        lines,
        discount,
        tax,
        extras,
        total,
        payments: payments.into_iter().collect(),
        email: order
            .inner("buyerInfo")
            .and_then(|mut buyer| buyer.take("email")?.email()),
        phone: who.as_mut().and_then(|who| who.take("phone")?.short_text()),
        address: destination.and_then(|mut to| {
            let mut address = to.inner("address")?;
            let company = who.as_mut().map(|who| who.words("company"));
            let name = who.map(|mut who| full_name(&mut who, "firstName", "lastName"));
            let street = address.inner("streetAddress").map(|mut street| {
                let (name, number) = (street.words("name"), street.words("number"));
                format!("{name} {number}").trim().to_owned()
            });
            if_any(Address {
                name: name.unwrap_or_default(),
                company: company.unwrap_or_default(),
                line1: first_of([
                    address.words("addressLine1"),
                    address.words("addressLine"),
                    street.unwrap_or_default(),
                ]),
                line2: address.words("addressLine2"),
                city: address.words("city"),
                region: address.words("subdivision"),
                postal_code: address.words("postalCode"),
                country: address.words("country"),
            })
        }),
        shipped: sent == "FULFILLED",
        // What is paid back before it is sent is not sent.
        cancelled: matches!(status.as_str(), "CANCELED" | "REJECTED")
            || (paid == "FULLY_REFUNDED" && sent == "NOT_FULFILLED"),
        ..Draft::default()
    }
}

fn new_line(mut line: Object<'_>, currency: Option<Currency>) -> NewLine {
    let mut physical = line.inner("physicalProperties");
    let kind = line.inner("itemType").map(|mut kind| kind.words("preset"));
    let shippable = physical.as_mut().is_none_or(|p| p.flag("shippable", true));
    let name = line
        .inner("productName")
        .map(|mut name| name.words("original"));
    let tax = line.inner("taxInfo").or_else(|| line.inner("taxDetails"));
    let tax = tax.map_or(0, |mut tax| match tax.has("taxAmount") {
        true => amount(&mut tax, "taxAmount", currency),
        false => amount(&mut tax, "totalTax", currency),
    });
    NewLine {
        id: line
            .require("id")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: physical.as_mut().and_then(|physical| sku(physical, "sku")),
        title: title(&name.unwrap_or_default()),
        quantity: line.units("quantity"),
        intangible: matches!(kind.as_deref(), Some("DIGITAL" | "GIFT_CARD" | "SERVICE"))
            || !shippable,
        unit_price: amount(&mut line, "price", currency),
        discount: amount(&mut line, "totalDiscount", currency),
        tax,
        ..NewLine::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::sent;

    /// What a token says that has this event in it.
    fn said(event: Value) -> Result<Said, Unreadable> {
        let data = json!({"eventType": "", "data": event.to_string()}).to_string();
        let part = |part: Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let (head, payload) = (part(json!({"alg": "RS256"})), part(json!({"data": data})));
        sent(format!("{head}.{payload}.c2ln")).read(&Wix)
    }

    #[test]
    fn the_order_is_found_wherever_an_event_has_it() {
        let sample = include_str!("../../../events/channels/wix.json");
        let order: Value = serde_json::from_str(sample).unwrap();
        let text = order.to_string();
        for (event, has) in [
            ("createdEvent", json!({"entityAsJson": text})),
            ("updatedEvent", json!({"currentEntity": order})),
            ("actionEvent", json!({"body": {"order": order}})),
            (
                "actionEvent",
                json!({"bodyAsJson": json!({"order": order}).to_string()}),
            ),
        ] {
            let told = said(json!({"entityFqdn": "wix.ecom.v1.order", event: has}));
            assert!(matches!(told, Ok(Said::Order(_))), "{has}: {told:?}");
            let of_another = json!({"entityFqdn": "wix.ecom.v1.order_transactions", event: has});
            let told = said(of_another);
            assert!(matches!(told, Ok(Said::Nothing(_))), "{told:?}");
        }
    }
}
