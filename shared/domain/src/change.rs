//! What people change about an order after it was accepted: holds lifted, orders cancelled, goods
//! sent back.

use jiff::{Timestamp, ToSpan};

use crate::event::Event;
use crate::fulfillment::give_back;
use crate::intake::ChannelReturn;
use crate::limits::{MAX_RETURNS, RETURN_WINDOW_DAYS};
use crate::order::{Difference, FulfillmentStatus, HoldReason, Move, Order, Return, Units};
use crate::owed::Notice;
use crate::refund::request_units;
use crate::stock::MovementKind;
use crate::{Line, Quantity, Refusal};

/// Lifts the hold called `name`; `None` if the order has no such hold.
pub fn release_hold(order: &Order, name: &str, now: Timestamp) -> Result<Option<Order>, Refusal> {
    if !order.holds.iter().any(|hold| hold.reason.name() == name) {
        return Ok(None);
    }
    if name == "test" {
        return Err(Refusal::WrongState {
            subject: "the order".into(),
            state: "a test order".into(),
            request: "to release it".into(),
            expected: "a real one".into(),
        });
    }
    let ships = order.lines.iter().any(|line| !line.intangible);
    if name == "address" && ships && order.destination.is_none() {
        return Err(Refusal::WrongState {
            subject: "the order".into(),
            state: "without an address".into(),
            request: "to release it".into(),
            expected: "one that can be shipped (cancel it, and have it placed again)".into(),
        });
    }
    let heeded: Vec<Difference> = order
        .holds
        .iter()
        .filter(|hold| hold.reason.name() == name)
        .flat_map(|hold| match &hold.reason {
            HoldReason::Channel(differences) => differences.clone(),
            _ => Vec::new(),
        })
        .collect();
    let event = Event::HoldReleased(name.to_owned());
    Ok(Some(order.advance(now, event, |next| {
        next.holds.retain(|hold| hold.reason.name() != name);
        if name == HoldReason::Rejections.name() {
            next.forgiven = next.fulfillments.len() as u32;
        }
        if name == HoldReason::OutOfStock.name() {
            next.may_wait = true;
        }
        next.heeded.extend(heeded);
    })))
}

/// Cancels every unit that is not packed yet, gives the goods back to the shelf, and asks for the
/// refund of what was captured for them. `None` if the whole order is cancelled already.
pub fn cancel(order: &Order, reason: &str, now: Timestamp) -> Result<Option<Order>, Refusal> {
    let cancellable = |line: &Line| line.units.open + line.units.backordered + line.units.allocated;
    if order.lines.iter().all(|line| cancellable(line) == 0) {
        if order.lines.iter().any(|line| line.units.cancelled > 0) {
            return Ok(None);
        }
        return Err(Refusal::WrongState {
            subject: "the order".into(),
            state: order.status().into(),
            request: "to cancel it".into(),
            expected: "not yet packed".into(),
        });
    }
    let cancellable = order
        .lines
        .iter()
        .map(|line| line.quantity(cancellable(line)));
    let event = Event::Cancelled(cancellable.sum(), reason.to_owned());
    Ok(Some(order.advance(now, event, |next| {
        let cancelled = withdraw(next);
        // A test's money was never real.
        if !next
            .holds
            .iter()
            .any(|hold| hold.reason == HoldReason::Test)
        {
            request_units(next, "cancel", &cancelled);
        }
    })))
}

/// Takes back every unit that is not packed yet, and tells those who have to know. The units that it
/// cancelled.
pub(crate) fn withdraw(next: &mut Order) -> Vec<Units> {
    let cancelled = |order: &Order| -> Vec<u32> {
        let lines = order.lines.iter();
        lines.map(|line| line.units.cancelled).collect()
    };
    let before = cancelled(next);
    for line in &mut next.lines {
        let units = &mut line.units;
        units.cancelled += std::mem::take(&mut units.open);
        units.cancelled += std::mem::take(&mut units.backordered);
    }
    let started = |f: &crate::FulfillmentOrder| {
        use FulfillmentStatus::*;
        match f.status {
            Released | Accepted => true,
            Packed | Shipped | Delivered | Rejected | Cancelled => false,
        }
    };
    let stopped: Vec<u32> = next
        .fulfillments
        .iter()
        .filter(|f| started(f))
        .map(|f| f.n)
        .collect();
    for n in stopped {
        let told = !next.notices.contains(&Notice::Pick(n));
        give_back(next, n, FulfillmentStatus::Cancelled, |units, count| {
            units.cancelled += count;
        });
        if told {
            next.notices.push(Notice::Stop(n));
        }
    }
    // Nobody has to say any more who else could send it, or whether it waits.
    next.holds
        .retain(|hold| !matches!(hold.reason, HoldReason::Rejections | HoldReason::OutOfStock));
    // A confirmation that has not gone out would now be untrue.
    next.notices.retain(|notice| *notice != Notice::Confirmed);
    if next.mailed {
        next.notices.push(Notice::Cancelled(
            u32::try_from(next.version).unwrap_or(0) + 1,
        ));
    }
    let now = cancelled(next).into_iter().zip(before);
    (0_u16..)
        .zip(now.map(|(now, before)| now - before))
        .collect()
}

