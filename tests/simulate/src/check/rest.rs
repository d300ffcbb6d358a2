//! Everything is finished, or waits for somebody outside.

use domain::order::{Difference, FulfillmentStatus, HoldReason, Line, Order, RefundStatus};
use domain::stock::{Level, MovementKind};
use domain::{Event, FulfillmentOrder};

use super::channel::off_of;
use super::{Findings, history, money};
use crate::observed::{Deed, Observed, StoredOrder};

/// What may be parked: hints at what does not exist, and messages that are none.
const MEANT_TO_BE_PARKED: [&str; 2] = ["there is no such", "the message cannot be read"];

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    found.expect(observed.queued == 0, "queue-not-empty", "queues", || {
        format!("expected no message, found {}", observed.queued)
    });
    for parked in &observed.parked {
        let reason = parked.reason.as_deref().unwrap_or_default();
        let meant = MEANT_TO_BE_PARKED
            .iter()
            .any(|meant| reason.starts_with(meant));
        found.expect(meant, "parked", &parked.subject, || {
            let (step, reason) = (parked.step, &parked.reason);
            format!("{step:?} gave up on it: {reason:?}")
        });
    }
    for stored in &observed.orders {
        at_rest(&stored.order, found);
        waits(observed, &stored.order, found);
        let cancelled = |event: &Event| matches!(event, Event::Cancelled(..));
        // Money that came in after that, or after goods had come back, is left to a person; and who cancels it in the channel as well gives
        // it back there.
        let asked = is_asked_for(&stored.order);
        let left = asked || is_cancelled_there(observed, &stored.order);
        let cancelled = history::events(stored).any(cancelled) && !left;
        let off = taken_off(observed, &stored.order);
        let off = |line: &Line| off_of(line, off);
        found.note(money::rests(&stored.order, cancelled, !asked, off));
    }
    for (sku, id, _) in &observed.waiting {
        let order = observed.orders.iter().find(|stored| stored.order.id == *id);
        found.expect(
            order.is_some_and(|o| may_wait(o, sku)),
            "waits-for-nothing",
            id,
            || {
                format!(
                    "expected it off the list of those that wait for {sku}: it has none to find"
                )
            },
        );
    }
}

/// Whether the channel has said that it is cancelled.
fn is_cancelled_there(observed: &Observed, order: &Order) -> bool {
    let said = |deed: &Deed| match deed {
        Deed::Restated { id, cancelled, .. } => *id == order.id && *cancelled,
        _ => false,
    };
    observed.deeds.iter().any(said)
}

/// The units that the channel has taken off the first line: who does gives the money back there.
fn taken_off(observed: &Observed, order: &Order) -> u32 {
    let said = |deed: &Deed| match deed {
        Deed::Restated { id, off, .. } if *id == order.id => *off,
        _ => 0,
    };
    observed.deeds.iter().map(said).max().unwrap_or(0)
}

/// Whether a person is told, or was, that money has come in for what was cancelled.
fn is_asked_for(order: &Order) -> bool {
    let held = order.holds.iter().any(|hold| match &hold.reason {
        HoldReason::Channel(differences) => differences.contains(&Difference::Paid),
        _ => false,
    });
    held || order.heeded.contains(&Difference::Paid)
}

fn at_rest(order: &Order, found: &mut Findings) {
    let id = &order.id;
    let open = order.look_again || order.lines.iter().any(|line| line.units.open > 0);
    found.expect(
        !open || !order.holds.is_empty(),
        "goods-not-looked-for",
        id,
        || {
            format!(
                "expected no open units without a hold, found {:?}",
                order.lines
            )
        },
    );
    found.expect(order.notices.is_empty(), "notice-due", id, || {
        format!(
            "expected everybody to have been told, found {:?}",
            order.notices
        )
    });
    found.expect(order.moves.is_empty(), "move-due", id, || {
        format!(
            "expected stock to have taken note of everything, found {:?}",
            order.moves
        )
    });
    for f in &order.fulfillments {
        let waits = f.status != FulfillmentStatus::Packed || f.unrated;
        found.expect(waits, "parcel-not-sent", id, || {
            format!(
                "expected fulfillment {} to be sent off, or left without tariff: {f:?}",
                f.n
            )
        });
    }
    for refund in &order.refunds {
        let asked = refund.status != RefundStatus::Requested;
        found.expect(asked, "refund-not-asked", id, || {
            format!("expected the payment provider to have been asked for {refund:?}")
        });
    }
}

