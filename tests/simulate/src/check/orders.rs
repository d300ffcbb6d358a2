//! What must hold of an order's own item, whatever is written next to it.

use domain::event::{Entry, Event};
use domain::order::{FulfillmentStatus, Order, RefundStatus, Return, Units};
use domain::owed::Notice;
use domain::telling::Resolution;

use super::{Hold, ensure, told};

/// Events that the order's own item holds at most; older ones are on pages.
const TIMELINE_TAIL: usize = 14;
/// Lines that are counted in one pass over the fulfillment orders, without allocating.
const LINES_AT_ONCE: usize = 16;

/// What fulfillment orders say of a line.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    allocated: u64,
    packed: u64,
    shipped: u64,
    delivered: u64,
    named: bool,
}

/// The first write of an order.
pub(super) fn begins(order: &Order) -> Hold {
    let untouched = order.version == 1
        && order.timeline.first == 1
        && order.fulfillments.is_empty()
        && order.refunds.is_empty()
        && order.returns.is_empty()
        && order.moves.is_empty()
        // A channel may wait to hear that it has come in.
        && order.notices.iter().all(|notice| *notice == Notice::Acknowledged)
        && order.lines.iter().all(|line| {
            line.refunded_units == 0
                && u64::from(line.units.ordered)
                    == u64::from(line.units.open) + u64::from(line.units.cancelled)
        });
    ensure(untouched, "order-begins-untouched", &order.id, || {
        format!("expected version 1, all units open, nothing done yet; found {order:?}")
    })
}

/// A write says what it does once, and changes nothing that was agreed.
pub(super) fn keeps(before: &Order, after: &Order) -> Hold {
    let id = &after.id;
    let (old, new) = (before.version, after.version);
    ensure(new == old + 1, "version-step", id, || {
        format!("expected version {}, found {new}", old + 1)
    })?;
    let same = before.id == after.id
        && before.source == after.source
        && before.number == after.number
        && before.currency == after.currency
        && before.taxes_included == after.taxes_included
        && before.placed_at.as_second() == after.placed_at.as_second()
        && before.deliver_by == after.deliver_by
        && before.destination == after.destination
        && before.mailed == after.mailed
        && before.told == after.told
        && before.lines.len() == after.lines.len();
    ensure(same, "identity-changed", id, || {
        format!(
            "expected id, source, number, currency, dates, destination and lines as they were; \
             before {before:?}; after {after:?}"
        )
    })?;
    let named = |order: &Order| order.reservation.as_ref().map(|named| named.id.clone());
    let used = |order: &Order| order.reservation.as_ref().is_some_and(|named| named.used);
    let newest = after.timeline.entries.last().map(|entry| &entry.event);
    let looked = matches!(newest, Some(Event::AllocatedReserved(..)));
    let kept = named(before) == named(after) && (used(before) || used(after) == looked);
    let kept = kept && used(before) <= used(after) && !(used(before) && looked);
    ensure(kept, "reservation-used-otherwise", id, || {
        let (was, is) = (&before.reservation, &after.reservation);
        format!("expected {was:?} to be used once, with its event; found {is:?} after {newest:?}")
    })?;
    for (was, is) in before.lines.iter().zip(&after.lines) {
        let same = was.id == is.id
            && was.sku == is.sku
            && was.intangible == is.intangible
            && was.units.ordered == is.units.ordered
            && was.money == is.money;
        ensure(same, "identity-changed", id, || {
            format!("expected line, SKU, units ordered and prices of {was:?}, found {is:?}")
        })?;
        let grows = was.units.cancelled <= is.units.cancelled
            && was.units.shipped <= is.units.shipped
            && was.units.delivered <= is.units.delivered
            && was.units.returned <= is.units.returned;
        ensure(grows, "final-units-shrank", id, || {
            let (line, was, is) = (&is.id, was.units, is.units);
            format!(
                "line {line:?}: expected no fewer cancelled, shipped, delivered or returned than \
                 {was:?}, found {is:?}"
            )
        })?;
    }
    Ok(())
}

/// What holds of the item by itself.
pub(super) fn stands(order: &Order) -> Hold {
    timeline(order)?;
    units(order)?;
    fulfillments(order)?;
    buckets(order)?;
    returns(order)?;
    notices(order)?;
    index(order)
}