/// What becomes of goods that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// They can be sold again.
    Restock,
    /// Somebody has to look at them.
    Quarantine,
    /// They go on to the supplier.
    ReturnToVendor,
    /// They are thrown away.
    Scrap,
}

impl Disposition {
    fn movement(self) -> MovementKind {
        match self {
            Self::Restock => MovementKind::Restock,
            Self::Quarantine => MovementKind::Quarantine,
            Self::ReturnToVendor => MovementKind::ReturnToVendor,
            Self::Scrap => MovementKind::Scrap,
        }
    }
}

/// So much of the line called by the first.
pub type LineUnits = (String, Quantity);

/// Announces that goods will come back: an RMA. `key` is the sender's name of the request; a
/// repeat gives the return it made.
pub fn announce_return(
    order: &Order,
    key: &str,
    lines: &[LineUnits],
    now: Timestamp,
) -> Result<(Option<Order>, u32), Refusal> {
    let same = |known: &&Return| !known.by_channel && known.key == key;
    if let Some(known) = order.returns.iter().find(same) {
        return Ok((None, known.n));
    }
    let units = returnable(order, lines)?;
    let left = order.fulfillments.iter().filter_map(|f| f.shipped_at).max();
    let closed_at = left
        .unwrap_or(order.placed_at)
        .saturating_add((RETURN_WINDOW_DAYS * 24).hours())
        .unwrap_or(Timestamp::MAX);
    if now > closed_at {
        return Err(Refusal::WindowClosed {
            days: RETURN_WINDOW_DAYS,
            closed_at,
        });
    }
    let n = next_return(order)?;
    let next = order.advance(now, Event::ReturnAnnounced(n), |next| {
        next.returns.push(Return {
            n,
            key: key.to_owned(),
            by_channel: false,
            units,
            received: false,
            cancelled: false,
        });
    });
    Ok((Some(next), n))
}

/// The number of another return.
fn next_return(order: &Order) -> Result<u32, Refusal> {
    let known = order.returns.len();
    if known >= MAX_RETURNS {
        return Err(Refusal::TooMuch {
            subject: format!("{MAX_RETURNS} returns of an order"),
            wanted: 1.into(),
            left: 0.into(),
        });
    }
    Ok(known as u32 + 1)
}

/// The units of lines that have left, and are neither back nor expected back.
fn returnable(order: &Order, lines: &[LineUnits]) -> Result<Vec<Units>, Refusal> {
    let units = places(order, lines)?;
    for &(place, count) in &units {
        let line = order.line(place);
        let coming = order.returns.iter().filter(|r| r.is_coming());
        let coming = coming.flat_map(|r| &r.units).filter(|u| u.0 == place);
        let coming: u32 = coming.map(|u| u.1).sum();
        let gone = line.units.returned + coming;
        within(line, count, line.units.shipped.saturating_sub(gone))?;
    }
    Ok(units)
}

/// The order once its channel has said this of a return: that goods are coming, whatever our own window says, or that
/// they are not. `None` if it is known. What is called off before it is known stays so: word of it may come late.
pub fn channel_return(
    order: &Order,
    said: &ChannelReturn,
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    let same = |known: &&Return| known.by_channel && known.key == said.id;
    match order.returns.iter().find(same) {
        Some(known) if said.cancelled => return cancel_return(order, known.n, now),
        Some(_) => return Ok(None),
        None => {}
    }
    let n = next_return(order)?;
    let (units, event) = match said.cancelled {
        true => (Vec::new(), Event::ReturnCancelled(n)),
        false => (returnable(order, &said.lines)?, Event::ReturnAnnounced(n)),
    };
    Ok(Some(order.advance(now, event, |next| {
        next.returns.push(Return {
            n,
            key: said.id.clone(),
            by_channel: true,
            units,
            received: false,
            cancelled: said.cancelled,
        });
    })))
}

