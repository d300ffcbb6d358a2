//! The retailer's own facts: articles, warehouses, suppliers, tariffs, accounts, keys.

use serde::{Deserialize, Serialize};

use crate::Currency;

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its stock-keeping unit.
    pub sku: String,
    /// What it is called.
    pub title: String,
    /// Weight of one, in grams.
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
    pub reorder_point: Option<u32>,
    /// How many to order then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder_quantity: Option<u32>,
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
}

impl Location {
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
