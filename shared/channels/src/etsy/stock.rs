//! What Etsy is told that there is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ETSY, Etsy, PAGE, money, shop_at};
use crate::document::{self, Object, elements};
use crate::faults::Faults;
use crate::stock::{Available, Refusals, SEVERAL_PRODUCTS, Stock};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// As many as Etsy takes of one product.
const MOST: i64 = 999;
/// What is said of what no active listing has.
const NOT_FOR_SALE: &str = "no listing of this SKU is for sale there: publish it, or renew it";

/// The inventory of listings (`listings_r`, `listings_w`), one after the other. It is written as a whole: what was read is written back, but for
/// quantities, so that what somebody changes in the moment between is lost. Products are found by SKU, in the pages of all active listings, of which there may be some
/// two thousand.
///
/// Etsy keeps no listing of which there is nothing: it is taken off (`inactive`), and a person puts it back, which may cost
/// a fee, as one does that has sold out. It counts down what it sells by itself.
impl Stock for Etsy {
    /// Each may be a listing of its own, read and written; there are 22 requests left for pages.
    fn at_once(&self) -> usize {
        5
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let mut answers = answers.iter();
        let mut listings: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut offset = 0;
        loop {
            let Some(page) = answers.next() else {
                let (limit, offset) = (PAGE.to_string(), offset.to_string());
                let query =
                    vendor::query(&[("state", "active"), ("limit", &limit), ("offset", &offset)]);
                let at = format!("{}/listings?{query}", shop_at(access));
                return Ok(Telling::Ask(Request::get(at)));
            };
            if add_listings(page, &mut listings)? < PAGE {
                break;
            }
            offset += PAGE;
        }
        let mut refusals = Refusals::new();
        let mut wanted: BTreeMap<&str, Vec<&Available>> = BTreeMap::new();
        for of in available {
            match listings.get(&of.sku).map(Vec::as_slice) {
                Some([listing]) => wanted.entry(listing).or_default().push(of),
                Some(_) => refusals.push((of.sku.clone(), SEVERAL_PRODUCTS.to_owned())),
                // It shows nothing of it.
                None if of.quantity == 0 => {}
                None => refusals.push((of.sku.clone(), NOT_FOR_SALE.to_owned())),
            }
        }
        for (listing, wanted) in wanted {
            let url = vendor::base(access, ETSY);
            let id = vendor::encode(listing);
            let at = format!("{url}/v3/application/listings/{id}/inventory");
            let Some(inventory) = answers.next() else {
                return Ok(Telling::Ask(Request::get(at)));
            };
            let request = match Inventory::of(inventory)?.with(&wanted, &mut refusals) {
                Change::None => continue,
                Change::Inventory(body) => {
                    let at = format!("{at}?max_variations_supported=3");
                    Request::written("PUT", at, body)
                }
                Change::Off => Request {
                    method: "PATCH",
                    ..Request::form(
                        format!("{}/listings/{id}", shop_at(access)),
                        &[("state", "inactive")],
                    )
                },
            };
            let Some(answer) = answers.next() else {
                return Ok(Telling::Ask(request));
            };
            document::object(answer, &Faults::default())?;
        }
        Ok(Telling::Told(refusals))
    }
}

/// Adds the listings of a page by each of their SKUs; how many listings it has.
fn add_listings(
    page: &[u8],
    listings: &mut BTreeMap<String, Vec<String>>,
) -> Result<usize, Unreadable> {
    let faults = Faults::default();
    let entries = elements(page, "results")?;
    for entry in &entries {
        let mut listing = document::object(entry, &faults)?;
        let Some(id) = listing.require("listing_id").and_then(|id| id.digits()) else {
            return Err(faults.unreadable());
        };
        let skus = listing.items("skus").into_iter();
        let mut skus: Vec<String> = skus.filter_map(|sku| sku.text()).collect();
        skus.sort();
        skus.dedup();
        for sku in skus {
            listings.entry(sku).or_default().push(id.clone());
        }
    }
    Ok(entries.len())
}

/// What has to be changed of a listing.
enum Change {
    None,
    /// This is its inventory.
    Inventory(String),
    /// It is no longer for sale.
    Off,
}

/// The inventory of a listing.
struct Inventory {
    products: Vec<Product>,
    /// Whether all products have one quantity together.
    is_shared: bool,
    /// What depends on which properties, as it was written.
    on_property: Vec<String>,
}

