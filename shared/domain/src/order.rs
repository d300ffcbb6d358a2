//! An order as it is stored: what was bought, where each unit stands, what was paid, what is owed.
//!
//! The serialised names are short because this is the item that every step writes; a two-line
//! order stays under 1 KB through its whole life. No name, address, e-mail or telephone number is
//! in it: those are in [`Contact`], an item of its own, and never in a queue message.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Timeline};
use crate::geo::Point;
use crate::is_default;
use crate::kit::KitPart;
use crate::money::{Currency, units_share};
use crate::owed::{Notice, owed};
use crate::payment::PaidThrough;
use crate::{OrderId, Problem, Quantity, Refusal};

pub use crate::hold::{Difference, Hold, HoldReason};

/// Who sent an order, and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The channel's name, as in its webhook path: `shopify`, `api`.
    #[serde(rename = "c")]
    pub channel: String,
    /// Which of the retailer's accounts there.
    #[serde(rename = "a")]
    pub account: String,
    /// The channel's own id of the order, as text.
    #[serde(rename = "x")]
    pub external_id: String,
}

/// Where an order goes, as far as routing and rating need it: not enough to find a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// ISO 3166-1 alpha-2 code.
    #[serde(rename = "c")]
    pub country: String,
    /// Where it is; `None` if no more than the country is known.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// What the point was found by. Until there was anything else, it was the channel's coordinates.
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub located_by: LocatedBy,
}

impl Destination {
    /// How exactly it is known where the order goes: `coordinates`, `postal_code`, `city`, or
    /// `country`, whose middle then stands for it.
    pub fn accuracy(&self) -> &'static str {
        match (self.point, self.located_by) {
            (None, _) => "country",
            (Some(_), LocatedBy::Coordinates) => "coordinates",
            (Some(_), LocatedBy::PostalCode) => "postal_code",
            (Some(_), LocatedBy::City) => "city",
        }
    }
}

/// The reservation that an order names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedReservation {
    /// Its id, as far as the channel says.
    #[serde(rename = "i")]
    pub id: String,
    /// Whether goods were looked for with it: it was taken up then, or was held no more.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: bool,
}

/// What a point was found by, the most exact first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocatedBy {
    /// The channel's coordinates.
    #[default]
    #[serde(rename = "x")]
    Coordinates,
    /// The address's postal code.
    #[serde(rename = "z")]
    PostalCode,
    /// The address's city, and region where a country has several of that name.
    #[serde(rename = "c")]
    City,
}

/// Names and addresses of an order's customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Where mail about the order goes; `None` and no mail is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number, for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where the parcels go; `None` for orders that are not shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What each line is called, in the order of the lines: read by people only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<String>,
    /// SHA-256 of the body that the order came in, to tell a repeat from a reused key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// The recipient.
    pub name: String,
    /// The company, if any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// Street and number.
    pub line1: String,
    /// Whatever the first line had no room for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub line2: String,
    /// City or town.
    pub city: String,
    /// State, province or prefecture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Postal code; some countries have none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
}

/// Where the units of a line stand.
/// `ordered = cancelled + backordered + open + allocated + packed + shipped` and
/// `shipped >= delivered >= returned`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Units bought.
    #[serde(rename = "n")]
    pub ordered: u32,
    /// Units that will not be sent.
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub cancelled: u32,
    /// Units that no warehouse had; they wait for goods.
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    pub backordered: u32,
    /// Units that nobody has looked for yet.
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub open: u32,
    /// Units that are set aside in one warehouse.
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub allocated: u32,
    /// Units in a closed parcel that has not left.
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    pub packed: u32,
    /// Units that have left.
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub shipped: u32,
    /// Of the shipped ones, those that arrived.
    #[serde(rename = "d", default, skip_serializing_if = "is_default")]
    pub delivered: u32,
    /// Of the delivered ones, those that came back.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub returned: u32,
}

impl Buckets {
    /// Whether the two rules above hold.
    pub fn balanced(&self) -> bool {
        let placed = [
            self.cancelled,
            self.backordered,
            self.open,
            self.allocated,
            self.packed,
            self.shipped,
        ];
        let placed: u64 = placed.into_iter().map(u64::from).sum();
        u64::from(self.ordered) == placed
            && self.shipped >= self.delivered
            && self.delivered >= self.returned
    }
}

