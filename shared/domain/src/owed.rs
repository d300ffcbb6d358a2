//! What an order is owed next: the one place that says which step has work to do.
//!
//! Everything that moves orders derives from [`owed`], a pure function of the committed state:
//! which hints a step emits after its commit, which it emits again when a message comes twice,
//! whether the order is in the index of open work, and what the sweeper wakes. So none of them
//! can disagree.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Entry, Event};
use crate::order::{FulfillmentStatus, Order, RefundStatus};

/// A step that works on orders from a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `allocate-warehouse`
    AllocateWarehouse,
    /// `notify-warehouse`
    NotifyWarehouse,
    /// `ship-order`
    ShipOrder,
    /// `update-stock`
    UpdateStock,
    /// `notify-customer`
    NotifyCustomer,
    /// `refund-order`
    RefundOrder,
    /// `update-channel`
    UpdateChannel,
    /// `fetch-order`: no state of an order calls for it, but a channel's word.
    FetchOrder,
    /// `publish-events`
    PublishEvents,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 9] = [
        Step::AllocateWarehouse,
        Step::NotifyWarehouse,
        Step::ShipOrder,
        Step::UpdateStock,
        Step::NotifyCustomer,
        Step::RefundOrder,
        Step::UpdateChannel,
        Step::FetchOrder,
        Step::PublishEvents,
    ];

    /// The name of its function, its folder and its queue.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllocateWarehouse => "allocate-warehouse",
            Self::NotifyWarehouse => "notify-warehouse",
            Self::ShipOrder => "ship-order",
            Self::UpdateStock => "update-stock",
            Self::NotifyCustomer => "notify-customer",
            Self::RefundOrder => "refund-order",
            Self::UpdateChannel => "update-channel",
            Self::FetchOrder => "fetch-order",
            Self::PublishEvents => "publish-events",
        }
    }

    /// The step of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// A message to a person, or to the channel, that an order calls for. Each is sent once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Notice {
    /// To the warehouse: what to pick.
    #[serde(rename = "pick")]
    Pick(u32),
    /// To the warehouse: stop, the fulfillment order is cancelled.
    #[serde(rename = "stop")]
    Stop(u32),
    /// To the customer: the order is confirmed.
    #[serde(rename = "conf")]
    Confirmed,
    /// To the customer: a parcel has left.
    #[serde(rename = "ship")]
    Shipped(u32),
    /// To the customer: money has gone back.
    #[serde(rename = "refd")]
    Refunded(u32),
    /// To the customer: units are cancelled (the version of the order that cancelled them, so that
    /// each cancellation has a number of its own).
    #[serde(rename = "canc")]
    Cancelled(u32),
    /// To the channel: the order has come in.
    #[serde(rename = "ackn")]
    Acknowledged,
    /// To the channel: the fulfillment order of this number has left.
    #[serde(rename = "sent")]
    Sent(u32),
}

impl Notice {
    /// The step that sends it.
    pub fn step(&self) -> Step {
        match self {
            Self::Pick(_) | Self::Stop(_) => Step::NotifyWarehouse,
            Self::Confirmed | Self::Shipped(_) | Self::Refunded(_) | Self::Cancelled(_) => {
                Step::NotifyCustomer
            }
            Self::Acknowledged | Self::Sent(_) => Step::UpdateChannel,
        }
    }

    /// Its name within the order: the key under which it is sent once.
    pub fn key(&self) -> String {
        match self {
            Self::Pick(n) => format!("pick-{n}"),
            Self::Stop(n) => format!("stop-{n}"),
            Self::Confirmed => "confirmed".into(),
            Self::Shipped(n) => format!("shipped-{n}"),
            Self::Refunded(n) => format!("refunded-{n}"),
            Self::Cancelled(n) => format!("cancelled-{n}"),
            Self::Acknowledged => "acknowledged".into(),
            Self::Sent(n) => format!("sent-{n}"),
        }
    }

    /// What it is, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Pick(n) => format!("pick list of fulfillment {n} to its warehouse"),
            Self::Stop(n) => format!("stop of fulfillment {n} to its warehouse"),
            Self::Confirmed => "order confirmation to the customer".into(),
            Self::Shipped(n) => format!("shipping notice of fulfillment {n} to the customer"),
            Self::Refunded(n) => format!("notice of refund {n} to the customer"),
            Self::Cancelled(_) => "notice of cancellation to the customer".into(),
            Self::Acknowledged => "acknowledgement to the channel".into(),
            Self::Sent(n) => format!("word of fulfillment {n}'s shipment to the channel"),
        }
    }
}

