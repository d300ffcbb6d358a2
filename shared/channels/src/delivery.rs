//! A delivery of a channel, the secrets that it is checked with, and what it says.

use std::collections::BTreeMap;
use std::fmt;

use domain::intake::{ChannelRefund, ChannelReturn, NewOrder};
use jiff::Timestamp;

/// Values of a request by name: its headers (in lower case), the parameters of its query.
pub type Headers<'h> = dyn Fn(&str) -> Option<&'h str> + Sync + 'h;

/// A request as a channel sent it.
pub struct Delivery<'d> {
    /// `GET` or `POST`.
    pub method: &'d str,
    /// The full URL that it came to. Some sign the one that they were given, which a secret can name.
    pub url: &'d str,
    /// Its headers, by name in lower case.
    pub headers: &'d Headers<'d>,
    /// The parameters of its query.
    pub query: &'d Headers<'d>,
    /// Its body, byte for byte.
    pub raw_body: &'d [u8],
}

impl<'d> Delivery<'d> {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&'d str> {
        (self.headers)(name)
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&'d str> {
        (self.query)(name)
    }
}

/// A secret of an account: one text, or several parts by name.
pub struct Secret {
    text: String,
    parts: BTreeMap<String, String>,
}

impl Secret {
    /// Reads a secret: a JSON object of texts has parts, anything else is the key itself.
    pub fn read(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: serde_json::from_str(text).unwrap_or_default(),
        }
    }

    /// A secret of one part.
    pub(crate) fn of(name: &str, part: String) -> Self {
        Self {
            text: String::new(),
            parts: BTreeMap::from([(name.to_owned(), part)]),
        }
    }

    /// A part, if it is there and not empty.
    pub fn part(&self, name: &str) -> Option<&str> {
        let part = self.parts.get(name).map(String::as_str);
        part.filter(|part| !part.is_empty())
    }

    /// A part, or nothing where it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.part(name).unwrap_or_default()
    }

    /// What signatures are made or checked with: the part `key`, or the whole of a plain text.
    pub fn key(&self) -> Option<&str> {
        match self.parts.is_empty() {
            true => Some(self.text.as_str()).filter(|text| !text.is_empty()),
            false => self.part("key"),
        }
    }
}

/// Never in a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The answer to a channel that finds out whether anybody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// This text, as it is.
    Text(String),
    /// This JSON document.
    Json(String),
}

/// Word that something about an order has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The channel's own id of the order.
    pub external_id: String,
    /// The channel's own time of the change, if it gives one.
    pub as_of: Option<Timestamp>,
}

/// What a delivery says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An order as it stands as a whole, and since when ([`NewOrder::as_of`]).
    Order(Box<NewOrder>),
    /// The channel has given money back: the channel's own id of the order, and what went back.
    Refunded(String, ChannelRefund),
    /// Goods come back, or do not: the channel's own id of the order, and what is said of them.
    Returning(String, ChannelReturn),
    /// What has become of a refund that a payment provider was asked for, by the refund's id here.
    Repaid(String),
    /// An order, by the channel's own id, is no longer there.
    Deleted(String),
    /// Orders have changed; what they are now is in the channel's API. Never empty.
    Changed(Vec<Hint>),
    /// Nothing that changes an order: why.
    Nothing(&'static str),
}
