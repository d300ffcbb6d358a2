//! eBay: notifications, which say that an order was placed (one for each of its lines), and the order
//! as `getOrder` of the Sell Fulfillment API gives it.
//!
//! eBay writes to the customer, whose address is masked as a rule.

mod keys;
mod stock;
mod updates;

use data_encoding::{BASE64, HEXLOWER};
use domain::Currency;
use domain::intake::{ChannelRefund, NewLine, NewOrder};
use domain::order::{Address, Payment};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::document::{self, MoneyShape, Object, elements};
use crate::draft::{Draft, Names, if_any, sku, title};
use crate::faults::Faults;
use crate::signature::{Hash, ecdsa_p256_matches, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Header, Keys, Next, Request, Vendor};
use crate::{Channel, Delivery, Greeting, Hint, Said, Secret, Unreadable};

/// Characters of a challenge that are taken.
const MAX_CHALLENGE: usize = 512;

/// The channel. A secret has the parts `token` (the verification token), `url` (the endpoint as it was
/// registered, if it differs from where requests arrive) and eBay's public keys in PEM, each under
/// its id; or what they are fetched by.
#[derive(Debug)]
pub struct Ebay;

const NAMES: Names = Names {
    lines: "/lineItems",
    address: "/fulfillmentStartInstructions/0/shippingStep/shipTo/contactAddress",
    fields: &[
        ("/number", "/orderId"),
        ("/id", "/orderId"),
        ("*/id", "/lineItemId"),
        ("*/unit_price", "/lineItemCost"),
        ("@/line1", "/addressLine1"),
        ("@/line2", "/addressLine2"),
        ("@/region", "/stateOrProvince"),
        ("@/postal_code", "/postalCode"),
        ("@/country", "/countryCode"),
    ],
};
const MONEY: MoneyShape = MoneyShape {
    amount: "value",
    currency: "currency",
    minor: false,
};

impl Channel for Ebay {
    fn name(&self) -> &'static str {
        "ebay"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        let Some(Signature {
            key_id,
            hash,
            bytes,
        }) = signature(delivery)
        else {
            return false;
        };
        with_any(secrets, |secret| {
            let key = secret.part(&key_id)?;
            Some(ecdsa_p256_matches(key, hash, delivery.raw_body, &bytes))
        })
    }

    fn greet(&self, delivery: &Delivery<'_>, secrets: &[Secret]) -> Option<Greeting> {
        let challenge = delivery.query("challenge_code")?;
        if delivery.method != "GET" || challenge.len() > MAX_CHALLENGE {
            return None;
        }
        let secret = secrets
            .iter()
            .find(|secret| secret.part("token").is_some())?;
        let endpoint = secret.part("url").unwrap_or(delivery.url);
        let digest = Sha256::new()
            .chain_update(challenge)
            .chain_update(secret.part("token")?)
            .chain_update(endpoint)
            .finalize();
        let answer = HEXLOWER.encode(&digest);
        Some(Greeting::Json(format!(
            r#"{{"challengeResponse":"{answer}"}}"#
        )))
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let mut body = document::object(delivery.raw_body, &faults)?;
        let topic = body
            .inner("metadata")
            .map(|mut metadata| metadata.words("topic"));
        let Some(mut notification) = body.inner("notification") else {
            return Ok(Said::Nothing("it says nothing of an order"));
        };
        let as_of = notification
            .take("eventDate")
            .and_then(|time| time.timestamp());
        let order = notification.inner("data").and_then(|mut data| {
            let own = data.take("orderId");
            let id = own.or_else(|| data.inner("order")?.take("orderId"));
            id?.digits()
        });
        Ok(match (topic.as_deref(), order) {
            (Some("MARKETPLACE_ACCOUNT_DELETION"), _) => {
                Said::Nothing("a customer has closed the account: erase what is known of it")
            }
            (_, Some(external_id)) => Said::Changed(vec![Hint { external_id, as_of }]),
            (_, None) => Said::Nothing("it names no order"),
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

    fn keys(&self) -> Option<&dyn Keys> {
        Some(&keys::PublicKeys)
    }

    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        elements(answer, "orders")
    }
}

struct Signature {
    key_id: String,
    hash: Hash,
    bytes: Vec<u8>,
}

/// The header: base64 of a JSON document of the key's id, the digest and the signature.
fn signature(delivery: &Delivery<'_>) -> Option<Signature> {
    let header = delivery.header("x-ebay-signature")?;
    let document = BASE64.decode(header.as_bytes()).ok()?;
    let faults = Faults::default();
    let mut document = document::root(&document, &faults).ok()?.object()?;
    Some(Signature {
        key_id: document.words("kid"),
        hash: match document.words("digest").as_str() {
            "SHA1" => Hash::Sha1,
            "SHA256" => Hash::Sha256,
            _ => return None,
        },
        bytes: BASE64.decode(document.words("signature").as_bytes()).ok()?,
    })
}

/// eBay's own address.
const EBAY: &str = "https://api.ebay.com";

/// The Fulfillment API, opened by OAuth: an access has `client_id`, `client_secret` and `refresh_token`,
/// and `url` for the sandbox. Changed orders are not looked for: in which order its lists come is not said,
/// and their pages are counted by entries, so that one could be missed.
impl Vendor for Ebay {
    fn parts(&self) -> &'static [&'static str] {
        &["client_id", "client_secret", "refresh_token"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let url = vendor::base(access, EBAY);
        Some(vendor::refresh(
            access,
            format!("{url}/identity/v1/oauth2/token"),
            true,
        ))
    }

    fn open(&self, _: &Secret, token: &str) -> Vec<Header> {
        vec![vendor::bearer(token)]
    }
}

impl Api for Ebay {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(Request::get(format!(
                "{}/sell/fulfillment/v1/order/{}",
                vendor::base(access, EBAY),
                vendor::encode(id)
            ))),
        })
    }
}

