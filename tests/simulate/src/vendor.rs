//! A shop that only says that its orders have changed, and the API that tells what they are, and is told what has left
//! and how much there is. It is of one of the channels that are fetched from.

mod amazon;
mod bigcommerce;
mod ebay;
mod etsy;
mod meta;
mod square;
mod tiktok;
mod walmart;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{OrderId, Step};
use http::{Request, Response};
use jiff::Timestamp;
use runtime::web::{Bounds, Web, WebError};

use crate::ask::Ask;
use crate::channel::{self, Sender, phone};
use crate::check::{self, Violation};
use crate::faults::{Fate, Kind};
use crate::listeners;
use crate::measure::cost;
use crate::mutant::Mutant;
use crate::observed::{Deed, Shipment};
use crate::payments;
use crate::sim::{Sim, State};

/// The account's name.
pub const ACCOUNT: &str = channel::ACCOUNT;
/// The channels that are fetched from. The first is the plainest.
pub const VENDORS: [&dyn Vendor; 8] = [
    &bigcommerce::BigCommerce,
    &meta::Meta,
    &square::Square,
    &amazon::Amazon,
    &walmart::Walmart,
    &etsy::Etsy,
    &tiktok::TikTok,
    &ebay::Ebay,
];
/// How long its API may show an order as it was before its newest change, seconds: less than what a poll looks
/// back over. Two changes of one second have the same time, so that only asking again later tells them apart.
const LAG_S: i64 = 200;
const _: () = assert!(LAG_S < domain::limits::OVERLAP_S);
/// Where its API is.
const API: &str = "https://shop.example/h";
/// What the retailer says that the shop lists, and it does not.
pub const UNKNOWN_SKU: &str = "TRAY";

/// How a channel that is fetched from writes what it says, and reads what it is told.
pub trait Vendor: Sender {
    /// What opens its API.
    fn access(&self) -> String;

    /// How it says that an order has changed, of which it says nothing else.
    fn hint(&self, id: &str) -> Word;

    /// What a request asks for, or says; `None`: nothing that may be asked or said there.
    fn read(&self, request: &Request<String>) -> Option<Asked>;

    /// The answer to a request for something that opens the API.
    fn token(&self) -> String {
        r#"{"access_token":"simulated","expires_in":3600}"#.into()
    }

    /// The list of orders that have changed, and when each has; with the status that it is given.
    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String);

    /// An order as it was in one of its states, or that part of it that was asked for.
    fn order(&self, sold: &Sold, n: usize, part: &str) -> String;

    /// Whether it waits to hear that an order has come in.
    fn waits(&self) -> bool {
        false
    }

    /// What has left of an order, where that is asked for by itself.
    fn shipments(&self, _: &[Sent]) -> String {
        String::new()
    }

    /// What it has of these, where that is looked for before it is told something, or that part of it that was asked for. How
    /// many it shows of each comes with it: less than none of what it was never told of.
    fn listed(&self, _skus: &[(String, i64)], _part: &str) -> String {
        String::new()
    }

    /// The answer to what it was told of an order: whether it takes it, and if not why.
    fn heard(&self, heard: Heard) -> (u16, String);

    /// Whether it takes nothing of what it is told that there is if it does not know one of them.
    fn is_all_or_nothing(&self) -> bool {
        false
    }

    /// The answer to what it was told that there is, of which it does not know these.
    fn available(&self, said: &[(String, i64)], unknown: &[&str]) -> (u16, String);

    /// What there is to say of an order that is not there.
    fn missing(&self) -> String {
        String::new()
    }

    /// Whether somebody asks which orders have changed. Where nobody does, none changes: it would not be heard of.
    fn is_polled(&self) -> bool {
        true
    }

    /// Whether each piece is a line of its own, and there are no parts of one.
    fn is_by_the_piece(&self) -> bool {
        false
    }

    /// Whether orders have telephone numbers.
    fn has_phones(&self) -> bool {
        true
    }

    /// Whether an order can be cancelled there of which this has left.
    fn cancels(&self, _: &[Sent]) -> bool {
        true
    }

    /// Whether what is cancelled is still said to be paid.
    fn is_paid_if_cancelled(&self) -> bool {
        true
    }
}

/// How a vendor says that an order has changed.
pub enum Word {
    /// By a webhook: its body.
    Webhook(String),
    /// By a message that it puts into a queue of ours.
    Message(String),
}

