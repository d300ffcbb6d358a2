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
        repeats: 0,
        reason: None,
    });
}

/// The order once a person has been asked to pay refund `n` back; `None` if that has happened.
pub fn submitted(order: &Order, n: u32, now: Timestamp) -> Option<Order> {
    let refund = order.refunds.iter().find(|r| r.n == n)?;
    (refund.status == RefundStatus::Requested).then(|| {
        order.advance(now, Event::RefundSubmitted(n), |next| {
            change(next, n, |r| r.status = RefundStatus::AwaitingConfirmation);
        })
    })
}

/// What a payment provider says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it calls the refund, if it has made one of it.
    pub external: Option<String>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a refund at a payment provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money has gone back.
    Paid,
    /// It will, or somebody has to do something first; or a person has to look what has gone back, and why.
    Pending(Option<String>),
    /// It does not go back: why.
    Refused(String),
}

/// The order once its payment provider has answered to refund `n`; `None` if somebody has noted an answer before.
pub fn answered(order: &Order, n: u32, answer: &Answer, now: Timestamp) -> Option<Order> {
    let refund = order.refunds.iter().find(|r| r.n == n)?;
    (refund.status == RefundStatus::Requested).then(|| note(order, n, answer, now))
}

/// The order once its payment provider has told by itself what has become of refund `n`, which a person had had it asked
/// for anew so often then; `None` if that is no news. What it tells late, or twice, is none: the state decides.
///
/// # Errors
///
/// It does not go back, and counts as paid here, as the provider had said: a person has to look.
pub fn told(
    order: &Order,
    n: u32,
    repeats: u32,
    answer: &Answer,
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    let refund = find(order, n)?;
    let same = refund.external.is_some() && refund.external == answer.external;
    let fails = matches!(answer.outcome, Outcome::Refused(_));
    let waits = matches!(answer.outcome, Outcome::Pending(_));
    match refund.status {
        RefundStatus::Requested if refund.repeats == repeats => {
            Ok(Some(note(order, n, answer, now)))
        }
        RefundStatus::AwaitingConfirmation if same && !waits => {
            Ok(Some(note(order, n, answer, now)))
        }
        RefundStatus::Paid if same && fails => {
            let request = "that it has failed";
            let expected = RefundStatus::AwaitingConfirmation;
            Err(wrong_state(order, refund, request, expected))
        }
        RefundStatus::Requested
        | RefundStatus::AwaitingConfirmation
        | RefundStatus::Refused
        | RefundStatus::Paid => Ok(None),
    }
}

fn note(order: &Order, n: u32, answer: &Answer, now: Timestamp) -> Order {
    let (event, status, reason) = match &answer.outcome {
        Outcome::Paid => (Event::RefundPaid(n), RefundStatus::Paid, None),
        Outcome::Pending(why) => (
            Event::RefundSubmitted(n),
            RefundStatus::AwaitingConfirmation,
            why.clone(),
        ),
        Outcome::Refused(why) => (
            Event::RefundRefused(n, why.clone()),
            RefundStatus::Refused,
            Some(why.clone()),
        ),
    };
    order.advance(now, event, |next| {
        change(next, n, |refund| {
            refund.external = answer.external.clone();
            refund.reason = reason;
            refund.status = status;
        });
        if status == RefundStatus::Paid {
            enter(next, n);
        }
    })
}

/// Has the payment provider asked anew for refund `n`, which it has refused; `None` if it is about to be.
pub fn repeat(order: &Order, n: u32, now: Timestamp) -> Result<Option<Order>, Refusal> {
    let refund = find(order, n)?;
    match refund.status {
        RefundStatus::Requested => Ok(None),
        RefundStatus::Refused => Ok(Some(order.advance(now, Event::RefundRepeated(n), |next| {
            change(next, n, |refund| {
                refund.status = RefundStatus::Requested;
                refund.repeats += 1;
                refund.external = None;
                refund.reason = None;
            });
        }))),
        RefundStatus::AwaitingConfirmation | RefundStatus::Paid => {
            let request = "asking the payment provider anew";
            Err(wrong_state(order, refund, request, RefundStatus::Refused))
        }
    }
}

/// Notes that the money of refund `n` has gone back; `None` if that was noted before. What the payment provider is
/// being asked for may go back at any moment: nobody else pays it meanwhile.
pub fn confirm(order: &Order, n: u32, now: Timestamp) -> Result<Option<Order>, Refusal> {
    let refund = find(order, n)?;
    match refund.status {
        RefundStatus::Paid => Ok(None),
        RefundStatus::Requested if order.paid_through.is_some() => {
            let request = "confirming it";
            let expected = RefundStatus::AwaitingConfirmation;
            Err(wrong_state(order, refund, request, expected))
        }
        // A person may be quicker than the queue.
        RefundStatus::Requested | RefundStatus::AwaitingConfirmation | RefundStatus::Refused => {
            Ok(Some(order.advance(now, Event::RefundPaid(n), |next| {
                change(next, n, |refund| {
                    // What the provider has refused goes back otherwise.
                    refund
                        .external
                        .take_if(|_| refund.status == RefundStatus::Refused);
                    refund.reason = None;
                    refund.status = RefundStatus::Paid;
                });
                enter(next, n);
            })))
        }
    }
}

fn find(order: &Order, n: u32) -> Result<&Refund, Refusal> {
    let refund = order.refunds.iter().find(|r| r.n == n);
    refund.ok_or_else(|| Refusal::NotFound(format!("refund {}-F{n}", order.id)))
}

fn wrong_state(order: &Order, refund: &Refund, request: &str, expected: RefundStatus) -> Refusal {
    Refusal::WrongState {
        subject: format!("refund {}-F{}", order.id, refund.n),
        state: refund.status.name().into(),
        request: request.into(),
        expected: expected.name().into(),
    }
}

fn change(next: &mut Order, n: u32, change: impl FnOnce(&mut Refund)) {
    if let Some(refund) = next.refunds.iter_mut().find(|r| r.n == n) {
        change(refund);
    }
}

/// Enters refund `n` in the payment ledger, and has its customer told.
fn enter(next: &mut Order, n: u32) {
    let amounts = next.refunds.iter().filter(|r| r.n == n).map(|r| r.amount);
    next.payments
        .extend(amounts.map(|amount| Payment::Refunded(n, amount)));
    if next.mailed {
        next.notices.push(Notice::Refunded(n));
    }
}