/// What is backordered is on the list of those that wait for it, and is not to be had.
fn waits(observed: &Observed, order: &Order, found: &mut Findings) {
    for line in order.lines.iter().filter(|line| line.units.backordered > 0) {
        let Some(sku) = &line.sku else { continue };
        let units = line.units.backordered;
        let same = |line: &&domain::Line| line.sku.as_ref() == Some(sku);
        let lines = order.lines.iter().filter(same);
        let all: u32 = lines.map(|line| line.units.backordered).sum();
        let mut listed = observed.waiting.iter();
        let listed = listed.any(|w| w.0 == *sku && w.1 == order.id && w.2 == all);
        found.expect(listed, "waits-unlisted", &order.id, || {
            format!("{all} units of {sku} are backordered; it is not on the list for so many")
        });
        if !order.holds.is_empty() {
            continue;
        }
        let may = order.may_wait || !observed.asks_to_wait.contains(sku);
        found.expect(may, "waits-unasked", &order.id, || {
            format!("{units} units of {sku} are backordered, and nobody has said that they may")
        });
        let levels = observed.levels.iter().map(|stored| &stored.level);
        let kept = observed.kept(sku);
        for level in levels.filter(|level| level.sku == *sku && level.available > kept) {
            let available = level.available;
            let can = may_send(observed, order, level);
            found.expect(!can, "waits-for-goods-that-are-there", &order.id, || {
                let location = &level.location;
                format!(
                    "{units} units of {sku} are backordered, {available} available in {location}"
                )
            });
        }
    }
}

/// Whether a level's location may send goods to an order: it ships there, it has not refused, it has
/// not rejected the goods lately, its day is not full, and it was not found short since goods last came
/// in. A run takes less than a day, and so does no cool-down.
fn may_send(observed: &Observed, order: &Order, level: &Level) -> bool {
    let Some(destination) = &order.destination else {
        return false;
    };
    let here = |f: &&FulfillmentOrder| f.location == level.location;
    let mut served = observed
        .serves
        .iter()
        .filter(|(id, _)| *id == level.location);
    let served = served.all(|(_, to)| to.is_empty() || to.contains(&destination.country));
    let refused = |f: &FulfillmentOrder| f.status == FulfillmentStatus::Rejected;
    let full = observed.daily_orders.iter().any(|(location, most)| {
        let same = |load: &&(String, jiff::civil::Date, u32)| load.0 == *location;
        let mut days = observed.loads.iter().filter(same);
        *location == level.location && days.any(|load| load.2 >= *most)
    });
    // What a location rejects is noted in one share, and goes for all of them.
    let levels = observed.levels.iter().map(|stored| &stored.level);
    let mut shares = levels.filter(|l| l.sku == level.sku && l.location == level.location);
    let rejected = shares.any(|share| share.rejected_at.is_some());
    if !served || full || rejected || order.fulfillments.iter().filter(here).any(refused) {
        return false;
    }
    let short_at = order
        .fulfillments
        .iter()
        .filter(here)
        .filter_map(|f| f.short_at)
        .max();
    let Some(short_at) = short_at else {
        return true;
    };
    // As far as the level's own item tells: that is what is promised. Goods of the same second
    // count as older.
    level.tail.iter().any(|movement| {
        let brings = match movement.kind {
            MovementKind::Receive | MovementKind::Restock => true,
            MovementKind::Adjust | MovementKind::Count | MovementKind::TransferIn => {
                movement.quantity > 0
            }
            _ => false,
        };
        brings && movement.at.as_second() > short_at.as_second()
    })
}

/// Whether an order may be on the list for a SKU. Who was cancelled is taken off when the SKU next
/// comes in, and not before.
fn may_wait(stored: &StoredOrder, sku: &str) -> bool {
    let waits = |line: &domain::Line| {
        line.sku.as_deref() == Some(sku) && line.units.backordered + line.units.cancelled > 0
    };
    stored.order.lines.iter().any(waits)
}