/// What the API is asked for, or told.
#[derive(Debug)]
pub enum Asked {
    /// Something that opens it.
    Token,
    /// Which orders have changed since then.
    Changes(Timestamp),
    /// An order by its place, or a part of it.
    Order(usize, &'static str),
    /// What has left of an order.
    Shipments(usize),
    /// What it has of these, or a part of that.
    Listed(Vec<String>, &'static str),
    /// That an order has come in.
    Accepted(usize),
    /// That something has left of an order.
    Sent(usize, Sent),
    /// How much there is.
    Available(Vec<(String, i64)>),
}

impl Asked {
    fn kind(&self) -> Kind {
        match self {
            Self::Accepted(_) | Self::Sent(..) | Self::Available(_) => Kind::Write,
            // Whether its shipments may be read as they were is not said; if so, there would be no way to ask first.
            Self::Token | Self::Shipments(_) | Self::Listed(..) => Kind::Read,
            Self::Changes(_) | Self::Order(..) => Kind::EventualRead,
        }
    }
}

/// What a shop was told has left of an order.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The number to ask the carrier for.
    pub number: String,
    /// Pieces, if it was told.
    pub pieces: Option<u64>,
    /// What it is called, where that tells it apart: told again it is the same.
    pub name: Option<String>,
    /// The lines that it is of, where each can leave once.
    pub lines: Vec<String>,
    /// The version of the order that it is meant for, where there are versions.
    pub version: Option<u64>,
}

/// What a shop makes of what it was told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It takes it.
    Taken,
    /// The order has changed since whoever tells it looked.
    Changed,
    /// It does not take it.
    Refused,
}

impl Default for &'static dyn Vendor {
    fn default() -> Self {
        VENDORS[0]
    }
}

/// All that is in the shop.
#[derive(Debug, Default)]
pub struct Shop {
    /// The channel.
    pub by: &'static dyn Vendor,
    orders: Vec<Sold>,
    /// How much there is of what it lists, as far as it has been told. It does not count down what it sells.
    shown: BTreeMap<String, i64>,
}

/// An order in the shop, of one line.
#[derive(Debug)]
pub struct Sold {
    /// Its place.
    pub place: usize,
    /// The article.
    pub sku: String,
    /// Units of it.
    pub units: u32,
    /// Of its product's quantities.
    pub decimals: u8,
    /// Minor units for a whole one.
    pub price: i64,
    /// Minor units.
    pub total: i64,
    /// What it was told has left of it.
    pub sent: Vec<Sent>,
    /// Whether it was told that it has come in.
    pub accepted: bool,
    /// What it was and is, the oldest first: since when, and whether it is cancelled.
    pub states: Vec<(Timestamp, bool)>,
}

impl Sold {
    /// Its number.
    pub fn id(&self) -> String {
        number(self.place)
    }

    /// The customer's address for mail.
    pub fn email(&self) -> String {
        email(self.place)
    }

    /// When it was placed.
    pub fn placed_at(&self) -> Timestamp {
        self.states[0].0
    }

    /// Whether one of these lines has left.
    fn has_sent(&self, lines: &[String]) -> bool {
        let mut sent = self.sent.iter().flat_map(|sent| &sent.lines);
        sent.any(|line| lines.contains(line))
    }

    /// How many whole ones it is of.
    pub fn pieces(&self) -> u32 {
        self.units / 10_u32.pow(self.decimals.into())
    }

    /// Its version in a state: it grows with everything that happens to it.
    pub fn version(&self, n: usize) -> u64 {
        (n + self.sent.len()) as u64 + 1
    }
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
    /// An empty shop of a channel.
    pub fn of(by: &'static dyn Vendor) -> Self {
        Self {
            by,
            ..Self::default()
        }
    }

    /// Lets something happen; the number of the order, and what is to be seen of it with us in the end.
    pub fn happen(&mut self, happening: &Happening, now: Timestamp) -> Option<(usize, Vec<Deed>)> {
        let mut deeds = Vec::new();
        let place = match happening {
            Happening::Bought(sku, units, decimals, price) => {
                let piece = 10_u32.pow((*decimals).into());
                let by_the_piece = self.by.is_by_the_piece();
                let units = if by_the_piece { units * piece } else { *units };
                let total = cost(*price, i64::from(units), *decimals);
                let place = self.orders.len();
                self.orders.push(Sold {
                    place,
                    sku: sku.clone(),
                    units,
                    decimals: *decimals,
                    price: *price,
                    total,
                    sent: Vec::new(),
                    accepted: false,
                    states: vec![(now, false)],
                });
                let line = |units, charge| (Some(sku.clone()), units, charge);
                deeds.push(Deed::Ordered {
                    id: self.id(place),
                    lines: match by_the_piece {
                        true => (0..units / piece).map(|_| line(piece, *price)).collect(),
                        false => vec![line(units, total)],
                    },
                    captured: total,
                    email: Some(email(place)),
                    located_by: "city",
                });
                place
            }
            Happening::Changed(..) if !self.by.is_polled() => return None,
            Happening::Changed(place, cancelled) => {
                let sold = self.orders.get_mut(*place)?;
                let was = sold.states.last().is_some_and(|state| state.1);
                let is = was || (*cancelled && self.by.cancels(&sold.sent));
                sold.states.push((now, is));
                *place
            }
        };
        let sold = &self.orders[place];
        let n = sold.states.len() - 1;
        let (as_of, cancelled) = sold.states[n];
        let is_paid = !cancelled || self.by.is_paid_if_cancelled();
        deeds.push(Deed::Restated {
            id: self.id(place),
            as_of,
            phone: self.by.has_phones().then(|| phone(n)),
            cancelled,
            off: 0,
            captured: if is_paid { sold.total } else { 0 },
            refunds: Vec::new(),
        });
        Some((place, deeds))
    }