/// What a line costs, frozen when the order is accepted. All in minor units of the order's
/// currency, for the whole line unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineMoney {
    /// Price of a whole one: of a piece, of a kilogram.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub unit_price: i64,
    /// What discounts take off, its share of discounts on the order included.
    #[serde(rename = "d", default, skip_serializing_if = "is_default")]
    pub discount: i64,
    /// Tax on the goods; part of the price or on top of it, as the order says.
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    pub tax: i64,
    /// Its share of shipping, tips, duties and their tax on top.
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    pub extras: i64,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The channel's id of the line, as text; unique within the order.
    #[serde(rename = "i")]
    pub id: String,
    /// What is to be taken from stock; `None` when the channel named nothing (a custom line).
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Nothing to ship: a gift card, a download, a service.
    #[serde(rename = "g", default, skip_serializing_if = "is_default")]
    pub intangible: bool,
    /// Decimals of its quantities, as its product has them: so many places behind the point is one unit.
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    pub decimals: u8,
    /// Where its units stand.
    #[serde(rename = "q")]
    pub units: Buckets,
    /// What it costs.
    #[serde(rename = "m")]
    pub money: LineMoney,
    /// Units whose money has gone back, or is on its way.
    #[serde(rename = "f", default, skip_serializing_if = "is_default")]
    pub refunded_units: u32,
    /// The kit that it is a part of.
    #[serde(rename = "kt", default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<KitPart>,
}

impl Line {
    /// What the customer pays for the line, in minor units.
    pub fn charge(&self, taxes_included: bool) -> i64 {
        let tax = if taxes_included { 0 } else { self.money.tax };
        self.goods() - self.money.discount + tax + self.money.extras
    }

    /// What its goods cost before discounts, in minor units.
    pub fn goods(&self) -> i64 {
        self.quantity(self.units.ordered)
            .cost_at(self.money.unit_price)
    }

    /// So many of its units as people write it.
    pub fn quantity(&self, units: u32) -> Quantity {
        Quantity::new(units, self.decimals)
    }

    /// What the next `units` to be refunded are worth: the shares of consecutive units, so that
    /// refunding all of them, in any steps, gives exactly the charge.
    pub fn refund_of(&self, units: u32, taxes_included: bool) -> i64 {
        let from = i64::from(self.refunded_units);
        units_share(
            self.charge(taxes_included),
            i64::from(self.units.ordered),
            from,
            from + i64::from(units),
        )
    }
}

/// The life of a fulfillment order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    /// The warehouse may start.
    Released,
    /// The warehouse has said that it will.
    Accepted,
    /// The parcel is closed.
    Packed,
    /// The parcel has left.
    Shipped,
    /// The parcel has arrived.
    Delivered,
    /// The warehouse cannot or will not.
    Rejected,
    /// The customer or the retailer no longer wants it.
    Cancelled,
}

impl FulfillmentStatus {
    /// The state's name in documents and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Accepted => "accepted",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How the goods of a fulfillment order travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Who carries it.
    #[serde(rename = "c")]
    pub carrier: String,
    /// Under which service; empty when the warehouse shipped it by its own means.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// What to ask the carrier for.
    #[serde(rename = "t")]
    pub tracking_number: String,
    /// Where the label is; `None` when the warehouse shipped it by its own means.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it costs the retailer: minor units and currency of the rate.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<(i64, Currency)>,
}

/// Units of one line: the line's place in the order (from 0), and how many.
pub type Units = (u16, u32);

/// What one warehouse has to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentOrder {
    /// Its number within the order, from 1.
    #[serde(rename = "n")]
    pub n: u32,
    /// The warehouse.
    #[serde(rename = "w")]
    pub location: String,
    /// What to pick.
    #[serde(rename = "u")]
    pub units: Vec<Units>,
    /// How far it is.
    #[serde(rename = "s")]
    pub status: FulfillmentStatus,
    /// The day by which it should leave.
    #[serde(rename = "d")]
    pub ship_by: jiff::civil::Date,
    /// When it left.
    #[serde(
        rename = "l",
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub shipped_at: Option<Timestamp>,
    /// When its warehouse found fewer than it asked for, if it did.
    #[serde(
        rename = "h",
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub short_at: Option<Timestamp>,
    /// Packed, and no tariff takes it: the warehouse ships it by its own means and reports it.
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub unrated: bool,
    /// How it travels.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<Parcel>,
}

/// An entry of the payment ledger; entries are only ever added. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// The customer's bank has promised it.
    Authorised(i64),
    /// It is the retailer's.
    Captured(i64),
    /// It is the customer's again: refund number and amount.
    Refunded(u32, i64),
}

