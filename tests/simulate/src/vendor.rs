//! A shop that only says that its orders have changed, and the API that tells what they are, and is told what has left:
//! BigCommerce's.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::OrderId;
use http::{Request, Response};
use jiff::Timestamp;
use runtime::web::{Bounds, Web, WebError};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::channel::phone;
use crate::check;
use crate::faults::{Fate, Kind};
use crate::listeners;
use crate::measure::{cost, shown};
use crate::mutant::Mutant;
use crate::observed::{Deed, Shipment};
use crate::payments;
use crate::sim::{Sim, State};

/// The channel, and the account's name.
pub const SHOP: (&str, &str) = ("bigcommerce", "shop");
/// What its webhooks carry.
pub const WEBHOOK_SECRET: &str = "simulated-hook";
/// How long its API may show an order as it was before its newest change, seconds: less than what a poll looks
/// back over. Two changes of one second have the same time, so that only asking again later tells them apart.
const LAG_S: i64 = 200;
const _: () = assert!(LAG_S < domain::limits::OVERLAP_S);
/// What opens its API.
pub const ACCESS: &str = r#"{"url":"https://shop.example/h","token":"simulated-token"}"#;

/// The shop's number of every address.
const ADDRESS: u64 = 5;

/// Where the shop is told how much there is.
const ADJUSTMENTS: &str = "/h/v3/inventory/adjustments/absolute";
/// What the retailer says that the shop lists, and it does not.
pub const UNKNOWN_SKU: &str = "TRAY";

/// All that is in the shop.
#[derive(Debug, Default)]
pub struct Shop {
    orders: Vec<Sold>,
    /// How much there is of what it lists, as far as it has been told. It does not count down what it sells.
    shown: BTreeMap<String, i64>,
}

/// An order in the shop.
#[derive(Debug)]
struct Sold {
    sku: String,
    units: u32,
    /// Of its product's quantities.
    decimals: u8,
    /// Minor units.
    total: i64,
    /// What it was told has left of it: the number to ask the carrier for, and pieces.
    shipments: Vec<(String, u64)>,
    /// What it was and is, the oldest first: since when, and whether it is cancelled.
    states: Vec<(Timestamp, bool)>,
}

/// What happens in the shop.
#[derive(Debug, Clone)]
pub enum Happening {
    /// Somebody buys so many units of an article, whose quantities have so many decimals, at a price in minor units for
    /// a whole one.
    Bought(String, u32, u8, i64),
    /// The order of this place changes, and is perhaps cancelled.
    Changed(usize, bool),
}

impl Shop {
    /// Lets something happen; the number of the order, and what is to be seen of it with us in the end.
    pub fn happen(&mut self, happening: &Happening, now: Timestamp) -> Option<(usize, Vec<Deed>)> {
        let mut deeds = Vec::new();
        let place = match happening {
            Happening::Bought(sku, units, decimals, price) => {
                let total = cost(*price, i64::from(*units), *decimals);
                self.orders.push(Sold {
                    sku: sku.clone(),
                    units: *units,
                    decimals: *decimals,
                    total,
                    shipments: Vec::new(),
                    states: vec![(now, false)],
                });
                let place = self.orders.len() - 1;
                deeds.push(Deed::Ordered {
                    id: id(place),
                    lines: vec![(Some(sku.clone()), *units, total)],
                    captured: total,
                    email: Some(email(place)),
                    located_by: "city",
                });
                place
            }
            Happening::Changed(place, cancelled) => {
                let sold = self.orders.get_mut(*place)?;
                let was = sold.states.last().is_some_and(|state| state.1);
                sold.states.push((now, was || *cancelled));
                *place
            }
        };
        let sold = &self.orders[place];
        let n = sold.states.len() - 1;
        deeds.push(Deed::Restated {
            id: id(place),
            as_of: sold.states[n].0,
            phone: phone(n),
            cancelled: sold.states[n].1,
            off: 0,
            captured: sold.total,
        });
        Some((place, deeds))
    }

    /// What it has been told has left.
    pub fn shipments(&self) -> Vec<Shipment> {
        let of = |(place, sold): (usize, &Sold)| {
            let shipment = |(number, pieces): &(String, u64)| Shipment {
                order: id(place),
                tracking_number: number.clone(),
                pieces: *pieces,
            };
            sold.shipments.iter().map(shipment).collect::<Vec<_>>()
        };
        self.orders.iter().enumerate().flat_map(of).collect()
    }

    /// How much it shows that there is of each SKU.
    pub fn shown(&self) -> Vec<(String, i64)> {
        let shown = self.shown.iter();
        shown
            .map(|(sku, quantity)| (sku.clone(), *quantity))
            .collect()
    }