    /// How it says that an order has changed.
    pub fn hint(&self, place: usize) -> Word {
        self.by.hint(&number(place))
    }

    fn id(&self, place: usize) -> OrderId {
        OrderId::of(self.by.name(), ACCOUNT, &number(place))
    }

    /// The orders that it has been told have come in, if it waits for that.
    pub fn accepted(&self) -> Option<Vec<OrderId>> {
        let accepted = self.orders.iter().filter(|sold| sold.accepted);
        let waits = self.by.waits();
        waits.then(|| accepted.map(|sold| self.id(sold.place)).collect())
    }

    /// What it has been told has left.
    pub fn shipments(&self) -> Vec<Shipment> {
        let of = |sold: &Sold| {
            let shipment = |sent: &Sent| Shipment {
                order: self.id(sold.place),
                tracking_number: sent.number.clone(),
                pieces: sent.pieces,
            };
            sold.sent.iter().map(shipment).collect::<Vec<_>>()
        };
        self.orders.iter().flat_map(of).collect()
    }

    /// How much it shows that there is of each SKU.
    pub fn shown(&self) -> Vec<(String, i64)> {
        let shown = self.shown.iter();
        shown
            .map(|(sku, quantity)| (sku.clone(), *quantity))
            .collect()
    }

    /// What the API answers to somebody who says something.
    fn hear(&mut self, asked: Asked) -> (u16, String) {
        let (place, sent) = match asked {
            Asked::Available(said) => {
                let unknown = said.iter().map(|(sku, _)| sku.as_str());
                let unknown: Vec<&str> = unknown.filter(|sku| *sku == UNKNOWN_SKU).collect();
                if unknown.is_empty() || !self.by.is_all_or_nothing() {
                    let known = said.iter().filter(|(sku, _)| sku != UNKNOWN_SKU);
                    self.shown.extend(known.cloned());
                }
                return self.by.available(&said, &unknown);
            }
            Asked::Accepted(place) => (place, None),
            Asked::Sent(place, sent) => (place, Some(sent)),
            _ => return (404, String::new()),
        };
        let Some(sold) = self.orders.get_mut(place) else {
            return (404, self.by.missing());
        };
        // Of what is cancelled it does not hear.
        let is_cancelled = sold.states.last().is_some_and(|state| state.1);
        let now = sold.version(sold.states.len() - 1);
        let heard = match sent {
            Some(Sent {
                version: Some(version),
                ..
            }) if version != now => Heard::Changed,
            _ if is_cancelled => Heard::Refused,
            Some(sent) if sold.has_sent(&sent.lines) => Heard::Refused,
            None => {
                sold.accepted = true;
                Heard::Taken
            }
            Some(sent) => {
                let mut known = sold.sent.iter();
                if sent.name.is_none() || !known.any(|known| known.name == sent.name) {
                    sold.sent.push(sent);
                }
                Heard::Taken
            }
        };
        self.by.heard(heard)
    }

