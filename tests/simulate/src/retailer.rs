//! The retailers that runs are about: small ones, so that everybody wants the same few things.

use std::sync::{Arc, OnceLock};

use domain::catalog::{
    ANY_LOCATION, Account, Backorders, Band, Component, Location, Product, Rate, Supplier,
};
use domain::id::sha256_hex;
use domain::limits::{LEDGER_OVERDUE, LEDGER_PAGE, MAX_LEDGER_TAIL};
use domain::listing::Listing;
use domain::rules::Rules;
use domain::{Currency, Quantity};
use jiff::civil::time;
use store::PostalCode;

use crate::tape::Tape;
use crate::vendor::{self, VENDORS, Vendor};

/// The key that everybody uses.
pub const KEY: &str = "simulated-operator";
/// The team's address.
pub const TEAM: &str = "team@example.com";

/// Whole ones of each article that the shop is not told of.
pub const BUFFER: u32 = 1;
/// Movements of a shelf with a history, its opening stock apart: with the next ones a page of the ledger is due, or overdue, or
/// there is no room.
const HISTORIES: [usize; 4] = [
    LEDGER_PAGE - 2,
    LEDGER_PAGE,
    LEDGER_OVERDUE - 2,
    MAX_LEDGER_TAIL - 2,
];
const MAX_LOCATIONS: u32 = 3;
const MAX_SKUS: u32 = 3;
const SKUS: [&str; 3] = ["CUP", "POT", "TRAY"];
const LOCATIONS: [(&str, &str, f64, f64, &str); 3] = [
    ("bremen", "DE", 53.1, 8.8, "Europe/Berlin"),
    ("lyon", "FR", 45.8, 4.8, "Europe/Paris"),
    ("leeds", "GB", 53.8, -1.5, "Europe/London"),
];

/// A retailer's own facts.
#[derive(Debug, Default)]
pub struct Retailer {
    /// Warehouses.
    pub locations: Vec<Location>,
    /// The one supplier.
    pub suppliers: Vec<Supplier>,
    /// Tariffs; the last of three warehouses has none, and ships by its own means.
    pub rates: Vec<Rate>,
    /// Articles; the first has a supplier and a reorder point, the second is sold by measure and a busy retailer keeps a unit of
    /// it back everywhere, and the third waits for goods only if a person says so.
    pub products: Vec<Product>,
    /// What is sold and kept as several articles; nobody keeps any.
    pub kits: Vec<Product>,
    /// Imported postal codes; a retailer with one warehouse has imported none.
    pub postal_codes: Vec<PostalCode>,
    /// The rules of the channel whose shop is told how much there is: it is not told of the last one.
    pub rules: Vec<Rules>,
    /// The channel of that shop, which is fetched from.
    pub vendor: &'static dyn Vendor,
    /// What that shop lists, by SKU: everything.
    pub listings: Vec<Listing>,
    /// The channel accounts that are told what becomes of their orders.
    pub told: Vec<Account>,
    /// The SHA-256 of the operator's key.
    pub key_sha256: String,
}