fn timeline(order: &Order) -> Hold {
    let timeline = &order.timeline;
    let count = timeline.entries.len();
    let whole = timeline.first >= 1 && timeline.first + count as u64 == order.version + 1;
    ensure(whole, "timeline-version", &order.id, || {
        format!(
            "expected the last event to have the order's version {}, found {count} events from {}",
            order.version, timeline.first
        )
    })?;
    let fits = (1..=TIMELINE_TAIL).contains(&count);
    ensure(fits, "timeline-length", &order.id, || {
        format!("expected 1 to {TIMELINE_TAIL} events in the order's own item, found {count}")
    })
}

fn units(order: &Order) -> Hold {
    for line in &order.lines {
        let u = line.units;
        let placed = u64::from(u.cancelled)
            + u64::from(u.backordered)
            + u64::from(u.open)
            + u64::from(u.allocated)
            + u64::from(u.packed)
            + u64::from(u.shipped);
        let id = &order.id;
        ensure(
            u64::from(u.ordered) == placed,
            "units-unbalanced",
            id,
            || {
                let ordered = u.ordered;
                format!(
                    "line {:?}: expected the buckets to add up to {ordered}, found {u:?}",
                    line.id
                )
            },
        )?;
        let arrived = u.shipped >= u.delivered && u.delivered >= u.returned;
        ensure(arrived, "units-out-of-order", id, || {
            format!(
                "line {:?}: expected shipped >= delivered >= returned, found {u:?}",
                line.id
            )
        })?;
        let aside = u.allocated + u.packed;
        let taken = match line.intangible {
            true => aside,
            false => aside + u.shipped,
        };
        let named = line.sku.is_some() || taken == 0;
        ensure(named, "goods-without-sku", id, || {
            format!(
                "line {:?}: expected nothing set aside or shipped without a SKU, found {u:?}",
                line.id
            )
        })?;
        let digital = u.backordered + aside == 0 && u.shipped == u.delivered;
        ensure(
            !line.intangible || digital,
            "intangible-handled",
            id,
            || {
                format!(
                    "line {:?}: expected nothing to pick, and shipped = delivered, found {u:?}",
                    line.id
                )
            },
        )?;
    }
    Ok(())
}

fn fulfillments(order: &Order) -> Hold {
    use FulfillmentStatus::{Delivered, Packed, Shipped};
    let id = &order.id;
    for (k, f) in order.fulfillments.iter().enumerate() {
        let sound = |(k, &(place, count)): (usize, &Units)| {
            let line = order.lines.get(usize::from(place));
            count > 0
                && line.is_some_and(|line| !line.intangible)
                && f.units.iter().take(k).all(|known| known.0 != place)
        };
        let sound =
            f.n as usize == k + 1 && !f.units.is_empty() && f.units.iter().enumerate().all(sound);
        ensure(sound, "fulfillment-unsound", id, || {
            let n = k + 1;
            format!(
                "expected number {n}, and units above 0 of goods that the order has, each line \
                 once; found {f:?}"
            )
        })?;
        let left = matches!(f.status, Shipped | Delivered);
        let recorded = f.shipped_at.is_some() == left && f.parcel.is_some() == left;
        ensure(recorded, "departure-unrecorded", id, || {
            format!("expected a time and a parcel exactly if it has left, found {f:?}")
        })?;
        let unrated = !f.unrated || left || f.status == Packed;
        ensure(unrated, "unrated-unpacked", id, || {
            format!("expected only what was packed to be without tariff, found {f:?}")
        })?;
    }
    Ok(())
}

