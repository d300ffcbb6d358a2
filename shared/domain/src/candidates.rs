//! Who may send something of an order, what that would cost, and why the others may not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalog::{Cost, Location, Product, Rate};
use crate::geo::{metres_to, point_of};
use crate::limits::MAX_COST_MILLI;
use crate::order::{Destination, FulfillmentStatus, Order};
use crate::rules::Rules;
use crate::shipping::{choose_method, ship_by};
use crate::{Currency, Quantity};

/// What of a retailer's facts routing rests on.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// All warehouses.
    pub locations: Vec<Location>,
    /// All rules.
    pub rules: Vec<Rules>,
    rates_from: BTreeMap<String, Vec<Rate>>,
}

impl Network {
    /// A network of these warehouses, tariffs and rules.
    pub fn new(locations: Vec<Location>, rates: Vec<Rate>, rules: Vec<Rules>) -> Self {
        let mut rates_from: BTreeMap<String, Vec<Rate>> = BTreeMap::new();
        for rate in rates {
            rates_from.entry(rate.from.clone()).or_default().push(rate);
        }
        Self {
            locations,
            rules,
            rates_from,
        }
    }

    /// The tariffs from a warehouse.
    pub fn rates_from(&self, location: &str) -> &[Rate] {
        self.rates_from.get(location).map_or(&[], Vec::as_slice)
    }

    /// The currency in which costs are compared under some rules: theirs, else the one that all
    /// warehouses share.
    pub fn currency(&self, rules: &Rules) -> Option<Currency> {
        let mut all = self.locations.iter().map(|location| location.currency);
        let first = all.next()?;
        let shared = || all.all(|other| other == first).then_some(first);
        rules.currency.or_else(shared)
    }
}

/// Why a location may not send anything of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exclusion {
    /// It takes no orders for the time being.
    #[serde(rename = "c")]
    Closed,
    /// It does not ship to the country.
    #[serde(rename = "n")]
    NotServed,
    /// It has rejected this order.
    #[serde(rename = "r")]
    Rejected,
    /// It has taken as many orders today as it can.
    #[serde(rename = "f")]
    Full,
}

/// A location that may send something.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// It.
    pub location: &'a Location,
    /// How far it is.
    pub metres: u64,
    /// When the whole order would arrive from there; `None` if no tariff says.
    pub arrives: Option<Date>,
    /// Whether that is later than promised.
    pub late: bool,
    /// What a shipment costs before anything is in it, in thousandths of a minor unit.
    pub cost_milli: u64,
    /// What each gram costs besides, as a fraction: so much, for so many grams.
    per_grams: (u64, u64),
}

impl Candidate<'_> {
    /// What sending one more unit costs, in thousandths of a minor unit, of which `units` weigh `weight_g`.
    ///
    /// Between the lightest band and what the whole order weighs the tariff is taken to be a straight
    /// line: so a shipment of everything costs what the tariff says, one of nothing the lightest band,
    /// and what is between depends on each unit by itself, which is what lets the router be exact.
    pub fn unit_cost_milli(&self, weight_g: u32, units: u64) -> u64 {
        let (cost, grams) = self.per_grams;
        let grams = grams.max(1).saturating_mul(units);
        cost.saturating_mul(u64::from(weight_g))
            .saturating_add(grams / 2)
            / grams
    }
}

/// Who may send something of an order that weighs `weight_g` as far as it is wanted, nearest first, and
/// who may not. `full`: who can take no more orders today.
pub fn candidates<'a>(
    order: &Order,
    destination: &Destination,
    network: &'a Network,
    full: &BTreeSet<&str>,
    weight_g: u64,
    now: Timestamp,
) -> (Vec<Candidate<'a>>, Vec<(&'a Location, Exclusion)>) {
    let rules = Rules::of(&network.rules, &order.source.channel);
    let currency = network.currency(rules);
    let point = point_of(destination);
    let (mut candidates, mut excluded) = (Vec::new(), Vec::new());
    for location in &network.locations {
        let exclusion = match () {
            () if location.closed => Some(Exclusion::Closed),
            () if !location.ships_to(&destination.country) => Some(Exclusion::NotServed),
            () if has_rejected(order, location) => Some(Exclusion::Rejected),
            () if full.contains(location.id.as_str()) => Some(Exclusion::Full),
            () => None,
        };
        if let Some(exclusion) = exclusion {
            excluded.push((location, exclusion));
            continue;
        }
        let rates = network.rates_from(&location.id);
        let leaves = ship_by(location, now);
        let country = &destination.country;
        let method = choose_method(rates, location, country, weight_g, leaves, order.deliver_by);
        let milli = |amount| {
            let cost = Cost {
                amount,
                currency: location.currency,
            };
            let milli = currency.and_then(|into| rules.in_milli(cost, into));
            milli.and_then(|milli| u64::try_from(milli).ok())
        };
        let costs = method.as_ref().and_then(|method| {
            let lightest = method.rate.bands.first()?.price.min(method.price);
            Some((milli(lightest)?, milli(method.price)?))
        });
        let (lightest, whole) = costs.unwrap_or((MAX_COST_MILLI, MAX_COST_MILLI));
        candidates.push(Candidate {
            location,
            metres: metres_to(location, point),
            arrives: method.as_ref().map(|method| method.arrives),
            late: method.is_some_and(|method| !method.keeps_promise),
            cost_milli: lightest,
            per_grams: (whole - lightest, weight_g),
        });
    }
    let distance = |c: &Candidate<'a>| (c.metres, c.location.id.as_str());
    candidates.sort_by(|a, b| distance(a).cmp(&distance(b)));
    (candidates, excluded)
}

/// Whether a location has rejected an order, and no person has said to ask it again since.
fn has_rejected(order: &Order, location: &Location) -> bool {
    order.fulfillments.iter().any(|f| {
        f.status == FulfillmentStatus::Rejected && f.location == location.id && f.n > order.forgiven
    })
}

/// How many fulfillment orders of an order have been rejected since a person was last asked.
pub fn rejections(order: &Order) -> usize {
    let counts = |f: &&crate::FulfillmentOrder| {
        f.status == FulfillmentStatus::Rejected && f.n > order.forgiven
    };
    order.fulfillments.iter().filter(counts).count()
}

/// Grams that a whole one of a SKU weighs; 0 if that is not known.
pub fn weight_of_one_g(products: &[Product], sku: &str) -> u32 {
    let product = products.iter().find(|product| product.sku == sku);
    product.map_or(0, |product| product.weight_g)
}

/// What an order leaves the retailer, in thousandths of a minor unit of `currency`: what its lines
/// bring, tax apart, less what they cost. `None` if the cost of one of them is not known.
pub fn margin_milli(
    order: &Order,
    products: &[Product],
    rules: &Rules,
    currency: Currency,
) -> Option<i64> {
    let mut margin = 0_i64;
    for line in order.lines.iter().filter(|line| !line.intangible) {
        let sku = line.sku.as_deref()?;
        let product = products.iter().find(|product| product.sku == sku)?;
        let units = i64::from(line.units.ordered - line.units.cancelled);
        let included = if order.taxes_included {
            line.money.tax
        } else {
            0
        };
        let net = Cost {
            amount: line.goods() - line.money.discount - included,
            currency: order.currency,
        };
        let brings = rules.in_milli(net, currency)? / i64::from(line.units.ordered.max(1)) * units;
        let costs = rules.in_milli(product.unit_cost?, currency)?;
        let costs = Quantity::new(units, line.decimals).cost_at(costs);
        margin = margin.checked_add(brings.checked_sub(costs)?)?;
    }
    Some(margin)
}
