//! What a retailer's orders, stock and money are, and every decision about them.
//!
//! Pure: no async, no AWS, no clock, no input or output, no float for money. The time, and
//! whatever else a decision needs to know, are arguments; what it decides is the result.

pub mod allocation;
pub mod atp;
pub mod candidates;
pub mod catalog;
pub mod change;
pub mod decision;
pub mod delivery;
pub mod discrepancy;
pub mod event;
pub mod fact;
pub mod feed;
pub mod fulfillment;
pub mod geo;
mod hold;
pub mod id;
pub mod inbound;
pub mod intake;
pub mod kit;
pub mod ledger;
pub mod limits;
pub mod listing;
pub mod money;
pub mod offer;
pub mod order;
pub mod owed;
pub mod payment;
mod plan;
pub mod poll;
pub mod problem;
pub mod quantity;
pub mod reconcile;
pub mod refund;
pub mod rehearsal;
pub mod replay;
pub mod reservation;
pub mod restate;
pub mod restock;
pub mod routing;
pub mod rules;
pub mod shipping;
pub mod stock;
pub mod stock_view;
pub mod subscriber;
pub mod telling;
pub mod view;

pub use catalog::{Location, Product, Rate, Supplier};
pub use event::Event;
pub use id::OrderId;
pub use money::Currency;
pub use order::{FulfillmentOrder, Line, Order};
pub use owed::{Step, Work};
pub use problem::{Problem, Refusal};
pub use quantity::Quantity;

/// Whether a field says nothing, and is left out of what is stored.
/// A time without what is less than a second: so times are stored.
pub(crate) fn to_the_second(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
