//! What is stored, read from the tables without any client.

use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::discrepancy::Discrepancy;
use domain::event::Timeline;
use domain::fact::{StockFact, Transfer};
use domain::inbound::Inbound;
use domain::listing::Listing;
use domain::replay::Replay;
use domain::reservation::Reservation;
use domain::stock::{Breakdown, Level, Movement};
use domain::subscriber::Subscriber;
use domain::{Order, OrderId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::key;

use super::{Ground, names};
use crate::observed::{Observed, StoredLevel, StoredOrder};
use crate::vendor::ACCOUNT;

#[derive(Deserialize)]
struct Page {
    movements: Vec<Movement>,
}

/// An item as a value.
fn value<T: DeserializeOwned>(item: &Value) -> Option<T> {
    let item: serde_dynamo::Item = serde_json::from_value(item.clone()).ok()?;
    serde_dynamo::from_item(item).ok()
}

/// An item's own fields.
fn plain<T: DeserializeOwned>(item: &mut Value) -> Option<T> {
    let fields = item.as_object_mut()?;
    fields.retain(|name, _| !["pk", "sk", "entity", "schema", "version"].contains(&name.as_str()));
    value(item)
}

impl Ground {
    /// All orders, the oldest first.
    pub(super) fn orders(&self) -> Option<Vec<Order>> {
        let table = &names().ok()?.tables.orders;
        let past = self.past();
        let orders = past.orders.iter();
        orders
            .map(|pk| value(&self.item(table, pk, key::ORDER)?))
            .collect()
    }

    /// All that is stored, in the order of its keys; orders by age.
    pub(super) fn stored(&self) -> Option<Observed> {
        let tables = &names().ok()?.tables;
        let channel = self.sim.state().shop.by.name();
        let mut observed = Observed::default();
        for order in self.orders()? {
            observed.orders.push(StoredOrder {
                order,
                contact: Default::default(),
                pages: Vec::new(),
                decisions: Vec::new(),
                deliveries: Vec::new(),
            });
        }
        for item in self.scan(&tables.orders)? {
            let (pk, sk) = (item["pk"]["S"].as_str()?, item["sk"]["S"].as_str()?);
            let mut orders = observed.orders.iter_mut();
            let Some(stored) = orders.find(|stored| key::order(&stored.order.id) == pk) else {
                continue;
            };
            if sk == key::CONTACT {
                stored.contact = value(&item)?;
            } else if sk.starts_with(key::EVENTS) {
                stored.pages.push(value::<Timeline>(&item)?);
            } else if sk.starts_with(key::DECISION) {
                stored.decisions.push(value::<Decision>(&item)?);
            } else if sk.starts_with(key::DELIVERY) {
                stored.deliveries.push(value::<Delivery>(&item)?);
            }
        }
        for item in self.scan(&tables.stock)? {
            let (pk, sk) = (item["pk"]["S"].as_str()?, item["sk"]["S"].as_str()?);
            if let Some(location) = pk.strip_prefix("LOAD#") {
                let orders = item["orders"]["N"].as_str()?.parse().ok()?;
                let load = (location.to_owned(), sk.parse().ok()?, orders);
                observed.loads.push(load);
                continue;
            }
            let Some(sku) = pk.strip_prefix("SKU#") else {
                if pk == key::listing(channel, ACCOUNT) {
                    observed.listings.push(value::<Listing>(&item)?);
                } else if pk.starts_with(key::DISCREPANCY) {
                    observed.discrepancies.push(value::<Discrepancy>(&item)?);
                } else if pk.starts_with(key::RESERVATION) {
                    observed.reservations.push(value::<Reservation>(&item)?);
                }
                continue;
            };
            if sk.starts_with(key::TRANSFER) {
                observed.transfers.push(value::<Transfer>(&item)?);
            } else if sk.starts_with(key::INBOUND) {
                observed.inbound.push(value::<Inbound>(&item)?);
            } else if sk.starts_with(key::LEVEL) {
                observed.levels.push(StoredLevel {
                    level: value::<Level>(&item)?,
                    pages: Vec::new(),
                });
            } else if item["entity"]["S"] == "breakdown" {
                observed.breakdowns.push(value::<Breakdown>(&item)?);
            } else if sk.starts_with("FACT#") {
                observed.facts.push(value::<StockFact>(&item)?);
            } else if sk.starts_with(key::WAITING) {
                let order = OrderId::parse(item["order"]["S"].as_str()?)?;
                let units = item["units"]["N"].as_str()?.parse().ok()?;
                observed.waiting.push((sku.to_owned(), order, units));
            }
        }
        for mut item in self.scan(&tables.reference)? {
            if item["pk"]["S"] == key::SUBSCRIBER {
                observed.subscribers.push(plain::<Subscriber>(&mut item)?);
            } else if item["pk"]["S"] == key::REPLAY {
                observed.replays.push(plain::<Replay>(&mut item)?);
            }
        }
        self.add_pages(&mut observed)?;
        Some(observed)
    }

    fn add_pages(&self, observed: &mut Observed) -> Option<()> {
        for item in self.scan(&names().ok()?.tables.stock)? {
            let (pk, sk) = (item["pk"]["S"].as_str()?, item["sk"]["S"].as_str()?);
            let Some(rest) = sk.strip_prefix(key::LEDGER) else {
                continue;
            };
            let (location, first) = rest.rsplit_once('#')?;
            let mut levels = observed.levels.iter_mut();
            let of = |level: &Level| key::share(&level.sku, level.share);
            let same = |l: &&mut StoredLevel| of(&l.level) == pk && l.level.location == location;
            let page = value::<Page>(&item)?;
            let level = levels.find(same)?;
            level.pages.push((first.parse().ok()?, page.movements));
        }
        Some(())
    }

    /// A table's items, in the order of their keys.
    fn scan(&self, table: &str) -> Option<Vec<Value>> {
        let request = json!({"TableName": table, "ConsistentRead": true});
        let request = serde_json::from_value(request).ok()?;
        let found = self.services.dynamodb.database().scan(request).ok()?;
        // One page: a run stores less than a megabyte.
        let found = serde_json::to_value(found).ok()?;
        if !found["LastEvaluatedKey"].is_null() {
            return None;
        }
        let mut items = found["Items"].as_array()?.clone();
        let key = |item: &Value| (item["pk"]["S"].to_string(), item["sk"]["S"].to_string());
        items.sort_by_cached_key(key);
        Some(items)
    }
}
