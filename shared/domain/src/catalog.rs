//! The retailer's own facts: articles, warehouses, suppliers, tariffs, accounts, keys.

pub mod problems;

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::is_default;
use crate::quantity::ten_to;
use crate::{Currency, Quantity};

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its stock-keeping unit.
    pub sku: String,
    /// What it is called.
    pub title: String,
    /// Decimals of its quantities, if it is sold by measure: with one, a unit is a tenth of a kilogram or
    /// metre. At most [`MAX_DECIMALS`](crate::limits::MAX_DECIMALS); never changes, because everything that is
    /// stored of it counts such units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decimals: u8,
    /// Weight of a whole one, in grams.
    pub weight_g: u32,
    /// Length of one, in millimetres.
    pub length_mm: u32,
    /// Width of one, in millimetres.
    pub width_mm: u32,
    /// Height of one, in millimetres.
    pub height_mm: u32,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// The supplier and the team hear of it when so many or fewer are available in a location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder_point: Option<Quantity>,
    /// How many to order then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder_quantity: Option<Quantity>,
    /// What a whole one costs the retailer: what is left of its price is the margin that pays for shipments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<Cost>,
    /// What is kept back in each location, by its id, or `*` for all that are not named: no order is
    /// promised them. For the till of a shop, or against counters that are wrong.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub safety_stock: BTreeMap<String, Quantity>,
    /// The first day on which it may leave, by each location's own calendar: orders before that are preorders,
    /// and wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_on: Option<Date>,
    /// What becomes of ordered units that no location has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backorders: Backorders,
    /// What is in it, if it is a kit: none of these is a kit itself. A kit has no stock of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// Into how many shares its levels are split, so that a flash sale can take from many at once: 1, if not said
    /// otherwise, to [`MAX_SHARES`](crate::limits::MAX_SHARES). Can grow and never shrink. With several there is no safety
    /// stock: none of them knows what the others still have.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub shares: u8,
}

impl Default for Product {
    fn default() -> Self {
        Self {
            sku: String::new(),
            title: String::new(),
            decimals: 0,
            weight_g: 0,
            length_mm: 0,
            width_mm: 0,
            height_mm: 0,
            supplier: None,
            reorder_point: None,
            reorder_quantity: None,
            unit_cost: None,
            safety_stock: BTreeMap::new(),
            available_on: None,
            backorders: Backorders::default(),
            components: Vec::new(),
            shares: 1,
        }
    }
}

pub(crate) fn one() -> u8 {
    1
}

pub(crate) fn is_one(number: &u8) -> bool {
    *number == 1
}

/// The key of [`Product::safety_stock`] for all locations that are not named.
pub const ANY_LOCATION: &str = "*";

impl Product {
    /// Units that are kept back in a location.
    pub fn safety_stock_in(&self, location: &str) -> u32 {
        let kept = self.safety_stock.get(location);
        let kept = kept.or_else(|| self.safety_stock.get(ANY_LOCATION));
        kept.and_then(|kept| self.units(*kept)).unwrap_or_default()
    }

    /// How many of its units so much is; `None` if there is no such part of it.
    pub fn units(&self, quantity: Quantity) -> Option<u32> {
        u32::try_from(quantity.units(self.decimals).ok()?).ok()
    }

    /// So many of its units as people write it.
    pub fn quantity(&self, units: i64) -> Quantity {
        Quantity::new(units, self.decimals)
    }

    /// What so many of its units weigh, in grams; begun ones count.
    pub fn weight_of(&self, units: u32) -> u64 {
        let weight_g = u64::from(self.weight_g) * u64::from(units);
        weight_g.div_ceil(ten_to(self.decimals).unsigned_abs())
    }
}

/// Decimals of a SKU's quantities; none if it is not known.
pub fn decimals_of(products: &[Product], sku: &str) -> u8 {
    let product = products.iter().find(|product| product.sku == sku);
    product.map_or(0, |product| product.decimals)
}

/// What becomes of ordered units that no location has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backorders {
    /// They wait for goods, the oldest order first.
    #[default]
    Accept,
    /// A person is asked whether they may wait: the order is held.
    Ask,
}

/// What is in a kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The article.
    pub sku: String,
    /// How much of it is in one kit.
    pub quantity: Quantity,
}

/// An amount that the retailer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // They are the days of the week.
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// The day of the week that a day is.
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Orders that arrive until then, by its own clock, leave on the same working day.
    pub cut_off: jiff::civil::Time,
    /// Where its team reads mail.
    pub email: String,
    /// Countries it ships to (ISO 3166-1 alpha-2); empty: everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serves: Vec<String>,
    /// The currency of its tariffs.
    pub currency: Currency,
    /// Whether it takes no orders for the time being.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed: bool,
    /// The days of the week on which parcels leave it; empty: Monday to Friday.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub working_days: Vec<Day>,
    /// Days on which nothing leaves it all the same: public holidays, stocktaking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_on: Vec<Date>,
    /// Working days that it needs until a parcel leaves; 0: it leaves on the day of the order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub handling_days: u32,
    /// Fulfillment orders that it can take on one day, by its own calendar; `None`: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_orders: Option<u32>,
    /// Where all else is equal, the least goes first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
}

impl Location {
    /// Whether parcels leave it on a day.
    pub fn works_on(&self, date: Date) -> bool {
        let day = Day::of(date);
        let usual = match self.working_days.is_empty() {
            true => !matches!(day, Day::Saturday | Day::Sunday),
            false => self.working_days.contains(&day),
        };
        usual && !self.closed_on.contains(&date)
    }

    /// Whether it ships to a country.
    pub fn ships_to(&self, country: &str) -> bool {
        self.serves.is_empty() || self.serves.iter().any(|c| c == country)
    }
}

/// A supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supplier {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Where it takes orders.
    pub email: String,
    /// Days from order to arrival.
    pub lead_time_days: u32,
}

/// A tariff: what a carrier's service costs from a warehouse to a zone, by weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Its id.
    pub id: String,
    /// Who carries.
    pub carrier: String,
    /// Under which service.
    pub service: String,
    /// From which warehouse; prices are in its currency.
    pub from: String,
    /// The zone: countries (ISO 3166-1 alpha-2); empty: everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Working days on the way.
    pub transit_days: u32,
    /// Price (minor units) up to each weight (grams), lightest first.
    pub bands: Vec<Band>,
}

/// A step of a tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Up to this weight, in grams.
    pub max_weight_g: u32,
    /// This price, in minor units of the warehouse's currency.
    pub price: i64,
}

/// An account on a channel. Its secret is in Secrets Manager under the same two names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The channel.
    pub channel: String,
    /// The account's name in our paths.
    pub account: String,
}

/// What a key allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role", content = "location")]
pub enum Role {
    /// Everything.
    Operator,
    /// The fulfillment orders of one location; of everything else, nothing.
    Warehouse(String),
    /// Everything there is to read.
    Reader,
}
