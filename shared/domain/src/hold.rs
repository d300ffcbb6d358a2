//! Why an order stands still, who has to act, and what a person is told.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::limits::MAX_REJECTIONS;

/// What a channel says of an order that could not be followed any more. What it says is told apart by a
/// digest, so that a person who has dealt with it is not asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Difference {
    /// Its amounts are in this currency now.
    #[serde(rename = "cur")]
    Currency(Currency),
    /// It is cancelled, and units of it are packed or have left.
    #[serde(rename = "x")]
    Cancelled,
    /// All of it has been shipped, and not by us.
    #[serde(rename = "sh")]
    Shipped,
    /// Its lines are others, and goods of the known ones have been taken or given back.
    #[serde(rename = "ln")]
    Lines(String),
    /// It goes to somebody or somewhere else, and a parcel of it is closed.
    #[serde(rename = "to")]
    Recipient(String),
    /// So many minor units more have gone back than are known to have come in.
    #[serde(rename = "rf")]
    Refunded(i64),
    /// It is paid, also for units that were cancelled here or have come back.
    #[serde(rename = "pd")]
    Paid,
}

impl Difference {
    /// What the channel says, for a person.
    pub fn explain(&self, currency: Currency) -> String {
        match self {
            Self::Currency(stated) => format!("its amounts are in {stated}, not in {currency}"),
            Self::Cancelled => "it is cancelled, and units of it are packed or have left".into(),
            Self::Shipped => "all of it has been shipped, and not from here".into(),
            Self::Lines(_) => "its lines are others, and goods of the old ones are taken".into(),
            Self::Recipient(_) => "it goes to another recipient, and a parcel is closed".into(),
            Self::Refunded(excess) => format!(
                "{} more have gone back than are known to have come in",
                currency.display(*excess)
            ),
            Self::Paid => {
                "it is paid, also for units that were cancelled here or have come back".into()
            }
        }
    }
}

/// Why an order stands still until somebody acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A line names a SKU that the catalogue does not have, or none; or so much as the product cannot have.
    UnknownSku,
    /// The amounts do not add up to the total that the channel states.
    Totals {
        /// The channel's total, minor units.
        stated: i64,
        /// The sum of the parts, minor units.
        computed: i64,
    },
    /// Goods have to be shipped and there is no address to ship to.
    Address,
    /// The channel has not reported all of the money as paid or authorised.
    Payment,
    /// The channel calls it a test: it is neither shipped nor mailed.
    Test,
    /// So many warehouses have rejected it that a person has to say how it goes on.
    Rejections,
    /// No warehouse has all of it, and what it lacks does not wait unless a person says so.
    OutOfStock,
    /// The channel has restated it, and not all of that could be followed. Never empty.
    Channel(Vec<Difference>),
}

impl HoldReason {
    /// The hold's name in paths and documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownSku => "unknown-sku",
            Self::Totals { .. } => "totals",
            Self::Address => "address",
            Self::Payment => "payment",
            Self::Test => "test",
            Self::Rejections => "rejections",
            Self::OutOfStock => "out-of-stock",
            Self::Channel(_) => "channel",
        }
    }

    /// Who has to act.
    pub fn owner(&self) -> &'static str {
        match self {
            Self::UnknownSku => "the catalogue team",
            Self::Totals { .. } | Self::Payment => "accounting",
            Self::Address => "customer service",
            Self::Test => "nobody: test orders are never shipped",
            Self::Rejections => "warehouse operations",
            Self::OutOfStock | Self::Channel(_) => "customer service",
        }
    }

    /// What is wrong, for a person.
    pub fn explain(&self, currency: Currency) -> String {
        match self {
            Self::UnknownSku => {
                "a line's SKU is not in the catalogue, or not sold in such parts".into()
            }
            Self::Totals { stated, computed } => format!(
                "the channel states a total of {}, its parts add up to {}: a difference of {}",
                currency.display(*stated),
                currency.display(*computed),
                currency.display(stated - computed)
            ),
            Self::Address => "there are goods to ship and no address to ship them to".into(),
            Self::Payment => "not all of the money is captured or authorised".into(),
            Self::Test => "a test order: it is neither shipped nor mailed".into(),
            Self::Rejections => format!(
                "{MAX_REJECTIONS} warehouses have rejected it; released, it is offered to all of them again"
            ),
            Self::OutOfStock => {
                "no warehouse has all of it; released, what is missing waits for goods".into()
            }
            Self::Channel(differences) => {
                let told = differences.iter().map(|d| d.explain(currency));
                format!("the channel says: {}", told.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// A reason to stand still, and since when. These holds have no expiry: each waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    #[serde(rename = "r")]
    pub reason: HoldReason,
    /// Since when.
    #[serde(rename = "t", with = "seconds")]
    pub since: Timestamp,
}
