//! What a channel is told of an order that it has sold: which of its lines have left, and what becomes
//! of what it has refused to be told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::LineUnits;
use crate::event::Event;
use crate::order::{FulfillmentOrder, Order};
use crate::{Line, Quantity};

/// What a person says of what a channel has refused to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// Whatever was in the way is mended: it is to be told again.
    #[serde(rename = "a")]
    Again,
    /// It needs no telling any more: the channel has heard of it by other means, or need not.
    #[serde(rename = "s")]
    Settled,
}

impl Resolution {
    /// The resolution of this name in paths.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "again" => Some(Self::Again),
            "settled" => Some(Self::Settled),
            _ => None,
        }
    }
}

/// The order once a person has looked into what its channel has refused to be told; `None` if there is
/// nothing of the kind.
pub fn resolve(order: &Order, resolution: Resolution, now: Timestamp) -> Option<Order> {
    if order.untold.is_empty() {
        return None;
    }
    let event = Event::UntoldResolved(resolution);
    Some(order.advance(now, event, |next| {
        let untold = std::mem::take(&mut next.untold);
        if resolution == Resolution::Again {
            next.notices.extend(untold);
        }
    }))
}

/// The lines that fulfillment order `n` has sent, as the channel calls them: a kit is one of its lines, and
/// has left with whatever makes it whole. Empty if it has not left, or has made no kit whole.
pub fn sent_lines(order: &Order, n: u32) -> Vec<LineUnits> {
    let gone = |f: &&FulfillmentOrder| f.shipped_at.is_some();
    let Some(this) = order.fulfillments.iter().filter(gone).find(|f| f.n == n) else {
        return Vec::new();
    };
    // Of several that have left in one second the one with the lower number counts as the earlier.
    let when = |f: &FulfillmentOrder| (f.shipped_at, f.n);
    let earlier: Vec<&FulfillmentOrder> = order
        .fulfillments
        .iter()
        .filter(gone)
        .filter(|f| when(f) < when(this))
        .collect();
    let mut lines: Vec<LineUnits> = Vec::new();
    for (place, line) in (0_u16..).zip(&order.lines) {
        let Some(kit) = &line.kit else {
            let sent = units(&[this], place);
            if sent > 0 {
                lines.push((line.id.clone(), line.quantity(sent)));
            }
            continue;
        };
        if lines.iter().any(|(id, _)| *id == kit.line) {
            continue;
        }
        let before = kits(order, &kit.line, &earlier);
        let mut with_this = earlier.clone();
        with_this.push(this);
        let whole = kits(order, &kit.line, &with_this) - before;
        if whole > 0 {
            lines.push((kit.line.clone(), Quantity::from(i64::from(whole))));
        }
    }
    lines
}

/// Whether everything that is to be sent of the order has left.
pub fn is_complete(order: &Order) -> bool {
    let done = |line: &Line| {
        line.intangible || line.units.shipped + line.units.cancelled == line.units.ordered
    };
    order.lines.iter().all(done)
}

/// Units of the line at a place that these have sent.
fn units(sent: &[&FulfillmentOrder], place: u16) -> u32 {
    let all = sent.iter().flat_map(|f| &f.units);
    all.filter(|units| units.0 == place)
        .map(|units| units.1)
        .sum()
}

/// Kits of a line of the channel's that are whole by what these have sent.
fn kits(order: &Order, line: &str, sent: &[&FulfillmentOrder]) -> u32 {
    let parts = (0_u16..).zip(&order.lines).filter_map(|(place, part)| {
        let kit = part.kit.as_ref().filter(|kit| kit.line == line)?;
        (!part.intangible).then(|| units(sent, place) / kit.per_kit.max(1))
    });
    parts.min().unwrap_or(0)
}
