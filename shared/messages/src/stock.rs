//! To suppliers, and to the retailer's own team: what runs low, is out, and is back.

use domain::restock::Due;
use domain::stock::Level;
use domain::{Location, Product, Supplier};
use minijinja::value::Value;
use minijinja::{Error, context};

use crate::Mail;
use crate::render::{count, country, mail};

/// How many other warehouses that have an article are named.
const MAX_ELSEWHERE: usize = 3;

/// An article in a warehouse that something has to be said about.
#[derive(Debug, Clone)]
pub struct StockLine<'a> {
    /// What has to be said.
    pub due: Due,
    /// What there is of it there.
    pub level: &'a Level,
    /// The article.
    pub product: &'a Product,
    /// Who makes it, if the catalogue says so.
    pub supplier: Option<&'a Supplier>,
    /// Whether the supplier is asked for more at the same time.
    pub asked: bool,
    /// The warehouse.
    pub location: &'a Location,
    /// The other warehouses that have some, and how many units may be promised there, the most first.
    pub elsewhere: &'a [(String, i64)],
}

/// To the supplier: what runs out, how many to send, and where.
pub fn restock_request(
    supplier: &Supplier,
    lines: &[StockLine],
    shop: &str,
) -> Result<Mail, Error> {
    let items: Vec<Value> = lines.iter().map(facts).collect();
    let unsure = |line: &StockLine| line.product.reorder_quantity.is_none();
    let facts = context! {
        shop,
        supplier => supplier_facts(supplier),
        unsure => lines.iter().any(unsure),
        articles => count((items.len() as i64).into(), "article"),
        items,
    };
    mail("restock", facts)
}

/// To the team: what is out, runs low, and is back, and what is done about it.
pub fn stock_notice(lines: &[StockLine], shop: &str) -> Result<Mail, Error> {
    let kinds = [
        (Due::Out, "out of stock", "out"),
        (Due::Low, "low stock", "low"),
        (Due::Back, "back in stock", "back"),
    ];
    let groups = kinds.into_iter().filter_map(|(due, heading, word)| {
        let lines = lines.iter().filter(|line| line.due == due);
        let items: Vec<Value> = lines.map(facts).collect();
        (!items.is_empty()).then(|| context! { heading, word, items })
    });
    let groups: Vec<Value> = groups.collect();
    let out = lines.iter().any(|line| line.due == Due::Out);
    mail(
        "stock",
        context! { shop, lines => lines.len(), out, groups },
    )
}

fn supplier_facts(supplier: &Supplier) -> Value {
    context! {
        name => supplier.name.as_str(),
        email => supplier.email.as_str(),
        lead_time => count(i64::from(supplier.lead_time_days).into(), "day"),
    }
}

/// What of the available nobody is promised, if there is any.
fn kept_back(line: &StockLine) -> Option<String> {
    let kept_back = i64::from(line.product.safety_stock_in(&line.location.id));
    let kept_back = kept_back.min(line.level.available);
    (kept_back > 0).then(|| line.product.quantity(kept_back).to_string())
}

fn facts(line: &StockLine) -> Value {
    let StockLine { level, product, .. } = line;
    let quantity = product.reorder_quantity;
    let quantity = quantity.filter(|quantity| !quantity.is_zero());
    let named = line.elsewhere.iter().take(MAX_ELSEWHERE);
    let mut elsewhere: Vec<String> = named
        .map(|(name, units)| format!("{} in {name}", product.quantity(*units)))
        .collect();
    let more = line.elsewhere.len().saturating_sub(MAX_ELSEWHERE);
    if more > 0 {
        elsewhere.push(format!("some in {more} more"));
    }
    context! {
        sku => product.sku.as_str(),
        title => product.title.as_str(),
        available => product.quantity(level.available).to_string(),
        left => product.quantity(level.available.max(0)).to_string(),
        kept_back => kept_back(line),
        on_hand => product.quantity(level.on_hand).to_string(),
        allocated => product.quantity(level.allocated).to_string(),
        reorder_point => product.reorder_point.map(|point| point.to_string()),
        quantity => quantity.map(|quantity| quantity.to_string()),
        supplier => line.supplier.map(supplier_facts),
        asked => line.asked,
        out => line.due == Due::Out,
        back => line.due == Due::Back,
        elsewhere => elsewhere.join(", "),
        location => line.location.name.as_str(),
        country => country(&line.location.country),
        email => line.location.email.as_str(),
    }
}
