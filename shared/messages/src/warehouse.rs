//! To the team of a warehouse.

use domain::order::Contact;
use domain::shipping::Method;
use domain::{FulfillmentOrder, Location, Order, Product};
use minijinja::value::Value;
use minijinja::{Error, context};

use crate::Mail;
use crate::render::{address_lines, count, long_date, mail, short_date, title, weight};

/// What to pick, where to send it and by when. `method` is `None` when no tariff takes the parcel.
pub fn pick_list(
    order: &Order,
    fulfillment: &FulfillmentOrder,
    contact: &Contact,
    location: &Location,
    products: &[Product],
    method: Option<&Method>,
    shop: &str,
) -> Result<Mail, Error> {
    let mut total = Some(0);
    let items: Value = fulfillment
        .units
        .iter()
        .map(|&(place, units)| {
            let line = order.line(place);
            let product = products.iter().find(|p| Some(&p.sku) == line.sku.as_ref());
            let each = product.map(|p| u64::from(p.weight_g));
            let weight_g = product.map(|product| product.weight_of(units));
            total = total.zip(weight_g).map(|(sum, weight_g)| sum + weight_g);
            context! {
                units => line.quantity(units).to_string(),
                sku => line.sku.as_deref(),
                title => title(order, contact, place),
                weight => each.map(weight),
                line => line.id.as_str(),
            }
        })
        .collect();
    let address = contact.address.as_ref();
    let method = method.map(|method| {
        context! {
            carrier => method.rate.carrier.as_str(),
            service => method.rate.service.as_str(),
            arrives => long_date(method.arrives),
            late => !method.keeps_promise,
        }
    });
    mail(
        "pick",
        context! {
            shop,
            id => format!("{}-{}", order.id, fulfillment.n),
            order => order.number.as_str(),
            location => location.name.as_str(),
            units => count(order.sum_of(&fulfillment.units), "unit"),
            weight => total.map(weight),
            ship_by => long_date(fulfillment.ship_by),
            ship_by_short => short_date(fulfillment.ship_by),
            deliver_by => long_date(order.deliver_by),
            items,
            address_lines => address.map(address_lines),
            phone => contact.phone.as_deref(),
            method,
        },
    )
}

/// That a fulfillment order is cancelled, and what to put back.
pub fn stop_notice(
    order: &Order,
    fulfillment: &FulfillmentOrder,
    contact: &Contact,
    location: &Location,
    shop: &str,
) -> Result<Mail, Error> {
    let items: Value = fulfillment
        .units
        .iter()
        .map(|&(place, units)| {
            let line = order.line(place);
            context! {
                units => line.quantity(units).to_string(),
                sku => line.sku.as_deref(),
                title => title(order, contact, place),
            }
        })
        .collect();
    mail(
        "stop",
        context! {
            shop,
            id => format!("{}-{}", order.id, fulfillment.n),
            order => order.number.as_str(),
            location => location.name.as_str(),
            units => count(order.sum_of(&fulfillment.units), "unit"),
            items,
        },
    )
}
