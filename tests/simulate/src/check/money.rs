//! Money: what a line costs, what its units are worth, what has gone back.

use domain::order::{Line, Order, Payment, Refund, RefundStatus};

use super::{Hold, ensure};
use crate::measure::cost;

/// What the customer pays for a line, in minor units.
pub(super) fn charge(order: &Order, line: &Line) -> i64 {
    let ordered = i64::from(line.units.ordered);
    let goods = cost(line.money.unit_price, ordered, line.decimals);
    let tax = if order.taxes_included {
        0
    } else {
        line.money.tax
    };
    goods - line.money.discount + tax + line.money.extras
}

/// What the units from number `from` up to `to` (from 0) of a line are worth: the charge divided
/// evenly, what is left over on the first ones, a minor unit each.
pub(super) fn worth(order: &Order, line: &Line, from: u32, to: u32) -> i64 {
    let (ordered, from, to) = (
        i64::from(line.units.ordered),
        i64::from(from),
        i64::from(to),
    );
    if ordered == 0 {
        return 0;
    }
    let whole = charge(order, line);
    let (each, more) = (whole / ordered, whole % ordered);
    (to - from) * each + (to.min(more) - from.min(more))
}

/// Minor units that came in.
pub(super) fn came_in(order: &Order) -> i64 {
    let captured = |payment: &Payment| match payment {
        Payment::Captured(amount) => *amount,
        Payment::Authorised(_) | Payment::Refunded(..) => 0,
    };
    order.payments.iter().map(captured).sum()
}

fn promised(refunds: &[Refund]) -> i64 {
    refunds.iter().map(|refund| refund.amount).sum()
}

/// What holds of the money by itself.
pub(super) fn stands(order: &Order) -> Hold {
    let id = &order.id;
    for line in &order.lines {
        let (ordered, refunded) = (line.units.ordered, line.refunded_units);
        ensure(refunded <= ordered, "refunded-beyond-ordered", id, || {
            let line = &line.id;
            format!("line {line:?}: expected at most {ordered} units refunded, found {refunded}")
        })?;
    }
    let captured = came_in(order);
    let paid = |payment: &Payment| match payment {
        Payment::Refunded(_, amount) => *amount,
        Payment::Authorised(_) | Payment::Captured(_) => 0,
    };
    let refunded: i64 = order.payments.iter().map(paid).sum();
    ensure(refunded <= captured, "refunded-beyond-captured", id, || {
        format!("expected at most {captured} minor units to have gone back, found {refunded}")
    })?;
    let promised = promised(&order.refunds);
    ensure(promised <= captured, "promised-beyond-captured", id, || {
        format!("expected refunds of at most {captured} minor units, found {promised}")
    })?;
    for (k, refund) in order.refunds.iter().enumerate() {
        let once = order.refunds.iter().take(k).all(|r| r.key != refund.key);
        // What the channel gave back and never came in is noted, and is nothing.
        let counts = refund.amount > 0 || (refund.external.is_some() && refund.amount == 0);
        let sound = refund.n as usize == k + 1 && counts && once;
        ensure(sound, "refund-unsound", id, || {
            let n = k + 1;
            format!("expected number {n}, a key of its own, an amount above 0; found {refund:?}")
        })?;
        let ledger = order.payments.iter().filter(|payment| {
            matches!(payment, Payment::Refunded(n, amount)
                if *n == refund.n && *amount == refund.amount)
        });
        let (due, found) = (refund.status == RefundStatus::Paid, ledger.count());
        ensure(found == usize::from(due), "refund-ledger", id, || {
            let due = usize::from(due);
            format!("expected {refund:?} in the payment ledger {due} times, found {found}")
        })?;
    }
    for payment in &order.payments {
        let Payment::Refunded(n, amount) = *payment else {
            continue;
        };
        let known = |r: &Refund| r.n == n && r.amount == amount;
        ensure(
            order.refunds.iter().any(known),
            "payment-unmatched",
            id,
            || format!("expected a refund {n} of {amount} for {payment:?} in the payment ledger"),
        )?;
    }
    Ok(())
}