/// A product of a listing.
struct Product {
    sku: String,
    /// Its properties, as they were written.
    properties: Vec<String>,
    price: String,
    quantity: i64,
    is_enabled: bool,
    /// Its processing profile, as it was written.
    readiness: Option<String>,
}

impl Inventory {
    fn of(answer: &[u8]) -> Result<Self, Unreadable> {
        let faults = Faults::default();
        let mut answer = document::object(answer, &faults)?;
        let mut read = || {
            let shared = answer.peek("quantity_on_property");
            let is_shared = shared.is_none_or(|on| on.list().is_none_or(|on| on.is_empty()));
            let on_property = ["price", "quantity", "sku", "readiness_state"].map(|what| {
                let name = format!("{what}_on_property");
                let ids = answer.take(&name)?;
                Some(format!("\"{name}\":{}", ids.as_json()))
            });
            let mut products = Vec::new();
            for product in answer.require("products")?.list()? {
                let mut product = product.object()?;
                if !product.flag("is_deleted", false) {
                    products.push(Product::of(product)?);
                }
            }
            Some(Self {
                products,
                is_shared,
                on_property: on_property.into_iter().flatten().collect(),
            })
        };
        let inventory = read();
        inventory.ok_or_else(|| faults.unreadable())
    }

    /// What has to be changed so that it shows this; what cannot be shown is refused.
    fn with(mut self, wanted: &[&Available], refusals: &mut Refusals) -> Change {
        let all = self.products.len();
        let mut changed = false;
        for of in wanted {
            let own = self.products.iter_mut().filter(|own| own.sku == of.sku);
            let mut own: Vec<&mut Product> = own.collect();
            if own.is_empty() {
                refusals.push((of.sku.clone(), NOT_FOR_SALE.to_owned()));
            } else if own.len() > 1 && !(self.is_shared && own.len() == all) {
                refusals.push((of.sku.clone(), SEVERAL_PRODUCTS.to_owned()));
            } else {
                let quantity = of.quantity.min(MOST);
                for product in &mut own {
                    changed |= product.quantity != quantity;
                    product.quantity = quantity;
                }
            }
        }
        let is_sold = |product: &Product| product.is_enabled && product.quantity > 0;
        match (changed, self.products.iter().any(is_sold)) {
            (false, _) => Change::None,
            (true, true) => Change::Inventory(self.to_json()),
            (true, false) => Change::Off,
        }
    }

    fn to_json(&self) -> String {
        let products: Vec<String> = self.products.iter().map(Product::to_json).collect();
        let mut members = vec![format!("\"products\":[{}]", products.join(","))];
        members.extend(self.on_property.iter().cloned());
        format!("{{{}}}", members.join(","))
    }
}

impl Product {
    fn of(mut product: Object<'_>) -> Option<Self> {
        let properties = product.objects("property_values").into_iter();
        let properties = properties.map(|mut property| {
            // It is not written.
            property.take("scale_name");
            property.to_json()
        });
        let properties = properties.collect();
        let sku = product.words("sku");
        let offerings = product.require("offerings")?;
        let mut left = offerings.list()?.into_iter().filter_map(|offering| {
            let mut offering = offering.object()?;
            (!offering.flag("is_deleted", false)).then_some(offering)
        });
        let (Some(mut offering), None) = (left.next(), left.next()) else {
            return offerings.expected("one offering of each product");
        };
        if !offering.has("price") {
            offering.require("price")?;
        }
        let (currency, price) = money(&mut offering, "price")?;
        let readiness = offering.take("readiness_state_id");
        Some(Self {
            sku,
            properties,
            price: currency.format(price),
            readiness: readiness.map(|id| id.as_json().to_owned()),
            quantity: offering.require("quantity")?.integer()?,
            is_enabled: offering.flag("is_enabled", true),
        })
    }

    fn to_json(&self) -> String {
        let sku = serde_json::Value::from(self.sku.as_str());
        let properties = self.properties.join(",");
        let readiness = self.readiness.as_ref();
        let readiness = readiness.map(|id| format!(",\"readiness_state_id\":{id}"));
        format!(
            "{{\"sku\":{sku},\"property_values\":[{properties}],\"offerings\":[{{\"price\":{},\"quantity\":{},\"is_enabled\":{}{}}}]}}",
            self.price,
            self.quantity,
            self.is_enabled,
            readiness.unwrap_or_default()
        )
    }
}
