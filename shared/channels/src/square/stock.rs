//! What Square is told that there is.

use std::collections::BTreeMap;

use domain::id::derived;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value as Json, json};

use super::{SQUARE, Square, locations};
use crate::document;
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, SEVERAL_PRODUCTS, Stock};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Seconds by which a count is said to be older than it is: Square refuses one of the future, by its own clock.
const BEHIND_S: i64 = 5;

/// Physical counts of variations, by the SKUs of the catalogue, at the first of the access's `location_ids` (`ITEMS_READ`, `INVENTORY_WRITE`). Square counts from there
/// what it sells by itself, in the sequence in which it happened. A count like the last one is one too: something may have been sold since. A
/// request of which one count is not taken is refused as a whole: whoever sends it says it in smaller parts. Left open by its documents: whether a count makes
/// it keep count of what it did not.
impl Stock for Square {
    fn at_once(&self) -> usize {
        100
    }

    fn set(
        &self,
        access: &Secret,
        key: &str,
        at: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let url = vendor::base(access, SQUARE);
        let mut answers = answers.iter();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let Some(answer) = answers.next() else {
                let skus: Vec<&str> = available.iter().map(|of| of.sku.as_str()).collect();
                let set = json!({"attribute_name": "sku", "attribute_values": skus});
                let mut body =
                    json!({"object_types": ["ITEM_VARIATION"], "query": {"set_query": set}});
                if let Some(cursor) = cursor {
                    body["cursor"] = Json::String(cursor);
                }
                let at = format!("{url}/v2/catalog/search");
                return Ok(Telling::Ask(Request::json("POST", at, &body)));
            };
            cursor = add_variations(answer, &mut found)?;
            if cursor.is_none() {
                break;
            }
        }
        let occurred_at = at.saturating_sub(BEHIND_S.seconds()).unwrap_or(at);
        let occurred_at = occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let location = locations(access).next().unwrap_or_default();
        let (mut changes, mut refusals) = (Vec::new(), Refusals::new());
        for of in available {
            match found.get(&of.sku).map(Vec::as_slice) {
                Some([id]) => changes.push(json!({
                    "type": "PHYSICAL_COUNT",
                    "physical_count": {
                        "catalog_object_id": id,
                        "location_id": location,
                        "state": "IN_STOCK",
                        "quantity": of.quantity.to_string(),
                        "occurred_at": occurred_at,
                    },
                })),
                Some(_) => refusals.push((of.sku.clone(), SEVERAL_PRODUCTS.to_owned())),
                None => refusals.push((of.sku.clone(), NO_PRODUCT.to_owned())),
            }
        }
        if changes.is_empty() {
            return Ok(Telling::Told(refusals));
        }
        if let Some(answer) = answers.next() {
            document::object(answer, &Faults::default())?;
            return Ok(Telling::Told(refusals));
        }
        let changes = Json::from(changes);
        let body = json!({
            "idempotency_key": derived(&[key, &changes.to_string()]),
            "changes": changes,
            "ignore_unchanged_counts": false,
        });
        let at = format!("{url}/v2/inventory/changes/batch-create");
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}

/// Adds the variations of a page by their SKU, of which a search finds others that differ in case; what the next page is called.
fn add_variations(
    answer: &[u8],
    found: &mut BTreeMap<String, Vec<String>>,
) -> Result<Option<String>, Unreadable> {
    let faults = Faults::default();
    let mut answer = document::object(answer, &faults)?;
    for mut variation in answer.objects("objects") {
        let Some(id) = variation.require("id").and_then(|id| id.text()) else {
            return Err(faults.unreadable());
        };
        let of = variation.inner("item_variation_data");
        let sku = of.map(|mut of| of.words("sku"));
        found.entry(sku.unwrap_or_default()).or_default().push(id);
    }
    let cursor = answer.take("cursor").and_then(|cursor| cursor.text());
    Ok(cursor.filter(|cursor| !cursor.is_empty()))
}
