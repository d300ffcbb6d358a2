//! What one write may do to an order: the life cycles, and the event that says so.

use domain::Event;
use domain::order::{FulfillmentOrder, FulfillmentStatus, Order, RefundStatus};
use jiff::Timestamp;

use super::{Hold, ensure, history};
use crate::measure::{thousandths, thousandths_of};

/// What follows from one state to the next.
pub(super) fn follows(before: &Order, after: &Order) -> Hold {
    timeline(before, after)?;
    let Some(newest) = after.timeline.entries.last() else {
        return Ok(());
    };
    fulfillments(before, after, &newest.event)?;
    returns(before, after, &newest.event)?;
    refunds(before, after, &newest.event)?;
    looks_again(before, after, &newest.event)?;
    let since = match (before.open_at, after.open_at) {
        (Some(was), Some(is)) => was.as_second() == is.as_second(),
        _ => true,
    };
    ensure(since, "open-since-changed", &after.id, || {
        let (was, is) = (before.open_at, after.open_at);
        format!("expected to be owed work since {was:?} without a pause, found since {is:?}")
    })
}

/// An order that waits and is no longer held is to be looked at once more, until that was done: nobody was told of
/// goods that came meanwhile.
fn looks_again(before: &Order, after: &Order, newest: &Event) -> Hold {
    let waits = after.lines.iter().any(|line| line.units.backordered > 0);
    let released = !before.holds.is_empty() && after.holds.is_empty();
    let looked = history::looked_for(newest).is_some();
    let due = waits && !looked && (released || before.look_again);
    ensure(
        after.look_again == due,
        "looked-for-again",
        &after.id,
        || {
            let found = after.look_again;
            format!("expected to be looked at again: {due}; found {found}, by {newest:?}")
        },
    )
}

/// Entries are only added. Compared to the second: that is how they are stored.
fn timeline(before: &Order, after: &Order) -> Hold {
    let (old, new) = (&before.timeline, &after.timeline);
    let from = new.first.checked_sub(old.first);
    let kept = from.and_then(|from| old.entries.get(usize::try_from(from).ok()?..));
    let same = kept.is_some_and(|kept| {
        kept.len() + 1 == new.entries.len()
            && kept
                .iter()
                .zip(&new.entries)
                .all(|(a, b)| a.at.as_second() == b.at.as_second() && a.event == b.event)
    });
    ensure(same, "timeline-rewritten", &after.id, || {
        format!("expected one event more, and the others as they were: {old:?}; found {new:?}")
    })
}

fn fulfillments(before: &Order, after: &Order, newest: &Event) -> Hold {
    use FulfillmentStatus::{Accepted, Cancelled, Delivered, Packed, Rejected, Released, Shipped};
    let id = &after.id;
    let measured = |f: &FulfillmentOrder| -> i64 {
        let each = f.units.iter().map(|&(place, units)| {
            let line = after.lines.get(usize::from(place));
            thousandths(units.into(), line.map_or(0, |line| line.decimals))
        });
        each.sum()
    };
    let (old, new) = (&before.fulfillments, &after.fulfillments);
    ensure(new.len() >= old.len(), "fulfillment-rewritten", id, || {
        let (old, new) = (old.len(), new.len());
        format!("expected at least {old} fulfillment orders, found {new}")
    })?;
    for (was, is) in old.iter().zip(new) {
        let next = match was.status {
            Released => matches!(
                is.status,
                Accepted | Packed | Shipped | Rejected | Cancelled
            ),
            Accepted => matches!(is.status, Packed | Shipped | Rejected | Cancelled),
            Packed => is.status == Shipped,
            Shipped => is.status == Delivered,
            Delivered | Rejected | Cancelled => false,
        };
        let moved = was.status != is.status;
        ensure(!moved || next, "fulfillment-transition", id, || {
            format!("{}: {:?} cannot become {:?}", is.n, was.status, is.status)
        })?;
        ensure(kept(was, is), "fulfillment-rewritten", id, || {
            format!("expected what was agreed and recorded to stay: {was:?}; found {is:?}")
        })?;
        let n = is.n;
        let said = match is.status {
            Released => false,
            Accepted => *newest == Event::FulfillmentAccepted(n),
            Packed => matches!(newest, Event::Packed(of, missing)
                if *of == n && thousandths_of(*missing) + measured(is) == measured(was)),
            Shipped => matches!(newest, Event::Shipped(of, _) if *of == n),
            Delivered => *newest == Event::Delivered(n),
            Rejected => matches!(newest, Event::FulfillmentRejected(of, _) if *of == n),
            Cancelled => matches!(newest, Event::Cancelled(..) | Event::Restated(true)),
        };
        ensure(!moved || said, "event-differs", id, || {
            let (was, is) = (was.status, is.status);
            format!("fulfillment {n} went from {was:?} to {is:?}; its event is {newest:?}")
        })?;
    }
    for is in new.iter().skip(old.len()) {
        ensure(is.status == Released, "fulfillment-transition", id, || {
            format!(
                "{}: expected to begin released, found {:?}",
                is.n, is.status
            )
        })?;
        let said = history::looked_for(newest).is_some_and(|(found, _)| found > 0);
        ensure(said, "event-differs", id, || {
            format!("fulfillment {} is new; its event is {newest:?}", is.n)
        })?;
    }
    Ok(())
}

fn count(f: &FulfillmentOrder) -> u64 {
    f.units.iter().map(|u| u64::from(u.1)).sum()
}

