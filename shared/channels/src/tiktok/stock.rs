//! What TikTok Shop is told that there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::TikTok;
use super::api::{data, post};
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::stock::{Available, NO_PRODUCT, Refusals, SEVERAL_PRODUCTS, Stock, refused};
use crate::updates::Telling;
use crate::vendor;
use crate::{Secret, Unreadable};

/// The most that TikTok shows of a SKU.
const MOST: i64 = 99_999;

/// Update Inventory of each product that is on sale, found by seller SKU with Search Products (202502); the app needs the scope of
/// products. All warehouses that a SKU is in have to be named: where it is in several, the access says which is told
/// (`warehouse`), and the others keep what they show. What shows the quantity already is not told, and more than 99,999 are shown
/// as so many. TikTok counts down what it sells by itself.
///
/// Left open by its documents: whether none (0) may be told. It could be until the range was written as from 1, and nothing else
/// takes a SKU off sale.
impl Stock for TikTok {
    /// Each may be a product of its own, which is a request of its own.
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
        let Some((found, said)) = answers.split_first() else {
            let skus: Vec<&str> = available.iter().map(|of| of.sku.as_str()).collect();
            let body = json!({"status": "ACTIVATE", "seller_skus": skus});
            let fields = [("page_size", "100")];
            let path = "/product/202502/products/search";
            return Ok(Telling::Ask(post(access, path, &fields, &body)));
        };
        let found = found_in(found)?;
        let mut refusals = Refusals::new();
        let mut products: BTreeMap<&str, Vec<(&Sku, Json)>> = BTreeMap::new();
        for of in available {
            match inventory(access, &found, of) {
                Err(why) => refusals.push((of.sku.clone(), why.to_owned())),
                Ok(Some((sku, inventory))) => {
                    let product = products.entry(&sku.product).or_default();
                    product.push((sku, inventory));
                }
                Ok(None) => {}
            }
        }
        for (skus, answer) in products.values().zip(said) {
            refusals.extend(refused_in(answer, skus)?);
        }
        Ok(match products.iter().nth(said.len()) {
            None => Telling::Told(refusals),
            Some((product, skus)) => {
                let sku =
                    |(sku, inventory): &(&Sku, Json)| json!({"id": sku.id, "inventory": inventory});
                let skus: Vec<Json> = skus.iter().map(sku).collect();
                let product = vendor::encode(product);
                let path = format!("/product/202309/products/{product}/inventory/update");
                Telling::Ask(post(access, &path, &[], &json!({"skus": skus})))
            }
        })
    }
}

/// What all warehouses of a listing's SKU are to show, if the one that is told shows anything else; or why it can be told nothing.
fn inventory<'f>(
    access: &Secret,
    found: &'f [Sku],
    of: &Available,
) -> Result<Option<(&'f Sku, Json)>, &'static str> {
    let mut own = found.iter().filter(|sku| sku.seller_sku == of.sku);
    let sku = match (own.next(), own.next()) {
        (None, _) => return Err(NO_PRODUCT),
        (Some(_), Some(_)) => return Err(SEVERAL_PRODUCTS),
        (Some(sku), None) => sku,
    };
    let told = match (sku.shown.as_slice(), access.part("warehouse")) {
        ([(only, _)], None) => only,
        (all, Some(named)) => match all.iter().find(|(id, _)| id == named) {
            Some((id, _)) => id,
            None => return Err("it is not in the warehouse that the access names"),
        },
        ([], None) => return Err("it is in no warehouse"),
        _ => return Err("it is in several warehouses, and the access has no \"warehouse\""),
    };
    let quantity = of.quantity.min(MOST);
    let is_shown = |(id, shown): &(String, i64)| id != told || *shown == quantity;
    if sku.shown.iter().all(is_shown) {
        return Ok(None);
    }
    let of_each = sku.shown.iter().map(|(id, shown)| {
        let quantity = if id == told { quantity } else { *shown };
        json!({"warehouse_id": id, "quantity": quantity})
    });
    Ok(Some((sku, of_each.collect())))
}

/// A SKU of one of the shop's products.
struct Sku {
    product: String,
    id: String,
    seller_sku: String,
    /// What each warehouse shows, by its id.
    shown: Vec<(String, i64)>,
}

impl Sku {
    fn of(product: &str, mut sku: Object<'_>) -> Option<Self> {
        let shown = sku.objects("inventory").into_iter().map(|mut of| {
            let (warehouse, quantity) = (of.require("warehouse_id"), of.require("quantity"));
            Some((warehouse?.digits()?, quantity?.integer()?))
        });
        Some(Self {
            product: product.to_owned(),
            id: sku.require("id")?.digits()?,
            shown: shown.collect::<Option<_>>()?,
            seller_sku: sku.words("seller_sku"),
        })
    }
}

/// The SKUs of the products that were found: of each all that it has.
fn found_in(answer: &[u8]) -> Result<Vec<Sku>, Unreadable> {
    let faults = Faults::default();
    let mut found = Vec::new();
    for mut product in data(answer, &faults)?.objects("products") {
        let id = product.require("id").and_then(|id| id.digits());
        let id = id.ok_or_else(|| faults.unreadable())?;
        for sku in product.objects("skus") {
            found.push(Sku::of(&id, sku).ok_or_else(|| faults.unreadable())?);
        }
    }
    Ok(found)
}

/// Those of a product that were not taken.
fn refused_in(answer: &[u8], skus: &[(&Sku, Json)]) -> Result<Refusals, Unreadable> {
    let faults = Faults::default();
    // Where nothing is wrong, there may be nothing to say.
    let data = document::object(answer, &faults)?.inner("data");
    let mut refusals = Refusals::new();
    for mut error in data.map_or_else(Vec::new, |mut data| data.objects("errors")) {
        let code = error.take("code").and_then(|code| code.digits());
        let mut detail = error.inner("detail");
        let within = detail.as_mut().and_then(|detail| {
            let first = detail.objects("extra_errors").into_iter().next();
            first?.take("code")?.digits()
        });
        let id = detail.and_then(|mut detail| detail.take("sku_id")?.digits());
        let why = refused(&within.or(code).unwrap_or_default());
        let own = skus
            .iter()
            .filter(|(sku, _)| id.is_none() || id.as_ref() == Some(&sku.id));
        refusals.extend(own.map(|(sku, _)| (sku.seller_sku.clone(), why.clone())));
    }
    Ok(refusals)
}
