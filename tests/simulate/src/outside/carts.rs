//! Goods are reserved: for carts, which are given up or come back to, and for quotes.

use domain::id::derived;

use super::{Outside, authorised, one};
use crate::ask::Ask;
use crate::measure::shown;
use crate::observed::Deed;
use crate::retailer::Retailer;
use crate::tape::Tape;

impl Outside {
    /// Somebody wants one of the reservations to be held for longer, when its time may be over.
    pub fn come_back(&self, tape: &mut Tape) -> Option<Ask> {
        extend(&self.reserved, tape)
    }

    /// Goods are kept for a cart, or a quote.
    pub(super) fn reserve(
        &mut self,
        retailer: &Retailer,
        named: String,
        tape: &mut Tape,
    ) -> Option<Ask> {
        let all = || retailer.products.iter().chain(&retailer.kits);
        let (mut kept, mut said) = (Vec::new(), Vec::new());
        for _ in 0..1 + tape.choose(2) {
            let product = all().nth(tape.index(all().count()))?;
            let units = 1 + i64::from(tape.choose(3));
            let location = match tape.choose(3) {
                0 => Some(one(&retailer.locations, tape)?.id.clone()),
                _ => None,
            };
            let at = location.as_ref();
            let at = at.map_or(String::new(), |id| format!(r#","location":"{id}""#));
            let sku = &product.sku;
            let quantity = shown(units, product.decimals);
            said.push(format!(r#"{{"sku":"{sku}","quantity":{quantity}{at}}}"#));
            match product.components.as_slice() {
                [] => kept.push((sku.clone(), units, location)),
                parts => kept.extend(parts.iter().map(|part| {
                    let per_kit = part.quantity.units(retailer.decimals(&part.sku));
                    let units = units * per_kit.unwrap_or(-1);
                    (part.sku.clone(), units, location.clone())
                })),
            }
        }
        let id = derived(&["reservation", &named]);
        self.reserved.push(id.clone());
        let (lines, time) = (said.join(","), held_for_s(tape));
        let body = format!(r#"{{"lines":[{lines}],"country":"DE","expires_in_s":{time}}}"#);
        let deed = Deed::Reserved { id, lines: kept };
        Some(reservation(None, Some(named), body, deed))
    }
}

/// What somebody says of a reservation: of which and what, or that there is to be one.
fn reservation(
    of: Option<(&'static str, String)>,
    named: Option<String>,
    body: String,
    deed: Deed,
) -> Ask {
    let mut headers = vec![authorised()];
    headers.extend(named.map(|named| ("idempotency-key", named)));
    let (route, id) = of.unzip();
    Ask {
        function: "reserve-stock",
        route: route.unwrap_or("POST /reservations"),
        path: id.map(|id| ("id", id)).into_iter().collect(),
        headers,
        body,
        deed,
        webhook: None,
    }
}

/// Seconds: hardly any, a minute, longer than a run.
fn held_for_s(tape: &mut Tape) -> u32 {
    [60, 1, 5, 20, 2_592_000][tape.index(5)]
}

/// A reservation is to be held for longer, or shorter.
pub(super) fn extend(reserved: &[String], tape: &mut Tape) -> Option<Ask> {
    let id = one(reserved, tape)?.clone();
    let body = format!(r#"{{"expires_in_s":{}}}"#, held_for_s(tape));
    let deed = Deed::ReservationExtended(id.clone());
    let route = "POST /reservations/{id}/extended";
    Some(reservation(Some((route, id)), None, body, deed))
}

/// A reservation is given up.
pub(super) fn give_up(reserved: &[String], tape: &mut Tape) -> Option<Ask> {
    let id = one(reserved, tape)?.clone();
    let deed = Deed::ReservationReleased(id.clone());
    let route = "POST /reservations/{id}/released";
    Some(reservation(Some((route, id)), None, String::new(), deed))
}
