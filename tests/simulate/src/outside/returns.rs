//! What customers send back: as an operator announces it, and as the shop does, which also says that it does not come.

use std::sync::Arc;

use domain::{Order, OrderId};

use super::changes::{change, some_units};
use super::one;
use crate::ask::Ask;
use crate::channel::{self, ACCOUNT, Sender, Shopify, topic};
use crate::measure::shown;
use crate::observed::Deed;
use crate::tape::Tape;

pub(super) fn announce(orders: &[Arc<Order>], named: String, tape: &mut Tape) -> Option<Ask> {
    let order = one(orders, tape)?;
    let (units, body) = some_units(order, |line| line.units.shipped, tape);
    let deed = Deed::ReturnAnnounced(order.id.clone(), named.clone(), 0, units);
    let route = "POST /orders/{id}/returns";
    Some(change(route, order.id.to_string(), body, Some(named), deed))
}

pub(super) fn receive(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let coming: Vec<_> = orders
        .iter()
        .flat_map(|order| order.returns.iter().map(move |r| (order, r)))
        .collect();
    let (order, coming) = *one(&coming, tape)?;
    let dispositions = ["restock", "quarantine", "return_to_vendor", "scrap"];
    let disposition = dispositions[tape.index(dispositions.len())];
    let body = match tape.choose(2) {
        0 => String::new(),
        _ => {
            let said = coming.units.iter().map(|&(place, units)| {
                let line = order.line(place);
                let (line, quantity) = (&line.id, shown(units.into(), line.decimals));
                format!(
                    r#"{{"line":"{line}","quantity":{quantity},"disposition":"{disposition}"}}"#
                )
            });
            format!(r#"{{"lines":[{}]}}"#, said.collect::<Vec<_>>().join(","))
        }
    };
    let (id, deed) = (
        format!("{}-R{}", order.id, coming.n),
        Deed::ReturnReceived(order.id.clone(), coming.n),
    );
    Some(change("POST /returns/{id}/received", id, body, None, deed))
}

/// An operator no longer expects what was announced.
pub(super) fn call_off(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let of = |order: &Arc<Order>| (0..order.returns.len()).map(|k| k + 1).collect::<Vec<_>>();
    let all: Vec<_> = orders
        .iter()
        .flat_map(|order| of(order).into_iter().map(move |n| (order, n)))
        .collect();
    let (order, n) = *one(&all, tape)?;
    let deed = Deed::ReturnCancelled(order.id.clone(), n as u32);
    let id = format!("{}-R{n}", order.id);
    let route = "POST /returns/{id}/cancelled";
    Some(change(route, id, String::new(), None, deed))
}

/// A return in the shop.
#[derive(Debug)]
pub struct InShop {
    /// The shop's id of the order.
    order: String,
    /// What the shop calls it.
    key: String,
    /// Line ids and units.
    lines: Vec<(String, u32)>,
    /// The lines as the shop writes them.
    said: String,
}

impl InShop {
    /// Somebody wants to send some of it back.
    fn of(order: &Order, key: String, tape: &mut Tape) -> Self {
        let (lines, _) = some_units(order, |line| line.units.shipped, tape);
        let said = lines.iter().map(|(id, units)| {
            let line = order.lines.iter().find(|line| line.id == *id);
            let quantity = shown((*units).into(), line.map_or(0, |line| line.decimals));
            format!(
                r#"{{"quantity":{quantity},"fulfillment_line_item":{{"line_item":{{"id":"{id}"}}}}}}"#
            )
        });
        Self {
            order: order.source.external_id.clone(),
            key,
            said: said.collect::<Vec<_>>().join(","),
            lines,
        }
    }

    /// The shop says that it comes, or that it does not.
    fn say(&self, cancelled: bool) -> Ask {
        let (about, status) = match cancelled {
            true => ("returns/cancel", "canceled"),
            false => ("returns/approve", "open"),
        };
        let Self {
            order, key, said, ..
        } = self;
        let body = format!(
            r#"{{"id":"{key}","status":"{status}","order":{{"id":"{order}"}},"return_line_items":[{said}]}}"#
        );
        let deed = Deed::ReturnedInChannel {
            id: OrderId::of("", "", ""),
            key: key.clone(),
            lines: (!cancelled).then(|| self.lines.clone()),
        };
        channel::ask(&Shopify, topic(about), body, deed)
    }
}

/// The shop says something of a return: of another one, or something of one that it has spoken of before.
pub(super) fn send_back(
    orders: &[Arc<Order>],
    known: &mut Vec<InShop>,
    named: String,
    tape: &mut Tape,
) -> Option<Ask> {
    let cancelled = tape.choose(3) == 2;
    if let Some(again) = one(known, tape).filter(|_| tape.choose(2) == 1) {
        return Some(again.say(cancelled));
    }
    let of_shop: Vec<_> = orders
        .iter()
        .filter(|order| order.source.channel == Shopify.name() && order.source.account == ACCOUNT)
        // Of what has not left nothing comes back: the shop is asked for it now and then all the same.
        .filter(|order| {
            order.lines.iter().any(|line| line.units.shipped > 0) || tape.choose(8) == 7
        })
        .collect();
    let told = InShop::of(one(&of_shop, tape)?, named, tape);
    let ask = told.say(cancelled);
    known.push(told);
    Some(ask)
}
