//! What is in the shop, what happens there, and what it has been told.

use std::collections::BTreeMap;

use domain::OrderId;
use jiff::Timestamp;

use super::{ACCOUNT, Asked, Heard, Sent, UNKNOWN_SKU, Vendor, Word};
use crate::channel::phone;
use crate::measure::cost;
use crate::observed::{Deed, Shipment};

/// How long its API may show an order as it was before its newest change, seconds: less than what a poll looks
/// back over. Two changes of one second have the same time, so that only asking again later tells them apart.
const LAG_S: i64 = 200;
const _: () = assert!(LAG_S < domain::limits::OVERLAP_S);

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
    pub(super) fn hear(&mut self, asked: Asked) -> (u16, String) {
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
    pub(super) fn answer(&self, asked: &Asked, stale: bool, now: Timestamp) -> (u16, String) {
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
pub(super) fn number(place: usize) -> String {
    (place + 1).to_string()
}

/// The place of an order by its number.
pub(super) fn place(number: &str) -> Option<usize> {
    number.parse::<usize>().ok()?.checked_sub(1)
}

fn email(place: usize) -> String {
    format!("v{place}@example.com")
}
