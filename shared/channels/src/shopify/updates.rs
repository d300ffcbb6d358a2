//! What Shopify is told.

use serde_json::{Value as Json, json};

use super::Shopify;
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Header, Request, Vendor};
use crate::{Secret, Unreadable};

/// The version of the Admin API.
const VERSION: &str = "2026-10";

/// The fulfillments of an order, each with its number and the first of its lines. What a query may ask for is bounded:
/// this one costs some 400 of the 1,000 points, the next one 900.
const FULFILLED: &str = "query($id: ID!) { order(id: $id) { fulfillments(first: 100) { status \
    trackingInfo(first: 1) { number } fulfillmentLineItems(first: 1) { nodes { lineItem { id } } } } } }";
/// Pages of fulfillment orders that are looked at: twelve of them.
const MAX_PAGES: usize = 4;
/// What is left to be fulfilled of an order, by the fulfillment orders that Shopify has made of it.
const LEFT: &str = "query($id: ID!, $after: String) { order(id: $id) { fulfillmentOrders(first: 3, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { id status lineItems(first: 150) { nodes { id remainingQuantity \
    lineItem { id } } } } } } }";
/// Fulfills some of it.
const FULFIL: &str = "mutation($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) { \
    fulfillment { id } userErrors { field message } } }";

/// The Admin API, opened by the token of a custom app (`token`), or by the client credentials of an app of the Dev Dashboard
/// (`client_id`, `client_secret`), whose tokens last for a day: an access has `url`
/// (`https://SHOP.myshopify.com`) and one of the two.
impl Vendor for Shopify {
    fn parts(&self) -> &'static [&'static str] {
        &["url"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let (id, secret) = (access.part("client_id")?, access.text("client_secret"));
        let url = format!("{}/admin/oauth/access_token", vendor::base(access, ""));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        Some(Request::form(url, &fields))
    }

    fn open(&self, access: &Secret, token: &str) -> Vec<Header> {
        let token = match token {
            "" => access.text("token"),
            token => token,
        };
        vec![("x-shopify-access-token", token.into())]
    }
}

/// Fulfillments by GraphQL; the app needs `read_orders`, and `read_` and `write_merchant_managed_fulfillment_orders`. Shopify
/// has fulfillment orders of its own, one for each place that it thinks sends something. What has left here is
/// fulfilled from those that are open, whichever they are; if they are of several places Shopify refuses, and a
/// person has to do it there. Shopify does not write to the customer of it: we do.
///
/// Shopify gives fulfillments no name of ours: it is asked first for those of the order. What is left is that one which it
/// is still at when it is asked again, a minute after its time-out, is made twice; it would then find nothing
/// left to fulfil, so that this cannot be said of all goods of a line. Of more than 100 fulfillments the rest is not seen.
impl Updates for Shopify {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Shopify"));
        };
        let id = format!("gid://shopify/Order/{}", update.order);
        let ask = |query: &str, variables: Json| Ok(graphql(access, query, &variables));
        let Some((fulfilled, rest)) = answers.split_first() else {
            return ask(FULFILLED, json!({"id": id}));
        };
        let faults = Faults::default();
        let mut fulfilled = match data(fulfilled, "order", &faults)? {
            Ok(order) => order,
            Err(telling) => return Ok(telling),
        };
        let known = fulfilled.objects("fulfillments").into_iter();
        if shipment.is_among(known.filter_map(is_like(shipment)).count()) {
            return Ok(Telling::Told(()));
        }
        let pieces = match shipment.pieces() {
            Ok(pieces) => pieces,
            Err(refused) => return Ok(refused),
        };
        let mut taken = Taken::of(&pieces);
        for (n, answer) in rest.iter().enumerate() {
            if taken.ended {
                // The answer to what was told.
                let mut created = match data(answer, "fulfillmentCreate", &faults)? {
                    Ok(created) => created,
                    Err(telling) => return Ok(telling),
                };
                return Ok(made(&mut created));
            }
            let mut order = match data(answer, "order", &faults)? {
                Ok(order) => order,
                Err(telling) => return Ok(telling),
            };
            let next = taken.take(&mut order).ok_or_else(|| faults.unreadable())?;
            if let Some(after) = next.filter(|_| n + 1 == rest.len()) {
                if rest.len() == MAX_PAGES {
                    let why = "it has more fulfillment orders than are looked at";
                    return Ok(Telling::Refused(why.into()));
                }
                return ask(LEFT, json!({"id": id, "after": after}));
            }
        }
        if rest.is_empty() {
            return ask(LEFT, json!({"id": id}));
        }
        if taken.left() > 0 {
            let why = format!(
                "it has {} pieces less to fulfil than have left",
                taken.left()
            );
            return Ok(Telling::Refused(why));
        }
        let fulfillment = json!({
            "lineItemsByFulfillmentOrder": taken.orders,
            "notifyCustomer": false,
            "trackingInfo": {
                "company": shipment.carrier_in(access).unwrap_or(&shipment.carrier),
                "number": shipment.tracking_number,
            },
        });
        ask(FULFIL, json!({"fulfillment": fulfillment}))
    }
}

