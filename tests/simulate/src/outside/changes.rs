//! What customers and operators want of an order that is there: to cancel it, to have it go on, money.

use std::sync::Arc;

use domain::Order;
use domain::order::RefundStatus;

use super::{authorised, decimal, one};
use crate::ask::Ask;
use crate::measure::shown;
use crate::observed::Deed;
use crate::tape::Tape;

pub(super) fn cancel(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let id = one(orders, tape)?.id.clone();
    let (name, body) = (id.to_string(), r#"{"reason":"changed my mind"}"#.into());
    Some(change(
        "POST /orders/{id}/cancel",
        name,
        body,
        None,
        Deed::Cancelled(id),
    ))
}

pub(super) fn release(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let held: Vec<_> = orders.iter().filter(|o| !o.holds.is_empty()).collect();
    let order = *one(&held, tape)?;
    let hold = one(&order.holds, tape)?.reason.name();
    let deed = Deed::Released(order.id.clone(), hold.to_owned());
    let route = "POST /orders/{id}/holds/{hold}/release";
    let mut ask = change(route, order.id.to_string(), String::new(), None, deed);
    ask.path.push(("hold", hold.to_owned()));
    Some(ask)
}

/// Somebody looks into what a channel has refused to be told.
pub(super) fn resolve_untold(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let untold: Vec<_> = orders.iter().filter(|o| !o.untold.is_empty()).collect();
    let order = *one(&untold, tape)?;
    let resolution = ["again", "settled"][tape.index(2)];
    let deed = Deed::Resolved(order.id.clone());
    let route = "POST /orders/{id}/untold/{resolution}";
    let mut ask = change(route, order.id.to_string(), String::new(), None, deed);
    ask.path.push(("resolution", resolution.to_owned()));
    Some(ask)
}

pub(super) fn refund(orders: &[Arc<Order>], named: String, tape: &mut Tape) -> Option<Ask> {
    let order = one(orders, tape)?;
    let body = match tape.choose(3) {
        0 => {
            let amount = 1 + i64::from(tape.choose(700));
            format!(r#"{{"amount":"{}"}}"#, decimal(amount))
        }
        _ => some_units(order, |line| line.units.ordered, tape).1,
    };
    let deed = Deed::RefundRequested(order.id.clone(), named.clone(), 0);
    let route = "POST /orders/{id}/refunds";
    Some(change(route, order.id.to_string(), body, Some(named), deed))
}

pub(super) fn confirm(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let due: Vec<_> = orders
        .iter()
        .flat_map(|order| order.refunds.iter().map(move |r| (order, r)))
        .filter(|(_, refund)| refund.status != RefundStatus::Paid)
        .collect();
    let (order, refund) = *one(&due, tape)?;
    let (id, n) = (order.id.clone(), refund.n);
    let again = refund.status == RefundStatus::Refused && tape.choose(2) == 0;
    let (route, deed) = match again {
        true => ("POST /refunds/{id}/again", Deed::RefundRepeated(id, n)),
        false => ("POST /refunds/{id}/confirmed", Deed::RefundConfirmed(id, n)),
    };
    let id = format!("{}-F{n}", order.id);
    Some(change(route, id, String::new(), None, deed))
}

/// What somebody says to change an order.
pub(super) fn change(
    route: &'static str,
    id: String,
    body: String,
    named: Option<String>,
    deed: Deed,
) -> Ask {
    let mut headers = vec![authorised()];
    headers.extend(named.map(|named| ("idempotency-key", named)));
    Ask {
        function: "change-order",
        route,
        path: vec![("id", id)],
        headers,
        body,
        deed,
        webhook: None,
    }
}

/// Some units of some lines, of those that `most` says.
pub(super) fn some_units(
    order: &Order,
    most: impl Fn(&domain::order::Line) -> u32,
    tape: &mut Tape,
) -> (Vec<(String, u32)>, String) {
    let mut units = Vec::new();
    for line in &order.lines {
        let most = most(line);
        let chosen = match most {
            0 => 0,
            most => most - tape.choose(most + 1),
        };
        if chosen > 0 {
            units.push((line.id.clone(), chosen));
        }
    }
    let said = said(order, &units);
    (units, said)
}

/// A document of some units of lines.
pub(super) fn said(order: &Order, units: &[(String, u32)]) -> String {
    let decimals = |id: &str| {
        let line = order.lines.iter().find(|line| line.id == id);
        line.map_or(0, |line| line.decimals)
    };
    let said = units.iter().map(|(line, units)| {
        let quantity = shown((*units).into(), decimals(line));
        format!(r#"{{"line":"{line}","quantity":{quantity}}}"#)
    });
    format!(r#"{{"lines":[{}]}}"#, said.collect::<Vec<_>>().join(","))
}
