//! An order as the API shows it: full names, amounts as decimal text, what it waits for in words.

use serde::Serialize;

use crate::Quantity;
use crate::order::{Destination, FulfillmentOrder, FulfillmentStatus, Order, RefundStatus, Units};
use crate::owed::owed;

/// Units of a line.
#[derive(Debug, Serialize)]
pub struct LineUnits {
    line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    quantity: Quantity,
}

/// Where the units of a line stand.
#[derive(Debug, Serialize)]
struct Standing {
    ordered: Quantity,
    cancelled: Quantity,
    backordered: Quantity,
    open: Quantity,
    allocated: Quantity,
    packed: Quantity,
    shipped: Quantity,
    delivered: Quantity,
    returned: Quantity,
}

/// A line.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    sku: Option<String>,
    unit_price: String,
    discount: String,
    tax: String,
    /// Its share of shipping, tips and duties.
    extras: String,
    total: String,
    refunded_units: Quantity,
    /// The kit that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    kit: Option<Kit>,
    units: Standing,
}

/// A kit that a line is a part of.
#[derive(Debug, Serialize)]
struct Kit {
    line: String,
    sku: String,
    per_kit: Quantity,
}

/// A hold.
#[derive(Debug, Serialize)]
pub struct Hold {
    name: &'static str,
    owner: &'static str,
    since: jiff::Timestamp,
    detail: String,
}

/// A parcel.
#[derive(Debug, Serialize)]
struct Parcel {
    carrier: String,
    service: String,
    tracking_number: String,
    label: Option<String>,
    cost: Option<String>,
}

/// A fulfillment order.
#[derive(Debug, Serialize)]
pub struct Fulfillment {
    id: String,
    location: String,
    status: &'static str,
    ship_by: jiff::civil::Date,
    shipped_at: Option<jiff::Timestamp>,
    lines: Vec<LineUnits>,
    parcel: Option<Parcel>,
}

/// A return.
#[derive(Debug, Serialize)]
struct Return {
    id: String,
    status: &'static str,
    lines: Vec<LineUnits>,
}