impl Retailer {
    /// One of the retailers that there are.
    pub fn draw(tape: &mut Tape) -> Arc<Self> {
        static ALL: OnceLock<Vec<Arc<Retailer>>> = OnceLock::new();
        let all = ALL.get_or_init(|| {
            let sizes = (1..=MAX_LOCATIONS).flat_map(|l| (1..=MAX_SKUS).map(move |s| (l, s)));
            let usual = sizes.clone().map(|(l, s)| (l, s, None));
            // One that can take next to nothing on a day, and keeps back what it can.
            let busy = sizes.map(|(l, s)| (l, s, Some(2)));
            let all: Vec<_> = usual.chain(busy).collect();
            let of = |vendor: &'static dyn Vendor| {
                let sizes = all.clone().into_iter();
                sizes.filter_map(move |(locations, skus, daily_orders)| {
                    Self::of(locations as usize, skus as usize, daily_orders, vendor)
                })
            };
            VENDORS.into_iter().flat_map(of).map(Arc::new).collect()
        });
        let size = tape.index(all.len() / VENDORS.len());
        let vendor = tape.index(VENDORS.len());
        Arc::clone(&all[vendor * all.len() / VENDORS.len() + size])
    }

    fn of(
        locations: usize,
        skus: usize,
        daily_orders: Option<u32>,
        vendor: &'static dyn Vendor,
    ) -> Option<Self> {
        let currency = Currency::from_code("EUR")?;
        let location =
            |&(id, country, latitude, longitude, zone): &(&str, &str, f64, f64, &str)| Location {
                id: id.into(),
                name: id.into(),
                country: country.into(),
                latitude,
                longitude,
                time_zone: zone.into(),
                cut_off: time(14, 0, 0, 0),
                email: format!("{id}@example.com"),
                // The third does not ship everywhere.
                serves: match country {
                    "GB" => vec!["GB".into(), "US".into()],
                    _ => Vec::new(),
                },
                currency,
                closed: false,
                working_days: Vec::new(),
                closed_on: Vec::new(),
                handling_days: 0,
                daily_orders: daily_orders.filter(|_| id == LOCATIONS[0].0),
                priority: 0,
            };
        let product = |(n, sku): (usize, &&str)| Product {
            sku: (*sku).into(),
            title: (*sku).into(),
            decimals: u8::from(n == 1),
            weight_g: 400,
            length_mm: 100,
            width_mm: 100,
            height_mm: 100,
            supplier: (n == 0).then(|| "kiln".into()),
            reorder_point: (n == 0).then_some(1.into()),
            reorder_quantity: (n == 0).then_some(10.into()),
            // The second sells fast, or something of it is kept back.
            shares: match (n, daily_orders) {
                (1, None) => 3,
                _ => 1,
            },
            safety_stock: (n == 1 && daily_orders.is_some())
                .then(|| (ANY_LOCATION.into(), Quantity::new(1, 1)))
                .into_iter()
                .collect(),
            backorders: match n {
                2 => Backorders::Ask,
                _ => Backorders::Accept,
            },
            ..Product::default()
        };
        let rate = |location: &Location| Rate {
            id: format!("post-{}", location.id),
            carrier: "Post".into(),
            service: "Parcel".into(),
            from: location.id.clone(),
            to: Vec::new(),
            transit_days: 2,
            bands: vec![Band {
                max_weight_g: 30_000,
                price: 490,
            }],
        };
        let component = |sku: &str, quantity| Component {
            sku: sku.into(),
            quantity,
        };
        let kit = Product {
            sku: "SET".into(),
            title: "SET".into(),
            components: vec![
                component(SKUS[0], 1.into()),
                component(SKUS[1], Quantity::new(2, 1)),
            ],
            ..Product::default()
        };
        let locations: Vec<Location> = LOCATIONS[..locations].iter().map(location).collect();
        let products: Vec<Product> = SKUS[..skus].iter().enumerate().map(product).collect();
        let kits: Vec<Product> = (skus > 1).then_some(kit).into_iter().collect();
        let (by, account) = (vendor.name(), vendor::ACCOUNT);
        let listed = products.iter().chain(&kits);
        let listed = listed.map(|product| Listing::new(by, account, &product.sku));
        let mut listings: Vec<Listing> = listed.collect();
        listings.sort_by(|one, other| one.sku.cmp(&other.sku));
        Some(Self {
            rules: vec![Rules {
                channel: by.into(),
                buffer: BUFFER,
                ..Rules::of(&[], by).clone()
            }],
            vendor,
            listings,
            rates: locations.iter().take(2).map(rate).collect(),
            suppliers: vec![Supplier {
                id: "kiln".into(),
                name: "Kiln".into(),
                email: "kiln@example.com".into(),
                lead_time_days: 9,
            }],
            products,
            kits,
            postal_codes: match locations.len() {
                1 => Vec::new(),
                _ => vec![imported()],
            },
            locations,
            told: vec![Account {
                channel: by.into(),
                account: account.into(),
            }],
            key_sha256: sha256_hex(KEY.as_bytes()),
        })
    }

    /// Decimals of an article's quantities.
    pub fn decimals(&self, sku: &str) -> u8 {
        let mut products = self.products.iter();
        let product = products.find(|product| product.sku == sku);
        product.map_or(0, |product| product.decimals)
    }

    /// Opening stock: SKU, location, units; little of it.
    pub fn opening(&self, tape: &mut Tape) -> Vec<(String, String, i64)> {
        const UNITS: [i64; 8] = [2, 0, 1, 0, 3, 5, 1, 24];
        let mut opening = Vec::new();
        for product in &self.products {
            for location in &self.locations {
                let units = UNITS[tape.index(UNITS.len())];
                if units > 0 {
                    opening.push((product.sku.clone(), location.id.clone(), units));
                }
            }
        }
        if let Some(first) = opening.first_mut().filter(|_| tape.choose(4) == 3) {
            let (sku, location) = (first.0.clone(), first.1.clone());
            let history = HISTORIES[tape.index(HISTORIES.len())];
            first.2 += history as i64;
            let counts = std::iter::repeat_n((sku, location, -1), history);
            opening.extend(counts);
        }
        opening
    }
}

/// The postal code of Bremen.
fn imported() -> PostalCode {
    PostalCode {
        country: "DE".into(),
        area: "28195".into(),
        point: (531, 88),
    }
}
