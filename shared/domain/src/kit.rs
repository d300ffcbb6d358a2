//! Kits: what is sold as one article and kept in stock as several.
//!
//! A kit is taken apart when the order is accepted: each component is a line of its own from then on, so
//! that whatever happens to lines (a split, a backorder, a short pick, a return of one part) happens to it
//! as to any other. What the customer was charged for the kit is split over its components to the minor
//! unit. Who speaks of the kit's own line speaks of all its parts.

use serde::{Deserialize, Serialize};

use crate::catalog::Product;
use crate::intake::{NewLine, NewOrder};
use crate::limits::{MAX_LINES, MAX_NAME_CHARS, MAX_QUANTITY, MAX_TITLE_CHARS};
use crate::money::split;
use crate::quantity::{Quantity, ten_to};

/// Which kit a line is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitPart {
    /// The channel's id of the kit's line.
    #[serde(rename = "i")]
    pub line: String,
    /// The kit.
    #[serde(rename = "k")]
    pub sku: String,
    /// How many units of the component are in one kit.
    #[serde(rename = "n")]
    pub per_kit: u32,
}

/// The SKUs of what is in kits.
pub fn component_skus(products: &[Product]) -> impl Iterator<Item = &str> {
    let components = products.iter().flat_map(|product| &product.components);
    components.map(|component| component.sku.as_str())
}

/// The order with its kits taken apart. `products`: those that it names, and the components of kits
/// among them. A kit of which a component is not in the catalogue, or is a kit itself, stays whole, and
/// so does one whose parts would break a limit: as nobody keeps kits in stock, it has to be looked at.
pub fn take_apart(mut order: NewOrder, products: &[Product]) -> NewOrder {
    let mut lines = Vec::with_capacity(order.lines.len());
    let mut titles = Vec::with_capacity(order.lines.len());
    let mut left = order.lines.len();
    let known = std::mem::take(&mut order.contact.titles);
    let ids: Vec<&str> = order.lines.iter().map(|line| line.id.as_str()).collect();
    for (n, line) in order.lines.iter().enumerate() {
        left -= 1;
        let title = known.get(n).cloned();
        let room = MAX_LINES.saturating_sub(lines.len() + left);
        let parts = parts(line, products).filter(|parts| {
            let is_new = |part: &NewLine| !ids.contains(&part.id.as_str());
            parts.len() <= room && parts.iter().all(is_new)
        });
        match parts {
            Some(parts) => {
                titles.extend(
                    title
                        .iter()
                        .flat_map(|_| parts.iter().map(|p| p.title.clone())),
                );
                lines.extend(parts);
            }
            None => {
                titles.extend(title);
                lines.push(line.clone());
            }
        }
    }
    order.contact.titles = titles;
    order.lines = lines;
    order
}

/// The lines that a kit's line becomes; `None` if it is none, or cannot be taken apart.
fn parts(line: &NewLine, products: &[Product]) -> Option<Vec<NewLine>> {
    let of = |sku: &str| products.iter().find(|product| product.sku == sku);
    let kit = of(line.sku.as_deref()?).filter(|product| !product.components.is_empty())?;
    let kits = line.quantity.units(0).ok()?;
    let cancelled = line.cancelled.units(0).ok()?;
    let components: Option<Vec<_>> = kit
        .components
        .iter()
        .map(|component| {
            let product = of(&component.sku)?;
            let per_kit = product.units(component.quantity)?;
            let units = kits.checked_mul(i64::from(per_kit))?;
            let fits = (1..=i64::from(MAX_QUANTITY)).contains(&units);
            (product.components.is_empty() && fits).then_some((per_kit, product, units))
        })
        .collect();
    let components = components?;
    // By what they cost, where that is known of all of them in one currency; else by their number, each
    // counted in the smallest step of all.
    let most = components.iter().map(|(_, product, _)| product.decimals);
    let most = most.max().unwrap_or_default();
    let steps = |product: &Product, units: i64| {
        units.checked_mul(ten_to(most - product.decimals.min(most)))
    };
    let costs = components.iter().map(|(_, product, units)| {
        let cost = product.unit_cost?;
        let amount = cost.amount.checked_mul(steps(product, *units)?)?;
        Some((amount, cost.currency))
    });
    let costs: Option<Vec<_>> = costs.collect();
    let costs = costs.filter(|costs| costs.iter().all(|(_, currency)| *currency == costs[0].1));
    let weights: Vec<i64> = match costs {
        Some(costs) => costs.into_iter().map(|(cost, _)| cost).collect(),
        None => {
            let steps = components
                .iter()
                .map(|(_, product, units)| steps(product, *units));
            steps.collect::<Option<_>>()?
        }
    };
    let goods = line.quantity.cost_at(line.unit_price);
    let prices = split(goods, &weights);
    let discounts = split(line.discount, &prices);
    let taxes = split(line.tax, &prices);
    let parts = components
        .iter()
        .enumerate()
        .map(|(n, (per_kit, product, units))| {
            let quantity = Quantity::new(*units, product.decimals);
            // The price of one is rounded up, and what that is too much is a discount on the line.
            let (unit_price, rounding) = quantity.price_of(prices[n]);
            let title = format!("{} ({})", product.title, line.title);
            NewLine {
                id: format!("{}.{}", line.id, n + 1),
                sku: Some(product.sku.clone()),
                title: title.chars().take(MAX_TITLE_CHARS).collect(),
                quantity,
                cancelled: Quantity::new(cancelled * i64::from(*per_kit), product.decimals),
                decimals: product.decimals,
                intangible: false,
                unit_price,
                discount: rounding + discounts[n],
                tax: taxes[n],
                kit: Some(KitPart {
                    line: line.id.clone(),
                    sku: kit.sku.clone(),
                    per_kit: *per_kit,
                }),
            }
        });
    let parts: Vec<NewLine> = parts.collect();
    let short = |part: &NewLine| part.id.len() <= MAX_NAME_CHARS;
    parts.iter().all(short).then_some(parts)
}
