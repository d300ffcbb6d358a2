//! The sample retailer and its orders, read from `events/` and moved by the domain's own decisions.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use channels::Channel;
use domain::allocation::{Available, allocate};
use domain::candidates::Network;
use domain::fulfillment::{Report, report};
use domain::intake::NewOrder;
use domain::order::{Contact, Parcel};
use domain::shipping::ship;
use domain::stock::Changes;
use domain::{Location, Order, Product, Quantity, Rate, Supplier};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The folder of the samples.
pub fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// A file of it, read.
pub fn read<T: DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(events().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// An order of the demo.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    pub file: String,
    pub via: String,
    pub account: String,
    pub key: Option<String>,
    pub story: String,
    pub expected: String,
}

/// Opening stock of one SKU in one location.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub sku: String,
    pub location: String,
    pub quantity: Quantity,
}

/// The retailer.
pub struct Retailer {
    pub locations: Vec<Location>,
    pub products: Vec<Product>,
    pub suppliers: Vec<Supplier>,
    pub rates: Vec<Rate>,
    pub stock: Vec<Opening>,
}

impl Retailer {
    pub fn read() -> Self {
        Self {
            locations: read("retailer/warehouses.json"),
            products: read("retailer/products.json"),
            suppliers: read("retailer/suppliers.json"),
            rates: read("retailer/rates.json"),
            stock: read("retailer/stock.json"),
        }
    }

    pub fn available(&self) -> Available {
        let mut available = Available::default();
        for level in &self.stock {
            available.set(&level.sku, &level.location, self.units(level));
        }
        available
    }

    pub fn location(&self, id: &str) -> &Location {
        self.locations.iter().find(|l| l.id == id).unwrap()
    }

    pub fn product(&self, sku: &str) -> &Product {
        self.products.iter().find(|p| p.sku == sku).unwrap()
    }

    /// The units of an opening level.
    pub fn units(&self, level: &Opening) -> i64 {
        let decimals = self.product(&level.sku).decimals;
        level.quantity.units(decimals).unwrap()
    }

    /// Its warehouses, tariffs and rules.
    pub fn network(&self) -> Network {
        let rules = read("retailer/rules.json");
        Network::new(self.locations.clone(), self.rates.clone(), rules)
    }

    pub fn accept(&self, mut new: NewOrder) -> (Order, Contact) {
        assert_eq!(new.measure(&self.products), []);
        let known: BTreeSet<String> = self.products.iter().map(|p| p.sku.clone()).collect();
        new.accept(&known, now())
    }
}

/// Monday morning in Europe.
pub fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

/// An order as its channel's adapter reads it.
pub fn parse(demo: &Demo) -> NewOrder {
    let body = fs::read(events().join(&demo.file)).unwrap();
    let parsed = match demo.via.as_str() {
        "shopify" => channels::shopify::Shopify.parse(&body, &demo.account),
        "api" => channels::api::parse(&body, &demo.account, demo.key.as_deref().unwrap(), now()),
        other => panic!("{}: no such channel: {other}", demo.file),
    };
    parsed.unwrap_or_else(|e| panic!("{}: {e:?}", demo.file))
}

/// The demo's order with this in its file's name, accepted and allocated from opening stock.
pub fn allocated(retailer: &Retailer, name: &str) -> (Order, Contact) {
    let demo: Vec<Demo> = read("demo.json");
    let demo = demo.iter().find(|d| d.file.contains(name)).unwrap();
    let (order, contact) = retailer.accept(parse(demo));
    (allocate_from(retailer, order), contact)
}

/// The order, allocated from opening stock.
pub fn allocate_from(retailer: &Retailer, order: Order) -> Order {
    let (mut available, mut changes) = (retailer.available(), Changes::default());
    let allocation = allocate(
        &order,
        &retailer.network(),
        &retailer.products,
        &mut available,
        &mut changes,
        now(),
    );
    allocation.unwrap().order
}

/// The order with a fulfillment order packed and gone.
pub fn shipped(order: &Order, n: u32) -> Order {
    let packed = report(order, n, &Report::Packed(None), now());
    let parcel = Parcel {
        carrier: "Larkpost".into(),
        service: "Parcel Plus".into(),
        tracking_number: format!("LP5500182{n}4DE"),
        label: None,
        cost: None,
    };
    ship(&packed.unwrap().unwrap(), n, parcel, now()).unwrap()
}
