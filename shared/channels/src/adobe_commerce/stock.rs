//! What Adobe Commerce, or Magento, is told that there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::AdobeCommerce;
use crate::document::{self, Value};
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, Stock};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Source items, so that as many can be sold of a stock as there are. Magento keeps back what its own orders wait for until they are
/// shipped, and that is kept back here already: so it is asked how many can be sold, and the source gets as many more, or fewer, as
/// that lacks. The access may name `source` (else `default`) and `stock` (else 1); the integration needs Inventory (Sources, Stock, and
/// salable quantities). What has no source item is refused, since Magento would make one for any SKU.
impl Stock for AdobeCommerce {
    /// Each is asked for by itself.
    fn at_once(&self) -> usize {
        25
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let at = format!("{}/rest/V1/inventory", vendor::base(access, ""));
        let source = access.part("source").unwrap_or("default");
        let stock = access.part("stock").unwrap_or("1");
        let askable = |of: &&Available| !of.sku.contains(',');
        let Some((found, asked)) = answers.split_first() else {
            let skus = available.iter().filter(askable).map(|of| of.sku.as_str());
            let skus = skus.collect::<Vec<_>>().join(",");
            let url = format!(
                "{at}/source-items?{}",
                vendor::query(&searched(&skus, source))
            );
            return Ok(Telling::Ask(Request::get(url)));
        };
        let found = sources_in(found)?;
        let unknown = available.iter().filter(|of| !found.contains_key(&of.sku));
        let unknown = unknown.map(|of| (of.sku.clone(), NO_PRODUCT.to_owned()));
        let refusals: Refusals = unknown.collect();
        let known: Vec<(&Available, i64)> = available
            .iter()
            .filter_map(|of| Some((of, *found.get(&of.sku)?)))
            .collect();
        if let Some((of, _)) = known.get(asked.len()) {
            let (sku, stock) = (vendor::encode(&of.sku), vendor::encode(stock));
            let url = format!("{at}/get-product-salable-quantity/{sku}/{stock}");
            return Ok(Telling::Ask(Request::get(url)));
        }
        if asked.len() > known.len() {
            return Ok(Telling::Told(refusals));
        }
        let mut items = Vec::new();
        for ((of, has), salable) in known.iter().zip(asked) {
            let lacks = of.quantity - number_of(salable)?;
            if lacks != 0 {
                let quantity = (has + lacks).max(0);
                items.push(json!({
                    "sku": of.sku,
                    "source_code": source,
                    "quantity": quantity,
                    "status": i32::from(quantity > 0),
                }));
            }
        }
        Ok(match items.is_empty() {
            true => Telling::Told(refusals),
            false => {
                let body = json!({"sourceItems": Json::from(items)});
                let at = format!("{at}/source-items");
                Telling::Ask(Request::json("POST", at, &body))
            }
        })
    }
}

/// The search for the source items of some SKUs.
fn searched<'a>(skus: &'a str, source: &'a str) -> [(&'static str, &'a str); 7] {
    [
        ("searchCriteria[filter_groups][0][filters][0][field]", "sku"),
        ("searchCriteria[filter_groups][0][filters][0][value]", skus),
        (
            "searchCriteria[filter_groups][0][filters][0][condition_type]",
            "in",
        ),
        (
            "searchCriteria[filter_groups][1][filters][0][field]",
            "source_code",
        ),
        (
            "searchCriteria[filter_groups][1][filters][0][value]",
            source,
        ),
        (
            "searchCriteria[filter_groups][1][filters][0][condition_type]",
            "eq",
        ),
        ("searchCriteria[pageSize]", "100"),
    ]
}

/// How much each source item has, by SKU.
fn sources_in(answer: &[u8]) -> Result<BTreeMap<String, i64>, Unreadable> {
    let faults = Faults::default();
    let mut answer = document::object(answer, &faults)?;
    let Some(items) = answer.require("items").and_then(|items| items.list()) else {
        return Err(faults.unreadable());
    };
    let mut found = BTreeMap::new();
    for item in items {
        let read = || {
            let mut item = item.object()?;
            let sku = item.require("sku")?.text()?;
            Some((sku, whole(&item.require("quantity")?)?))
        };
        let (sku, quantity) = read().ok_or_else(|| faults.unreadable())?;
        found.insert(sku, quantity);
    }
    Ok(found)
}

/// A number that is the whole of an answer.
fn number_of(answer: &[u8]) -> Result<i64, Unreadable> {
    let faults = Faults::default();
    let number = document::root(answer, &faults)?;
    whole(&number).ok_or_else(|| faults.unreadable())
}

/// A quantity in whole ones; what is left of one does not count.
fn whole(value: &Value<'_>) -> Option<i64> {
    let units = value.units()?;
    let thousandths = units.units(3).ok()?;
    Some(thousandths.div_euclid(1_000))
}
