//! What Shopify is told that there is.

use domain::id::derived;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Shopify;
use super::updates::{data, graphql};
use crate::document::Object;
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, SEVERAL_PRODUCTS, Stock, refused};
use crate::updates::Telling;
use crate::{Secret, Unreadable};

/// The inventory items of some SKUs, and what each shows at a location. What a query may ask for is bounded: this one
/// costs some 400 of the 1,000 points.
const FOUND: &str = "query($query: String!, $location: ID!) { inventoryItems(first: 100, query: $query) { nodes { \
    id sku tracked inventoryLevel(locationId: $location) { quantities(names: [\"available\"]) { quantity } } } } }";
/// Sets what they show, if each shows what it is said to.
const SET: &str = "mutation($input: InventorySetQuantitiesInput!, $key: String!) { \
    inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code field message } } }";

/// `inventorySetQuantities` of what is `available` at one location: the access names it (`location`, the number at the end of its
/// address in the shop's administration), and the app needs `read_inventory`, `write_inventory` and `read_products`. Inventory
/// items are found by SKU; what shows the quantity already is not told. What has changed between the look and the word
/// is refused by Shopify, and looked at again a minute later. It counts down what it sells by itself.
impl Stock for Shopify {
    /// A SKU that two variants have is found twice: 100 are looked at.
    fn at_once(&self) -> usize {
        50
    }

    fn set(
        &self,
        access: &Secret,
        key: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let Some(location) = access.part("location") else {
            return Ok(Telling::Locked("the access has no \"location\"".into()));
        };
        let location = format!("gid://shopify/Location/{location}");
        let Some((found, said)) = answers.split_first() else {
            let quoted = |sku: &str| sku.replace('\\', "\\\\").replace('"', "\\\"");
            let skus = available
                .iter()
                .map(|of| format!("sku:\"{}\"", quoted(&of.sku)));
            let query = skus.collect::<Vec<_>>().join(" OR ");
            let variables = json!({"query": query, "location": location});
            return Ok(graphql(access, FOUND, &variables));
        };
        let faults = Faults::default();
        let mut found = match data(found, "inventoryItems", &faults)? {
            Ok(found) => found,
            Err(telling) => return Ok(telling),
        };
        let mut items = Vec::new();
        for node in found.objects("nodes") {
            items.push(Item::of(node).ok_or_else(|| faults.unreadable())?);
        }
        let (mut quantities, mut refusals) = (Vec::new(), Refusals::new());
        for of in available {
            match Item::listed(&items, &of.sku) {
                Err(why) => refusals.push((of.sku.clone(), why.to_owned())),
                Ok((_, shown)) if shown == of.quantity => {}
                Ok((item, shown)) => quantities.push(json!({
                    "inventoryItemId": item.id,
                    "locationId": location,
                    "quantity": of.quantity,
                    "changeFromQuantity": shown,
                })),
            }
        }
        let Some(answer) = said.first() else {
            return Ok(match quantities.is_empty() {
                true => Telling::Told(refusals),
                false => set(access, key, &quantities),
            });
        };
        let mut set = match data(answer, "inventorySetQuantities", &faults)? {
            Ok(set) => set,
            Err(telling) => return Ok(telling),
        };
        let error = set.objects("userErrors").into_iter().next();
        let code = error.map(|mut error| error.words("code"));
        Ok(match code.as_deref() {
            None => Telling::Told(refusals),
            Some("CHANGE_FROM_QUANTITY_STALE" | "COMPARE_QUANTITY_STALE") => {
                Telling::Again("it has changed meanwhile".into())
            }
            // It takes all or nothing.
            Some(code) => Telling::Refused(refused(code)),
        })
    }
}

/// Says what there is of these. Shopify does once what comes twice under one name.
fn set(access: &Secret, key: &str, quantities: &[Json]) -> Telling<Refusals> {
    let all = Json::from(quantities).to_string();
    let key = derived(&[key, &all]);
    let input = json!({"name": "available", "reason": "correction", "quantities": quantities});
    graphql(access, SET, &json!({"input": input, "key": key}))
}

/// An inventory item.
struct Item {
    id: String,
    sku: String,
    is_tracked: bool,
    /// What it shows at the location, if it is stocked there.
    shown: Option<i64>,
}

impl Item {
    fn of(mut node: Object<'_>) -> Option<Self> {
        let shown = node.inner("inventoryLevel").and_then(|mut level| {
            let quantity = level.objects("quantities").into_iter().next();
            quantity?.require("quantity")?.integer()
        });
        Some(Self {
            id: node.require("id")?.text()?,
            sku: node.words("sku"),
            is_tracked: node.flag("tracked", false),
            shown,
        })
    }

    /// The one of a SKU and what it shows; or why it can be told nothing.
    fn listed<'a>(items: &'a [Self], sku: &str) -> Result<(&'a Self, i64), &'static str> {
        let mut own = items.iter().filter(|item| item.sku == sku);
        match (own.next(), own.next()) {
            (None, _) => Err(NO_PRODUCT),
            (Some(_), Some(_)) => Err(SEVERAL_PRODUCTS),
            (Some(item), None) if !item.is_tracked => Err("it does not track its inventory"),
            (Some(item), None) => {
                let shown = item.shown.ok_or("it is not stocked at the location")?;
                Ok((item, shown))
            }
        }
    }
}