/// The life of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The payment provider has not been asked.
    Requested,
    /// A person has been asked to pay it back, and has not confirmed it; or the payment provider has, and has not
    /// paid it yet.
    AwaitingConfirmation,
    /// The payment provider does not pay it: a person has to look why.
    Refused,
    /// The money has gone back.
    Paid,
}

impl RefundStatus {
    /// The state's name in documents and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::AwaitingConfirmation => "awaiting_confirmation",
            Self::Refused => "refused",
            Self::Paid => "paid",
        }
    }
}

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its number within the order, from 1.
    #[serde(rename = "n")]
    pub n: u32,
    /// What the request was called by its sender, so that a repeat finds it.
    #[serde(rename = "k")]
    pub key: String,
    /// Minor units.
    #[serde(rename = "a")]
    pub amount: i64,
    /// How far it is.
    #[serde(rename = "s")]
    pub status: RefundStatus,
    /// What it is called where the money goes back: by the channel, if that has given it back by itself, or by the
    /// payment provider.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// How often a person has had a payment provider asked anew that had refused it.
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    pub repeats: u32,
    /// Why the payment provider does not pay it, or has not paid what was asked: a code of the provider's.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Goods on their way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Its number within the order, from 1.
    #[serde(rename = "n")]
    pub n: u32,
    /// What the request was called by its sender, so that a repeat finds it.
    #[serde(rename = "k")]
    pub key: String,
    /// Whether it is the channel that calls it so.
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    pub by_channel: bool,
    /// What was announced.
    #[serde(rename = "u")]
    pub units: Vec<Units>,
    /// Whether the goods have arrived.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub received: bool,
    /// Whether they are no longer expected.
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub cancelled: bool,
}

impl Return {
    /// How far it is. What arrives although it was called off has arrived.
    pub fn status(&self) -> &'static str {
        match (self.received, self.cancelled) {
            (true, _) => "received",
            (false, true) => "cancelled",
            (false, false) => "announced",
        }
    }

    /// Whether its goods are expected.
    pub fn is_coming(&self) -> bool {
        !self.received && !self.cancelled
    }
}

/// A movement of stock that the order has caused and that stock has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// What happened to the goods.
    #[serde(rename = "k")]
    pub kind: crate::stock::MovementKind,
    /// Where.
    #[serde(rename = "w")]
    pub location: String,
    /// To which.
    #[serde(rename = "u")]
    pub units: Vec<Units>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Changes so far; also the sequence number of its newest event.
    pub version: u64,
    /// Since when it has been owed work without a pause; `None` while it is at rest. The sort key
    /// of the index of open work.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::second::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub open_at: Option<Timestamp>,
    /// Where it came from.
    #[serde(rename = "src")]
    pub source: Source,
    /// What people call it: the channel's number, without a leading `#`.
    #[serde(rename = "num")]
    pub number: String,
    /// The currency of all its amounts.
    #[serde(rename = "cur")]
    pub currency: Currency,
    /// Whether prices contain the tax.
    #[serde(rename = "inc", default, skip_serializing_if = "is_default")]
    pub taxes_included: bool,
    /// When the customer bought.
    #[serde(rename = "at", with = "seconds")]
    pub placed_at: Timestamp,
    /// The channel's own time of its newest statement that the order follows, to the millisecond.
    #[serde(
        rename = "ao",
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<Timestamp>,
    /// The total that the customer saw, where it was in another currency: minor units of that.
    #[serde(rename = "pr", default, skip_serializing_if = "Option::is_none")]
    pub presentment: Option<(i64, Currency)>,
    /// The day by which it should arrive.
    #[serde(rename = "by")]
    pub deliver_by: jiff::civil::Date,
    /// Where it goes; `None` when there is nothing to ship, or no address.
    #[serde(rename = "to", default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// Whether the customer is to be mailed: there is an address, and the channel leaves it to us.
    #[serde(rename = "ml", default, skip_serializing_if = "is_default")]
    pub mailed: bool,
    /// Whether its channel is told what becomes of it.
    #[serde(rename = "tc", default, skip_serializing_if = "is_default")]
    pub told: bool,
    /// The reservation whose goods it is to get.
    #[serde(rename = "rv", default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<NamedReservation>,
    /// What was bought.
    #[serde(rename = "ln")]
    pub lines: Vec<Line>,
    /// Why it stands still, if it does.
    #[serde(rename = "hd", default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// Rejections of fulfillment orders up to this number no longer count: a person has said to go on.
    #[serde(rename = "fg", default, skip_serializing_if = "is_default")]
    pub forgiven: u32,
    /// Whether a person has said that it may wait for goods that are not there.
    #[serde(rename = "mw", default, skip_serializing_if = "is_default")]
    pub may_wait: bool,
    /// Goods for what waits are to be looked for once more: they may have come while the order was held.
    #[serde(rename = "la", default, skip_serializing_if = "is_default")]
    pub look_again: bool,
    /// What a person has seen of what the channel says: no reason to hold it again.
    #[serde(rename = "hc", default, skip_serializing_if = "Vec::is_empty")]
    pub heeded: Vec<Difference>,
    /// What each warehouse has to send.
    #[serde(rename = "fo", default, skip_serializing_if = "Vec::is_empty")]
    pub fulfillments: Vec<FulfillmentOrder>,
    /// Its payment at a provider that pays refunds by itself; `None`: a person pays them.
    #[serde(rename = "pp", default, skip_serializing_if = "Option::is_none")]
    pub paid_through: Option<PaidThrough>,
    /// The payment ledger.
    #[serde(rename = "py", default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// Money on its way back.
    #[serde(rename = "rf", default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// Goods on their way back.
    #[serde(rename = "rt", default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Return>,
    /// Stock movements that are due.
    #[serde(rename = "mv", default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// Messages to people and to the channel that are due.
    #[serde(rename = "nt", default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What the channel has refused to be told, until a person has looked into it.
    #[serde(rename = "ut", default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Notice>,
    /// The newest event that is handed over to subscribers; `None`: nobody hears of it.
    #[serde(rename = "pb", default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
    /// The newest events.
    #[serde(rename = "ev")]
    pub timeline: Timeline,
}

