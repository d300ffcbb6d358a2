//! Why a location was chosen is on record, and none was given more than it can take.

use std::collections::BTreeSet;

use domain::decision::Verdict;

use super::{Findings, history};
use crate::measure::thousandths;
use crate::observed::{Observed, StoredOrder};

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for stored in &observed.orders {
        recorded(stored, found);
    }
    for (location, most) in &observed.daily_orders {
        let loads = observed.loads.iter().filter(|load| load.0 == *location);
        let taken: u32 = loads.clone().map(|load| load.2).sum();
        for (_, day, orders) in loads {
            found.expect(orders <= most, "location-overloaded", location, || {
                format!("expected at most {most} fulfillment orders on {day}, found {orders}")
            });
        }
        let fulfillments = observed.orders.iter().flat_map(|o| &o.order.fulfillments);
        let given = fulfillments.filter(|f| f.location == *location).count();
        found.expect(taken as usize == given, "load-miscounted", location, || {
            format!("its days add up to {taken} fulfillment orders, and it has {given}")
        });
    }
}

/// Each allocation that found something has a record of its own that says the same, and together they
/// account for every fulfillment order. Of two processes that decided at once both left a record: every
/// reading is followed, and one has to come out.
fn recorded(stored: &StoredOrder, found: &mut Findings) {
    let made: Vec<&str> = stored
        .order
        .fulfillments
        .iter()
        .map(|f| f.location.as_str())
        .collect();
    let mut readings = BTreeSet::from([0]);
    for (n, event) in history::events(stored).enumerate() {
        let Some((units @ 1.., _)) = history::looked_for(event) else {
            continue;
        };
        let of_version = stored
            .decisions
            .iter()
            .filter(|d| d.of_version == n as u64 + 1);
        let mut next = BTreeSet::new();
        for decision in of_version {
            let sends = decision.considered.iter().filter_map(|c| match &c.verdict {
                Verdict::Sends(units) => Some((c.location.as_str(), *units)),
                _ => None,
            });
            let (locations, sent): (Vec<&str>, Vec<u64>) = sends.unzip();
            let fits = |from: &&usize| made[**from..].starts_with(&locations);
            let sent = i64::try_from(sent.iter().sum::<u64>()).unwrap_or(-1);
            let sent = thousandths(sent, decision.decimals);
            if !locations.is_empty() && sent == units {
                next.extend(
                    readings
                        .iter()
                        .filter(fits)
                        .map(|from| from + locations.len()),
                );
            }
        }
        readings = next;
    }
    found.expect(
        readings.contains(&made.len()),
        "decision-unrecorded",
        &stored.order.id,
        || {
            format!(
                "expected records of how {made:?} came to send it, found {:?}",
                stored.decisions
            )
        },
    );
}
