//! What Wix is told that there is.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Wix;
use super::api::WIX;
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, SEVERAL_PRODUCTS, Stock, refused};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// The most that Wix counts of an item.
const MOST: i64 = 99_999;
/// Inventory items that are found at once (the most that Wix gives): each variant has one at each location.
const FOUND: u32 = 1_000;

/// Inventory items of catalogue V3, found by SKU and updated together, each if it is as it was seen (`revision`); the app needs to read and
/// write inventory in it. V3 is what sites are moved to; in V1 variants cannot be found by SKU, so that a site which still has it is told
/// nothing. A store with several locations has one told (`location` of the access). What shows the quantity already is not told, what Wix does not
/// count is not begun to be, and more than 99,999 are shown as so many. Wix counts down what it sells by itself.
///
/// Left open by its documents: the code of an item that has changed meanwhile. One that speaks of the revision is looked at again.
impl Stock for Wix {
    fn at_once(&self) -> usize {
        50
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let url = vendor::base(access, WIX);
        let Some((found, said)) = answers.split_first() else {
            let skus: Vec<&str> = available.iter().map(|of| of.sku.as_str()).collect();
            let mut filter = json!({"product.variantSku": {"$in": skus}});
            if let Some(location) = access.part("location") {
                filter["locationId"] = location.into();
            }
            let query = json!({"filter": filter, "cursorPaging": {"limit": FOUND}});
            let at = format!("{url}/stores/v3/inventory-items/query");
            return Ok(Telling::Ask(Request::json(
                "POST",
                at,
                &json!({"query": query}),
            )));
        };
        let items = found_in(found)?;
        let mut refusals = Refusals::new();
        let mut told: Vec<(&Item, &Available)> = Vec::new();
        for of in available {
            match Item::listed(&items, &of.sku) {
                Err(why) => refusals.push((of.sku.clone(), why.to_owned())),
                Ok((_, shown)) if shown == of.quantity.min(MOST) => {}
                Ok((item, _)) => told.push((item, of)),
            }
        }
        if let Some(answer) = said.first() {
            return answered(answer, &told, refusals);
        }
        if told.is_empty() {
            return Ok(Telling::Told(refusals));
        }
        let item = |(item, of): &(&Item, &Available)| {
            let quantity = of.quantity.min(MOST);
            json!({"inventoryItem": {"id": item.id, "revision": item.revision, "quantity": quantity}})
        };
        let items: Vec<Json> = told.iter().map(item).collect();
        let body = json!({"inventoryItems": items, "reason": "MANUAL"});
        let at = format!("{url}/stores/v3/bulk/inventory-items/update");
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}

/// An inventory item.
struct Item {
    id: String,
    revision: String,
    sku: String,
    product: String,
    variant: String,
    /// What it shows, if it is counted.
    shown: Option<i64>,
}

impl Item {
    fn of(mut item: Object<'_>) -> Option<Self> {
        let is_counted = item.flag("trackQuantity", false);
        let shown = item.take("quantity").and_then(|shown| shown.integer());
        Some(Self {
            id: item.require("id")?.digits()?,
            revision: item.require("revision")?.digits()?,
            sku: item
                .inner("product")
                .map_or_else(String::new, |mut product| product.words("variantSku")),
            product: item.words("productId"),
            variant: item.words("variantId"),
            // What is counted and shows nothing has none.
            shown: is_counted.then(|| shown.unwrap_or(0)),
        })
    }

    /// The one of a SKU and what it shows; or why it can be told nothing.
    fn listed<'a>(items: &'a [Self], sku: &str) -> Result<(&'a Self, i64), &'static str> {
        let mut own = items.iter().filter(|item| item.sku == sku);
        let item = own.next().ok_or(NO_PRODUCT)?;
        if let Some(other) = own.next() {
            let same = (&other.product, &other.variant) == (&item.product, &item.variant);
            return Err(match same {
                true => "it is at several locations, and the access has no \"location\"",
                false => SEVERAL_PRODUCTS,
            });
        }
        let shown = item.shown.ok_or("it does not count its inventory")?;
        Ok((item, shown))
    }
}

fn found_in(answer: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let faults = Faults::default();
    let items = document::object(answer, &faults)?.objects("inventoryItems");
    let items = items.into_iter().map(Item::of).collect::<Option<_>>();
    items.ok_or_else(|| faults.unreadable())
}

/// What is said of each.
fn answered(
    answer: &[u8],
    told: &[(&Item, &Available)],
    mut refusals: Refusals,
) -> Result<Telling<Refusals>, Unreadable> {
    let faults = Faults::default();
    let mut results = document::object(answer, &faults)?.objects("results");
    let mut results: Vec<Object<'_>> = results
        .iter_mut()
        .filter_map(|result| result.inner("itemMetadata"))
        .collect();
    for (item, of) in told {
        let own = results.iter_mut().find(|result| {
            let id = result.peek("id").and_then(|id| id.digits());
            id.as_ref() == Some(&item.id)
        });
        let Some(own) = own else {
            faults.add(
                "/results",
                format!("expected one of each, none of {:?}", of.sku),
            );
            return Err(faults.unreadable());
        };
        if own.flag("success", false) {
            continue;
        }
        let error = own.inner("error");
        let code = error.map_or_else(String::new, |mut error| error.words("code"));
        if code.contains("REVISION") {
            return Ok(Telling::Again("it has changed meanwhile".into()));
        }
        refusals.push((of.sku.clone(), refused(&code)));
    }
    Ok(Telling::Told(refusals))
}