impl Order {
    /// What the customer pays, in minor units.
    pub fn total(&self) -> i64 {
        let charges = self.lines.iter().map(|l| l.charge(self.taxes_included));
        charges.sum()
    }

    /// What the retailer has received, in minor units.
    pub fn captured(&self) -> i64 {
        let captured = self.payments.iter().map(|p| match p {
            Payment::Captured(amount) => *amount,
            Payment::Authorised(_) | Payment::Refunded(..) => 0,
        });
        captured.sum()
    }

    /// What has been captured or authorised, in minor units.
    pub fn promised_payments(&self) -> i64 {
        let promised = self.payments.iter().map(|p| match p {
            Payment::Authorised(amount) | Payment::Captured(amount) => *amount,
            Payment::Refunded(..) => 0,
        });
        promised.sum()
    }

    /// What has gone back, in minor units.
    pub fn refunded(&self) -> i64 {
        let refunded = self.payments.iter().map(|p| match p {
            Payment::Refunded(_, amount) => *amount,
            Payment::Authorised(_) | Payment::Captured(_) => 0,
        });
        refunded.sum()
    }

    /// What has gone back or is on its way, in minor units; never more than was captured.
    pub fn refunds_promised(&self) -> i64 {
        self.refunds.iter().map(|r| r.amount).sum()
    }

    /// The next state: `change` made, `event` on the timeline, the version one higher.
    pub fn advance(&self, at: Timestamp, event: Event, change: impl FnOnce(&mut Order)) -> Order {
        let mut next = self.clone();
        change(&mut next);
        let waits = next.lines.iter().any(|line| line.units.backordered > 0);
        let released = !self.holds.is_empty() && next.holds.is_empty();
        next.look_again = waits && (next.look_again || released);
        next.version += 1;
        next.timeline.push(at, event);
        next.open_at = match owed(&next).is_empty() {
            true => None,
            false => self.open_at.or(Some(at)),
        };
        debug_assert!(next.lines.iter().all(|line| line.units.balanced()));
        next
    }

    /// The order as one of which subscribers hear everything, from its first event on.
    pub fn fed(mut self, at: Timestamp) -> Order {
        self.published = Some(0);
        self.open_at = self.open_at.or(Some(at));
        self
    }

    /// The same version of the order, of which all events are handed over to subscribers.
    pub fn all_published(&self) -> Order {
        let mut next = self.clone();
        next.published = Some(self.version);
        next.open_at = self.open_at.filter(|_| !owed(&next).is_empty());
        next
    }

    /// Whether subscribers are to hear of more than was handed over to them.
    pub fn is_unpublished(&self) -> bool {
        self.published.is_some_and(|upto| upto < self.version)
    }

    /// The reservation whose goods are still to be looked at.
    pub fn unused_reservation(&self) -> Option<&str> {
        let unused = self.reservation.as_ref().filter(|named| !named.used);
        unused.map(|named| named.id.as_str())
    }

