//! A shop that only says that its orders have changed, and the API that tells what they are, and is told what has left
//! and how much there is. It is of one of the channels that are fetched from.

mod amazon;
mod bigcommerce;
mod ebay;
mod etsy;
mod meta;
mod shop;
mod square;
mod tiktok;
mod walmart;
mod web;

use http::Request;
use jiff::Timestamp;

use crate::channel::{self, Sender, phone};
use crate::faults::Kind;
use shop::place;

pub use shop::{Happening, Shop, Sold};
pub use web::{ToShop, answer};

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

/// A field of a form or a query.
fn field(form: &str, name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(form.as_bytes());
    fields.find_map(|(field, value)| (field == name).then(|| value.into_owned()))
}
