//! What WooCommerce is told that there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::WooCommerce;
use crate::document::{self, elements};
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, Stock, refused};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// What a product that was found is asked for.
const FIELDS: &str = "id,sku,parent_id,manage_stock,stock_quantity";

/// Batches of products, and of variations of one product, found by SKU, which is unique in a shop; what shows the
/// quantity already is not told. WooCommerce begins to manage the stock of what it is told of, if it does not. It
/// counts down what it sells by itself. The key needs the right to write.
impl Stock for WooCommerce {
    /// Each may be a variation of another product, which is a request of its own.
    fn at_once(&self) -> usize {
        30
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let products = format!("{}/wp-json/wc/v3/products", vendor::base(access, ""));
        let Some((found, said)) = answers.split_first() else {
            let skus = available.iter().map(|of| of.sku.as_str());
            let skus: Vec<&str> = skus.filter(|sku| !sku.contains(',')).collect();
            if skus.is_empty() {
                // It would answer with everything.
                return Ok(Telling::Told(refusals_of(available, &BTreeMap::new())));
            }
            let query = vendor::query(&[
                ("sku", &skus.join(",")),
                ("per_page", "100"),
                ("_fields", FIELDS),
            ]);
            return Ok(Telling::Ask(Request::get(format!("{products}?{query}"))));
        };
        let mut found = found_in(found)?;
        let mut refusals = refusals_of(available, &found);
        // By the product that they are variations of; 0: of none.
        let mut batches: BTreeMap<String, Vec<(String, &Available)>> = BTreeMap::new();
        for of in available {
            let Some(product) = found.remove(&of.sku) else {
                continue;
            };
            if product.shown != Some(of.quantity) {
                let batch = batches.entry(product.parent).or_default();
                batch.push((product.id, of));
            }
        }
        let told = batches.iter().zip(said);
        for ((_, batch), answer) in told {
            refusals.extend(refused_in(answer, batch)?);
        }
        Ok(match batches.iter().nth(said.len()) {
            None => Telling::Told(refusals),
            Some((parent, batch)) => {
                let update = |(id, of): &(String, &Available)| {
                    let id: Json = id.parse::<u64>().map_or_else(|_| json!(id), Json::from);
                    json!({"id": id, "manage_stock": true, "stock_quantity": of.quantity})
                };
                let update: Vec<Json> = batch.iter().map(update).collect();
                let at = match parent.as_str() {
                    "0" => format!("{products}/batch"),
                    parent => format!("{products}/{}/variations/batch", vendor::encode(parent)),
                };
                Telling::Ask(Request::json("POST", at, &json!({"update": update})))
            }
        })
    }
}

/// Those that were not found. A list of SKUs is separated by commas, so that none in one can be asked for.
fn refusals_of(available: &[Available], found: &BTreeMap<String, Product>) -> Refusals {
    let unknown = available.iter().filter(|of| !found.contains_key(&of.sku));
    let why = |of: &Available| match of.sku.contains(',') {
        true => "it cannot be asked for a SKU with a comma",
        false => NO_PRODUCT,
    };
    unknown
        .map(|of| (of.sku.clone(), why(of).to_owned()))
        .collect()
}

/// A product of the shop.
struct Product {
    id: String,
    parent: String,
    /// What it shows, if its stock is managed.
    shown: Option<i64>,
}

/// The products that were found, by SKU.
fn found_in(answer: &[u8]) -> Result<BTreeMap<String, Product>, Unreadable> {
    let faults = Faults::default();
    let mut found = BTreeMap::new();
    for entry in elements(answer, "")? {
        let mut product = document::object(entry, &faults)?;
        let id = product.require("id").and_then(|id| id.digits());
        let sku = product.require("sku").and_then(|sku| sku.text());
        let (Some(id), Some(sku)) = (id, sku) else {
            return Err(faults.unreadable());
        };
        let parent = product.take("parent_id").and_then(|id| id.digits());
        // Of a variation it may say "parent".
        let is_managed = product.flag("manage_stock", false);
        let shown = product
            .take("stock_quantity")
            .and_then(|shown| shown.integer());
        let product = Product {
            id,
            parent: parent.unwrap_or_else(|| "0".into()),
            shown: shown.filter(|_| is_managed),
        };
        found.insert(sku, product);
    }
    Ok(found)
}

/// Those of a batch that were not taken.
fn refused_in(answer: &[u8], batch: &[(String, &Available)]) -> Result<Refusals, Unreadable> {
    let faults = Faults::default();
    let mut answer = document::object(answer, &faults)?;
    let mut refusals = Refusals::new();
    let mut seen = 0;
    for mut product in answer.objects("update") {
        seen += 1;
        let id = product.take("id").and_then(|id| id.digits());
        let Some(mut error) = product.inner("error") else {
            continue;
        };
        if let Some((_, of)) = batch.iter().find(|(known, _)| Some(known) == id.as_ref()) {
            refusals.push((of.sku.clone(), refused(&error.words("code"))));
        }
    }
    if seen < batch.len() {
        faults.add(
            "/update",
            format!("expected {} entries, found {seen}", batch.len()),
        );
        return Err(faults.unreadable());
    }
    Ok(refusals)
}
