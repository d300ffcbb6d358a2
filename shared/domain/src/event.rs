//! What happened to an order, in the order in which it happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::limits::MAX_TIMELINE_TAIL;
use crate::owed::Notice;
use crate::telling::Resolution;

/// One change of an order. Numbers are those of its fulfillment orders, returns and refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The order was stored.
    #[serde(rename = "ac")]
    Accepted,
    /// A person lifted the hold of this name.
    #[serde(rename = "lh")]
    HoldReleased(String),
    /// Goods were looked for: units set aside, and units that no warehouse had.
    #[serde(rename = "al")]
    Allocated(Quantity, Quantity),
    /// The same for an order that names a reservation, the first time: units set aside, units that no
    /// warehouse had, and units that the reservation had kept for it; 0 if it was not held any more.
    #[serde(rename = "ar")]
    AllocatedReserved(Quantity, Quantity, Quantity),
    /// Somebody was told.
    #[serde(rename = "nt")]
    Notified(Notice),
    /// Somebody could not be told, and why not.
    #[serde(rename = "un")]
    NotNotified(Notice, String),
    /// The warehouse will do it.
    #[serde(rename = "fa")]
    FulfillmentAccepted(u32),
    /// The warehouse will not do it, and why not.
    #[serde(rename = "fr")]
    FulfillmentRejected(u32, String),
    /// The parcel is closed; so many units were missing.
    #[serde(rename = "fp")]
    Packed(u32, Quantity),
    /// No tariff takes the parcel.
    #[serde(rename = "fu")]
    Unrated(u32),
    /// The parcel left, with this tracking number.
    #[serde(rename = "fs")]
    Shipped(u32, String),
    /// The parcel arrived.
    #[serde(rename = "fd")]
    Delivered(u32),
    /// Stock has taken note of so many movements.
    #[serde(rename = "sm")]
    StockMoved(u32),
    /// So many units will not be sent, and why not.
    #[serde(rename = "xc")]
    Cancelled(Quantity, String),
    /// Goods are announced to come back.
    #[serde(rename = "ra")]
    ReturnAnnounced(u32),
    /// Goods came back.
    #[serde(rename = "rr")]
    ReturnReceived(u32),
    /// Goods are no longer expected back.
    #[serde(rename = "rx")]
    ReturnCancelled(u32),
    /// Money is to go back: refund and minor units.
    #[serde(rename = "mr")]
    RefundRequested(u32, i64),
    /// The payment provider has been asked for it.
    #[serde(rename = "ma")]
    RefundSubmitted(u32),
    /// Money went back.
    #[serde(rename = "mp")]
    RefundPaid(u32),
    /// The payment provider does not pay it, and why not.
    #[serde(rename = "mx")]
    RefundRefused(u32, String),
    /// A person has the payment provider asked anew for what it had refused.
    #[serde(rename = "mg")]
    RefundRepeated(u32),
    /// The channel has stated it anew; whether that was news.
    #[serde(rename = "rs")]
    Restated(bool),
    /// A person has looked into what the channel had refused to be told: it is told again, or needs no
    /// telling any more.
    #[serde(rename = "ut")]
    UntoldResolved(Resolution),
}

impl Event {
    /// All names that events have in documents.
    pub const NAMES: [&str; 23] = [
        "order.accepted",
        "hold.released",
        "order.allocated",
        "notice.sent",
        "notice.failed",
        "fulfillment.accepted",
        "fulfillment.rejected",
        "fulfillment.packed",
        "fulfillment.unrated",
        "fulfillment.shipped",
        "fulfillment.delivered",
        "stock.moved",
        "order.cancelled",
        "return.announced",
        "return.received",
        "return.cancelled",
        "refund.requested",
        "refund.submitted",
        "refund.paid",
        "refund.refused",
        "refund.repeated",
        "order.restated",
        "untold.resolved",
    ];

