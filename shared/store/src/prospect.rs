//! What there is of a SKU and what is on its way: all that a promise of it rests on.

use domain::atp::{Promise, incoming, supply};
use domain::catalog::{Location, Product};
use domain::stock::whole;
use futures::join;
use jiff::Timestamp;

use crate::{Store, StoreError, Waiting};

/// Everything that a promise of a SKU rests on.
#[derive(Debug)]
pub struct Prospect {
    /// What may be promised on which day, before anybody is promised any.
    pub supply: Vec<Promise>,
    /// Those who wait, the oldest first.
    pub waiting: Vec<Waiting>,
    /// Units that should have come before today.
    pub overdue: i64,
}

impl Prospect {
    /// Units that orders wait for.
    pub fn waited_for(&self) -> i64 {
        let units = self.waiting.iter();
        units.map(|waiting| i64::from(waiting.units)).sum()
    }
}

impl Store {
    /// What a promise of a SKU rests on, as far as these locations may send it: four reads, more of a product with
    /// several shares.
    pub async fn prospect(
        &self,
        sku: &str,
        product: Option<&Product>,
        locations: &[&Location],
        now: Timestamp,
    ) -> Result<Prospect, StoreError> {
        let (levels, inbound, on_the_road, waiting) = join!(
            self.levels_of(sku),
            self.inbound_of(sku),
            self.in_transit(sku),
            self.waiting_for(sku),
        );
        let (levels, waiting) = (whole(levels?), waiting?);
        let incoming = incoming(inbound?, on_the_road?);
        let shelves = locations.iter().map(|location| {
            let here = levels.iter().find(|level| level.location == location.id);
            (*location, here.map_or(0, |level| level.available))
        });
        let shelves: Vec<(&Location, i64)> = shelves.collect();
        let late = incoming.iter().filter(|coming| {
            let mut shelves = shelves.iter();
            shelves.any(|(location, _)| coming.is_overdue(location, now))
        });
        Ok(Prospect {
            supply: supply(product, &shelves, &incoming, now),
            waiting,
            overdue: late.map(|coming| coming.units).sum(),
        })
    }
}
