//! Money back, to the minor unit, and never more than came in.

use jiff::Timestamp;

use crate::Refusal;
use crate::change::{LineUnits, places};
use crate::event::Event;
use crate::order::{Order, Payment, Refund, RefundStatus, Units};
use crate::owed::Notice;

/// What is to be refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The charge of these units, as it was frozen.
    Units(Vec<LineUnits>),
    /// An amount that belongs to no unit: an appeasement. Minor units.
    Amount(i64),
}

/// Asks for a refund. `key` is the sender's name of the request; a repeat gives the refund that it
/// made.
pub fn request(
    order: &Order,
    key: &str,
    request: &Request,
    now: Timestamp,
) -> Result<(Option<Order>, u32), Refusal> {
    // The refunds of cancellations and returns have names of our own: a sender's cannot be one.
    let key = format!("+{key}");
    if let Some(known) = order.refunds.iter().find(|r| r.key == key) {
        return Ok((None, known.n));
    }
    let (amount, units) = match request {
        Request::Amount(amount) => (*amount, Vec::new()),
        Request::Units(lines) => {
            let units = places(order, lines)?;
            for &(place, count) in &units {
                let line = order.line(place);
                let left = line.units.ordered - line.refunded_units;
                if count > left {
                    return Err(Refusal::TooMuch {
                        subject: format!("line {:?}", line.id),
                        wanted: line.quantity(count),
                        left: line.quantity(left),
                    });
                }
            }
            (charge_of(order, &units), units)
        }
    };
    if amount <= 0 {
        return Err(Refusal::Nothing("the amount to refund is zero".into()));
    }
    let left = order.captured() - order.refunds_promised();
    if amount > left {
        return Err(Refusal::TooMuch {
            subject: format!("minor units of {}", order.currency),
            wanted: amount.into(),
            left: left.into(),
        });
    }
    let n = order.refunds.len() as u32 + 1;
    let next = order.advance(now, Event::RefundRequested(n, amount), |next| {
        push(next, &key, amount, &units);
    });
    Ok((Some(next), n))
}

/// Adds the refund of some units to a change that is under way: a cancellation, a return. What was
/// not captured, or has gone back otherwise, is not refunded.
pub(crate) fn request_units(next: &mut Order, key: &str, units: &[Units]) {
    let unrefunded: Vec<Units> = units
        .iter()
        .map(|&(place, count)| {
            let line = next.line(place);
            (place, count.min(line.units.ordered - line.refunded_units))
        })
        .filter(|u| u.1 > 0)
        .collect();
    let left = next.captured() - next.refunds_promised();
    let amount = charge_of(next, &unrefunded).min(left);
    if amount > 0 {
        push(next, key, amount, &unrefunded);
    }
}

fn charge_of(order: &Order, units: &[Units]) -> i64 {
    let charge = |&(place, count): &Units| order.line(place).refund_of(count, order.taxes_included);
    units.iter().map(charge).sum()
}

fn push(next: &mut Order, key: &str, amount: i64, units: &[Units]) {
    for &(place, count) in units {
        next.lines[usize::from(place)].refunded_units += count;
    }
    next.refunds.push(Refund {
        n: next.refunds.len() as u32 + 1,
        key: key.to_owned(),
        amount,
        status: RefundStatus::Requested,
        external: None,
    });
}

/// The order once the payment provider has taken refund `n` and leaves it to a person to confirm;
/// `None` if that has happened.
pub fn submitted(order: &Order, n: u32, now: Timestamp) -> Option<Order> {
    let refund = order.refunds.iter().find(|r| r.n == n)?;
    (refund.status == RefundStatus::Requested).then(|| {
        order.advance(now, Event::RefundSubmitted(n), |next| {
            set_status(next, n, RefundStatus::AwaitingConfirmation);
        })
    })
}

/// Notes that the money of refund `n` has gone back; `None` if that was noted before.
pub fn confirm(order: &Order, n: u32, now: Timestamp) -> Result<Option<Order>, Refusal> {
    let refund = order.refunds.iter().find(|r| r.n == n);
    let refund = refund.ok_or_else(|| Refusal::NotFound(format!("refund {}-F{n}", order.id)))?;
    match refund.status {
        RefundStatus::Paid => Ok(None),
        // A person may be quicker than the queue.
        RefundStatus::Requested | RefundStatus::AwaitingConfirmation => {
            let amount = refund.amount;
            Ok(Some(order.advance(now, Event::RefundPaid(n), |next| {
                set_status(next, n, RefundStatus::Paid);
                next.payments.push(Payment::Refunded(n, amount));
                if next.mailed {
                    next.notices.push(Notice::Refunded(n));
                }
            })))
        }
    }
}

fn set_status(next: &mut Order, n: u32, status: RefundStatus) {
    for refund in next.refunds.iter_mut().filter(|r| r.n == n) {
        refund.status = status;
    }
}
