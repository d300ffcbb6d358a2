//! Shops that state their orders: when they are placed, and anew whenever something changes there. Each is of one of the
//! channels whose webhooks carry the whole order.

mod adobe_commerce;
mod generic;
mod rsa;
mod shopify;
pub mod standard;
mod wix;
mod woocommerce;

use std::fmt::Debug;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Order, OrderId};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, ToSpan};
use sha2::Sha256;

use crate::ask::Ask;
use crate::measure::cost;
use crate::observed::Deed;
use crate::tape::Tape;
use crate::vendor::VENDORS;

pub use adobe_commerce::GO_ON;
pub use shopify::{Shopify, topic};

/// The account that every channel has.
pub const ACCOUNT: &str = "shop";
/// The channels whose webhooks carry the whole order. The first is the plainest.
pub const WRITERS: [&dyn Writer; 5] = [
    &Shopify,
    &woocommerce::WooCommerce,
    &adobe_commerce::AdobeCommerce,
    &generic::Generic,
    &wix::Wix,
];

/// Every channel that sends webhooks.
pub fn senders() -> impl Iterator<Item = &'static dyn Sender> {
    let writers = WRITERS.into_iter().map(|writer| writer as &dyn Sender);
    writers.chain(VENDORS.into_iter().map(|vendor| vendor as &dyn Sender))
}

/// Statements of one order at most, the first included.
const MAX_STATEMENTS: usize = 5;

/// How a channel writes a point in time.
pub type TimeFormat = fn(Timestamp) -> String;

/// A channel, as far as it sends webhooks.
pub trait Sender: Debug + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What the webhooks of its account are checked with.
    fn secret(&self) -> String;

    /// Signs a webhook that is sent at this time.
    fn sign(&self, ask: &mut Ask, now: Timestamp);
}

/// How a channel writes what it says of whole orders. What it has no word for it does not say.
pub trait Writer: Sender {
    /// What its documents call a point in time.
    fn time(&self) -> TimeFormat;

