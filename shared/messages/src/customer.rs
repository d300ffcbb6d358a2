//! To the customer.

use domain::order::{Contact, FulfillmentStatus, Refund};
use domain::{FulfillmentOrder, Line, Order};
use minijinja::value::Value;
use minijinja::{Error, context};

use crate::Mail;
use crate::render::{address_lines, long_date, mail, title};

/// That the order is accepted: what was bought, for how much, by when it arrives, what follows later.
pub fn order_confirmation(order: &Order, contact: &Contact, shop: &str) -> Result<Mail, Error> {
    let money = |minor: i64| order.currency.display(minor);
    let items: Value = places(order)
        .map(|(place, line)| {
            let later = line.units.backordered;
            let waits = line.quantity(later);
            context! {
                units => line.quantity(line.units.ordered).to_string(),
                title => title(order, contact, place),
                price => money(line.goods()),
                later => match later {
                    0 => None,
                    _ if later == line.units.ordered => Some("follows later".to_owned()),
                    _ if waits == 1.into() => Some("1 of them follows later".to_owned()),
                    _ => Some(format!("{waits} of them follow later")),
                },
            }
        })
        .collect();
    let sum = |part: fn(&Line) -> i64| -> i64 { order.lines.iter().map(part).sum() };
    let goods = sum(Line::goods);
    let (discount, extras, tax) = (
        sum(|line| line.money.discount),
        sum(|line| line.money.extras),
        sum(|line| line.money.tax),
    );
    let parcels = order.fulfillments.iter().filter(|f| live(f)).count();
    let later = order.lines.iter().any(|line| line.units.backordered > 0);
    let tax_on_top = !order.taxes_included && tax > 0;
    mail(
        "confirmed",
        context! {
            shop,
            name => name(contact),
            order => order.number.as_str(),
            items,
            // Parts that are zero are left out, and so is a sum of one part.
            goods_sum => (discount > 0 || extras > 0 || tax_on_top).then(|| money(goods)),
            discount => (discount > 0).then(|| money(-discount)),
            extras => (extras > 0).then(|| money(extras)),
            tax_on_top => tax_on_top.then(|| money(tax)),
            tax_included => (order.taxes_included && tax > 0).then(|| money(tax)),
            total => money(order.total()),
            deliver_by => long_date(order.deliver_by),
            ships => order.destination.is_some(),
            some_now => parcels > 0,
            parcels => (parcels > 1).then_some(parcels),
            later,
            address_lines => contact.address.as_ref().map(address_lines),
        },
    )
}

/// That a parcel has left: how to follow it, what is in it, what is still to come.
pub fn shipping_notice(
    order: &Order,
    fulfillment: &FulfillmentOrder,
    contact: &Contact,
    shop: &str,
) -> Result<Mail, Error> {
    let items: Value = fulfillment
        .units
        .iter()
        .map(|&(place, units)| {
            let units = order.line(place).quantity(units).to_string();
            context! { units, title => title(order, contact, place) }
        })
        .collect();
    let to_come: Value = places(order)
        .filter_map(|(place, line)| {
            let units = line.units.ordered - line.units.cancelled - line.units.shipped;
            (units > 0).then(|| {
                let waiting = line.units.backordered;
                context! {
                    units => line.quantity(units).to_string(),
                    title => title(order, contact, place),
                    later => match waiting {
                        0 => None,
                        _ if waiting == units => Some("not in stock yet".to_owned()),
                        _ => Some(format!(
                            "{} of them not in stock yet",
                            line.quantity(waiting)
                        )),
                    },
                }
            })
        })
        .collect();
    let gone = order.fulfillments.iter().filter(|f| f.shipped_at.is_some());
    let parcel = fulfillment.parcel.as_ref().map(|parcel| {
        context! {
            carrier => parcel.carrier.as_str(),
            service => parcel.service.as_str(),
            tracking_number => parcel.tracking_number.as_str(),
        }
    });
    mail(
        "shipped",
        context! {
            shop,
            name => name(contact),
            order => order.number.as_str(),
            items,
            last => to_come.len() == Some(0) && gone.count() > 1,
            to_come,
            parcel,
            deliver_by => long_date(order.deliver_by),
            address_lines => contact.address.as_ref().map(address_lines),
        },
    )
}

/// That money has gone back.
pub fn refund_notice(
    order: &Order,
    refund: &Refund,
    contact: &Contact,
    shop: &str,
) -> Result<Mail, Error> {
    let refunded = order.refunded();
    mail(
        "refunded",
        context! {
            shop,
            name => name(contact),
            order => order.number.as_str(),
            amount => order.currency.display(refund.amount),
            // Of interest only where there was more than this one.
            refunded => (refunded > refund.amount).then(|| order.currency.display(refunded)),
            paid => order.currency.display(order.captured()),
        },
    )
}

/// What will not be sent, what still will, and what becomes of the money.
pub fn cancellation_notice(order: &Order, contact: &Contact, shop: &str) -> Result<Mail, Error> {
    let items = |units: fn(&Line) -> u32| -> Value {
        let some = places(order).filter(|(_, line)| units(line) > 0);
        some.map(|(place, line)| {
            context! { units => line.quantity(units(line)).to_string(), title => title(order, contact, place) }
        })
        .collect()
    };
    let back = order.refunds_promised();
    let returning = back - order.refunded();
    mail(
        "cancelled",
        context! {
            shop,
            name => name(contact),
            order => order.number.as_str(),
            items => items(|line| line.units.cancelled),
            kept => items(|line| line.units.ordered - line.units.cancelled),
            returning => (returning > 0).then(|| order.currency.display(returning)),
            // It may have been paid back before this was written.
            returned => (returning == 0 && back > 0).then(|| order.currency.display(back)),
            paid => order.captured() > 0,
        },
    )
}

fn places(order: &Order) -> impl Iterator<Item = (u16, &Line)> {
    (0_u16..).zip(&order.lines)
}

fn name(contact: &Contact) -> Option<&str> {
    let name = contact
        .address
        .as_ref()
        .map(|address| address.name.as_str());
    name.filter(|name| !name.is_empty())
}

/// Whether a parcel has come of a fulfillment order, or still will.
fn live(fulfillment: &FulfillmentOrder) -> bool {
    use FulfillmentStatus::*;
    match fulfillment.status {
        Released | Accepted | Packed | Shipped | Delivered => true,
        Rejected | Cancelled => false,
    }
}