    /// Whether goods are kept for it, and it wants none: it was cancelled before anybody looked for them.
    pub fn leaves_reservation(&self) -> bool {
        let wants = |line: &Line| line.units.open + line.units.backordered > 0;
        self.unused_reservation().is_some() && !self.lines.iter().any(wants)
    }

    /// The fulfillment order number `n`.
    pub fn fulfillment(&self, n: u32) -> Result<&FulfillmentOrder, Refusal> {
        let found = self.fulfillments.iter().find(|f| f.n == n);
        found.ok_or_else(|| Refusal::NotFound(format!("fulfillment order {}-{n}", self.id)))
    }

    /// The fulfillment order number `n`, to change. Only for numbers that the order has.
    pub(crate) fn fulfillment_mut(&mut self, n: u32) -> Option<&mut FulfillmentOrder> {
        self.fulfillments.iter_mut().find(|f| f.n == n)
    }

    /// The line at a place that this order's own state names.
    pub fn line(&self, place: u16) -> &Line {
        &self.lines[usize::from(place)]
    }

    /// So much of the line that the channel calls `id`; if that was a kit, of all its parts. `pointer`: where
    /// the request says how much.
    pub fn units_of(
        &self,
        id: &str,
        quantity: Quantity,
        pointer: &str,
    ) -> Result<Vec<Units>, Refusal> {
        let counted = |decimals| {
            let units = quantity.count(decimals, 0, u32::MAX);
            units.map_err(|detail| Refusal::Invalid(Problem::at(pointer, detail)))
        };
        let lines = (0_u16..).zip(&self.lines);
        let units = lines.filter_map(|(place, line)| match &line.kit {
            _ if line.id == id => Some(counted(line.decimals).map(|units| (place, units))),
            Some(kit) if kit.line == id => {
                Some(counted(0).map(|kits| (place, kits.saturating_mul(kit.per_kit))))
            }
            _ => None,
        });
        let units: Vec<Units> = units.collect::<Result<_, Refusal>>()?;
        match units.is_empty() {
            true => Err(Refusal::NotFound(format!("line {id:?}"))),
            false => Ok(units),
        }
    }

    /// How much some of its units are together: pieces and measures are added as they are written.
    pub fn sum_of<'a>(&self, units: impl IntoIterator<Item = &'a Units>) -> Quantity {
        let quantity = |(place, units): &Units| self.line(*place).quantity(*units);
        units.into_iter().map(quantity).sum()
    }

    /// Where the order as a whole stands: read off its lines and holds, stored nowhere.
    pub fn status(&self) -> &'static str {
        let sum = |bucket: fn(&Buckets) -> u32| -> u64 {
            let of_lines = self.lines.iter().map(|line| u64::from(bucket(&line.units)));
            of_lines.sum()
        };
        let live = sum(|u| u.ordered) - sum(|u| u.cancelled);
        let shipped = sum(|u| u.shipped);
        if live == 0 {
            "cancelled"
        } else if sum(|u| u.returned) == live {
            "returned"
        } else if !self.holds.is_empty() {
            "held"
        } else if sum(|u| u.delivered) == live {
            "delivered"
        } else if shipped == live {
            "shipped"
        } else if shipped > 0 {
            "partially_shipped"
        } else if sum(|u| u.packed) > 0 {
            "packed"
        } else if sum(|u| u.allocated) > 0 {
            "allocated"
        } else if sum(|u| u.open) > 0 {
            "accepted"
        } else {
            "backordered"
        }
    }

    /// Where its money stands: read off the payment ledger.
    pub fn payment_status(&self) -> &'static str {
        let (captured, refunded) = (self.captured(), self.refunded());
        let authorised = |p: &Payment| matches!(p, Payment::Authorised(_));
        if captured > 0 && refunded >= captured {
            "refunded"
        } else if refunded > 0 {
            "partially_refunded"
        } else if captured > 0 && captured < self.total() {
            "partially_paid"
        } else if captured > 0 || self.total() == 0 {
            "paid"
        } else if self.payments.iter().any(authorised) {
            "authorised"
        } else {
            "pending"
        }
    }

    /// How much of it has left: read off its lines.
    pub fn fulfillment_status(&self) -> &'static str {
        let left = |line: &Line| line.units.shipped;
        let due = |line: &Line| line.units.ordered - line.units.cancelled;
        if self.lines.iter().all(|line| left(line) == 0) {
            "unfulfilled"
        } else if self.lines.iter().all(|line| left(line) == due(line)) {
            "fulfilled"
        } else {
            "partially_fulfilled"
        }
    }
}
