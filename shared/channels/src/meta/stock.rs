//! What Meta is told that there is.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{GRAPH, Meta};
use crate::document;
use crate::faults::Faults;
use crate::stock::{Available, Refusals, Stock, refused};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Updates of items of the catalogue that the access names (`catalog_id`), by the retailer's id of each, which is taken to be its SKU; the system user
/// needs `catalog_management`. Nothing is made that is not there. Meta takes them in and shows them some minutes later; what it finds
/// to be wrong then it says to nobody who does not ask.
impl Stock for Meta {
    /// It would take 3,000; fewer have less to be said again for one that is wrong.
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
        if let Some(answer) = answers.first() {
            let faults = Faults::default();
            let mut answer = document::object(answer, &faults)?;
            if !answer.has("handles") && !answer.has("validation_status") {
                answer.require("handles");
                return Err(faults.unreadable());
            }
            let mut refusals = Refusals::new();
            for mut status in answer.objects("validation_status") {
                let sku = status.words("retailer_id");
                let wrong = !status.objects("errors").is_empty();
                if wrong && available.iter().any(|of| of.sku == sku) {
                    refusals.push((sku, refused("")));
                }
            }
            return Ok(Telling::Told(refusals));
        }
        let Some(catalog) = access.part("catalog_id") else {
            return Ok(Telling::Locked("the access has no \"catalog_id\"".into()));
        };
        let request = |of: &Available| {
            let data = json!({"id": of.sku, "quantity_to_sell_on_facebook": of.quantity});
            json!({"method": "UPDATE", "data": data})
        };
        let requests: Vec<Json> = available.iter().map(request).collect();
        let (url, catalog) = (vendor::base(access, GRAPH), vendor::encode(catalog));
        let body =
            json!({"item_type": "PRODUCT_ITEM", "allow_upsert": false, "requests": requests});
        let at = format!("{url}/{catalog}/items_batch");
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}
