//! Purchase lines that are on their way from a supplier.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Units that a supplier sends to a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// What the retailer calls the line: unique among those of the article.
    pub id: String,
    /// The article.
    pub sku: String,
    /// Where it is to arrive.
    pub location: String,
    /// Units that are expected altogether; 0: it is called off.
    pub quantity: i64,
    /// When, by the location's own calendar.
    pub expected_on: Date,
    /// Units of it that have come in so far.
    #[serde(default)]
    pub received: i64,
}

impl Inbound {
    /// Units that are still expected.
    pub fn open(&self) -> i64 {
        (self.quantity - self.received).max(0)
    }
}
