//! A shop that states its orders: when they are placed, and anew whenever something changes there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::OrderId;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, ToSpan};
use sha2::Sha256;

use crate::ask::Ask;
use crate::measure::shown;
use crate::observed::Deed;
use crate::retailer::SECRET;
use crate::tape::Tape;

/// Statements of one order at most, the first included.
const MAX_STATEMENTS: usize = 5;

/// An order in the shop.
#[derive(Debug)]
pub struct Stated {
    /// The shop's number of it.
    pub n: u32,
    /// Its document, in which [`UPDATED`], [`PHONE`], [`STATUS`], [`CANCELLED`] and [`LEFT`] stand for what changes.
    pub document: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Minor units of its total.
    pub total: i64,
    /// The units of its first line, and their decimals.
    pub units: (u32, u8),
    /// What has been said of it, the oldest first.
    pub said: Vec<State>,
}

/// An order as the shop sees it.
#[derive(Debug, Clone)]
pub struct State {
    /// The shop's word for how it is paid.
    pub status: &'static str,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// Units that are taken off its first line.
    pub off: u32,
}

/// When the shop last changed it.
pub const UPDATED: &str = "@updated@";
/// The customer's telephone number, another one in each statement.
pub const PHONE: &str = "@phone@";
/// How it is paid.
pub const STATUS: &str = "@status@";
/// That it is cancelled, if it is.
pub const CANCELLED: &str = "@cancelled@";
/// What is left of its first line.
pub const LEFT: &str = "@left@";

impl Stated {
    /// What was said first.
    pub fn first(&self) -> String {
        self.body(0)
    }

    fn at(&self, n: usize) -> Timestamp {
        let seconds = i64::try_from(n).unwrap_or(0).seconds();
        self.placed_at
            .saturating_add(seconds)
            .unwrap_or(self.placed_at)
    }

    fn body(&self, n: usize) -> String {
        let State {
            status,
            cancelled,
            off,
        } = &self.said[n];
        let (units, decimals) = self.units;
        let cancelled = match cancelled {
            true => format!(r#""cancelled_at":"{}","#, self.at(n)),
            false => String::new(),
        };
        self.document
            .replace(UPDATED, &self.at(n).to_string())
            .replace(PHONE, &phone(n))
            .replace(STATUS, status)
            .replace(CANCELLED, &cancelled)
            .replace(LEFT, &shown((units - off).into(), decimals))
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
                    1 | 2 => next.status = "paid",
                    3 => next.off += u32::from(next.off < self.units.0),
                    _ => {}
                }
                self.said.push(next);
                self.said.len() - 1
            }
        };
        let paid = self.said[..=n].iter().any(|state| state.status == "paid");
        let deed = Deed::Restated {
            id: OrderId::of("", "", ""),
            as_of: self.at(n),
            phone: phone(n),
            cancelled: self.said[n].cancelled,
            off: self.said[n].off,
            captured: if paid { self.total } else { 0 },
        };
        let topic = if n == 0 {
            "orders/create"
        } else {
            "orders/updated"
        };
        ask(topic, self.body(n), deed)
    }

    /// Gives some money back.
    pub fn refund(&self, named: &str, tape: &mut Tape) -> Ask {
        let (n, minor) = (self.n, 1 + i64::from(tape.choose(900)));
        let amount = format!("{}.{:02}", minor / 100, minor % 100);
        let body = format!(
            r#"{{"id":"{named}","order_id":{n},"transactions":[{{"kind":"refund","status":"success","amount":"{amount}","currency":"EUR"}}]}}"#
        );
        let deed = Deed::RefundedByChannel(OrderId::of("", "", ""), named.to_owned());
        ask("refunds/create", body, deed)
    }
}

/// The telephone number that a statement says.
pub fn phone(n: usize) -> String {
    format!("+49 {n}")
}

/// A webhook of the shop.
pub fn ask(topic: &'static str, body: String, deed: Deed) -> Ask {
    Ask {
        function: "accept-order",
        route: "POST /webhooks/{channel}/{account}",
        path: vec![("channel", "shopify".into()), ("account", "shop".into())],
        headers: vec![
            ("x-shopify-topic", topic.into()),
            ("x-shopify-hmac-sha256", signature(&body)),
        ],
        body,
        deed,
    }
}

/// The same webhook, as if what it says were of now: its own time is not believed.
pub fn of_now(mut ask: Ask, now: Timestamp) -> Ask {
    const FIELD: &str = r#""updated_at":""#;
    let Some(from) = ask.body.find(FIELD).map(|at| at + FIELD.len()) else {
        return ask;
    };
    let Some(length) = ask.body[from..].find('"') else {
        return ask;
    };
    ask.body
        .replace_range(from..from + length, &now.to_string());
    let signature = signature(&ask.body);
    for header in ask
        .headers
        .iter_mut()
        .filter(|h| h.0 == "x-shopify-hmac-sha256")
    {
        header.1.clone_from(&signature);
    }
    ask
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap_or_else(|_| {
        // HMAC takes keys of any length.
        unreachable!("a key that HMAC does not take")
    });
    mac.update(body.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