/// What one write may do to the money.
pub(super) fn follows(before: &Order, after: &Order) -> Hold {
    let id = &after.id;
    let kept = after.payments.get(..before.payments.len());
    ensure(
        kept == Some(&before.payments),
        "payment-rewritten",
        id,
        || {
            let (old, new) = (&before.payments, &after.payments);
            format!("expected the payment ledger only to grow: {old:?}; found {new:?}")
        },
    )?;
    let lines = || before.lines.iter().zip(&after.lines);
    let grows = lines().all(|(was, is)| was.refunded_units <= is.refunded_units);
    let moved = lines().any(|(was, is)| was.refunded_units != is.refunded_units);
    let new = after.refunds.get(before.refunds.len()..).unwrap_or(&[]);
    ensure(
        grows && (!moved || !new.is_empty()),
        "units-refunded-without-refund",
        id,
        || {
            let units = |order: &Order| -> Vec<u32> {
                order.lines.iter().map(|line| line.refunded_units).collect()
            };
            let (was, is) = (units(before), units(after));
            format!("units refunded of each line were {was:?} and are {is:?}, with {new:?}")
        },
    )?;
    let Some(refund) = new.first() else {
        return Ok(());
    };
    if new.iter().all(|refund| refund.external.is_some()) {
        // The channel's own: as much as it says, of what there is.
        let given: i64 = new.iter().map(|refund| refund.amount).sum();
        let left = came_in(after) - promised(&before.refunds);
        return ensure(given <= left, "refund-amount", id, || {
            format!("expected at most {left} minor units, found {new:?}")
        });
    }
    let worth = lines().map(|(was, is)| worth(after, is, was.refunded_units, is.refunded_units));
    let worth: i64 = worth.sum();
    let left = came_in(after) - promised(&before.refunds);
    // A sender's request (+) is refused if it asks for too much; what a cancellation or a return is
    // due is bounded by what there is. Without units it is an appeasement, and a sender's.
    let (exact, expected) = match (moved, refund.key.starts_with('+')) {
        (true, true) => (refund.amount == worth, worth),
        (true, false) => (refund.amount == worth.min(left), worth.min(left)),
        (false, true) => (refund.amount <= left, left),
        (false, false) => (false, 0),
    };
    ensure(exact && new.len() == 1, "refund-amount", id, || {
        format!(
            "expected one refund of {expected} minor units (its units are worth {worth}, {left} \
             are left), found {new:?}"
        )
    })
}

/// Once nothing moves: what is cancelled or has come back has been asked back, to the minor unit.
/// `off`: the units of a line that the channel has taken off.
pub(super) fn rests(
    order: &Order,
    cancelled_by_us: bool,
    returns_are_paid: bool,
    off: impl Fn(&Line) -> u32,
) -> Hold {
    let id = &order.id;
    let (captured, promised) = (came_in(order), promised(&order.refunds));
    let test = |hold: &domain::order::Hold| hold.reason == domain::order::HoldReason::Test;
    let spent = promised == captured || order.holds.iter().any(test);
    for line in &order.lines {
        let (ordered, refunded) = (line.units.ordered, line.refunded_units);
        // Who cancels before the order reaches us settles the money where it was paid.
        let cancelled = if cancelled_by_us {
            line.units.cancelled.saturating_sub(off(line))
        } else {
            0
        };
        let returned = if returns_are_paid {
            line.units.returned
        } else {
            0
        };
        let due = cancelled + returned;
        let settled = refunded >= due || spent || worth(order, line, refunded, ordered) == 0;
        ensure(settled, "money-not-given-back", id, || {
            format!(
                "line {:?}: expected {due} units refunded (cancelled or returned), found \
                 {refunded}; {promised} of {captured} minor units are on their way back",
                line.id
            )
        })?;
    }
    let all = order
        .lines
        .iter()
        .all(|line| line.refunded_units == line.units.ordered);
    let total: i64 = order.lines.iter().map(|line| charge(order, line)).sum();
    let due = total.min(captured);
    // A sender's refund may be an appeasement, which comes on top; so may the channel's own.
    let of_sender = |key: &str| key.starts_with('+') || key.starts_with("channel-");
    let senders = order.refunds.iter().any(|refund| of_sender(&refund.key));
    let exact = promised == due || (senders && promised > due);
    ensure(!all || exact, "refunds-differ-from-charge", id, || {
        format!("all units are refunded: expected {due} minor units, found {promised}")
    })
}