/// Notes that the goods of return `n` are no longer expected. `None` if that was noted before.
pub fn cancel_return(order: &Order, n: u32, now: Timestamp) -> Result<Option<Order>, Refusal> {
    let known = known_return(order, n)?;
    if known.received {
        return Err(Refusal::WrongState {
            subject: format!("return {}-R{n}", order.id),
            state: known.status().into(),
            request: "to cancel it".into(),
            expected: "one whose goods have not arrived".into(),
        });
    }
    if known.cancelled {
        return Ok(None);
    }
    Ok(Some(order.advance(
        now,
        Event::ReturnCancelled(n),
        |next| {
            for known in next.returns.iter_mut().filter(|r| r.n == n) {
                known.cancelled = true;
            }
        },
    )))
}

fn known_return(order: &Order, n: u32) -> Result<&Return, Refusal> {
    let known = order.returns.iter().find(|r| r.n == n);
    known.ok_or_else(|| Refusal::NotFound(format!("return {}-R{n}", order.id)))
}

/// Notes that return `n` has arrived at a location, and asks for its refund. `None` if that was
/// noted before. What arrives may differ from what was announced: a fact is not refused.
pub fn receive_return(
    order: &Order,
    n: u32,
    location: &str,
    lines: &[(String, Quantity, Disposition)],
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    if known_return(order, n)?.received {
        return Ok(None);
    }
    let plain: Vec<LineUnits> = lines
        .iter()
        .map(|(id, units, _)| (id.clone(), *units))
        .collect();
    let units = places(order, &plain)?;
    for &(place, count) in &units {
        let line = order.line(place);
        within(line, count, line.units.shipped - line.units.returned)?;
    }
    let mut moves: Vec<Move> = Vec::new();
    for (n, (id, quantity, disposition)) in lines.iter().enumerate() {
        let kind = disposition.movement();
        let mut units = order.units_of(id, *quantity, &quantity_of(n))?;
        units.retain(|&(place, count)| count > 0 && !order.line(place).intangible);
        match moves.iter_mut().find(|m| m.kind == kind) {
            Some(due) => due.units.extend(units),
            None if units.is_empty() => {}
            None => moves.push(Move {
                kind,
                location: location.to_owned(),
                units,
            }),
        }
    }
    Ok(Some(order.advance(now, Event::ReturnReceived(n), |next| {
        for known in next.returns.iter_mut().filter(|r| r.n == n) {
            known.received = true;
        }
        for &(place, count) in &units {
            let line = &mut next.lines[usize::from(place)].units;
            line.returned += count;
            // What came back had arrived, whether or not the carrier said so.
            line.delivered = line.delivered.max(line.returned);
        }
        next.moves.extend(moves);
        request_units(next, &format!("return-{n}"), &units);
    })))
}

fn within(line: &Line, wanted: u32, left: u32) -> Result<(), Refusal> {
    if wanted > left {
        return Err(Refusal::TooMuch {
            subject: format!("line {:?}", line.id),
            wanted: line.quantity(wanted),
            left: line.quantity(left),
        });
    }
    Ok(())
}

/// Where a request says how much of its `n`th line it is about.
fn quantity_of(n: usize) -> String {
    format!("/lines/{n}/quantity")
}

/// Line ids as places, the units of a line named twice added up.
pub(crate) fn places(order: &Order, lines: &[LineUnits]) -> Result<Vec<Units>, Refusal> {
    let mut units: Vec<Units> = Vec::new();
    for (n, (id, quantity)) in lines.iter().enumerate() {
        for (place, count) in order.units_of(id, *quantity, &quantity_of(n))? {
            match units.iter_mut().find(|u| u.0 == place) {
                Some(known) => known.1 = known.1.saturating_add(count),
                None => units.push((place, count)),
            }
        }
    }
    units.retain(|u| u.1 > 0);
    if units.is_empty() {
        return Err(Refusal::Nothing("no units are named".into()));
    }
    Ok(units)
}
