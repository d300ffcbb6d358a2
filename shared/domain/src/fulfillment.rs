//! What a warehouse reports of a fulfillment order, and what follows.

use jiff::Timestamp;

use crate::Refusal;
use crate::candidates::rejections;
use crate::change::{LineUnits, places};
use crate::event::Event;
use crate::limits::MAX_REJECTIONS;
use crate::order::{FulfillmentStatus, Hold, HoldReason, Move, Order, Parcel, Units};
use crate::owed::Notice;
use crate::stock::MovementKind;

/// A warehouse's report.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// It will do it.
    Accepted,
    /// The parcel is closed. `None`: with everything in it; otherwise these line ids and units.
    Packed(Option<Vec<LineUnits>>),
    /// It has left by the warehouse's own means.
    Shipped {
        /// Who carries it.
        carrier: String,
        /// What to ask the carrier for.
        tracking_number: String,
    },
    /// It cannot or will not do it, and why not.
    Rejected(String),
    /// It has arrived.
    Delivered,
}

impl Report {
    /// Its name in paths.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Packed(_) => "packed",
            Self::Shipped { .. } => "shipped",
            Self::Rejected(_) => "rejected",
            Self::Delivered => "delivered",
        }
    }
}

/// What a report means in a state.
enum Verdict {
    /// It is news.
    Move,
    /// It has been heard before; nothing changes.
    Known,
    /// It cannot be: the states in which it could.
    Refuse(&'static str),
}

/// The life cycle of a fulfillment order: every state with every report.
fn verdict(status: FulfillmentStatus, report: &Report) -> Verdict {
    use FulfillmentStatus as S;
    use Report as R;
    use Verdict::{Known, Move, Refuse};
    const BEFORE_PACKING: &str = "released or accepted";
    const BEFORE_LEAVING: &str = "released, accepted or packed";
    match (status, report) {
        (S::Released, R::Accepted | R::Packed(_) | R::Shipped { .. } | R::Rejected(_)) => Move,
        (S::Released, R::Delivered) => Refuse("shipped"),
        (S::Accepted, R::Accepted) => Known,
        (S::Accepted, R::Packed(_) | R::Shipped { .. } | R::Rejected(_)) => Move,
        (S::Accepted, R::Delivered) => Refuse("shipped"),
        (S::Packed, R::Accepted | R::Packed(_)) => Known,
        (S::Packed, R::Shipped { .. }) => Move,
        (S::Packed, R::Rejected(_)) => Refuse(BEFORE_PACKING),
        (S::Packed, R::Delivered) => Refuse("shipped"),
        (S::Shipped, R::Accepted | R::Packed(_) | R::Shipped { .. }) => Known,
        (S::Shipped, R::Rejected(_)) => Refuse(BEFORE_PACKING),
        (S::Shipped, R::Delivered) => Move,
        (S::Delivered, R::Accepted | R::Packed(_) | R::Shipped { .. } | R::Delivered) => Known,
        (S::Delivered, R::Rejected(_)) => Refuse(BEFORE_PACKING),
        (S::Rejected, R::Rejected(_)) => Known,
        (S::Rejected, R::Accepted | R::Packed(_)) => Refuse(BEFORE_PACKING),
        (S::Rejected, R::Shipped { .. }) => Refuse(BEFORE_LEAVING),
        (S::Rejected, R::Delivered) => Refuse("shipped"),
        (S::Cancelled, R::Accepted | R::Packed(_) | R::Rejected(_)) => Refuse(BEFORE_PACKING),
        (S::Cancelled, R::Shipped { .. }) => Refuse(BEFORE_LEAVING),
        (S::Cancelled, R::Delivered) => Refuse("shipped"),
    }
}

/// The order after a warehouse's report on fulfillment order `n`; `None` when it says nothing new.
pub fn report(
    order: &Order,
    n: u32,
    report: &Report,
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    let fulfillment = order.fulfillment(n)?;
    match verdict(fulfillment.status, report) {
        Verdict::Known => return Ok(None),
        Verdict::Refuse(expected) => {
            return Err(Refusal::WrongState {
                subject: format!("fulfillment order {}-{n}", order.id),
                state: fulfillment.status.name().into(),
                request: format!("to report it {}", report.name()),
                expected: expected.into(),
            });
        }
        Verdict::Move => {}
    }
    let next = match report {
        Report::Accepted => order.advance(now, Event::FulfillmentAccepted(n), |next| {
            if let Some(fulfillment) = next.fulfillment_mut(n) {
                fulfillment.status = FulfillmentStatus::Accepted;
            }
        }),
        Report::Packed(lines) => {
            let packed = match lines {
                Some(lines) => packed_units(order, &fulfillment.units, lines)?,
                None => fulfillment.units.clone(),
            };
            pack(order, n, packed, now)
        }
        Report::Shipped {
            carrier,
            tracking_number,
        } => {
            let parcel = Parcel {
                carrier: carrier.clone(),
                service: String::new(),
                tracking_number: tracking_number.clone(),
                label: None,
                cost: None,
            };
            crate::shipping::leave(order, n, parcel, now)
        }
        Report::Rejected(reason) => {
            order.advance(now, Event::FulfillmentRejected(n, reason.clone()), |next| {
                give_back(next, n, FulfillmentStatus::Rejected, |units, sent| {
                    units.open += sent
                });
                if rejections(next) >= MAX_REJECTIONS {
                    next.holds.push(Hold {
                        reason: HoldReason::Rejections,
                        since: now,
                    });
                }
            })
        }
        Report::Delivered => order.advance(now, Event::Delivered(n), |next| {
            if let Some(fulfillment) = next.fulfillment_mut(n) {
                fulfillment.status = FulfillmentStatus::Delivered;
            }
            for &(place, _) in &fulfillment.units {
                let arrived: u32 = next
                    .fulfillments
                    .iter()
                    .filter(|f| f.status == FulfillmentStatus::Delivered)
                    .flat_map(|f| &f.units)
                    .filter(|u| u.0 == place)
                    .map(|u| u.1)
                    .sum();
                let line = &mut next.lines[usize::from(place)].units;
                // Units that came back had arrived, whether or not the carrier has said so.
                line.delivered = arrived.max(line.returned);
            }
        }),
    };
    Ok(Some(next))
}

/// Reads line ids as places, and holds the units to what the fulfillment order asked for.
fn packed_units(
    order: &Order,
    asked: &[Units],
    lines: &[LineUnits],
) -> Result<Vec<Units>, Refusal> {
    let mut packed = places(order, lines)?;
    for &(place, units) in &packed {
        let left = asked.iter().find(|a| a.0 == place).map_or(0, |a| a.1);
        if units > left {
            return Err(Refusal::TooMuch {
                subject: format!("line {:?}", order.line(place).id),
                wanted: order.line(place).quantity(units),
                left: order.line(place).quantity(left),
            });
        }
    }
    packed.retain(|p| p.1 > 0);
    if packed.is_empty() {
        return Err(Refusal::Nothing(
            "no unit is packed; report it rejected instead".into(),
        ));
    }
    Ok(packed)
}

/// Closes the parcel. What was not found is looked for elsewhere, and is gone from this shelf.
fn pack(order: &Order, n: u32, packed: Vec<Units>, now: Timestamp) -> Order {
    let asked = order
        .fulfillment(n)
        .map(|f| f.units.clone())
        .unwrap_or_default();
    let found = |place| packed.iter().find(|p| p.0 == place).map_or(0, |p| p.1);
    let missing: Vec<Units> = asked
        .iter()
        .map(|&(place, units)| (place, units - found(place)))
        .filter(|m| m.1 > 0)
        .collect();
    let short = order.sum_of(&missing);
    order.advance(now, Event::Packed(n, short), |next| {
        let Some(fulfillment) = next.fulfillment_mut(n) else {
            return;
        };
        fulfillment.status = FulfillmentStatus::Packed;
        fulfillment.units = packed.clone();
        fulfillment.short_at = (!missing.is_empty()).then_some(now);
        let location = fulfillment.location.clone();
        for &(place, units) in &packed {
            let line = &mut next.lines[usize::from(place)].units;
            line.allocated -= units;
            line.packed += units;
        }
        for &(place, units) in &missing {
            let line = &mut next.lines[usize::from(place)].units;
            line.allocated -= units;
            line.open += units;
        }
        if !missing.is_empty() {
            next.moves.push(Move {
                kind: MovementKind::Short,
                location,
                units: missing,
            });
        }
    })
}

/// Ends fulfillment order `n` before anything was packed: its units go where `to` puts them, its
/// goods back on the shelf.
pub(crate) fn give_back(
    next: &mut Order,
    n: u32,
    status: FulfillmentStatus,
    to: impl Fn(&mut crate::order::Buckets, u32),
) {
    let Some(fulfillment) = next.fulfillment_mut(n) else {
        return;
    };
    fulfillment.status = status;
    let (units, location) = (fulfillment.units.clone(), fulfillment.location.clone());
    for &(place, count) in &units {
        let line = &mut next.lines[usize::from(place)].units;
        line.allocated -= count;
        to(line, count);
    }
    // A pick list that has not gone out need not.
    next.notices.retain(|notice| *notice != Notice::Pick(n));
    next.moves.push(Move {
        kind: match status {
            // The location is not asked for it again for a while.
            FulfillmentStatus::Rejected => MovementKind::Reject,
            _ => MovementKind::Release,
        },
        location,
        units,
    });
}