/// What is taken of Shopify's fulfillment orders.
struct Taken<'a> {
    /// What is still to be found of each line.
    wanted: Vec<(&'a str, u32)>,
    /// What was found, as the mutation takes it.
    orders: Vec<Json>,
    /// Whether no further page is to be looked at.
    ended: bool,
}

impl<'a> Taken<'a> {
    fn of(pieces: &[(&'a str, u32)]) -> Self {
        Self {
            wanted: pieces.to_vec(),
            orders: Vec::new(),
            ended: false,
        }
    }

    fn left(&self) -> u32 {
        self.wanted.iter().map(|wanted| wanted.1).sum()
    }

    /// Takes what it can of a page; the cursor of the next one, if it needs that. `None`: it cannot be read.
    fn take(&mut self, order: &mut Object<'_>) -> Option<Option<String>> {
        let mut page = order.require("fulfillmentOrders")?.object()?;
        for mut node in page.objects("nodes") {
            let id = node.require("id")?.text()?;
            // What is on hold, or done, or somebody else's is not open.
            if !matches!(node.words("status").as_str(), "OPEN" | "IN_PROGRESS") {
                continue;
            }
            let mut lines = Vec::new();
            for mut line in node.inner("lineItems")?.objects("nodes") {
                let remaining = line.require("remainingQuantity")?.units()?;
                let remaining = remaining.count(0, 0, u32::MAX).ok()?;
                let of = number(&line.require("lineItem")?.object()?.require("id")?.text()?);
                let wanted = self.wanted.iter_mut().find(|wanted| wanted.0 == of);
                let Some(wanted) = wanted else { continue };
                let quantity = wanted.1.min(remaining);
                if quantity > 0 {
                    wanted.1 -= quantity;
                    let id = line.require("id")?.text()?;
                    lines.push(json!({"id": id, "quantity": quantity}));
                }
            }
            if !lines.is_empty() {
                self.orders
                    .push(json!({"fulfillmentOrderId": id, "fulfillmentOrderLineItems": lines}));
            }
        }
        let mut info = page.require("pageInfo")?.object()?;
        let more = info.flag("hasNextPage", false);
        self.ended = self.left() == 0 || !more;
        match self.ended {
            true => Some(None),
            false => Some(Some(info.require("endCursor")?.text()?)),
        }
    }
}

/// The number in Shopify's global id of a thing.
fn number(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

fn is_like(shipment: &Shipment) -> impl Fn(Object<'_>) -> Option<()> {
    |mut known| {
        if known.words("status") == "CANCELLED" {
            return None;
        }
        let lines = known.inner("fulfillmentLineItems");
        let lines = lines.map_or_else(Vec::new, |mut lines| lines.objects("nodes"));
        let lines: Vec<String> = lines
            .into_iter()
            .filter_map(|mut line| Some(number(&line.inner("lineItem")?.words("id"))))
            .collect();
        let mut numbers = known.objects("trackingInfo").into_iter();
        let is = numbers.any(|mut info| shipment.is_like(&info.words("number"), &lines));
        is.then_some(())
    }
}

/// A query of the Admin API.
pub(super) fn graphql<T>(access: &Secret, query: &str, variables: &Json) -> Telling<T> {
    let url = vendor::base(access, "");
    let at = format!("{url}/admin/api/{VERSION}/graphql.json");
    let body = json!({"query": query, "variables": variables});
    Telling::Ask(Request::json("POST", at, &body))
}

/// What is answered to a query; or what it means that nothing is.
pub(super) fn data<'a, T>(
    answer: &'a [u8],
    name: &str,
    faults: &'a Faults,
) -> Result<Result<Object<'a>, Telling<T>>, Unreadable> {
    let mut answer = document::object(answer, faults)?;
    if let Some(error) = answer.objects("errors").into_iter().next() {
        return Ok(Err(error_of(error)));
    }
    let Some(mut data) = answer.require("data").and_then(|data| data.object()) else {
        return Err(faults.unreadable());
    };
    match data.inner(name) {
        Some(found) => Ok(Ok(found)),
        None => Ok(Err(Telling::Refused(format!("there is no such {name}")))),
    }
}

/// What an error of the query as a whole means, by its code.
fn error_of<T>(mut error: Object<'_>) -> Telling<T> {
    let extensions = error.inner("extensions");
    let code = extensions.map_or_else(String::new, |mut of| of.words("code"));
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let code = if plain { code } else { String::new() };
    match code.as_str() {
        "THROTTLED" | "INTERNAL_SERVER_ERROR" | "TIMEOUT" => Telling::Again(code),
        "ACCESS_DENIED" | "SHOP_INACTIVE" => Telling::Locked(code),
        _ => Telling::Refused(format!("an error {code:?}")),
    }
}

/// What came of a fulfillment: Shopify says which field it does not take, and its sentences are not quoted.
fn made(created: &mut Object<'_>) -> Telling {
    let Some(mut error) = created.objects("userErrors").into_iter().next() else {
        return Telling::Told(());
    };
    let field = error.items("field").into_iter();
    let field: Vec<String> = field.filter_map(|part| part.text()).collect();
    Telling::Refused(format!("it does not take the field {:?}", field.join(".")))
}