    /// What the API answers: the status, and a body. `stale`: by what was there before the newest change of
    /// each order, as long as that is new.
    fn answer(&self, asked: &Asked, stale: bool, now: Timestamp) -> (u16, String) {
        let seen = |place: usize| {
            let states = &self.orders.get(place)?.states;
            let lags = |(at, _): &(Timestamp, bool)| now.duration_since(*at).as_secs() < LAG_S;
            let lags = stale && states.last().is_some_and(lags);
            states.len().checked_sub(1 + usize::from(lags))
        };
        match asked {
            Asked::Token => (200, self.by.token()),
            Asked::Listed(skus, part) => {
                let shown = |sku: &String| {
                    let shown = self.shown.get(sku).copied();
                    (sku.clone(), shown.unwrap_or(-1))
                };
                let skus: Vec<_> = skus.iter().map(shown).collect();
                (200, self.by.listed(&skus, part))
            }
            Asked::Changes(from) => {
                let places = 0..self.orders.len();
                let mut changed: Vec<(Timestamp, usize)> = places
                    .filter_map(|place| Some((self.orders[place].states[seen(place)?].0, place)))
                    .filter(|(changed, _)| *changed >= *from)
                    .collect();
                changed.sort_unstable();
                let changed = changed.into_iter().map(|(at, place)| (number(place), at));
                self.by.changes(&changed.collect::<Vec<_>>())
            }
            Asked::Order(place, part) => match seen(*place) {
                Some(n) => (200, self.by.order(&self.orders[*place], n, part)),
                None => (404, self.by.missing()),
            },
            Asked::Shipments(place) => match self.orders.get(*place) {
                Some(sold) => (200, self.by.shipments(&sold.sent)),
                None => (404, self.by.missing()),
            },
            Asked::Accepted(_) | Asked::Sent(..) | Asked::Available(_) => (404, String::new()),
        }
    }
}

/// The number of the order of a place.
fn number(place: usize) -> String {
    (place + 1).to_string()
}

/// The place of an order by its number.
fn place(number: &str) -> Option<usize> {
    number.parse::<usize>().ok()?.checked_sub(1)
}

fn email(place: usize) -> String {
    format!("v{place}@example.com")
}

/// A field of a form or a query.
fn field(form: &str, name: &str) -> Option<String> {
    let mut fields = form.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.find(|field| field.0 == name)?;
    let mut decoded = String::with_capacity(value.len());
    let mut parts = value.split('%');
    decoded.push_str(parts.next()?);
    for part in parts {
        let code = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        decoded.push(char::from(code));
        decoded.push_str(&part[2..]);
    }
    Some(decoded)
}

impl State {
    /// Holds what the shop shows against what is noted of it. Of the full world nothing is noted here.
    pub fn look_at_the_shop(&mut self) {
        let tables = &self.tables;
        let broken = check::shown_as_noted(&tables.rounds, &tables.listings, &self.shop.shown());
        self.blame(broken);
    }

    /// The shop says that an order has changed: what is to be asked for that, if it is not said already.
    pub fn say(&mut self, place: usize) -> Option<Ask> {
        match self.shop.hint(place) {
            Word::Webhook(body) => {
                let by = self.shop.by;
                Some(channel::ask(by, Vec::new(), body, Deed::Hinted))
            }
            Word::Message(body) => {
                let changed = runtime::Changed {
                    channel: self.shop.by.name().into(),
                    account: ACCOUNT.into(),
                    external_id: number(place),
                    as_of: None,
                };
                let hint = runtime::Hint::Changed(changed);
                self.send(Step::FetchOrder, hint, 0, body, String::new());
                None
            }
        }
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
        let by = self.0.state().shop.by;
        let Some(asked) = by.read(&request) else {
            let (method, uri) = (request.method(), request.uri());
            let detail = format!("{} has no word for {method} {uri}", by.name());
            self.0.state().blame(Some(broken(detail)));
            return answer(404, String::new());
        };
        let kind = asked.kind();
        let mut fate = self.0.turn("the shop's API", kind).await;
        let mut state = self.0.state();
        // Shops are busy more often than AWS is.
        if kind == Kind::Write && state.faults.most > 0 && state.tape.choose(8) == 7 {
            fate = Fate::Refused;
        }
        if kind == Kind::Write {
            let of_stock = matches!(asked, Asked::Available(_));
            let unnoticed = match of_stock {
                true => state.is_off(Mutant::UnshownIsNoticed),
                false => state.is_off(Mutant::UntoldIsNoticed),
            };
            if fate != Fate::Refused {
                let (status, body) = state.shop.hear(asked);
                if of_stock {
                    state.look_at_the_shop();
                }
                return match fate {
                    Fate::AnswerLost if of_stock || !unnoticed => {
                        Err(WebError::Passing("too late".into()))
                    }
                    _ => answer(status, body),
                };
            }
            if unnoticed {
                let (status, body) = match &asked {
                    Asked::Available(said) => by.available(said, &[]),
                    _ => by.heard(Heard::Taken),
                };
                return answer(status, body);
            }
        }
        if matches!(asked, Asked::Shipments(_)) && state.is_off(Mutant::ShopIsAskedFirst) {
            return answer(200, by.shipments(&[]));
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
                state.shop.answer(&asked, stale, state.now())
            }
        };
        answer(status, body)
    }
}

fn broken(detail: String) -> Violation {
    Violation {
        rule: "the-simulator-works",
        subject: "the shop's API".into(),
        detail,
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
