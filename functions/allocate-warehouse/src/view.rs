//! What the orders of a batch find: what there is for them, and what changes seldom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::allocation::{Available, wanted_skus};
use domain::candidates::Network;
use domain::reservation::Reservation;
use domain::shipping::today_in;
use domain::stock::{Level, LevelChange};
use domain::{Order, Product};
use jiff::civil::Date;
use runtime::backoff::spread;
use store::StoreError;

use crate::Step;

/// What a decision rests on that changes seldom.
pub(crate) struct Facts {
    pub(crate) network: Arc<Network>,
    pub(crate) products: Vec<Product>,
}

/// What the orders of a batch find: as it was read, less what those before have taken.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) available: Available,
    /// The levels that were read, unless they were written since.
    pub(crate) seen: Vec<Level>,
    /// The SKUs and shares that were read.
    pub(crate) read: BTreeSet<(String, u8)>,
    /// The SKUs of which every share was read.
    pub(crate) whole: BTreeSet<String>,
    /// The reservations that the orders name, as they were read.
    pub(crate) reservations: Vec<Reservation>,
}

impl View {
    pub(crate) fn note(&mut self, level: Level) {
        self.available.note(&level);
        self.seen.retain(|seen| !seen.is_same(&level));
        self.seen.push(level);
    }

    /// The levels that change, as they were read, of those with at least so many movements: what was seen of them is then old.
    pub(crate) fn take_seen(&mut self, changes: &[LevelChange], movements: usize) -> Vec<Level> {
        let seen = std::mem::take(&mut self.seen).into_iter();
        let (taken, left) = seen.partition(|level| {
            level.tail.len() >= movements && changes.iter().any(|change| change.is_of(level))
        });
        self.seen = left;
        taken
    }
}

impl Step {
    /// What allocating some orders rests on that changes seldom, and is remembered for a while.
    pub(crate) async fn facts(&self, orders: &[Arc<Order>]) -> Result<Facts, StoreError> {
        let network = self.network.get(self.store.network()).await?;
        let ordered = orders.iter().flat_map(|order| &order.lines);
        let skus = ordered.filter_map(|line| line.sku.as_deref()).collect();
        let products = self.products.get(skus).await?;
        Ok(Facts { network, products })
    }

    /// What there is for some orders, as it is now: of each SKU one share, or all of them where that one has too
    /// little for all of the orders.
    pub(crate) async fn view(
        &self,
        orders: &[Arc<Order>],
        facts: &Facts,
    ) -> Result<View, StoreError> {
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for order in orders {
            let skus = wanted_skus(order);
            for line in &order.lines {
                if let Some(sku) = line.sku.as_deref().filter(|sku| skus.contains(sku)) {
                    let units = line.units.open + line.units.backordered;
                    *wanted.entry(sku).or_default() += i64::from(units);
                }
            }
        }
        let mut view = View::default();
        let named: BTreeSet<&str> = orders
            .iter()
            .filter_map(|order| order.unused_reservation())
            .collect();
        if !named.is_empty() {
            let named: Vec<&str> = named.into_iter().collect();
            view.reservations = self.store.load_reservations(&named).await?;
        }
        let spread = orders.first().map_or(0, |order| spread(order.id.as_str()));
        let share = |sku: &str| self.shares.of_batch(sku, spread);
        let one_each = wanted.keys().map(|sku| ((*sku).to_owned(), share(sku)));
        self.read(&mut view, one_each.collect(), facts).await?;
        self.note_loads(&mut view.available, facts).await?;
        let now = self.clock.now();
        let scarce = |(sku, units): &(&str, i64)| {
            let mut ids = facts.network.locations.iter().map(|l| l.id.as_str());
            ids.any(|id| {
                view.available.units(sku, id) < *units && !self.shares.is_empty(sku, id, now)
            })
        };
        let scarce = wanted.into_iter().filter(scarce);
        let scarce = scarce.map(|(sku, _)| sku.to_owned()).collect();
        self.widen(&mut view, &scarce, facts).await?;
        Ok(view)
    }

    /// All that there is for some orders, as it is now.
    pub(crate) async fn whole_view(
        &self,
        orders: &[Arc<Order>],
        facts: &Facts,
    ) -> Result<View, StoreError> {
        let mut view = self.view(orders, facts).await?;
        let skus = orders.iter().flat_map(|order| wanted_skus(order));
        let skus = skus.map(str::to_owned).collect();
        self.widen(&mut view, &skus, facts).await?;
        Ok(view)
    }

    /// Looks into all shares of some SKUs that were not looked into. Nothing is asked of those that have one.
    pub(crate) async fn widen(
        &self,
        view: &mut View,
        skus: &BTreeSet<String>,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        loop {
            let shares = skus.iter().flat_map(|sku| {
                let all = 0..self.shares.count(sku);
                all.map(|share| (sku.clone(), share))
            });
            let unread: BTreeSet<_> = shares.filter(|share| !view.read.contains(share)).collect();
            if unread.is_empty() {
                break;
            }
            // The first says how many there are: then again.
            self.read(view, unread, facts).await?;
        }
        let now = self.clock.now();
        for sku in skus.iter().filter(|sku| self.shares.count(sku) > 1) {
            let ids = facts.network.locations.iter().map(|l| l.id.as_str());
            for id in ids.filter(|id| view.available.units(sku, id) == 0) {
                self.shares.note_empty(sku, id, now);
            }
        }
        view.whole.extend(skus.iter().cloned());
        Ok(())
    }

    /// Reads shares in all locations.
    async fn read(
        &self,
        view: &mut View,
        shares: BTreeSet<(String, u8)>,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        let keys: Vec<(&str, &str, u8)> = shares
            .iter()
            .flat_map(|(sku, share)| {
                let ids = facts.network.locations.iter().map(|l| l.id.as_str());
                ids.map(|id| (sku.as_str(), id, *share))
            })
            .collect();
        for level in self.store.load_levels(&keys).await? {
            self.shares.note(&level);
            view.note(level);
        }
        let whole = shares
            .iter()
            .filter(|(sku, share)| *share == 0 && self.shares.count(sku) == 1);
        view.whole.extend(whole.map(|(sku, _)| sku.clone()));
        view.read.extend(shares);
        Ok(())
    }

    /// Notes how full the day of those locations is that take only so many orders.
    pub(crate) async fn note_loads(
        &self,
        available: &mut Available,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let locations = facts.network.locations.iter();
        let bounded = locations.filter(|location| location.daily_orders.is_some());
        let days = bounded.map(|location| (location.id.as_str(), today_in(location, now)));
        let days: Vec<(&str, Date)> = days.collect();
        for (location, day, orders) in self.store.loads(&days).await? {
            available.note_load(&location, day, orders);
        }
        Ok(())
    }
}