/// A piece of work that the order's state calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Look for goods for this many units; for none, give back what a reservation keeps.
    Allocate(u64),
    /// Tell somebody.
    Notify(Notice),
    /// Choose a carrier for the packed fulfillment order of this number, and send it off.
    Ship(u32),
    /// Make stock take note of this many movements.
    MoveStock(usize),
    /// Ask the payment provider for the refund of this number.
    Refund(u32),
    /// Let subscribers know what has happened to it.
    Publish,
}

impl Work {
    /// The step that does it.
    pub fn step(&self) -> Step {
        match self {
            Self::Allocate(_) => Step::AllocateWarehouse,
            Self::Notify(notice) => notice.step(),
            Self::Ship(_) => Step::ShipOrder,
            Self::MoveStock(_) => Step::UpdateStock,
            Self::Refund(_) => Step::RefundOrder,
            Self::Publish => Step::PublishEvents,
        }
    }
}

/// All the work that the order calls for now. Empty: it is at rest, finished or waiting for
/// somebody outside (a warehouse, a person, goods).
pub fn owed(order: &Order) -> Vec<Work> {
    let mut works = Vec::new();
    let open = order
        .lines
        .iter()
        .map(|line| match order.look_again {
            true => u64::from(line.units.open) + u64::from(line.units.backordered),
            false => u64::from(line.units.open),
        })
        .sum();
    if open > 0 && order.holds.is_empty() || order.leaves_reservation() {
        works.push(Work::Allocate(open));
    }
    works.extend(order.notices.iter().cloned().map(Work::Notify));
    let packed = |f: &&crate::FulfillmentOrder| f.status == FulfillmentStatus::Packed && !f.unrated;
    works.extend(
        order
            .fulfillments
            .iter()
            .filter(packed)
            .map(|f| Work::Ship(f.n)),
    );
    if !order.moves.is_empty() {
        works.push(Work::MoveStock(order.moves.len()));
    }
    let requested = order
        .refunds
        .iter()
        .filter(|r| r.status == RefundStatus::Requested);
    works.extend(requested.map(|r| Work::Refund(r.n)));
    works.extend(order.is_unpublished().then_some(Work::Publish));
    works
}

/// The steps that have to be told after a commit: those with work that the state before did not
/// call for. Work that was called for before already has its hint under way.
pub fn newly_owed(before: &Order, after: &Order) -> Vec<Step> {
    let known = owed(before);
    steps(owed(after).into_iter().filter(|work| !known.contains(work)))
}

/// The order once `notice` has gone out, or (`failure`) cannot; `None` if that is no news.
pub fn notified(
    order: &Order,
    notice: &Notice,
    failure: Option<String>,
    now: Timestamp,
) -> Option<Order> {
    let due = order.notices.contains(notice);
    // The fulfillment order was cancelled while its pick list was on the way: it has to be called back.
    let overtaken = match notice {
        Notice::Pick(n) => {
            let cancelled = |f: &crate::FulfillmentOrder| f.status == FulfillmentStatus::Cancelled;
            // Whoever cancels it after that was noted calls it back himself.
            let noted = |entry: &Entry| match &entry.event {
                Event::Notified(known) | Event::NotNotified(known, _) => known == notice,
                _ => false,
            };
            let noted = order.timeline.entries.iter().any(noted);
            !due && failure.is_none() && !noted && order.fulfillment(*n).is_ok_and(cancelled)
        }
        _ => false,
    };
    if !due && !overtaken {
        return None;
    }
    // A mail that is refused is nobody's task: its address is none. A channel that is not told is.
    let refused = failure.is_some() && notice.step() == Step::UpdateChannel;
    let event = match failure {
        None => Event::Notified(notice.clone()),
        Some(why) => Event::NotNotified(notice.clone(), why),
    };
    Some(order.advance(now, event, |next| {
        next.notices.retain(|known| known != notice);
        if refused {
            next.untold.push(notice.clone());
        }
        if let (true, Notice::Pick(n)) = (overtaken, notice) {
            next.notices.push(Notice::Stop(*n));
        }
    }))
}

/// The distinct steps of some work, in a fixed order.
pub fn steps(works: impl IntoIterator<Item = Work>) -> Vec<Step> {
    let mut steps: Vec<Step> = works.into_iter().map(|work| work.step()).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}
