//! Orders, locations and stock to decide on.

// Each test binary uses a part of it; clippy knows tests by their attribute only.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeSet;

use domain::allocation::{Allocation, Available, allocate};
use domain::candidates::Network;
use domain::fulfillment::{Report, report};
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Contact, Parcel, Payment, Source};
use domain::shipping::ship;
use domain::stock::{Changes, LevelChange};
use domain::{Currency, Location, Order};
use jiff::{SignedDuration, Timestamp};

/// A moment by its text.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Wednesday morning in Berlin, and night in New York.
pub fn now() -> Timestamp {
    at("2026-03-04T09:00:00Z")
}

/// So many hours after [`now`].
pub fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

pub fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

/// A line of `quantity` units at `unit_price`.
pub fn line(id: &str, sku: &str, quantity: i64, unit_price: i64) -> NewLine {
    NewLine {
        id: id.into(),
        sku: Some(sku.into()),
        title: format!("title of {sku}"),
        quantity: quantity.into(),
        unit_price,
        ..NewLine::default()
    }
}

/// A line with nothing to ship.
pub fn intangible(id: &str, quantity: i64, unit_price: i64) -> NewLine {
    NewLine {
        sku: None,
        intangible: true,
        ..line(id, "", quantity, unit_price)
    }
}

/// An order of these lines to Berlin, paid in full, whose customer is mailed by us.
pub fn new_order(lines: Vec<NewLine>) -> NewOrder {
    let total = lines
        .iter()
        .map(|l| l.quantity.cost_at(l.unit_price).saturating_sub(l.discount));
    let total = total.fold(0, i64::saturating_add);
    NewOrder {
        source: Source {
            channel: "api".into(),
            account: "default".into(),
            external_id: "4711".into(),
        },
        number: "1001".into(),
        placed_at: now(),
        currency: currency("EUR"),
        taxes_included: true,
        reservation: None,
        lines,
        lines_pointer: "/lines",
        discount: 0,
        tax: 0,
        extras: 0,
        stated_total: None,
        payments: vec![Payment::Captured(total)],
        paid_through: None,
        contact: Contact {
            email: Some("ada@example.com".into()),
            phone: Some("+49 30 5550100".into()),
            address: Some(Address {
                name: "Ada Beispiel".into(),
                line1: "Lindenweg 7".into(),
                city: "Berlin".into(),
                postal_code: "10115".into(),
                country: "DE".into(),
                ..Address::default()
            }),
            titles: Vec::new(),
            fingerprint: String::new(),
        },
        address_pointer: "/address",
        point: Some((52.52, 13.4)),
        located: None,
        mailed: true,
        told: false,
        awaited: false,
        deliver_by: None,
        test: false,
        cancelled: false,
        shipped: false,
        as_of: None,
        presentment: None,
        refunds: Vec::new(),
    }
}

/// It, accepted, with every SKU in the catalogue.
pub fn accept(new: NewOrder) -> Order {
    assert_eq!(new.problems(), []);
    let known: BTreeSet<String> = new.skus().into_iter().map(str::to_owned).collect();
    new.accept(&known, now()).0
}

/// An accepted, paid order: a line `1`, `2`, ... for each SKU with its units, at 10.00 a unit.
pub fn order(lines: &[(&str, i64)]) -> Order {
    let lines = (1..).zip(lines);
    let lines = lines.map(|(n, (sku, units))| line(&format!("{n}"), sku, *units, 1000));
    accept(new_order(lines.collect()))
}

pub fn location(id: &str, country: &str, latitude: f64, longitude: f64, zone: &str) -> Location {
    Location {
        id: id.into(),
        name: id.into(),
        country: country.into(),
        latitude,
        longitude,
        time_zone: zone.into(),
        cut_off: jiff::civil::time(14, 0, 0, 0),
        email: format!("{id}@example.com"),
        serves: Vec::new(),
        currency: currency("EUR"),
        closed: false,
        working_days: Vec::new(),
        closed_on: Vec::new(),
        handling_days: 0,
        daily_orders: None,
        priority: 0,
    }
}

