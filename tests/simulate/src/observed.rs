//! What a run leaves behind: what is stored, what went out, and what the world outside was told.

use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::discrepancy::Discrepancy;
use domain::event::Timeline;
use domain::fact::{StockFact, Transfer};
use domain::inbound::Inbound;
use domain::listing::Listing;
use domain::order::Contact;
use domain::replay::Replay;
use domain::reservation::Reservation;
use domain::stock::{Breakdown, Level, Movement};
use domain::subscriber::Subscriber;
use domain::{Order, OrderId, Step};
use jiff::Timestamp;
use jiff::civil::Date;

/// Everything that can be seen once a run has come to rest.
#[derive(Debug, Default)]
pub struct Observed {
    /// All orders.
    pub orders: Vec<StoredOrder>,
    /// All levels.
    pub levels: Vec<StoredLevel>,
    /// What movements that stand for many are made of.
    pub breakdowns: Vec<Breakdown>,
    /// All facts about stock.
    pub facts: Vec<StockFact>,
    /// Transfers on the road.
    pub transfers: Vec<Transfer>,
    /// Purchase lines.
    pub inbound: Vec<Inbound>,
    /// Reservations.
    pub reservations: Vec<Reservation>,
    /// What was found to differ.
    pub discrepancies: Vec<Discrepancy>,
    /// Who waits for which SKU, and for how many units of it.
    pub waiting: Vec<(String, OrderId, u32)>,
    /// What locations have taken on their days.
    pub loads: Vec<(String, Date, u32)>,
    /// How much locations can take on a day, of those that cannot take any number.
    pub daily_orders: Vec<(String, u32)>,
    /// The countries that a location ships to, of those that do not ship everywhere.
    pub serves: Vec<(String, Vec<String>)>,
    /// Units that are kept back in every location, of those SKUs of which any are.
    pub safety_stock: Vec<(String, i64)>,
    /// Decimals of the quantities of those SKUs that are sold by measure.
    pub decimals: Vec<(String, u8)>,
    /// SKUs whose units wait for goods only if a person has said so.
    pub asks_to_wait: Vec<String>,
    /// Who hears of what happens to orders.
    pub subscribers: Vec<Subscriber>,
    /// Walks over all orders for them.
    pub replays: Vec<Replay>,
    /// What they have heard, in order.
    pub heard: Vec<Heard>,
    /// What the machine gave up on.
    pub parked: Vec<Parked>,
    /// Messages that are still in a queue.
    pub queued: usize,
    /// The channel of the shop with an API.
    pub fetched: &'static str,
    /// The orders that it was told have come in, if it waits for that.
    pub accepted: Option<Vec<OrderId>>,
    /// What it was told has left.
    pub shipments: Vec<Shipment>,
    /// What the payment provider has been asked to pay back, and has taken on, in order.
    pub repaid: Vec<Repaid>,
    /// What the shop with an API lists, and what it was told of it last.
    pub listings: Vec<Listing>,
    /// How much it shows that there is of each SKU.
    pub shown: Vec<(String, i64)>,
    /// What kits are made of: units of each SKU.
    pub kits: Vec<(String, Vec<(String, i64)>)>,
    /// The time zones of locations.
    pub zones: Vec<(String, String)>,
    /// What went out by mail, in order.
    pub mails: Vec<SentMail>,
    /// What the world outside did, and was told that it is done, in order.
    pub deeds: Vec<Deed>,
    /// When it had come to rest.
    pub at: Timestamp,
}

impl Observed {
    /// Decimals of a SKU's quantities.
    pub fn decimals(&self, sku: &str) -> u8 {
        let mut measured = self.decimals.iter();
        measured.find(|of| of.0 == sku).map_or(0, |of| of.1)
    }

    /// Units of a SKU that are kept back in a location.
    pub fn kept(&self, sku: &str) -> i64 {
        let mut kept = self.safety_stock.iter();
        kept.find(|kept| kept.0 == sku).map_or(0, |kept| kept.1)
    }
}

/// An order as it is stored.
#[derive(Debug, Clone)]
pub struct StoredOrder {
    /// Its own item.
    pub order: Order,
    /// Its names and addresses.
    pub contact: Contact,
    /// The older pages of its timeline, by their first entry.
    pub pages: Vec<Timeline>,
    /// The records of its routing decisions.
    pub decisions: Vec<Decision>,
    /// How far subscribers have heard of it, by their ids.
    pub deliveries: Vec<Delivery>,
}

/// A level as it is stored.
#[derive(Debug, Clone)]
pub struct StoredLevel {
    /// Its own item.
    pub level: Level,
    /// The older pages of its ledger: the number of the first movement, and the movements.
    pub pages: Vec<(u64, Vec<Movement>)>,
}

/// A message that a person has to look at.
#[derive(Debug, Clone)]
pub struct Parked {
    /// The step that could not do it.
    pub step: Step,
    /// The order, or SKU and fact.
    pub subject: String,
    /// Why, if the step said so; `None` when the queue gave up on it.
    pub reason: Option<String>,
}

/// What a subscriber is to hear again.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The subscriber.
    pub subscriber: String,
    /// From where on.
    pub again: Again,
    /// When it was asked for, at the earliest.
    pub at: Timestamp,
    /// How many events all had heard by then.
    pub heard: usize,
}

/// From where on a subscriber hears again.
#[derive(Debug, Clone)]
pub enum Again {
    /// All that has happened since then, to the second.
    Since(Timestamp),
    /// What has happened to an order, from an event on.
    From(OrderId, u64),
}

/// An event that a subscriber has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The subscriber.
    pub subscriber: String,
    /// The name that the event was sent under.
    pub id: String,
    /// What it was sent.
    pub body: String,
}

