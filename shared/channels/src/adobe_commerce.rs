//! Adobe Commerce and Magento: calls of the Webhooks module, which stops the checkout until it is
//! answered; I/O Events; and the order as the REST API gives it.
//!
//! The amounts are those of the shop's base currency where the document has them. A child of a bundle
//! or of a configurable product is on the line of its parent: the parent has the price and, when it is
//! configurable, the SKU of the child.

mod order;
mod stock;
mod updates;

use data_encoding::BASE64;
use domain::intake::NewOrder;
use jiff::Timestamp;

use self::order::draft;
use crate::document::{self, elements};
use crate::draft::Names;
use crate::faults::Faults;
use crate::signature::{rsa_sha256_matches, same, with_any};
use crate::stock::Stock;
use crate::updates::Updates;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Request, Vendor};
use crate::{Channel, Delivery, Greeting, Said, Secret, Unreadable};

/// The answer that lets the checkout go on.
const GO_ON: &str = r#"[{"op":"success"}]"#;
/// Characters of a challenge that are given back.
const MAX_CHALLENGE: usize = 512;

/// The channel. A secret has the parts `public_key` (of the Webhooks module) or `client_id` and
/// `public_key1`, `public_key2` (of I/O Events; or under the paths that a delivery names), in PEM.
#[derive(Debug)]
pub struct AdobeCommerce;

impl Channel for AdobeCommerce {
    fn name(&self) -> &'static str {
        "adobe-commerce"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        match delivery.header("x-adobe-commerce-webhook-signature") {
            Some(signature) => signed_by_module(delivery, signature, secrets),
            None => signed_by_events(delivery, secrets),
        }
    }

    fn greet(&self, delivery: &Delivery<'_>, secrets: &[Secret]) -> Option<Greeting> {
        let challenge = delivery
            .query("challenge")
            .filter(|_| delivery.method == "GET")?;
        let sound = challenge.len() <= MAX_CHALLENGE && !secrets.is_empty();
        sound.then(|| Greeting::Text(challenge.to_owned()))
    }

    fn topic<'d>(&self, delivery: &Delivery<'d>) -> &'d str {
        delivery.header("x-adobe-event-code").unwrap_or_default()
    }

    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable> {
        let order = self.parse(delivery.raw_body, account)?;
        Ok(Said::Order(Box::new(order)))
    }

    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        let faults = Faults::default();
        let mut order = document::object(document, &faults)?;
        for (wrapping, names) in WRAPPINGS {
            if order.has("items") || !order.has(wrapping[0]) {
                continue;
            }
            for name in *wrapping {
                let inner = order.require(name).and_then(|inner| inner.object());
                order = match inner {
                    Some(inner) => inner,
                    None => return Err(faults.unreadable()),
                };
            }
            return draft(order).finish(self.name(), account, &faults, names);
        }
        draft(order).finish(self.name(), account, &faults, &AT_ROOT)
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
        // An order has items too: its lines.
        let faults = Faults::default();
        let page = document::root(answer, &faults)?.object();
        match page.is_some_and(|page| page.has("total_count")) {
            true => elements(answer, "items"),
            false => Ok(vec![answer]),
        }
    }

    fn thanks(&self) -> Option<&'static str> {
        Some(GO_ON)
    }
}

/// Orders of a page.
const PAGE: usize = 100;

/// The REST API of Adobe Commerce (on premises and cloud) and Magento, opened by the access token of an
/// integration: an access has `url` (of the shop) and `token`. An order is looked for by its number. What
/// Adobe Commerce as a Cloud Service is opened with (IMS) is another thing, and not here.
impl Vendor for AdobeCommerce {
    fn parts(&self) -> &'static [&'static str] {
        &["url", "token"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![vendor::bearer(access.text("token"))]
    }
}