/// A refund.
#[derive(Debug, Serialize)]
struct Refund {
    id: String,
    amount: String,
    status: &'static str,
    /// What it is called where the money goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Why the payment provider has not paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A payment at a provider that pays refunds by itself.
#[derive(Debug, Serialize)]
struct PaidThrough {
    provider: &'static str,
    account: String,
    reference: String,
}

/// The total that the customer saw, in another currency.
#[derive(Debug, Serialize)]
struct Presentment {
    currency: &'static str,
    total: String,
}

/// An order.
#[derive(Debug, Serialize)]
pub struct OrderView {
    id: String,
    channel: String,
    account: String,
    external_id: String,
    number: String,
    status: &'static str,
    payment_status: &'static str,
    fulfillment_status: &'static str,
    waiting_for: Vec<String>,
    currency: &'static str,
    total: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    presentment: Option<Presentment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaidThrough>,
    captured: String,
    refunded: String,
    taxes_included: bool,
    placed_at: jiff::Timestamp,
    deliver_by: jiff::civil::Date,
    country: Option<String>,
    located_by: Option<&'static str>,
    version: u64,
    reservation: Option<String>,
    lines: Vec<Line>,
    holds: Vec<Hold>,
    fulfillments: Vec<Fulfillment>,
    returns: Vec<Return>,
    refunds: Vec<Refund>,
}

fn units_of(order: &Order, units: &[Units]) -> Vec<LineUnits> {
    let view = |&(place, quantity): &Units| {
        let line = order.line(place);
        LineUnits {
            line: line.id.clone(),
            sku: line.sku.clone(),
            quantity: line.quantity(quantity),
        }
    };
    units.iter().map(view).collect()
}

/// A fulfillment order as the API shows it.
pub fn fulfillment(order: &Order, of: &FulfillmentOrder) -> Fulfillment {
    Fulfillment {
        id: format!("{}-{}", order.id, of.n),
        location: of.location.clone(),
        status: of.status.name(),
        ship_by: of.ship_by,
        shipped_at: of.shipped_at,
        lines: units_of(order, &of.units),
        parcel: of.parcel.as_ref().map(|parcel| Parcel {
            carrier: parcel.carrier.clone(),
            service: parcel.service.clone(),
            tracking_number: parcel.tracking_number.clone(),
            label: parcel.label.clone(),
            cost: parcel.cost.map(|(price, currency)| currency.display(price)),
        }),
    }
}

/// An order as the API shows it.
pub fn order(order: &Order) -> OrderView {
    let amount = |minor| order.currency.format(minor);
    let line = |line: &crate::Line| Line {
        id: line.id.clone(),
        sku: line.sku.clone(),
        unit_price: amount(line.money.unit_price),
        discount: amount(line.money.discount),
        tax: amount(line.money.tax),
        extras: amount(line.money.extras),
        total: amount(line.charge(order.taxes_included)),
        refunded_units: line.quantity(line.refunded_units),
        kit: line.kit.as_ref().map(|kit| Kit {
            line: kit.line.clone(),
            sku: kit.sku.clone(),
            per_kit: line.quantity(kit.per_kit),
        }),
        units: Standing {
            ordered: line.quantity(line.units.ordered),
            cancelled: line.quantity(line.units.cancelled),
            backordered: line.quantity(line.units.backordered),
            open: line.quantity(line.units.open),
            allocated: line.quantity(line.units.allocated),
            packed: line.quantity(line.units.packed),
            shipped: line.quantity(line.units.shipped),
            delivered: line.quantity(line.units.delivered),
            returned: line.quantity(line.units.returned),
        },
    };
    OrderView {
        id: order.id.to_string(),
        channel: order.source.channel.clone(),
        account: order.source.account.clone(),
        external_id: order.source.external_id.clone(),
        number: order.number.clone(),
        status: order.status(),
        payment_status: order.payment_status(),
        fulfillment_status: order.fulfillment_status(),
        waiting_for: waiting_for(order),
        currency: order.currency.code(),
        total: amount(order.total()),
        presentment: order.presentment.map(|(total, currency)| Presentment {
            currency: currency.code(),
            total: currency.format(total),
        }),
        payment: order.paid_through.as_ref().map(|through| PaidThrough {
            provider: through.provider.name(),
            account: through.account.clone(),
            reference: through.reference.clone(),
        }),
        captured: amount(order.captured()),
        refunded: amount(order.refunded()),
        taxes_included: order.taxes_included,
        placed_at: order.placed_at,
        deliver_by: order.deliver_by,
        country: order.destination.as_ref().map(|d| d.country.clone()),
        located_by: order.destination.as_ref().map(Destination::accuracy),
        version: order.version,
        reservation: order.reservation.as_ref().map(|named| named.id.clone()),
        lines: order.lines.iter().map(line).collect(),
        holds: holds(order),
        fulfillments: order
            .fulfillments
            .iter()
            .map(|f| fulfillment(order, f))
            .collect(),
        returns: order
            .returns
            .iter()
            .map(|r| Return {
                id: format!("{}-R{}", order.id, r.n),
                status: r.status(),
                lines: units_of(order, &r.units),
            })
            .collect(),
        refunds: order
            .refunds
            .iter()
            .map(|r| Refund {
                id: format!("{}-F{}", order.id, r.n),
                amount: amount(r.amount),
                status: r.status.name(),
                reference: r.external.clone(),
                reason: r.reason.clone(),
            })
            .collect(),
    }
}

/// Why a person has to look at the order.
pub fn holds(order: &Order) -> Vec<Hold> {
    let hold = |hold: &crate::hold::Hold| Hold {
        name: hold.reason.name(),
        owner: hold.reason.owner(),
        since: hold.since,
        detail: hold.reason.explain(order.currency),
    };
    order.holds.iter().map(hold).collect()
}

/// Whom or what the order waits for: the answer to "where is it, and why". Empty when it has
/// reached its end.
pub fn waiting_for(order: &Order) -> Vec<String> {
    let mut waits = Vec::new();
    // Nobody has to look at what is cancelled.
    let held = order.status() != "cancelled";
    for hold in order.holds.iter().filter(|_| held) {
        let why = hold.reason.explain(order.currency);
        waits.push(format!("{} to resolve a hold: {why}", hold.reason.owner()));
    }
    for step in crate::owed::steps(owed(order)) {
        waits.push(format!("the step {}", step.name()));
    }
    for notice in &order.untold {
        let (channel, what) = (&order.source.channel, notice.describe());
        waits.push(format!(
            "customer service to look why {channel} refuses the {what}, and to have it told again or settled"
        ));
    }
    for sku in crate::allocation::waits_for(order).into_keys() {
        waits.push(format!("goods: {sku} is backordered"));
    }
    for f in &order.fulfillments {
        let id = format!("{}-{}", order.id, f.n);
        match f.status {
            FulfillmentStatus::Released | FulfillmentStatus::Accepted => {
                waits.push(format!(
                    "warehouse {} to pack {id} by {}",
                    f.location, f.ship_by
                ));
            }
            FulfillmentStatus::Packed if f.unrated => {
                let warehouse = &f.location;
                waits.push(format!(
                    "warehouse {warehouse} to ship {id} by its own means: no tariff takes it"
                ));
            }
            FulfillmentStatus::Shipped => waits.push(format!("the carrier to deliver {id}")),
            FulfillmentStatus::Packed
            | FulfillmentStatus::Delivered
            | FulfillmentStatus::Rejected
            | FulfillmentStatus::Cancelled => {}
        }
    }
    for r in order.returns.iter().filter(|r| r.is_coming()) {
        waits.push(format!("the goods of return {}-R{}", order.id, r.n));
    }
    let provider = order.paid_through.as_ref();
    let provider = provider.map_or("the payment provider", |through| through.provider.name());
    for r in &order.refunds {
        let (amount, id) = (
            order.currency.display(r.amount),
            format!("{}-F{}", order.id, r.n),
        );
        match r.status {
            RefundStatus::AwaitingConfirmation if r.external.is_some() => {
                let why = r.reason.iter().map(|why| format!(" ({why})"));
                let why: String = why.collect();
                waits.push(format!(
                    "{provider} to pay back {amount}, or a person to confirm refund {id}{why}"
                ));
            }
            RefundStatus::AwaitingConfirmation => waits.push(format!(
                "a person to pay back {amount} and confirm refund {id}"
            )),
            RefundStatus::Refused => {
                let why = r.reason.as_deref().unwrap_or_default();
                waits.push(format!(
                    "a person to look why {provider} does not pay back {amount} ({why}), and to have it asked again or \
                     to confirm refund {id} as paid otherwise"
                ));
            }
            RefundStatus::Requested | RefundStatus::Paid => {}
        }
    }
    waits
}