/// What the fulfillment orders hold is what the lines say.
fn buckets(order: &Order) -> Hold {
    use FulfillmentStatus::{Accepted, Cancelled, Delivered, Packed, Rejected, Released, Shipped};
    for (chunk, lines) in order.lines.chunks(LINES_AT_ONCE).enumerate() {
        let first = chunk * LINES_AT_ONCE;
        let mut sent = [Sent::default(); LINES_AT_ONCE];
        for f in &order.fulfillments {
            for &(place, count) in &f.units {
                let place = usize::from(place).wrapping_sub(first);
                let Some(sent) = sent.get_mut(place) else {
                    continue;
                };
                let count = u64::from(count);
                sent.named = true;
                match f.status {
                    Released | Accepted => sent.allocated += count,
                    Packed => sent.packed += count,
                    Shipped => sent.shipped += count,
                    Delivered => {
                        sent.shipped += count;
                        sent.delivered += count;
                    }
                    Rejected | Cancelled => {}
                }
            }
        }
        for (line, sent) in lines.iter().zip(&sent) {
            let u = line.units;
            let agree = match line.intangible {
                true => !sent.named,
                false => {
                    u64::from(u.allocated) == sent.allocated
                        && u64::from(u.packed) == sent.packed
                        && u64::from(u.shipped) == sent.shipped
                }
            };
            ensure(agree, "units-differ-from-fulfillments", &order.id, || {
                format!("line {:?}: expected {sent:?}, found {u:?}", line.id)
            })?;
            // What came back had arrived, whether or not the carrier said so.
            let least = sent.delivered;
            let most = sent.delivered + u64::from(u.returned);
            let arrived = line.intangible || (least..=most).contains(&u64::from(u.delivered));
            ensure(arrived, "delivered-differs", &order.id, || {
                let found = u.delivered;
                format!(
                    "line {:?}: expected {least} to {most} units delivered, found {found}",
                    line.id
                )
            })?;
        }
    }
    Ok(())
}

fn returns(order: &Order) -> Hold {
    for (k, known) in order.returns.iter().enumerate() {
        let places = order.lines.len();
        let sound = |u: &Units| u.1 > 0 && usize::from(u.0) < places;
        let name = |r: &Return| (r.key.clone(), r.by_channel);
        let once = order.returns.iter().take(k).all(|r| name(r) != name(known));
        let sound = known.n as usize == k + 1 && once && known.units.iter().all(sound);
        ensure(sound, "return-unsound", &order.id, || {
            let n = k + 1;
            format!("expected number {n}, a key of its own, units above 0; found {known:?}")
        })?;
    }
    Ok(())
}

/// Nobody is to be told twice, or told what is not for him.
fn notices(order: &Order) -> Hold {
    let id = &order.id;
    for (k, notice) in order.notices.iter().enumerate() {
        let once = !order.notices.iter().take(k).any(|n| n == notice);
        ensure(once, "notice-due-twice", id, || {
            format!("expected {notice:?} to be due once")
        })?;
        let noted = |entry: &Entry| {
            matches!(&entry.event, Event::Notified(known) | Event::NotNotified(known, _)
                if known == notice)
        };
        // A person can have a channel told again what it has refused.
        let retold =
            |entry: &Entry| matches!(entry.event, Event::UntoldResolved(Resolution::Again));
        let entries = &order.timeline.entries;
        let retold = entries.iter().any(retold) || order.timeline.first > 1;
        let again = entries.iter().any(noted) && !(told::is_of_channel(notice) && retold);
        ensure(!again, "notice-due-again", id, || {
            format!("expected {notice:?} to be sent once; it is due although it is recorded")
        })?;
        ensure(
            order.told || !told::is_of_channel(notice),
            "notice-unwanted",
            id,
            || format!("expected no word to the channel of this order, {notice:?} is due"),
        )?;
        let to_warehouse = matches!(notice, Notice::Pick(_) | Notice::Stop(_));
        let to_customer = !to_warehouse && !told::is_of_channel(notice);
        ensure(order.mailed || !to_customer, "notice-unwanted", id, || {
            format!("expected no mail to the customer of this order, {notice:?} is due")
        })?;
    }
    Ok(())
}

/// The order is in the index of open work exactly while some step has work.
fn index(order: &Order) -> Hold {
    let owed = owes(order);
    let listed = order.open_at.is_some();
    ensure(owed == listed, "open-index", &order.id, || {
        format!("expected to be in the index of open work: {owed}; found: {listed}")
    })
}

/// Whether some step has work.
fn owes(order: &Order) -> bool {
    let open = order.look_again || order.lines.iter().any(|line| line.units.open > 0);
    let open = open && order.holds.is_empty();
    // Goods are kept for one that wants none any more.
    let wants = |line: &domain::order::Line| line.units.open + line.units.backordered > 0;
    let kept = order.reservation.as_ref().is_some_and(|named| !named.used);
    let open = open || (kept && !order.lines.iter().any(wants));
    let parcel = |f: &domain::FulfillmentOrder| f.status == FulfillmentStatus::Packed && !f.unrated;
    open || !order.notices.is_empty()
        || !order.moves.is_empty()
        || order.fulfillments.iter().any(parcel)
        || order
            .refunds
            .iter()
            .any(|r| r.status == RefundStatus::Requested)
        || order.published.is_some_and(|upto| upto < order.version)
}
