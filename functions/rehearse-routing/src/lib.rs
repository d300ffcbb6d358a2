//! Replays past orders against changed rules, stock or warehouses, and says what would have become of
//! them. It only reads: nothing real is touched.

mod picture;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::candidates::Network;
use domain::catalog::problems::{location_problems, rate_problems, rules_problems};
use domain::catalog::{Location, Rate};
use domain::limits::MAX_REHEARSED_ORDERS;
use domain::rehearsal::{Routed, Shelves, Sum, put_back, rehearse};
use domain::rules::Rules;
use domain::{Currency, Order, Problem, Quantity};
use futures::future::try_join_all;
use runtime::Function;
use runtime::auth::Keys;
use runtime::http::{Answer, Request, answer};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Store, StoreError};

/// Documents of one kind in one rehearsal.
const MAX_CHANGES: usize = 300;
/// Orders that are told of one by one.
const MAX_TOLD: usize = 50;
/// SKUs whose levels are read at a time.
const AT_A_TIME: usize = 16;
/// Units on each shelf if there is ample stock.
const AMPLE: i64 = 1_000_000_000;

/// The function.
pub fn function() -> Function {
    Function {
        name: "rehearse-routing",
        variables: &["ORDERS_TABLE", "STOCK_TABLE", "REFERENCE_TABLE"],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, None).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    store,
                };
                Ok(answer(
                    "rehearse-routing",
                    desk,
                    |desk, request| async move { desk.take(request).await },
                ))
            })
        },
    }
}

struct Desk {
    store: Store,
    keys: Keys,
}

/// What is rehearsed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rehearsal {
    /// How many past orders; the table is walked in the order of its hashes, so that they are a sample.
    #[serde(default = "usual_orders")]
    orders: usize,
    /// Only those of a channel.
    channel: Option<String>,
    /// Warehouses that are new, or changed.
    #[serde(default)]
    warehouses: Vec<Location>,
    /// Warehouses that there are no longer.
    #[serde(default)]
    without: Vec<String>,
    /// Tariffs that are new, or changed.
    #[serde(default)]
    rates: Vec<Rate>,
    /// Rules that are new, or changed.
    #[serde(default)]
    rules: Vec<Rules>,
    /// Stock that is other than it was.
    #[serde(default)]
    stock: Vec<Shelf>,
    /// Every warehouse has enough of everything, before and after: only the network counts.
    #[serde(default)]
    ample_stock: bool,
}

fn usual_orders() -> usize {
    500
}

/// What is on a shelf.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelf {
    sku: String,
    location: String,
    available: Quantity,
}

impl Rehearsal {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_REHEARSED_ORDERS).contains(&self.orders) {
            let found = self.orders;
            let detail = format!("expected 1 to {MAX_REHEARSED_ORDERS}, found {found}");
            problems.push(Problem::at("/orders", detail));
        }
        let lengths = [
            ("/warehouses", self.warehouses.len()),
            ("/without", self.without.len()),
            ("/rates", self.rates.len()),
            ("/rules", self.rules.len()),
            ("/stock", self.stock.len()),
        ];
        for (pointer, length) in lengths.into_iter().filter(|l| l.1 > MAX_CHANGES) {
            let detail = format!("expected at most {MAX_CHANGES} entries, found {length}");
            problems.push(Problem::at(pointer, detail));
        }
        let mut within = |list: &str, n: usize, found: Vec<Problem>| {
            let placed = |p: Problem| Problem::at(format!("/{list}/{n}{}", p.pointer), p.detail);
            problems.extend(found.into_iter().map(placed));
        };
        for (n, location) in self.warehouses.iter().enumerate() {
            within("warehouses", n, location_problems(location));
        }
        for (n, rate) in self.rates.iter().enumerate() {
            within("rates", n, rate_problems(rate));
        }
        for (n, rules) in self.rules.iter().enumerate() {
            within("rules", n, rules_problems(rules));
        }
        problems
    }
}