    /// Its name in documents: stable, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "order.accepted",
            Self::HoldReleased(_) => "hold.released",
            Self::Allocated(..) | Self::AllocatedReserved(..) => "order.allocated",
            Self::Notified(_) => "notice.sent",
            Self::NotNotified(..) => "notice.failed",
            Self::FulfillmentAccepted(_) => "fulfillment.accepted",
            Self::FulfillmentRejected(..) => "fulfillment.rejected",
            Self::Packed(..) => "fulfillment.packed",
            Self::Unrated(_) => "fulfillment.unrated",
            Self::Shipped(..) => "fulfillment.shipped",
            Self::Delivered(_) => "fulfillment.delivered",
            Self::StockMoved(_) => "stock.moved",
            Self::Cancelled(..) => "order.cancelled",
            Self::ReturnAnnounced(_) => "return.announced",
            Self::ReturnReceived(_) => "return.received",
            Self::ReturnCancelled(_) => "return.cancelled",
            Self::RefundRequested(..) => "refund.requested",
            Self::RefundSubmitted(_) => "refund.submitted",
            Self::RefundPaid(_) => "refund.paid",
            Self::RefundRefused(..) => "refund.refused",
            Self::RefundRepeated(_) => "refund.repeated",
            Self::Restated(_) => "order.restated",
            Self::UntoldResolved(_) => "untold.resolved",
        }
    }

    /// What happened, for people.
    pub fn describe(&self, currency: crate::Currency) -> String {
        let happened = self.summary(currency);
        match self.words() {
            Some(words) => format!("{happened}: {words}"),
            None => happened,
        }
    }

    /// What somebody outside wrote about it: a reason, which may tell of a person.
    fn words(&self) -> Option<&str> {
        match self {
            Self::NotNotified(_, why)
            | Self::FulfillmentRejected(_, why)
            | Self::RefundRefused(_, why)
            | Self::Cancelled(_, why) => Some(why),
            _ => None,
        }
    }

    /// What happened, for people, without what anybody wrote about it: there is nothing personal in it.
    pub fn summary(&self, currency: crate::Currency) -> String {
        match self {
            Self::Accepted => "accepted and stored".into(),
            Self::HoldReleased(hold) => format!("hold {hold} released"),
            Self::Allocated(found, missing) if missing.is_zero() => {
                format!("allocated: {found} units")
            }
            Self::Allocated(found, missing) => {
                format!("allocated: {found} units, {missing} backordered")
            }
            // It was cancelled before goods were looked for.
            Self::AllocatedReserved(found, missing, kept)
                if found.is_zero() && missing.is_zero() && !kept.is_zero() =>
            {
                format!("its reservation is given back: {kept} units were kept")
            }
            Self::AllocatedReserved(found, missing, kept) => {
                let looked = Self::Allocated(*found, *missing).summary(currency);
                match kept.is_zero() {
                    true => format!("{looked}; its reservation was held no more"),
                    false => {
                        format!("{looked}; its reservation is taken up: {kept} units were kept")
                    }
                }
            }
            Self::Notified(notice) => format!("{} sent", notice.describe()),
            Self::NotNotified(notice, _) => format!("{} not sent", notice.describe()),
            Self::FulfillmentAccepted(n) => format!("fulfillment {n} accepted by its warehouse"),
            Self::FulfillmentRejected(n, _) => format!("fulfillment {n} rejected by its warehouse"),
            Self::Packed(n, missing) if missing.is_zero() => format!("fulfillment {n} packed"),
            Self::Packed(n, missing) => format!("fulfillment {n} packed, {missing} units missing"),
            Self::Unrated(n) => {
                format!("no tariff takes fulfillment {n}: its warehouse ships it by its own means")
            }
            Self::Shipped(n, tracking) => format!("fulfillment {n} shipped, tracking {tracking}"),
            Self::Delivered(n) => format!("fulfillment {n} delivered"),
            Self::StockMoved(moves) => format!("stock updated: {moves} movements"),
            Self::Cancelled(units, _) => format!("{units} units cancelled"),
            Self::ReturnAnnounced(n) => format!("return {n} announced"),
            Self::ReturnReceived(n) => format!("return {n} received"),
            Self::ReturnCancelled(n) => format!("return {n} cancelled"),
            Self::RefundRequested(n, amount) => {
                format!("refund {n} of {} requested", currency.display(*amount))
            }
            Self::RefundSubmitted(n) => format!("refund {n} handed to the payment provider"),
            Self::RefundPaid(n) => format!("refund {n} paid"),
            Self::RefundRefused(n, _) => format!("refund {n} refused by the payment provider"),
            Self::RefundRepeated(n) => {
                format!("a person has the payment provider asked anew for refund {n}")
            }
            Self::Restated(true) => "changed by its channel".into(),
            Self::Restated(false) => "stated anew by its channel: nothing that counts here".into(),
            Self::UntoldResolved(Resolution::Again) => {
                "a person has the channel told again what it had refused".into()
            }
            Self::UntoldResolved(Resolution::Settled) => {
                "a person has settled what the channel had refused to be told".into()
            }
        }
    }
}

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, to the second.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// What.
    #[serde(rename = "e")]
    pub event: Event,
}

/// The newest events of an order. Its sequence numbers have no gaps: entry `k` has number
/// `first + k`, and the last has the order's version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The sequence number of the first entry here.
    #[serde(rename = "f")]
    pub first: u64,
    /// The entries.
    #[serde(rename = "l")]
    pub entries: Vec<Entry>,
}

impl Timeline {
    /// Adds the next event.
    pub fn push(&mut self, at: Timestamp, event: Event) {
        self.entries.push(Entry { at, event });
    }

    /// Whether there are more entries than the order's item should hold.
    pub fn is_full(&self) -> bool {
        self.entries.len() > MAX_TIMELINE_TAIL
    }

    /// Splits off the older entries once there are more than the order's item should hold: what
    /// is returned goes to a page of its own, in the same commit.
    pub fn take_page(&mut self) -> Option<Timeline> {
        if !self.is_full() {
            return None;
        }
        let rest = self.entries.split_off(MAX_TIMELINE_TAIL / 2);
        let page = Timeline {
            first: self.first,
            entries: std::mem::replace(&mut self.entries, rest),
        };
        self.first += page.entries.len() as u64;
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_timeline_is_paged_without_a_gap() {
        let mut timeline = Timeline {
            first: 1,
            entries: Vec::new(),
        };
        let mut seen = Vec::new();
        for n in 0..100 {
            timeline.push(Timestamp::UNIX_EPOCH, Event::Delivered(n));
            assert!(timeline.entries.len() <= MAX_TIMELINE_TAIL + 1);
            if (n as usize) < MAX_TIMELINE_TAIL {
                assert!(timeline.clone().take_page().is_none(), "the edge: {n}");
            }
            if let Some(page) = timeline.take_page() {
                assert_eq!(page.first, seen.len() as u64 + 1);
                seen.extend(page.entries);
                assert_eq!(timeline.first, seen.len() as u64 + 1);
            }
        }
        seen.extend(timeline.entries);
        let numbers = (0..100).map(Event::Delivered);
        assert!(seen.into_iter().map(|e| e.event).eq(numbers));
    }
}