/// Berlin, Munich and New York: in this order by their distance from the orders of this module.
pub fn locations() -> Vec<Location> {
    vec![
        location("nyc", "US", 40.7, -74.0, "America/New_York"),
        location("muc", "DE", 48.1, 11.6, "Europe/Berlin"),
        location("ber", "DE", 52.5, 13.4, "Europe/Berlin"),
    ]
}

/// These warehouses, with no tariff and no rules.
pub fn network(locations: Vec<Location>) -> Network {
    Network::new(locations, Vec::new(), Vec::new())
}

/// Units available, by SKU and location.
pub fn stock(levels: &[(&str, &str, i64)]) -> Available {
    let mut available = Available::default();
    for (sku, location, units) in levels {
        available.set(sku, location, *units);
    }
    available
}

/// What allocating from this stock comes to, with the level changes.
pub fn try_allocate(
    order: &Order,
    levels: &[(&str, &str, i64)],
) -> (Option<Allocation>, Vec<LevelChange>) {
    let mut changes = Changes::default();
    let (network, mut available) = (network(locations()), stock(levels));
    let found = allocate(order, &network, &[], &mut available, &mut changes, now());
    (found, changes.into_vec())
}

/// The order, allocated from this stock.
pub fn allocated(order: &Order, levels: &[(&str, &str, i64)]) -> Order {
    try_allocate(order, levels).0.unwrap().order
}

/// The order after a report that is news.
pub fn reported(order: &Order, n: u32, of: &Report) -> Order {
    report(order, n, of, now()).unwrap().unwrap()
}

pub fn shipped_by_hand() -> Report {
    Report::Shipped {
        carrier: "own van".into(),
        tracking_number: "V1".into(),
    }
}

pub fn parcel(tracking_number: &str) -> Parcel {
    Parcel {
        carrier: "Northpost".into(),
        service: "parcel".into(),
        tracking_number: tracking_number.into(),
        label: Some(format!("labels/{tracking_number}")),
        cost: Some((590, currency("EUR"))),
    }
}

/// The order with fulfillment order `n` packed whole and sent off at `when`.
pub fn sent(order: &Order, n: u32, when: Timestamp) -> Order {
    let packed = reported(order, n, &Report::Packed(None));
    ship(&packed, n, parcel(&format!("T{n}")), when).unwrap()
}

/// Where each unit of a line stands, in one line to compare: the letters of
/// cancelled (x), backordered (b), open (o), allocated (a), packed (p), shipped (s), and of the
/// shipped ones delivered (d), returned (r).
pub fn standing(order: &Order) -> Vec<String> {
    let letters = order.lines.iter().map(|line| {
        assert!(line.units.balanced(), "{:?}", line.units);
        let u = line.units;
        let buckets = [
            ('x', u.cancelled),
            ('b', u.backordered),
            ('o', u.open),
            ('a', u.allocated),
            ('p', u.packed),
            ('s', u.shipped),
            ('d', u.delivered),
            ('r', u.returned),
        ];
        let filled = buckets.into_iter().filter(|(_, units)| *units > 0);
        let words: Vec<String> = filled.map(|(name, n)| format!("{name}{n}")).collect();
        words.join(" ")
    });
    letters.collect()
}

/// Level changes in one line each to compare: `A@ber allocate 2, release 1`.
pub fn movements(changes: &[LevelChange]) -> Vec<String> {
    let written = changes.iter().map(|change| {
        let moves = change.movements.iter();
        let moves: Vec<String> = moves
            .map(|m| format!("{} {}", m.kind.name(), m.quantity))
            .collect();
        format!("{}@{} {}", change.sku, change.location, moves.join(", "))
    });
    written.collect()
}
