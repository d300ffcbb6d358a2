//! What a run came to, and what is seen of it in the end.

use domain::catalog::{Backorders, Location};

use super::{Outcome, Run};
use crate::check::{self, Violation};
use crate::tape::Tape;
use crate::world::World;

impl<W: World> Run<'_, W> {
    pub(super) fn finish(self, mut violations: Vec<Violation>) -> Outcome {
        let mut observed = self.world.stored();
        let mut state = self.sim.state();
        observed.parked = state.queues.parked();
        observed.queued = state.queues.depth();
        observed.at = state.now();
        observed.fetched = state.shop.by.name();
        observed.accepted = state.shop.accepted();
        observed.shipments = state.shop.shipments();
        observed.shown = state.shop.shown();
        let now_ms = state.now_ms;
        observed.repaid = std::mem::take(&mut state.till).into_made(now_ms);
        let mails = std::mem::take(&mut state.mails).into_iter();
        observed.mails = mails.map(|mailed| mailed.mail).collect();
        observed.deeds = self.deeds;
        observed.heard = std::mem::take(&mut state.listeners.heard);
        let serves = |location: &Location| (location.id.clone(), location.serves.clone());
        observed.serves = self.retailer.locations.iter().map(serves).collect();
        let locations = self.retailer.locations.iter();
        let bounded = locations.filter_map(|l| l.daily_orders.map(|most| (l.id.clone(), most)));
        observed.daily_orders = bounded.collect();
        let zone = |location: &Location| (location.id.clone(), location.time_zone.clone());
        observed.zones = self.retailer.locations.iter().map(zone).collect();
        let kits = self.retailer.kits.iter().map(|kit| {
            let parts = kit.components.iter().map(|part| {
                let decimals = self.retailer.decimals(&part.sku);
                (
                    part.sku.clone(),
                    part.quantity.units(decimals).unwrap_or(-1),
                )
            });
            (kit.sku.clone(), parts.collect())
        });
        observed.kits = kits.collect();
        let products = self.retailer.products.iter();
        let kept = products.clone().flat_map(|product| {
            let kept = product.safety_stock.values();
            kept.map(|kept| {
                (
                    product.sku.clone(),
                    kept.units(product.decimals).unwrap_or(-1),
                )
            })
        });
        observed.safety_stock = kept.collect();
        let measured = products.clone().filter(|product| product.decimals > 0);
        observed.decimals = measured.map(|p| (p.sku.clone(), p.decimals)).collect();
        let asks = products.filter(|product| product.backorders == Backorders::Ask);
        observed.asks_to_wait = asks.map(|product| product.sku.clone()).collect();
        violations.extend(state.violation.take());
        if violations.is_empty() {
            violations = check::at_rest(&observed);
        }
        let tape = std::mem::replace(&mut state.tape, Tape::of_choices(Vec::new()));
        Outcome {
            violations,
            faults: self.met,
            turns: self.turns,
            points: self.points,
            trace: self.trace.unwrap_or_default(),
            choices: tape.into_choices(),
            observed,
        }
    }
}