impl Api for AdobeCommerce {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            None => Next::Ask(by_number(access, id)),
            Some(answer) => match the_one(answer)? {
                Some(order) => Next::Order(order),
                None => Next::Missing,
            },
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

/// The request for the order of a number.
fn by_number(access: &Secret, number: &str) -> Request {
    let query = vendor::query(&[
        (
            "searchCriteria[filter_groups][0][filters][0][field]",
            "increment_id",
        ),
        (
            "searchCriteria[filter_groups][0][filters][0][value]",
            number,
        ),
        (
            "searchCriteria[filter_groups][0][filters][0][condition_type]",
            "eq",
        ),
    ]);
    let url = vendor::base(access, "");
    Request::get(format!("{url}/rest/V1/orders?{query}"))
}

/// The only order of an answer; `None` if there is none.
fn the_one(answer: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    let faults = Faults::default();
    let mut found = document::object(answer, &faults)?;
    let Some(items) = found.require("items").and_then(|items| items.list()) else {
        return Err(faults.unreadable());
    };
    match items.as_slice() {
        [] => Ok(None),
        [order] => Ok(Some(order.as_json().into())),
        // Stores of one shop can number alike: which of them was meant is not known.
        several => {
            let found = several.len();
            faults.add(
                "/items",
                format!("expected one order of this number, found {found}"),
            );
            Err(faults.unreadable())
        }
    }
}

impl Changes for AdobeCommerce {
    fn is_sorted(&self) -> bool {
        true
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let query = vendor::query(&[
            (
                "searchCriteria[filter_groups][0][filters][0][field]",
                "updated_at",
            ),
            (
                "searchCriteria[filter_groups][0][filters][0][value]",
                &since.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            ),
            (
                "searchCriteria[filter_groups][0][filters][0][condition_type]",
                "gteq",
            ),
            ("searchCriteria[sortOrders][0][field]", "updated_at"),
            ("searchCriteria[sortOrders][0][direction]", "ASC"),
            ("searchCriteria[sortOrders][1][field]", "entity_id"),
            ("searchCriteria[sortOrders][1][direction]", "ASC"),
            ("searchCriteria[pageSize]", &PAGE.to_string()),
            (
                "searchCriteria[currentPage]",
                &vendor::number(page).to_string(),
            ),
            ("fields", "items[increment_id,updated_at],total_count"),
        ]);
        let url = vendor::base(access, "");
        Request::get(format!("{url}/rest/V1/orders?{query}"))
    }

    fn read(&self, page: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let faults = Faults::default();
        let mut found = document::object(answer, &faults)?;
        let Some(count) = found
            .require("total_count")
            .and_then(|count| count.integer())
        else {
            return Err(faults.unreadable());
        };
        // Beyond the last page Magento gives the last one again.
        let before = i64::from(vendor::number(page) - 1) * PAGE as i64;
        if count <= before {
            return Ok(Page::default());
        }
        let orders = vendor::listed(answer, "items", ("increment_id", "updated_at"), |time| {
            time.utc()
        })?;
        let next = vendor::next_number(page, orders.len(), PAGE);
        Ok(Page { orders, next })
    }
}

/// The module signs the base64 of the body.
fn signed_by_module(delivery: &Delivery<'_>, signature: &str, secrets: &[Secret]) -> bool {
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else {
        return false;
    };
    let message = BASE64.encode(delivery.raw_body);
    with_any(secrets, |secret| {
        let key = secret.part("public_key").or_else(|| secret.key())?;
        Some(rsa_sha256_matches(key, message.as_bytes(), &signature))
    })
}

/// Events are signed with two keys, so that one can be replaced; and they name who they are for, since
/// the keys are the same for all of Adobe's customers.
fn signed_by_events(delivery: &Delivery<'_>, secrets: &[Secret]) -> bool {
    let signed = |secret: &Secret, n: u8| {
        let signature = delivery.header(&format!("x-adobe-digital-signature-{n}"))?;
        let signature = BASE64.decode(signature.as_bytes()).ok()?;
        let path = delivery.header(&format!("x-adobe-public-key{n}-path"));
        let key = path.and_then(|path| secret.part(path));
        let key = key.or_else(|| secret.part(&format!("public_key{n}")))?;
        Some(rsa_sha256_matches(key, delivery.raw_body, &signature))
    };
    let recipient = recipient(delivery.raw_body).unwrap_or_default();
    with_any(secrets, |secret| {
        let ours = same(&recipient, secret.part("client_id")?);
        let [first, second] = [1, 2].map(|n| signed(secret, n) == Some(true));
        Some(ours & (first | second))
    })
}

fn recipient(raw_body: &[u8]) -> Option<String> {
    let faults = Faults::default();
    let mut event = document::root(raw_body, &faults).ok()?.object()?;
    Some(event.words("recipient_client_id"))
}

const FIELDS: &[(&str, &str)] = &[
    ("/number", "/increment_id"),
    ("/id", "/increment_id"),
    ("/email", "/customer_email"),
    ("*/id", "/item_id"),
    ("*/quantity", "/qty_ordered"),
    ("@/line1", "/street"),
    ("@/postal_code", "/postcode"),
    ("@/country", "/country_id"),
];
const AT_ROOT: Names = Names {
    lines: "/items",
    address: "/extension_attributes/shipping_assignments/0/shipping/address",
    fields: FIELDS,
};

/// What a document wraps the order in.
const WRAPPINGS: &[(&[&str], Names)] = &[
    (
        &["event", "data", "value"],
        Names {
            lines: "/event/data/value/items",
            address: "/event/data/value/shipping_address",
            fields: FIELDS,
        },
    ),
    (
        &["data", "order"],
        Names {
            lines: "/data/order/items",
            address: "/data/order/shipping_address",
            fields: FIELDS,
        },
    ),
    (
        &["order"],
        Names {
            lines: "/order/items",
            address: "/order/shipping_address",
            fields: FIELDS,
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_lacks_is_named() {
        let Err(Unreadable::Problems(problems)) = AdobeCommerce.parse(br#"{"event":{}}"#, "a")
        else {
            panic!("expected problems");
        };
        assert_eq!(problems[0].pointer, "/event/data");
    }
}