    /// The headers that say what a webhook is about: a new order, or one that has changed.
    fn about(&self, _is_new: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The body of the webhook that makes a statement, by its place. When the order was last changed comes last in it.
    fn body(&self, order: &Stated, n: usize) -> String;

    /// Whether it says that units are taken off a line.
    fn takes_off(&self) -> bool {
        false
    }

    /// The webhook that says by itself that money has gone back, of minor units: what it is about, and its body.
    fn refund(
        &self,
        _order: &Stated,
        _named: &str,
        _minor: i64,
    ) -> Option<(Vec<(&'static str, String)>, String)> {
        None
    }

    /// Whether the order itself says what has gone back.
    fn lists_refunds(&self) -> bool {
        false
    }
}

/// An order in a shop.
#[derive(Debug)]
pub struct Stated {
    /// The channel.
    pub by: &'static dyn Writer,
    /// The shop's number of it.
    pub n: u32,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Its lines, numbered from 1.
    pub lines: Vec<Bought>,
    /// Minor units of its shipping.
    pub shipping: i64,
    /// Minor units off the whole of it.
    pub discount: i64,
    /// Minor units of its total.
    pub total: i64,
    /// The customer's address for mail.
    pub email: Option<String>,
    /// Where it goes: country, postal code, city.
    pub to: (&'static str, &'static str, &'static str),
    /// What has been said of it, the oldest first.
    pub said: Vec<State>,
}

/// A line of an order that somebody places.
#[derive(Debug)]
pub struct Bought {
    /// The article.
    pub sku: String,
    /// Units of it.
    pub units: u32,
    /// Decimals of its quantities.
    pub decimals: u8,
    /// Minor units that a whole one costs.
    pub price: i64,
    /// Whether anything is sent.
    pub shipped: bool,
}

impl Bought {
    /// Minor units that the line costs.
    pub fn goods(&self) -> i64 {
        cost(self.price, self.units.into(), self.decimals)
    }
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    /// The money is there.
    Paid,
    /// It is promised.
    Authorised,
    /// It is still to come.
    Pending,
}

impl Money {
    /// Its name, of those that a channel has for the three.
    pub fn named(self, names: [&str; 3]) -> &str {
        match self {
            Self::Paid => names[0],
            Self::Authorised => names[1],
            Self::Pending => names[2],
        }
    }
}

/// An order as the shop sees it.
#[derive(Debug, Clone)]
pub struct State {
    /// How it is paid.
    pub money: Money,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// Units that are taken off its first line.
    pub off: u32,
    /// What has gone back, where the order itself says so: its name, and minor units.
    pub refunds: Vec<(String, i64)>,
}

impl Stated {
    /// What it is called here.
    pub fn id(&self) -> OrderId {
        OrderId::of(self.by.name(), ACCOUNT, &self.n.to_string())
    }

    /// The webhook that says first that it is there.
    pub fn first(&self, deed: Deed) -> Ask {
        self.ask(0, deed)
    }

    /// When a statement was made.
    pub fn at(&self, n: usize) -> Timestamp {
        let seconds = i64::try_from(n).unwrap_or(0).seconds();
        self.placed_at
            .saturating_add(seconds)
            .unwrap_or(self.placed_at)
    }

    fn ask(&self, n: usize, deed: Deed) -> Ask {
        let mut ask = ask(self.by, self.by.about(n == 0), self.by.body(self, n), deed);
        if let Some(webhook) = &mut ask.webhook {
            webhook.as_of = Some((self.at(n), self.by.time()));
        }
        ask
    }

    /// Says something of it: something new, or again what it has said before.
    pub fn say(&mut self, tape: &mut Tape) -> Ask {
        let again = tape.choose(4) == 0 && self.said.len() > 1;
        let n = match again || self.said.len() == MAX_STATEMENTS {
            true => tape.index(self.said.len()),
            false => {
                let mut next = self.said[self.said.len() - 1].clone();
                match tape.choose(7) {
                    0 => next.cancelled = true,
                    1 | 2 => next.money = Money::Paid,
                    3 if self.by.takes_off() => {
                        next.off += u32::from(next.off < self.lines[0].units);
                    }
                    _ => {}
                }
                self.said.push(next);
                self.said.len() - 1
            }
        };
        self.restate(n)
    }

    fn restate(&self, n: usize) -> Ask {
        let paid = self.said[..=n].iter().any(|s| s.money == Money::Paid);
        let State {
            cancelled,
            off,
            refunds,
            ..
        } = &self.said[n];
        let deed = Deed::Restated {
            id: self.id(),
            as_of: self.at(n),
            phone: Some(phone(n)),
            cancelled: *cancelled,
            off: *off,
            captured: if paid { self.total } else { 0 },
            refunds: refunds.iter().map(|(name, _)| name.clone()).collect(),
        };
        self.ask(n, deed)
    }

    /// Gives some money back, if the channel says such things. What had gone back of an order before it is here is nobody's news:
    /// an order that lists it gives it back later.
    pub fn refund(&mut self, named: &str, orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
        let minor = 1 + i64::from(tape.choose(900));
        if let Some((about, body)) = self.by.refund(self, named, minor) {
            let deed = Deed::RefundedByChannel(self.id(), named.to_owned());
            return Some(ask(self.by, about, body, deed));
        }
        let id = self.id();
        let is_here = orders.iter().any(|order| order.id == id);
        if !self.by.lists_refunds() || !is_here || self.said.len() == MAX_STATEMENTS {
            return None;
        }
        let mut next = self.said[self.said.len() - 1].clone();
        next.refunds.push((named.to_owned(), minor));
        self.said.push(next);
        Some(self.restate(self.said.len() - 1))
    }
}

/// The telephone number that a statement says: another one in each.
pub fn phone(n: usize) -> String {
    format!("+49 {n}")
}

/// A webhook of a channel.
pub fn ask(
    by: &'static dyn Sender,
    about: Vec<(&'static str, String)>,
    body: String,
    deed: Deed,
) -> Ask {
    Ask {
        function: "accept-order",
        route: "POST /webhooks/{channel}/{account}",
        path: vec![("channel", by.name().into()), ("account", ACCOUNT.into())],
        headers: about,
        body,
        deed,
        webhook: Some(Webhook { by, as_of: None }),
    }
}

/// That a request is a webhook, which is signed whenever it is sent.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Whose it is.
    pub by: &'static dyn Sender,
    /// Of when the order is that it states, and how its channel writes that.
    pub as_of: Option<(Timestamp, TimeFormat)>,
}

/// The same webhook, as if what it says were of now: its own time is not believed.
pub fn of_now(mut ask: Ask, now: Timestamp) -> Ask {
    let as_of = ask.webhook.as_ref().and_then(|webhook| webhook.as_of);
    if let Some((at, written)) = as_of {
        let was = written(at);
        if let Some(from) = ask.body.rfind(&was) {
            let range = from..from + was.len();
            ask.body.replace_range(range, &written(now));
        }
    }
    ask
}

/// The HMAC-SHA256 of a message in parts.
pub fn hmac(key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| {
        // HMAC takes keys of any length.
        unreachable!("a key that HMAC does not take")
    });
    let mac = message.iter().fold(mac, |mac, part| mac.chain_update(part));
    mac.finalize().into_bytes().to_vec()
}

/// The same in base64, of a body.
fn signature(key: &str, body: &str) -> String {
    STANDARD.encode(hmac(key.as_bytes(), &[body.as_bytes()]))
}