/// Whether a fulfillment order is what it was, but for what its new status brings.
fn kept(was: &FulfillmentOrder, is: &FulfillmentOrder) -> bool {
    let second = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    let moved = was.status != is.status;
    let packing = moved && is.status == FulfillmentStatus::Packed;
    let leaving = moved && is.status == FulfillmentStatus::Shipped;
    let units = match packing {
        // Fewer may have been found, and then it is written down when.
        true => {
            let asked = |place| was.units.iter().find(|u| u.0 == place).map_or(0, |u| u.1);
            is.units.iter().all(|u| u.1 <= asked(u.0))
                && is.short_at.is_some() == (count(is) < count(was))
        }
        false => was.units == is.units && second(was.short_at) == second(is.short_at),
    };
    let departure =
        leaving || (second(was.shipped_at) == second(is.shipped_at) && was.parcel == is.parcel);
    was.n == is.n
        && was.location == is.location
        && was.ship_by == is.ship_by
        && units
        && departure
        && was.unrated <= is.unrated
}

fn returns(before: &Order, after: &Order, newest: &Event) -> Hold {
    let id = &after.id;
    let (old, new) = (&before.returns, &after.returns);
    let same = new.len() >= old.len()
        && old.iter().zip(new).all(|(was, is)| {
            was.n == is.n
                && (&was.key, was.by_channel) == (&is.key, is.by_channel)
                && was.units == is.units
                && was.received <= is.received
                && was.cancelled <= is.cancelled
        });
    ensure(same, "return-rewritten", id, || {
        format!(
            "expected what was announced, received and called off to stay: {old:?}; found {new:?}"
        )
    })?;
    let known = || old.iter().zip(new);
    let arrived = known().filter(|(was, is)| was.received != is.received);
    let arrived = arrived.map(|(_, is)| *newest == Event::ReturnReceived(is.n));
    let called_off = known().filter(|(was, is)| was.cancelled != is.cancelled);
    let called_off =
        called_off.map(|(was, is)| !was.received && *newest == Event::ReturnCancelled(is.n));
    // A channel may call off what it has not announced yet.
    let announced = new.iter().skip(old.len()).map(|r| match r.cancelled {
        false => *newest == Event::ReturnAnnounced(r.n),
        true => r.by_channel && r.units.is_empty() && *newest == Event::ReturnCancelled(r.n),
    });
    let mut said = arrived.chain(called_off).chain(announced);
    ensure(said.all(|said| said), "event-differs", id, || {
        format!("returns were {old:?}, are {new:?}; the event is {newest:?}")
    })
}

fn refunds(before: &Order, after: &Order, newest: &Event) -> Hold {
    let id = &after.id;
    let (old, new) = (&before.refunds, &after.refunds);
    ensure(new.len() >= old.len(), "refund-rewritten", id, || {
        format!("expected the refunds {old:?} to stay, found {new:?}")
    })?;
    for (was, is) in old.iter().zip(new) {
        let again = matches!(*newest, Event::RefundRepeated(n) if n == is.n);
        let repeats = was.repeats + u32::from(again);
        let same = was.n == is.n && was.key == is.key && was.amount == is.amount;
        let same = same && is.repeats == repeats;
        ensure(same, "refund-rewritten", id, || {
            format!("expected number, key and amount of {was:?} to stay, found {is:?}")
        })?;
        use RefundStatus::{AwaitingConfirmation, Paid, Refused, Requested};
        let provider = before.paid_through.is_some();
        let next = match (was.status, is.status) {
            (Requested, Requested)
            | (AwaitingConfirmation, AwaitingConfirmation)
            | (Refused, Refused)
            | (Paid, Paid) => was.external == is.external && !again,
            // A provider that takes it on calls it something.
            (Requested, AwaitingConfirmation) => {
                *newest == Event::RefundSubmitted(is.n) && is.external.is_some() == provider
            }
            (Requested, Refused) => {
                provider && matches!(newest, Event::RefundRefused(n, _) if *n == is.n)
            }
            (Refused, Requested) => provider && again,
            (Requested, Paid) if provider => {
                *newest == Event::RefundPaid(is.n) && is.external.is_some()
            }
            // By the provider's word, or a person's: what the provider had taken on, or something else.
            (AwaitingConfirmation, Paid) if provider => {
                *newest == Event::RefundPaid(is.n) && is.external == was.external
            }
            (AwaitingConfirmation, Refused) => {
                let refused = matches!(newest, Event::RefundRefused(n, _) if *n == is.n);
                provider && refused && is.external == was.external
            }
            (Refused, Paid) => *newest == Event::RefundPaid(is.n) && is.external.is_none(),
            (Requested | AwaitingConfirmation, Paid) => match is.external {
                None => *newest == Event::RefundPaid(is.n),
                // Somebody has paid it back in the channel.
                Some(_) => *newest == Event::Restated(true),
            },
            (AwaitingConfirmation | Paid, Requested)
            | (Paid | Refused, AwaitingConfirmation)
            | (Paid, Refused) => false,
        };
        ensure(next, "refund-transition", id, || {
            let (n, was, is) = (is.n, was.status, is.status);
            format!("refund {n}: {was:?} cannot become {is:?} by {newest:?}")
        })?;
    }
    for is in new.iter().skip(old.len()) {
        // The refunds of cancellations and returns have names of our own; a sender's begin with +.
        let said = match newest {
            Event::RefundRequested(n, amount) => {
                *n == is.n && *amount == is.amount && is.key.starts_with('+')
            }
            Event::Cancelled(..) => is.key == "cancel",
            Event::Restated(true) => {
                let external = is.external.as_deref();
                is.status == RefundStatus::Paid && is.key.strip_prefix("channel-") == external
            }
            Event::ReturnReceived(n) => {
                let number = is.key.strip_prefix("return-");
                number.and_then(|number| number.parse().ok()) == Some(*n)
            }
            _ => false,
        };
        ensure(said, "event-differs", id, || {
            format!("refund {is:?} is new; its event is {newest:?}")
        })?;
    }
    Ok(())
}