/// A mail that the provider took.
#[derive(Debug, Clone)]
pub struct SentMail {
    /// To whom.
    pub to: String,
    /// Which message it is: `{order}-{notice}`, or all that it says of stock, each as
    /// `{sku}-{what}-{location}-{crossing}`, with `_` between.
    pub key: String,
    /// Whether the invocation that sent it heard of its success, and met no failure and no crash
    /// after that: then it is recorded, and must never go out again.
    pub undisturbed: bool,
}

/// What a shop was told has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Of which order.
    pub order: OrderId,
    /// The number to ask the carrier for.
    pub tracking_number: String,
    /// Whole pieces, if it was told.
    pub pieces: Option<u64>,
}

/// A refund at the payment provider.
#[derive(Debug, Clone)]
pub struct Repaid {
    /// What it is called there.
    pub id: String,
    /// The payment that it is of.
    pub payment: String,
    /// What it is called here.
    pub refund: String,
    /// How often a person had had it asked for anew.
    pub repeats: String,
    /// Minor units.
    pub amount: i64,
    /// What becomes of it there.
    pub status: &'static str,
}

/// Something that the world outside did, and was answered 2xx for. However often it was sent, it is
/// here once.
#[derive(Debug, Clone)]
pub enum Deed {
    /// An order was placed.
    Ordered {
        /// The id that the answer named.
        id: OrderId,
        /// SKU (if any), units, and charge of each line in minor units, shares of shipping included.
        lines: Vec<(Option<String>, u32, i64)>,
        /// Minor units paid when it came in.
        captured: i64,
        /// Where the customer's mail goes.
        email: Option<String>,
        /// What its place has to be found by.
        located_by: &'static str,
    },
    /// The channel stated an order as a whole.
    Restated {
        /// The id that the answer named.
        id: OrderId,
        /// The channel's own time of the statement.
        as_of: jiff::Timestamp,
        /// The customer's telephone number, if the channel says it.
        phone: Option<String>,
        /// Whether the order is cancelled there.
        cancelled: bool,
        /// Units that are taken off its first line.
        off: u32,
        /// Minor units that have come in.
        captured: i64,
        /// The channel's ids of what has gone back, if it says so of the order.
        refunds: Vec<String>,
    },
    /// The channel said that an order has changed: what it is is for its API to say.
    Hinted,
    /// The channel gave money back: the order, and the channel's id of the refund.
    RefundedByChannel(OrderId, String),
    /// Goods came in (positive), or a count found more or less.
    Counted {
        /// The id that the answer named.
        fact: String,
        /// The article.
        sku: String,
        /// The warehouse.
        location: String,
        /// Units.
        quantity: i64,
    },
    /// A shelf was counted.
    ShelfCounted {
        /// The id that the answer named.
        fact: String,
        /// The article.
        sku: String,
        /// The warehouse.
        location: String,
        /// Units that were found.
        found: i64,
        /// Units that should have been there, if that was said.
        expected: Option<i64>,
    },
    /// A supplier is to send something.
    Expected(Inbound),
    /// Goods left for another warehouse.
    TransferSent(Transfer),
    /// So many units of a transfer of a SKU arrived.
    TransferReceived(String, String, i64),
    /// A discrepancy was closed.
    DiscrepancyResolved(String),
    /// Goods were reserved.
    Reserved {
        /// The reservation's id.
        id: String,
        /// SKU, units, and the warehouse that was named, kits taken apart.
        lines: Vec<(String, i64, Option<String>)>,
    },
    /// A reservation was extended.
    ReservationExtended(String),
    /// A reservation was given up.
    ReservationReleased(String),
    /// A warehouse reported on a fulfillment order: `accepted`, `packed`, `shipped`, `rejected`, `delivered`.
    Reported {
        /// The order.
        order: OrderId,
        /// The number of the fulfillment order.
        n: u32,
        /// What.
        report: &'static str,
        /// Of `packed`: line id and units, if fewer than asked for.
        lines: Option<Vec<(String, u32)>>,
    },
    /// An order was cancelled.
    Cancelled(OrderId),
    /// A hold was lifted.
    Released(OrderId, String),
    /// What a channel had refused to be told was looked into.
    Resolved(OrderId),
    /// Goods were announced to come back: the request's own name, the number answered, line ids and units.
    ReturnAnnounced(OrderId, String, u32, Vec<(String, u32)>),
    /// Goods came back as return `n`.
    ReturnReceived(OrderId, u32),
    /// The goods of return `n` are expected no longer.
    ReturnCancelled(OrderId, u32),
    /// A shop said that goods come back, or that they do not.
    ReturnedInChannel {
        /// The order.
        id: OrderId,
        /// The shop's name of the return.
        key: String,
        /// Line ids and units; `None`: it is called off.
        lines: Option<Vec<(String, u32)>>,
    },
    /// Money was asked back: the request's own name, and the number answered.
    RefundRequested(OrderId, String, u32),
    /// Refund `n` was paid.
    RefundConfirmed(OrderId, u32),
    /// The payment provider said what has become of a refund.
    Settled,
    /// Refund `n` is to be asked for anew.
    RefundRepeated(OrderId, u32),
    /// Supplier and team were told of low levels: a run of the schedule that went well.
    RestockChecked,
    /// Every level was held against its ledger.
    StockReconciled,
    /// The shop was told how much there is: a run of the schedule that went well.
    ListingsTold,
    /// What was parked was sent back.
    Redriven,
    /// A subscriber was entered, at this time at the latest.
    Entered(Timestamp),
    /// A subscriber is to hear again of what has been.
    Replayed(Replayed),
}
