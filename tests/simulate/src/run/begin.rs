//! How a run begins: the load of one that leaves nothing to chance, and the opening stock.

use std::sync::Arc;

use domain::fact::StockFact;
use domain::stock::{Level, MovementKind};
use store::{Commit, Store};

use super::{Plan, Run, at_once};
use crate::faults::Faults;
use crate::listeners::Listeners;
use crate::observed::Deed;
use crate::outside::Outside;
use crate::retailer::Retailer;
use crate::tape::Tape;
use crate::world::World;

type Opening = Vec<(String, String, i64)>;

/// The load of a run that leaves nothing to chance.
pub(super) fn script(plan: &Plan) -> (Arc<Retailer>, Faults, Outside, Opening, Listeners) {
    // Two warehouses, two articles; what there is of the first is in one of them.
    let retailer = Retailer::draw(&mut Tape::of_choices(vec![4]));
    let faults = Faults {
        twice: if plan.twice { 10_000 } else { 0 },
        most: u32::MAX,
        ..Faults::NONE
    };
    let opening = retailer.products.iter().take(1).map(|product| {
        let location = retailer.locations[0].id.clone();
        (product.sku.clone(), location, 5)
    });
    let opening = opening.collect();
    (
        retailer,
        faults,
        Outside::script(),
        opening,
        Listeners::script(),
    )
}

impl<W: World> Run<'_, W> {
    /// Opening stock is a receipt like any other.
    pub(super) fn furnish(&mut self, opening: Vec<(String, String, i64)>) -> Option<()> {
        self.world.furnish(&self.retailer);
        let store: Store = self.world.store();
        let at = self.sim.state().now();
        let products = self.retailer.products.clone();
        let shares = |sku: &str| {
            let product = products.iter().find(|product| product.sku == sku);
            product.map_or(1, |product| product.shares)
        };
        for (n, (sku, location, quantity)) in opening.into_iter().enumerate() {
            let fact = StockFact {
                id: format!("opening-{n}"),
                sku: sku.clone(),
                location: location.clone(),
                kind: match quantity > 0 {
                    true => MovementKind::Receive,
                    false => MovementKind::Adjust,
                },
                quantity,
                reason: String::new(),
                at,
                applied: false,
                shares: shares(&sku),
                details: None,
            };
            at_once(store.store_fact(&fact))?.ok()?;
            let levels = at_once(store.levels_of(&sku))?.ok()?;
            let here: Vec<Level> = levels
                .into_iter()
                .filter(|l| l.location == location)
                .collect();
            let commit = Commit {
                changes: fact.changes(&here),
                fact: Some((sku.clone(), fact.id.clone())),
                ..Commit::default()
            };
            at_once(store.transact(commit))?.ok()?;
            self.deeds.push(Deed::Counted {
                fact: fact.id,
                sku,
                location,
                quantity,
            });
        }
        Some(())
    }
}
