//! What the channel says of its orders: the newest counts, or a person is told why not.

use domain::order::HoldReason;
use domain::{Event, Line};

use super::{Findings, history};
use crate::observed::{Deed, Observed, StoredOrder};

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for deed in &observed.deeds {
        if let Deed::Restated { id, as_of, .. } = deed {
            let known = observed.orders.iter().any(|stored| stored.order.id == *id);
            found.expect(known, "channel-order-missing", id, || {
                format!("expected the order that the channel has as of {as_of}")
            });
        }
    }
    for stored in &observed.orders {
        newest(observed, stored, found);
        given_back(observed, stored, found);
    }
}

/// Whether a person has to look, or has looked, into what the channel says.
fn is_told(stored: &StoredOrder) -> bool {
    let held = |hold: &domain::order::Hold| matches!(hold.reason, HoldReason::Channel(_));
    let looked = |event: &Event| matches!(event, Event::HoldReleased(name) if name == "channel");
    stored.order.holds.iter().any(held) || history::events(stored).any(looked)
}

/// The units of a line that are taken off the order with so many of its first line: a kit's are those of its
/// parts.
pub(super) fn off_of(line: &Line, off: u32) -> u32 {
    match &line.kit {
        Some(kit) if kit.line == "1" => off * kit.per_kit,
        None if line.id == "1" => off,
        _ => 0,
    }
}

fn newest(observed: &Observed, stored: &StoredOrder, found: &mut Findings) {
    let id = &stored.order.id;
    let statements = observed.deeds.iter().filter_map(|deed| match deed {
        Deed::Restated {
            id: of,
            as_of,
            phone,
            cancelled,
            off,
            captured,
            ..
        } if of == id => Some((*as_of, phone, *cancelled, *off, *captured)),
        _ => None,
    });
    let Some((as_of, phone, cancelled, off, captured)) = statements.max_by_key(|said| said.0)
    else {
        return;
    };
    let order = &stored.order;
    let second = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_second);
    let known = second(order.as_of);
    found.expect(
        known >= second(Some(as_of)),
        "older-statement-counts",
        id,
        || format!("expected it as of {as_of} or newer, found {known:?}"),
    );
    if known > second(Some(as_of)) {
        // What is newer was not acknowledged, and may have been taken all the same.
        return;
    }
    let told = is_told(stored);
    let gone = order
        .lines
        .iter()
        .all(|line| line.units.cancelled == line.units.ordered);
    found.expect(
        !cancelled || gone || told,
        "channel-cancellation-lost",
        id,
        || {
            format!(
                "expected all cancelled, or a person told: {:?}",
                order.lines
            )
        },
    );
    let is_off = |line: &Line| {
        let units = line.units;
        units.cancelled + units.returned >= off_of(line, off)
    };
    let all_off = order.lines.iter().all(is_off);
    found.expect(all_off || told, "channel-units-lost", id, || {
        format!(
            "expected {off} of the first line cancelled, or a person told: {:?}",
            order.lines
        )
    });
    // A recipient whom nothing is left to be sent to is not noted.
    let reached = phone.is_none() || stored.contact.phone == *phone;
    found.expect(
        reached || told || gone,
        "channel-recipient-lost",
        id,
        || {
            format!(
                "expected {phone:?}, or a person told, found {:?}",
                stored.contact.phone
            )
        },
    );
    let came_in = super::money::came_in(order);
    found.expect(came_in >= captured, "channel-payment-lost", id, || {
        format!("expected {captured} minor units to have come in, found {came_in}")
    });
}

fn given_back(observed: &Observed, stored: &StoredOrder, found: &mut Findings) {
    let order = &stored.order;
    for deed in &observed.deeds {
        let (id, said) = match deed {
            Deed::RefundedByChannel(id, refund) => (id, std::slice::from_ref(refund)),
            Deed::Restated { id, refunds, .. } => (id, refunds.as_slice()),
            _ => continue,
        };
        for refund in said.iter().filter(|_| *id == order.id) {
            let known = order.refunds.iter();
            let known = known.filter(|r| r.external.as_ref() == Some(refund));
            let count = known.count();
            found.expect(count == 1, "channel-refund-lost", id, || {
                format!("expected {refund} once, found {:?}", order.refunds)
            });
        }
    }
}
