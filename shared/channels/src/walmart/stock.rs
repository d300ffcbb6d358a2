//! What Walmart is told that there is.

use jiff::Timestamp;
use serde_json::json;

use super::{WALMART, Walmart, named};
use crate::document;
use crate::faults::Faults;
use crate::stock::{Available, Refusals, Stock};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// The inventory of one item after the other, by SKU, at the fulfillment center that the access names (`ship_node`), or the seller's own first; the app
/// needs Inventory. A feed would say it of all at once, but Walmart takes ten an hour, works on each for up to half an hour, and
/// says only then which it does not take: what is sold elsewhere would be offered for too long. It counts down what it sells by itself.
impl Stock for Walmart {
    /// Each is a request of its own.
    fn at_once(&self) -> usize {
        20
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        if let Some(answer) = answers.last() {
            let faults = Faults::default();
            if document::object(answer, &faults)?.require("sku").is_none() {
                return Err(faults.unreadable());
            }
        }
        let Some(of) = available.get(answers.len()) else {
            return Ok(Telling::Told(Refusals::new()));
        };
        let mut fields = vec![("sku", of.sku.as_str())];
        fields.extend(access.part("ship_node").map(|node| ("shipNode", node)));
        let (url, query) = (vendor::base(access, WALMART), vendor::query(&fields));
        let quantity = json!({"unit": "EACH", "amount": of.quantity});
        let body = json!({"sku": of.sku, "quantity": quantity});
        let at = format!("{url}/v3/inventory?{query}");
        Ok(Telling::Ask(named(Request::json("PUT", at, &body))))
    }
}
