//! Past orders sent again in thought: what other rules, stock or warehouses would have made of them.

use std::collections::BTreeMap;

use crate::allocation::{Available, allocate};
use crate::candidates::Network;
use crate::catalog::{Cost, Product};
use crate::geo::{metres_to, point_of};
use crate::order::{FulfillmentStatus, Order};
use crate::rules::Rules;
use crate::shipping::{choose_method, weight_g};
use crate::stock::Changes;
use crate::{Line, Quantity};

/// Units by SKU and location.
pub type Shelves = BTreeMap<(String, String), i64>;

/// What became of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routed {
    /// Who sends it, the nearest first.
    pub locations: Vec<String>,
    /// Units that nobody has.
    pub missing: Quantity,
    /// What the carriers ask for it, in thousandths of a minor unit; `None` if a tariff is not known,
    /// or not in a currency that can be compared.
    pub cost_milli: Option<i64>,
    /// How far its parcels go, all together.
    pub metres: u64,
    /// How many of its parcels keep the promise.
    pub kept: u32,
}

/// An order as it was before anybody had looked at it.
pub fn fresh(order: &Order) -> Order {
    let mut fresh = order.clone();
    for line in &mut fresh.lines {
        let wanted = line.units.ordered - line.units.cancelled;
        line.units = crate::order::Buckets {
            ordered: line.units.ordered,
            cancelled: line.units.cancelled,
            open: wanted,
            ..Default::default()
        };
    }
    fresh.holds.clear();
    fresh.fulfillments.clear();
    fresh.moves.clear();
    fresh.notices.clear();
    fresh.returns.clear();
    fresh
}

/// Puts what orders have taken back on the shelves that it was taken from.
pub fn put_back(orders: &[Order], shelves: &mut Shelves) {
    for order in orders {
        let taken = order.fulfillments.iter().filter(|f| {
            use FulfillmentStatus::*;
            !matches!(f.status, Rejected | Cancelled)
        });
        for (fulfillment, &(place, units)) in
            taken.flat_map(|f| f.units.iter().map(move |u| (f, u)))
        {
            if let Some(sku) = &order.line(place).sku {
                let shelf = (sku.clone(), fulfillment.location.clone());
                *shelves.entry(shelf).or_default() += i64::from(units);
            }
        }
    }
}

/// Sends orders, the oldest first, from what is on the shelves; each at the time at which it was
/// placed. In the order of the orders.
pub fn rehearse(
    orders: &[Order],
    network: &Network,
    products: &[Product],
    shelves: &Shelves,
) -> Vec<Routed> {
    let mut available = Available::default();
    for ((sku, location), units) in shelves {
        available.set(sku, location, *units);
    }
    let mut oldest_first: Vec<usize> = (0..orders.len()).collect();
    oldest_first.sort_by_key(|n| orders[*n].placed_at);
    let mut routed = vec![Routed::default(); orders.len()];
    for n in oldest_first {
        routed[n] = route(&fresh(&orders[n]), network, products, &mut available);
    }
    routed
}

fn route(
    order: &Order,
    network: &Network,
    products: &[Product],
    available: &mut Available,
) -> Routed {
    let now = order.placed_at;
    let mut sent = order.clone();
    // A long order is allocated in parts.
    while sent.lines.iter().any(|line| line.units.open > 0) {
        let mut changes = Changes::default();
        match allocate(&sent, network, products, available, &mut changes, now) {
            Some(found) => sent = found.order,
            None => break,
        }
    }
    let rules = Rules::of(&network.rules, &order.source.channel);
    let mut routed = Routed {
        missing: {
            let missing = |line: &Line| line.quantity(line.units.backordered);
            sent.lines.iter().map(missing).sum()
        },
        cost_milli: Some(0),
        ..Routed::default()
    };
    for fulfillment in &sent.fulfillments {
        let mut locations = network.locations.iter();
        let location = locations.find(|location| location.id == fulfillment.location);
        let (Some(location), Some(to)) = (location, &order.destination) else {
            continue;
        };
        let method = choose_method(
            network.rates_from(&location.id),
            location,
            &to.country,
            weight_g(&sent, fulfillment, products),
            fulfillment.ship_by,
            order.deliver_by,
        );
        let cost = method.as_ref().and_then(|method| {
            let cost = Cost {
                amount: method.price,
                currency: location.currency,
            };
            rules.in_milli(cost, network.currency(rules)?)
        });
        routed.cost_milli = routed.cost_milli.zip(cost).map(|(sum, cost)| sum + cost);
        routed.metres += metres_to(location, point_of(to));
        routed.kept += u32::from(method.is_some_and(|method| method.keeps_promise));
        routed.locations.push(location.id.clone());
    }
    routed
}

/// What all orders of a rehearsal come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Orders.
    pub orders: u32,
    /// Orders of which something is sent.
    pub sent: u32,
    /// Orders that are sent in more than one shipment.
    pub split: u32,
    /// Shipments.
    pub shipments: u32,
    /// Shipments that keep the promise.
    pub kept: u32,
    /// Units that nobody has.
    pub missing: Quantity,
    /// Metres, all shipments together.
    pub metres: u64,
    /// What the carriers ask, in thousandths of a minor unit, for the orders of which that is known.
    pub cost_milli: i64,
    /// For how many orders of those that are sent it is known.
    pub costed: u32,
}

impl Sum {
    /// The sum of what became of orders.
    pub fn of(routed: &[Routed]) -> Self {
        let mut sum = Self {
            orders: u32::try_from(routed.len()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        for one in routed {
            let shipments = u32::try_from(one.locations.len()).unwrap_or(u32::MAX);
            sum.missing = sum.missing + one.missing;
            if shipments == 0 {
                continue;
            }
            sum.sent += 1;
            sum.split += u32::from(shipments > 1);
            sum.shipments += shipments;
            sum.kept += one.kept;
            sum.metres += one.metres;
            if let Some(cost) = one.cost_milli {
                sum.cost_milli = sum.cost_milli.saturating_add(cost);
                sum.costed += 1;
            }
        }
        sum
    }
}