/// The documents, those of `changed` in the place of those of the same name.
fn changed<T>(mut all: Vec<T>, changed: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    all.retain(|known| !changed.iter().any(|new| same(known, new)));
    all.extend(changed);
    all
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        self.keys.operator(&request).await?;
        let rehearsal: Rehearsal = request.json()?;
        let problems = rehearsal.problems();
        if !problems.is_empty() {
            return Err(Answer::invalid(&Problem::first_of(problems)));
        }
        let orders = self.orders(&rehearsal).await?;
        let lines = orders.iter().flat_map(|order| &order.lines);
        let skus: BTreeSet<&str> = lines.filter_map(|line| line.sku.as_deref()).collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let products = self.store.products(&skus).await?;
        let locations = self.store.locations().await?;
        let (rates, rules) = (self.store.rates().await?, self.store.rules().await?);
        let before = Network::new(locations.clone(), rates.clone(), rules.clone());
        let mut locations = changed(locations, rehearsal.warehouses, |a, b| a.id == b.id);
        locations.retain(|location| !rehearsal.without.contains(&location.id));
        let after = Network::new(
            locations,
            changed(rates, rehearsal.rates, |a, b| a.id == b.id),
            changed(rules, rehearsal.rules, |a, b| a.channel == b.channel),
        );
        let (mut now, mut then) = match rehearsal.ample_stock {
            true => (ample(&before, &skus), ample(&after, &skus)),
            false => {
                let mut shelves = self.shelves(&skus).await?;
                put_back(&orders, &mut shelves);
                (shelves.clone(), shelves)
            }
        };
        let mut problems = Vec::new();
        for (n, shelf) in rehearsal.stock.into_iter().enumerate() {
            let decimals = match products.iter().find(|product| product.sku == shelf.sku) {
                Some(product) => product.decimals,
                // None of the orders wants it.
                None => shelf.available.decimals(),
            };
            match shelf.available.count(decimals, 0, u32::MAX) {
                Ok(units) => drop(then.insert((shelf.sku, shelf.location), units.into())),
                Err(detail) => problems.push(Problem::at(format!("/stock/{n}/available"), detail)),
            }
        }
        if !problems.is_empty() {
            return Err(Answer::invalid(&Problem::first_of(problems)));
        }
        now.retain(|_, units| *units > 0);
        then.retain(|_, units| *units > 0);
        let was = rehearse(&orders, &before, &products, &now);
        let is = rehearse(&orders, &after, &products, &then);
        let side = |network: &Network, routed: &[Routed]| Side {
            sum: Sum::of(routed),
            currency: network.currency(Rules::of(&network.rules, "")),
        };
        let (before, after) = (side(&before, &was), side(&after, &is));
        if request.header("accept").is_some_and(|a| a.contains("svg")) {
            return Ok(Answer::svg(picture::draw(&before, &after)));
        }
        let differ = orders.iter().zip(was.iter().zip(&is));
        let differ = differ.filter(|(_, (was, is))| was.locations != is.locations);
        let told: Vec<Value> = differ
            .clone()
            .take(MAX_TOLD)
            .map(|(order, (was, is))| {
                json!({"order": order.id, "before": was.locations, "after": is.locations})
            })
            .collect();
        let document = json!({
            "orders": orders.len(),
            "before": before.document(),
            "after": after.document(),
            "sent_otherwise": differ.count(),
            "differences": told,
        });
        Answer::json(200, &document)
    }

    /// Past orders: those that were ever to be shipped.
    async fn orders(&self, rehearsal: &Rehearsal) -> Result<Vec<Order>, StoreError> {
        let (mut orders, mut from) = (Vec::new(), None);
        loop {
            let (page, next) = self.store.scan_orders(from).await?;
            let wanted = page.into_iter().filter(|order| {
                let channel = rehearsal.channel.as_ref();
                let bought = |line: &domain::Line| line.units.ordered > line.units.cancelled;
                order.destination.is_some()
                    && channel.is_none_or(|channel| order.source.channel == *channel)
                    && order.lines.iter().any(bought)
            });
            orders.extend(wanted);
            orders.truncate(rehearsal.orders);
            from = next;
            if from.is_none() || orders.len() >= rehearsal.orders {
                return Ok(orders);
            }
        }
    }

    /// What is on the shelves now.
    async fn shelves(&self, skus: &[&str]) -> Result<Shelves, StoreError> {
        let mut shelves = Shelves::new();
        for some in skus.chunks(AT_A_TIME) {
            let levels = try_join_all(some.iter().map(|sku| self.store.levels_of(sku))).await?;
            for level in levels.into_iter().flatten() {
                *shelves.entry((level.sku, level.location)).or_default() += level.available;
            }
        }
        Ok(shelves)
    }
}

fn ample(network: &Network, skus: &[&str]) -> Shelves {
    let places = network.locations.iter().map(|location| &location.id);
    let shelves = places.flat_map(|id| skus.iter().map(move |sku| ((*sku).to_owned(), id.clone())));
    shelves.map(|shelf| (shelf, AMPLE)).collect()
}

/// One side of the comparison.
struct Side {
    sum: Sum,
    currency: Option<Currency>,
}

impl Side {
    /// What the carriers ask for an order, in minor units.
    fn cost(&self) -> Option<(i64, Currency)> {
        let orders = i64::from(self.sum.costed);
        let currency = self.currency.filter(|_| orders > 0)?;
        Some((self.sum.cost_milli / 1_000 / orders, currency))
    }

    fn document(&self) -> Value {
        let sum = &self.sum;
        let cost = self.cost();
        json!({
            "orders_sent": sum.sent,
            "orders_split": sum.split,
            "shipments": sum.shipments,
            "shipments_per_order": per(sum.shipments.into(), sum.sent),
            "promises_kept_percent": per(u64::from(sum.kept) * 100, sum.shipments),
            "distance_km_per_order": per(sum.metres / 1_000, sum.sent),
            "cost_per_order": cost.map(|(minor, currency)| currency.format(minor)),
            "currency": cost.map(|(_, currency)| currency.code()),
            "orders_without_known_cost": sum.sent - sum.costed,
            "units_missing": sum.missing,
        })
    }
}

/// So much of each, to two places.
fn per(sum: u64, of: u32) -> f64 {
    (sum as f64 / f64::from(of.max(1)) * 100.0).round() / 100.0
}
