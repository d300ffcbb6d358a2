//! Warehouses work on fulfillment orders.

use std::sync::Arc;

use domain::Order;
use domain::order::FulfillmentStatus;

use super::changes::said;
use super::{authorised, one};
use crate::ask::Ask;
use crate::observed::Deed;
use crate::tape::Tape;

/// A warehouse works on a fulfillment order.
pub(super) fn handle(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    use FulfillmentStatus::*;
    let work: Vec<_> = orders
        .iter()
        .flat_map(|order| order.fulfillments.iter().map(move |f| (order, f)))
        .filter(|(_, f)| !matches!(f.status, Rejected | Cancelled | Delivered))
        .collect();
    let (order, fulfillment) = *one(&work, tape)?;
    let (mut lines, mut body) = (None, "{}".to_owned());
    let report = match fulfillment.status {
        Released | Accepted => match tape.choose(12) {
            0..5 => "packed",
            5 | 6 => "accepted",
            7 | 8 => {
                let found = fulfillment.units.iter().filter_map(|&(place, units)| {
                    let found = tape.choose(units + 1);
                    (found > 0).then(|| (order.line(place).id.clone(), found))
                });
                let found: Vec<(String, u32)> = found.collect();
                body = said(order, &found);
                lines = Some(found);
                "packed"
            }
            9 | 10 => "rejected",
            _ => "shipped",
        },
        Packed => ["shipped", "packed", "rejected"][tape.index(8).saturating_sub(5)],
        _ => "delivered",
    };
    match report {
        "rejected" => body = r#"{"reason":"no hands"}"#.into(),
        "shipped" => body = r#"{"carrier":"Own van","tracking_number":"V1"}"#.into(),
        _ => {}
    }
    Some(reported(order, fulfillment.n, report, lines, body))
}

/// The parcels of orders whose channels are told, of those that nobody has packed yet.
pub fn pack_what_is_told(orders: &[Arc<Order>]) -> Vec<Ask> {
    use FulfillmentStatus::{Accepted, Released};
    let told = orders.iter().filter(|order| order.told);
    let parcels = told.flat_map(|order| order.fulfillments.iter().map(move |f| (order, f)));
    let waits = parcels.filter(|(_, f)| matches!(f.status, Released | Accepted));
    let packed = waits.map(|(order, f)| reported(order, f.n, "packed", None, "{}".into()));
    packed.collect()
}

/// A warehouse reports on a parcel.
fn reported(
    order: &Order,
    n: u32,
    report: &'static str,
    lines: Option<Vec<(String, u32)>>,
    body: String,
) -> Ask {
    Ask {
        function: "confirm-fulfillment",
        route: "POST /fulfillments/{id}/{report}",
        path: vec![
            ("id", format!("{}-{n}", order.id)),
            ("report", report.into()),
        ],
        headers: vec![authorised()],
        body,
        deed: Deed::Reported {
            order: order.id.clone(),
            n,
            report,
            lines,
        },
        webhook: None,
    }
}
