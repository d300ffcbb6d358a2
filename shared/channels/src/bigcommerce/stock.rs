//! What BigCommerce is told that there is.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::BigCommerce;
use crate::stock::{Available, Refusals, Stock};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// The location that every shop has.
const DEFAULT_LOCATION: u64 = 1;

/// Absolute adjustments of the Inventory API, by SKU, at one location: `location` of the access, or the shop's first. The
/// API account needs Store Inventory with the right to modify. A request of which one item is not taken is refused
/// as a whole, by its status: whoever sends it says it in smaller parts. It counts down what it sells by itself.
impl Stock for BigCommerce {
    /// It would take 2,000; fewer have less to be said again for one that is wrong.
    fn at_once(&self) -> usize {
        100
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        if !answers.is_empty() {
            return Ok(Telling::Told(Refusals::new()));
        }
        let location = match access.part("location") {
            None => DEFAULT_LOCATION,
            Some(location) => match location.parse() {
                Ok(location) => location,
                Err(_) => return Ok(Telling::Locked("its \"location\" is no number".into())),
            },
        };
        let item = |of: &Available| json!({"location_id": location, "sku": of.sku, "quantity": of.quantity});
        let items: Vec<Json> = available.iter().map(item).collect();
        let at = format!(
            "{}/v3/inventory/adjustments/absolute",
            vendor::base(access, "")
        );
        let body = json!({"reason": "Waybill", "items": items});
        Ok(Telling::Ask(Request::json("PUT", at, &body)))
    }
}