    /// What the API answers to somebody who says how much there is: it takes all of it, or nothing.
    fn adjust(&mut self, body: &str) -> Option<(u16, String)> {
        let said: Value = serde_json::from_str(body).ok()?;
        let items = said["items"].as_array()?.iter();
        let items = items.map(|item| Some((item["sku"].as_str()?, item["quantity"].as_i64()?)));
        let items: Vec<(&str, i64)> = items.collect::<Option<_>>()?;
        if items.iter().any(|(sku, _)| *sku == UNKNOWN_SKU) {
            return Some((422, r#"{"status":422,"title":"Unknown SKU"}"#.into()));
        }
        let items = items.into_iter().map(|(sku, n)| (sku.to_owned(), n));
        self.shown.extend(items);
        Some((200, r#"{"transaction_id":"1"}"#.into()))
    }

    /// What the API answers to somebody who says that something has left. Of what is cancelled it does not hear.
    fn hear(&mut self, path: &str, body: &str) -> Option<(u16, String)> {
        let number = path
            .strip_prefix("/h/v2/orders/")?
            .strip_suffix("/shipments")?;
        let sold = self
            .orders
            .get_mut(number.parse::<usize>().ok()?.checked_sub(1)?)?;
        let said: Value = serde_json::from_str(body).ok()?;
        let pieces = said["items"][0]["quantity"].as_u64()?;
        if sold.states.last()?.1 || said["order_address_id"] != ADDRESS {
            return Some((400, "[]".into()));
        }
        sold.shipments
            .push((said["tracking_number"].as_str()?.to_owned(), pieces));
        Some((201, "{}".into()))
    }

    /// What the API answers: the status, and a body. `stale`: by what was there before the newest change of
    /// each order, as long as that is new.
    fn answer(&self, uri: &http::Uri, stale: bool, now: Timestamp) -> (u16, String) {
        let path = uri.path().strip_prefix("/h/v2/orders").unwrap_or("?");
        let seen = |place: usize| {
            let states = &self.orders.get(place)?.states;
            let lags = |(at, _): &(Timestamp, bool)| now.duration_since(*at).as_secs() < LAG_S;
            let lags = stale && states.last().is_some_and(lags);
            states.len().checked_sub(1 + usize::from(lags))
        };
        if path.is_empty() {
            let query = uri.query().unwrap_or_default();
            let from = query.split('&').find_map(|field| {
                let since = field.strip_prefix("min_date_modified=")?;
                let since = since.replace("%3A", ":").replace("%2B", "+");
                since.parse::<Timestamp>().ok()
            });
            let Some(from) = from else {
                return (400, String::new());
            };
            let places = 0..self.orders.len();
            let mut listed: Vec<(Timestamp, usize)> = places
                .filter_map(|place| Some((self.orders[place].states[seen(place)?].0, place)))
                .filter(|(changed, _)| *changed >= from)
                .collect();
            listed.sort_unstable();
            let entry = |(changed, place): (Timestamp, usize)| json!({"id": place + 1, "date_modified": mail_time(changed)});
            let listed: Vec<Value> = listed.into_iter().map(entry).collect();
            return (200, Value::from(listed).to_string());
        }
        let mut parts = path[1..].split('/');
        let number = parts.next().and_then(|n| n.parse::<usize>().ok());
        let place = number.and_then(|n| n.checked_sub(1));
        let Some((place, n)) = place.and_then(|place| Some((place, seen(place)?))) else {
            return (404, String::new());
        };
        let sold = &self.orders[place];
        let total = format!("{}.{:02}", sold.total / 100, sold.total % 100);
        let (changed, cancelled) = sold.states[n];
        let document = match parts.next() {
            None => json!({
                "id": place + 1,
                "date_created": mail_time(sold.states[0].0),
                "date_modified": mail_time(changed),
                "currency_code": "EUR",
                "total_inc_tax": total,
                "status_id": if cancelled { 5 } else { 11 },
                "payment_status": "captured",
                "billing_address": {"phone": phone(n), "email": email(place)},
            }),
            Some("products") => json!([{
                "id": 1, "order_address_id": ADDRESS, "sku": sold.sku, "name": sold.sku, "quantity": shown(sold.units.into(), sold.decimals),
                "total_inc_tax": total, "type": "physical",
            }]),
            Some("shipments") => {
                let known = |(number, pieces): &(String, u64)| {
                    json!({
                        "tracking_number": number,
                        "items": [{"order_product_id": 1, "quantity": pieces}],
                    })
                };
                sold.shipments.iter().map(known).collect()
            }
            Some("shipping_addresses") => json!([{
                "first_name": "C", "street_1": "1 Street", "city": "Lyon", "country_iso2": "FR",
            }]),
            Some(_) => return (404, String::new()),
        };
        (200, document.to_string())
    }
}

fn mail_time(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn email(place: usize) -> String {
    format!("v{place}@example.com")
}

fn id(place: usize) -> OrderId {
    OrderId::of(SHOP.0, SHOP.1, &(place + 1).to_string())
}

/// The webhook that says that an order has changed.
pub fn hint(place: usize) -> Ask {
    let id = place + 1;
    Ask {
        function: "accept-order",
        route: "POST /webhooks/{channel}/{account}",
        path: vec![("channel", SHOP.0.into()), ("account", SHOP.1.into())],
        headers: vec![("x-webhook-secret", WEBHOOK_SECRET.into())],
        body: format!(r#"{{"scope":"store/order/updated","data":{{"type":"order","id":{id}}}}}"#),
        deed: Deed::Hinted,
    }
}

impl State {
    /// Holds what the shop shows against what is noted of it. Of the full world nothing is noted here.
    pub fn look_at_the_shop(&mut self) {
        let tables = &self.tables;
        let broken = check::shown_as_noted(&tables.rounds, &tables.listings, &self.shop.shown());
        self.blame(broken);
    }
}

/// The way to the shop, the payment provider and the subscribers, in the place of the network.
pub struct ToShop(pub Sim);

impl ToShop {
    /// The way to the shop of a world.
    pub fn of(sim: &Sim) -> Arc<dyn Web> {
        Arc::new(Self(sim.clone()))
    }
}

#[async_trait]
impl Web for ToShop {
    async fn ask(
        &self,
        request: Request<String>,
        _bounds: Bounds,
    ) -> Result<Response<Bytes>, WebError> {
        if payments::called(request.uri()) {
            return payments::ask(&self.0, &request).await;
        }
        if let Some(subscriber) = listeners::called(request.uri()) {
            return listeners::hear(&self.0, subscriber, &request).await;
        }
        let path = request.uri().path();
        let kind = match request.method().as_str() {
            "POST" | "PUT" => Kind::Write,
            // Whether its shipments may be read as they were is not said; if so, there would be no way to ask first.
            _ if path.ends_with("/shipments") => Kind::Read,
            _ => Kind::EventualRead,
        };
        let mut fate = self.0.turn("the shop's API", kind).await;
        let mut state = self.0.state();
        // Shops are busy more often than AWS is.
        if kind == Kind::Write && state.faults.most > 0 && state.tape.choose(8) == 7 {
            fate = Fate::Refused;
        }
        if kind == Kind::Write && fate != Fate::Refused {
            let heard = match path {
                ADJUSTMENTS => {
                    let heard = state.shop.adjust(request.body());
                    state.look_at_the_shop();
                    heard
                }
                path => state.shop.hear(path, request.body()),
            };
            let (status, body) = heard.unwrap_or((404, String::new()));
            return match fate {
                Fate::AnswerLost
                    if path == ADJUSTMENTS || !state.is_off(Mutant::UntoldIsNoticed) =>
                {
                    Err(WebError::Passing("too late".into()))
                }
                _ => answer(status, body),
            };
        }
        let unnoticed = match path {
            ADJUSTMENTS => Mutant::UnshownIsNoticed,
            _ => Mutant::UntoldIsNoticed,
        };
        if kind == Kind::Write && state.is_off(unnoticed) {
            return answer(201, "{}".into());
        }
        if kind == Kind::Read && state.is_off(Mutant::ShopIsAskedFirst) {
            return answer(200, "[]".into());
        }
        let (status, body) = match fate {
            Fate::Refused => match state.tape.choose(3) {
                0 => return Err(WebError::Passing("nobody there".into())),
                1 => (429, String::new()),
                _ => (503, "<html>".into()),
            },
            Fate::AnswerLost => return Err(WebError::Passing("too late".into())),
            fate => {
                let stale = fate == Fate::Stale;
                state.shop.answer(request.uri(), stale, state.now())
            }
        };
        answer(status, body)
    }
}

/// An answer that wishes to be left alone for a while.
pub fn answer(status: u16, body: String) -> Result<Response<Bytes>, WebError> {
    let answer = Response::builder()
        .status(status)
        .header("retry-after", "7");
    let answer = answer.body(Bytes::from(body));
    answer.map_err(|error| WebError::Final(error.to_string()))
}
