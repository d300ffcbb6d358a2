//! The world outside: customers, channels, warehouse teams, operators. What they do next is up to
//! chance, and to what they can see of the orders.

mod carts;
mod changes;
mod purchases;
mod returns;
mod script;
mod stock;
mod warehouse;

use std::sync::Arc;

use domain::fact::Transfer;
use domain::inbound::Inbound;
use domain::{Order, Step};
use jiff::Timestamp;

use crate::ask::Ask;
use crate::channel::Stated;
use crate::observed::Deed;
use crate::retailer::{KEY, Retailer};
use crate::tape::Tape;
use crate::vendor::Happening;
use carts::{extend, give_up};
use changes::{cancel, confirm, refund, release, resolve_untold};
use purchases::place;
use returns::{InShop, announce, call_off, receive, send_back};
use script::Scripted;
use stock::{arrive, count, count_shelf, resolve, take_in};
use warehouse::handle;

pub use warehouse::pack_what_is_told;

/// Most orders of a run.
const MAX_ORDERS: u32 = 4;
/// Orders of a rush: enough that a batch moves more than can be written one by one.
const RUSH: u32 = 8;
/// Most that happens besides, for each order.
const MAX_ACTS_PER_ORDER: u32 = 9;

/// What is still to be done.
#[derive(Debug, Default)]
pub struct Outside {
    orders_left: u32,
    acts_left: u32,
    /// Nothing else happens but that goods come in for the one who waits.
    goods_come: bool,
    placed: u32,
    named: u32,
    /// Transfers that somebody has asked for.
    sent: Vec<Transfer>,
    /// Purchase lines that somebody has told of.
    expected: Vec<Inbound>,
    /// The ids of reservations that somebody has asked for.
    reserved: Vec<String>,
    /// Orders in a shop that only says that they have changed.
    in_shop: u32,
    /// Orders in a shop.
    stated: Vec<Stated>,
    /// Returns in that shop.
    sent_back: Vec<InShop>,
    script: Vec<Scripted>,
}

/// What somebody does.
#[derive(Debug)]
pub enum Act {
    /// Asks for something.
    Ask(Box<Ask>),
    /// Sends an earlier request again: the number of the request.
    Again(usize),
    /// A schedule's turn comes.
    Schedule(&'static str),
    /// A message comes to a step that it can do nothing with.
    Poison(Step),
    /// Somebody is to hear of what happens to orders, or to hear of it again.
    Listen,
    /// Something happens in the shop that has an API, and perhaps it says so.
    InShop(Happening, bool),
    /// The payment provider pays, or does not, what has waited.
    Settle,
    /// Waits.
    Nothing,
}

impl Outside {
    /// A load.
    pub fn draw(tape: &mut Tape) -> Self {
        let (orders, acts, goods_come) = match tape.choose(12) {
            // They come at once: little happens besides.
            11 => (RUSH, 3, false),
            10 => (1, 6, true),
            _ => {
                let orders = 1 + tape.choose(MAX_ORDERS).min(tape.choose(MAX_ORDERS));
                (orders, orders * MAX_ACTS_PER_ORDER + 2, false)
            }
        };
        Self {
            orders_left: orders,
            acts_left: tape.choose(acts),
            goods_come,
            ..Self::default()
        }
    }

    /// Whether somebody may do something of his own accord.
    pub fn is_free(&self) -> bool {
        self.orders_left > 0 || self.acts_left > 0
    }

    /// The next that somebody does. `asked`: requests so far.
    pub fn act(
        &mut self,
        orders: &[Arc<Order>],
        retailer: &Retailer,
        asked: usize,
        now: Timestamp,
        tape: &mut Tape,
    ) -> Act {
        if self.orders_left > 0 && (self.acts_left == 0 || tape.choose(3) < 2) {
            // A cart comes before its order.
            if self.acts_left > 0 && tape.choose(4) == 3 {
                self.acts_left -= 1;
                self.named += 1;
                let named = format!("r{}", self.named);
                let ask = self.reserve(retailer, named, tape);
                return ask.map_or(Act::Nothing, |ask| Act::Ask(Box::new(ask)));
            }
            self.orders_left -= 1;
            self.placed += 1;
            let (ask, stated) = place(self.placed, retailer, now, &self.reserved, tape);
            self.stated.extend(stated);
            return Act::Ask(Box::new(ask));
        }
        self.acts_left = self.acts_left.saturating_sub(1);
        self.named += 1;
        let named = format!("r{}", self.named);
        let chosen = match self.goods_come {
            true => 14,
            false => tape.choose(59),
        };
        let ask = match chosen {
            0..9 => handle(orders, tape),
            9 => cancel(orders, tape),
            10 => announce(orders, named, tape),
            11 => receive(orders, tape),
            12 => refund(orders, named, tape),
            13 => confirm(orders, tape),
            14 | 15 => count(retailer, named, tape),
            16 => release(orders, tape),
            17 if asked > 0 => return Act::Again(tape.index(asked)),
            18 => return Act::Schedule("check-restock"),
            19 => return Act::Schedule("sweep-orders"),
            20 => return Act::Poison(Step::ALL[tape.index(Step::ALL.len())]),
            21 => Some(redrive()),
            22 => count_shelf(retailer, named, tape),
            23 | 24 => self.send(retailer, named, now, tape),
            25 | 26 => arrive(retailer, &self.sent, tape),
            27 => resolve(&self.sent, tape),
            28 => return Act::Schedule("reconcile-stock"),
            29 => self.expect(retailer, named, tape),
            30 | 31 => take_in(retailer, &self.expected, named, tape),
            32..35 => self.reserve(retailer, named, tape),
            35 | 36 => extend(&self.reserved, tape),
            37 => give_up(&self.reserved, tape),
            38 => return Act::Schedule("expire-reservations"),
            39..42 => one_of(&mut self.stated, tape).map(|stated| stated.say(tape)),
            42 => one_of(&mut self.stated, tape)
                .and_then(|stated| stated.refund(&named, orders, tape)),
            43 => resolve_untold(orders, tape),
            44 | 45 => return self.buy(retailer, tape),
            46 => return self.alter(tape),
            47 => return Act::Schedule("poll-channel"),
            48 | 49 => return Act::Schedule("resume-deliveries"),
            50 | 51 => return Act::Listen,
            52 | 53 => return Act::Schedule("update-listings"),
            54 | 55 => return Act::Settle,
            56 => call_off(orders, tape),
            57 | 58 => send_back(orders, &mut self.sent_back, named, tape),
            _ => None,
        };
        match ask {
            Some(ask) => Act::Ask(Box::new(ask)),
            None => Act::Nothing,
        }
    }
}

/// An operator sends back what was put aside.
fn redrive() -> Ask {
    Ask {
        function: "redrive-messages",
        route: "POST /parked/redrive",
        path: Vec::new(),
        headers: vec![authorised()],
        body: r#"{"all":true}"#.into(),
        deed: Deed::Redriven,
        webhook: None,
    }
}

fn one<'a, T>(all: &'a [T], tape: &mut Tape) -> Option<&'a T> {
    (!all.is_empty()).then(|| &all[tape.index(all.len())])
}

fn one_of<'a, T>(all: &'a mut [T], tape: &mut Tape) -> Option<&'a mut T> {
    (!all.is_empty()).then(|| &mut all[tape.index(all.len())])
}

pub(crate) fn authorised() -> (&'static str, String) {
    ("authorization", format!("Bearer {KEY}"))
}

/// Minor units as documents write them.
pub(crate) fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