fn draft(mut order: Object<'_>) -> Draft {
    let mut pricing = order
        .require("pricingSummary")
        .and_then(|pricing| pricing.object());
    let total = pricing
        .as_mut()
        .and_then(|pricing| pricing.total("total", MONEY));
    let currency = total.map(|(currency, _)| currency);
    let mut of = |name| match &mut pricing {
        Some(pricing) => pricing.money_in(name, MONEY, currency),
        None => 0,
    };
    let (delivery, fee, tax) = (of("deliveryCost"), of("fee"), of("tax"));
    let adjustment = of("adjustment");
    // Discounts are negative here.
    let off = of("priceDiscount") + of("deliveryDiscount") + adjustment.min(0);
    let lines = order.lines("lineItems", |line| Some(new_line(line, currency)));
    let total = total.map(|(_, total)| total);
    let paid = order.words("orderPaymentStatus");
    let payments = total.map(|total| match paid.as_str() {
        "PAID" | "PARTIALLY_REFUNDED" | "FULLY_REFUNDED" => Payment::Captured(total),
        _ => Payment::Captured(0),
    });
    let refunds = order
        .inner("paymentSummary")
        .map_or_else(Vec::new, |mut summary| {
            let refunds = summary.objects("refunds").into_iter();
            let refunds = refunds.map(|mut refund| ChannelRefund {
                id: refund
                    .require("refundId")
                    .and_then(|id| id.digits())
                    .unwrap_or_default(),
                amount: refund.money_in("amount", MONEY, currency),
                lines: Vec::new(),
            });
            refunds.collect()
        });
    let cancelled = order
        .inner("cancelStatus")
        .map(|mut status| status.words("cancelState"));
    let sent = order.words("orderFulfillmentStatus");
    let instructions = order
        .objects("fulfillmentStartInstructions")
        .into_iter()
        .next();
    let mut ship_to = instructions
        .and_then(|mut instructions| instructions.inner("shippingStep")?.inner("shipTo"));
    Draft {
        external_id: order.require("orderId").and_then(|id| id.digits()),
        placed_at: order
            .require("creationDate")
            .and_then(|time| time.timestamp()),
        as_of: order
            .take("lastModifiedDate")
            .and_then(|time| time.timestamp()),
        currency,
        lines,
        discount: -off,
        tax,
        extras: delivery + fee + adjustment.max(0),
        total,
        payments: payments.into_iter().collect(),
        refunds,
        email: ship_to.as_mut().and_then(|to| to.take("email")?.email()),
        phone: ship_to
            .as_mut()
            .and_then(|to| to.inner("primaryPhone")?.take("phoneNumber")?.short_text()),
        address: ship_to.and_then(|mut to| {
            let name = to.words("fullName");
            let company = to.words("companyName");
            let mut address = to.inner("contactAddress")?;
            if_any(Address {
                name,
                company,
                line1: address.words("addressLine1"),
                line2: address.words("addressLine2"),
                city: address.words("city"),
                region: address.words("stateOrProvince"),
                postal_code: address.words("postalCode"),
                country: address.words("countryCode"),
            })
        }),
        unmailed: true,
        shipped: sent == "FULFILLED",
        // What is paid back before it is sent is not sent.
        cancelled: cancelled.as_deref() == Some("CANCELED")
            || (paid == "FULLY_REFUNDED" && sent == "NOT_STARTED"),
        ..Draft::default()
    }
}

fn new_line(mut line: Object<'_>, currency: Option<Currency>) -> NewLine {
    let quantity = line.units("quantity");
    let goods = line.money_in("lineItemCost", MONEY, currency);
    let (unit_price, discount) = quantity.price_of(goods);
    NewLine {
        id: line
            .require("lineItemId")
            .and_then(|id| id.digits())
            .unwrap_or_default(),
        sku: sku(&mut line, "sku"),
        title: title(&line.words("title")),
        quantity,
        unit_price,
        discount,
        ..NewLine::default()
    }
}
