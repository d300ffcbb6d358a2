//! Goods come in, are counted, leave for another warehouse and arrive.

use domain::fact::Transfer;
use domain::id::derived;
use domain::inbound::Inbound;
use jiff::Timestamp;
use jiff::civil::date;

use super::{Outside, authorised, one};
use crate::ask::Ask;
use crate::measure::shown;
use crate::observed::Deed;
use crate::retailer::Retailer;
use crate::tape::Tape;

/// Goods come in, or are counted.
pub(super) fn count(retailer: &Retailer, named: String, tape: &mut Tape) -> Option<Ask> {
    let sku = one(&retailer.products, tape)?.sku.clone();
    let location = one(&retailer.locations, tape)?.id.clone();
    let quantity = 1 + i64::from(tape.choose(4));
    let (kind, quantity) = match tape.choose(4) {
        0..3 => ("receive", quantity),
        _ => ("adjust", -quantity),
    };
    let said = shown(quantity, retailer.decimals(&sku));
    let body = format!(
        r#"{{"location":"{location}","kind":"{kind}","quantity":{said},"reason":"counted"}}"#
    );
    let deed = Deed::Counted {
        fact: String::new(),
        sku: sku.clone(),
        location,
        quantity,
    };
    let route = "POST /stock/{sku}/adjustments";
    Some(report(route, sku, Some(named), body, deed))
}

impl Outside {
    /// A supplier is to send something, or something else than was thought.
    pub(super) fn expect(
        &mut self,
        retailer: &Retailer,
        named: String,
        tape: &mut Tape,
    ) -> Option<Ask> {
        let sku = one(&retailer.products, tape)?.sku.clone();
        let inbound = Inbound {
            id: named,
            sku: sku.clone(),
            location: one(&retailer.locations, tape)?.id.clone(),
            quantity: i64::from(tape.choose(5)),
            expected_on: date(2026, 1, 6),
            received: 0,
        };
        let quantity = shown(inbound.quantity, retailer.decimals(&sku));
        let (location, on) = (&inbound.location, inbound.expected_on);
        let body =
            format!(r#"{{"location":"{location}","quantity":{quantity},"expected_on":"{on}"}}"#);
        self.expected.push(inbound.clone());
        let id = inbound.id.clone();
        let route = "PUT /stock/{sku}/inbound/{id}";
        let mut ask = report(route, sku, None, body, Deed::Expected(inbound));
        ask.path.push(("id", id));
        Some(ask)
    }
}

/// Something comes in of a purchase line.
pub(super) fn take_in(
    retailer: &Retailer,
    expected: &[Inbound],
    named: String,
    tape: &mut Tape,
) -> Option<Ask> {
    let line = one(expected, tape)?;
    let quantity = 1 + i64::from(tape.choose(3));
    let (id, location) = (&line.id, &line.location);
    let said = shown(quantity, retailer.decimals(&line.sku));
    let body = format!(
        r#"{{"location":"{location}","kind":"receive","quantity":{said},"inbound":"{id}"}}"#
    );
    let deed = Deed::Counted {
        fact: String::new(),
        sku: line.sku.clone(),
        location: location.clone(),
        quantity,
    };
    let route = "POST /stock/{sku}/adjustments";
    Some(report(route, line.sku.clone(), Some(named), body, deed))
}

/// A shelf is counted: against what was said to be there, or what the counter says.
pub(super) fn count_shelf(retailer: &Retailer, named: String, tape: &mut Tape) -> Option<Ask> {
    let sku = one(&retailer.products, tape)?.sku.clone();
    let location = one(&retailer.locations, tape)?.id.clone();
    let found = i64::from(tape.choose(5));
    let expected = (tape.choose(2) == 1).then(|| i64::from(tape.choose(5)));
    let shown = |units| shown(units, retailer.decimals(&sku));
    let said = expected.map(|units| format!(r#","expected":{}"#, shown(units)));
    let (seen, said) = (shown(found), said.unwrap_or_default());
    let body = format!(r#"{{"location":"{location}","found":{seen}{said}}}"#);
    let deed = Deed::ShelfCounted {
        fact: String::new(),
        sku: sku.clone(),
        location,
        found,
        expected,
    };
    Some(report(
        "POST /stock/{sku}/counts",
        sku,
        Some(named),
        body,
        deed,
    ))
}

impl Outside {
    /// Goods leave for another warehouse.
    pub(super) fn send(
        &mut self,
        retailer: &Retailer,
        named: String,
        now: Timestamp,
        tape: &mut Tape,
    ) -> Option<Ask> {
        let sku = one(&retailer.products, tape)?.sku.clone();
        let from = one(&retailer.locations, tape)?.id.clone();
        let others = retailer.locations.iter().map(|location| &location.id);
        let others: Vec<&String> = others.filter(|id| **id != from).collect();
        let to = (*one(&others, tape)?).clone();
        let quantity = 1 + i64::from(tape.choose(3));
        let said = shown(quantity, retailer.decimals(&sku));
        let body = format!(r#"{{"from":"{from}","to":"{to}","quantity":{said}}}"#);
        let transfer = Transfer {
            id: derived(&[&sku, &named]),
            sku: sku.clone(),
            from,
            to,
            quantity,
            expected_on: None,
            sent_at: now,
        };
        self.sent.push(transfer.clone());
        let route = "POST /stock/{sku}/transfers";
        Some(report(
            route,
            sku,
            Some(named),
            body,
            Deed::TransferSent(transfer),
        ))
    }
}

/// A transfer arrives: all of it, some, or more.
pub(super) fn arrive(retailer: &Retailer, sent: &[Transfer], tape: &mut Tape) -> Option<Ask> {
    let transfer = one(sent, tape)?;
    let quantity = match tape.choose(3) {
        0 => transfer.quantity,
        _ => i64::from(tape.choose(4)),
    };
    let (sku, id) = (transfer.sku.clone(), transfer.id.clone());
    let said = shown(quantity, retailer.decimals(&sku));
    let deed = Deed::TransferReceived(sku.clone(), id.clone(), quantity);
    let route = "POST /stock/{sku}/transfers/{id}/received";
    let mut ask = report(route, sku, None, format!(r#"{{"quantity":{said}}}"#), deed);
    ask.path.push(("id", id));
    Some(ask)
}

/// Somebody has looked into what was missing of a transfer.
pub(super) fn resolve(sent: &[Transfer], tape: &mut Tape) -> Option<Ask> {
    let transfer = one(sent, tape)?;
    let id = derived(&["transfer", &transfer.sku, &transfer.id]);
    let body = r#"{"note":"still in the lorry"}"#.into();
    let deed = Deed::DiscrepancyResolved(id.clone());
    let route = "POST /stock/discrepancies/{id}/resolved";
    let mut ask = report(route, String::new(), None, body, deed);
    ask.path = vec![("id", id)];
    Some(ask)
}

/// Somebody reports on stock.
fn report(
    route: &'static str,
    sku: String,
    named: Option<String>,
    body: String,
    deed: Deed,
) -> Ask {
    let mut headers = vec![authorised()];
    headers.extend(named.map(|named| ("idempotency-key", named)));
    Ask {
        function: "adjust-stock",
        route,
        path: vec![("sku", sku)],
        headers,
        body,
        deed,
        webhook: None,
    }
}
