//! How much of what is there may be promised: the retailer's policy for each product.

use jiff::Timestamp;

use crate::catalog::{Location, Product};
use crate::shipping::today_in;

/// Units that orders may be promised of what is available in a location: not what is kept back there, and
/// nothing before the product's first day. Never below zero. A product that is not known has no policy.
pub fn offered(
    available: i64,
    product: Option<&Product>,
    location: &Location,
    now: Timestamp,
) -> i64 {
    let kept = product.map_or(0, |product| product.safety_stock_in(&location.id));
    let first = product.and_then(|product| product.available_on);
    match first.is_some_and(|first| today_in(location, now) < first) {
        true => 0,
        false => (available - i64::from(kept)).max(0),
    }
}
