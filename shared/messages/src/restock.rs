//! To suppliers, and to the retailer's own team: what runs out.

use domain::stock::Level;
use domain::{Location, Product, Supplier};
use minijinja::value::Value;
use minijinja::{Error, context};

use crate::Mail;
use crate::render::{count, country, mail};

/// To the supplier: what runs out, how many to send, and where.
pub fn restock_notice(
    level: &Level,
    product: &Product,
    supplier: &Supplier,
    location: &Location,
    shop: &str,
) -> Result<Mail, Error> {
    mail(
        "restock",
        facts(level, product, Some(supplier), location, shop),
    )
}

/// To the team: what runs out, and whether a supplier has been told.
pub fn restock_notice_to_team(
    level: &Level,
    product: &Product,
    supplier: Option<&Supplier>,
    location: &Location,
    shop: &str,
) -> Result<Mail, Error> {
    mail(
        "restock-team",
        facts(level, product, supplier, location, shop),
    )
}

fn facts(
    level: &Level,
    product: &Product,
    supplier: Option<&Supplier>,
    location: &Location,
    shop: &str,
) -> Value {
    let supplier = supplier.map(|supplier| {
        context! {
            name => supplier.name.as_str(),
            email => supplier.email.as_str(),
            lead_time => count(u64::from(supplier.lead_time_days), "day"),
        }
    });
    context! {
        shop,
        sku => product.sku.as_str(),
        title => product.title.as_str(),
        available => level.available,
        on_hand => level.on_hand,
        allocated => level.allocated,
        reorder_point => product.reorder_point,
        quantity => product.reorder_quantity,
        supplier,
        location => location.name.as_str(),
        country => country(&location.country),
        email => location.email.as_str(),
    }
}
