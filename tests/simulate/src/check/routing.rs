//! Why a location was chosen is on record, and none was given more than it can take.

use domain::Event;
use domain::decision::Verdict;

use super::{Findings, history};
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

/// Each allocation that found something has a record of its own that says the same.
fn recorded(stored: &StoredOrder, found: &mut Findings) {
    let mut given = stored.order.fulfillments.iter().map(|f| &f.location);
    for (n, event) in history::events(stored).enumerate() {
        let Event::Allocated(units @ 1.., _) = event else {
            continue;
        };
        let tells = |sends: &[(&String, u32)]| {
            let sum: u32 = sends.iter().map(|(_, units)| units).sum();
            let locations = sends.iter().map(|(location, _)| *location);
            sum == *units && locations.eq(given.clone().take(sends.len()))
        };
        let of_version = stored
            .decisions
            .iter()
            .filter(|d| d.of_version == n as u64 + 1);
        let sends = of_version.map(|decision| {
            let sends = decision.considered.iter().filter_map(|c| match &c.verdict {
                Verdict::Sends(units) => Some((&c.location, *units)),
                _ => None,
            });
            sends.collect::<Vec<_>>()
        });
        let record = sends.into_iter().find(|sends| tells(sends));
        found.expect(
            record.is_some(),
            "decision-unrecorded",
            &stored.order.id,
            || {
                format!(
                    "expected a record of how event {} found {units} units, found {:?}",
                    n + 1,
                    stored.decisions
                )
            },
        );
        let Some(record) = record else { return };
        given.nth(record.len() - 1);
    }
}
