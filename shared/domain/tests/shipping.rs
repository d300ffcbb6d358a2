//! By when a parcel leaves and arrives, and what is the cheapest way there.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::catalog::{Band, Product, Rate};
use domain::fulfillment::Report;
use domain::order::FulfillmentStatus;
use domain::owed::Notice;
use domain::shipping::{choose_method, ship, ship_by, weight_g};
use jiff::civil::{Date, date};

#[test]
fn what_is_ordered_before_the_cut_off_leaves_on_the_same_working_day() {
    // The cut-off is 14:00 by the location's own clock.
    let cases = [
        // Wednesday, UTC+1.
        ("Europe/Berlin", "2026-03-04T12:59:59Z", date(2026, 3, 4)),
        ("Europe/Berlin", "2026-03-04T13:00:00Z", date(2026, 3, 4)),
        ("Europe/Berlin", "2026-03-04T13:00:01Z", date(2026, 3, 5)),
        ("Europe/Berlin", "2026-03-04T22:59:59Z", date(2026, 3, 5)),
        ("Europe/Berlin", "2026-03-04T23:00:00Z", date(2026, 3, 5)),
        // Late on Friday, and at any hour of the weekend: Monday.
        ("Europe/Berlin", "2026-03-06T13:00:00Z", date(2026, 3, 6)),
        ("Europe/Berlin", "2026-03-06T13:00:01Z", date(2026, 3, 9)),
        ("Europe/Berlin", "2026-03-07T08:00:00Z", date(2026, 3, 9)),
        ("Europe/Berlin", "2026-03-07T20:00:00Z", date(2026, 3, 9)),
        ("Europe/Berlin", "2026-03-08T08:00:00Z", date(2026, 3, 9)),
        ("Europe/Berlin", "2026-03-08T22:59:59Z", date(2026, 3, 9)),
        // Summer time begins on a Sunday: on Monday the same cut-off is an hour earlier by UTC.
        ("Europe/Berlin", "2026-03-29T13:30:00Z", date(2026, 3, 30)),
        ("Europe/Berlin", "2026-03-30T12:00:00Z", date(2026, 3, 30)),
        ("Europe/Berlin", "2026-03-30T12:00:01Z", date(2026, 3, 31)),
        // In Egypt it begins on a Friday, at midnight: Thursday UTC+2, Friday UTC+3.
        ("Africa/Cairo", "2026-04-23T11:30:00Z", date(2026, 4, 23)),
        ("Africa/Cairo", "2026-04-24T11:00:00Z", date(2026, 4, 24)),
        ("Africa/Cairo", "2026-04-24T11:30:00Z", date(2026, 4, 27)),
        // One moment, four days.
        ("America/New_York", "2026-03-05T23:30:00Z", date(2026, 3, 6)),
        ("Asia/Tokyo", "2026-03-05T23:30:00Z", date(2026, 3, 6)),
        ("Asia/Tokyo", "2026-03-05T04:30:00Z", date(2026, 3, 5)),
        (
            "Pacific/Kiritimati",
            "2026-03-06T11:00:00Z",
            date(2026, 3, 9),
        ),
        (
            "America/Los_Angeles",
            "2026-03-06T21:59:00Z",
            date(2026, 3, 6),
        ),
    ];
    for (zone, moment, expected) in cases {
        let from = location("x", "DE", 0.0, 0.0, zone);
        assert_eq!(ship_by(&from, at(moment)), expected, "{zone} {moment}");
    }
}

fn rate(id: &str, transit_days: u32, to: &[&str], bands: &[(u32, i64)]) -> Rate {
    let bands = bands.iter().map(|&(max_weight_g, price)| Band {
        max_weight_g,
        price,
    });
    Rate {
        id: id.into(),
        carrier: "Northpost".into(),
        service: id.into(),
        from: "ber".into(),
        to: to.iter().map(|c| c.to_string()).collect(),
        transit_days,
        bands: bands.collect(),
    }
}

#[test]
fn the_cheapest_that_keeps_the_promise_is_chosen() {
    let from = &locations()[2];
    let rates = [
        rate("economy", 5, &[], &[(1000, 400), (5000, 700)]),
        rate("express", 1, &["DE", "AT"], &[(1000, 900), (5000, 1500)]),
        rate("standard", 2, &["DE"], &[(1000, 500), (5000, 800)]),
    ];
    // It leaves on Wednesday, the 4th. Which is chosen, at what price, arriving when, in time?
    type Answer<'a> = Option<(&'a str, i64, Date, bool)>;
    let day = |day| date(2026, 3, day);
    let cases: [(&str, &str, u64, Date, Answer); 14] = [
        (
            "all keep it",
            "DE",
            1000,
            day(11),
            Some(("economy", 400, day(11), true)),
        ),
        (
            "one day less",
            "DE",
            1000,
            day(10),
            Some(("standard", 500, day(6), true)),
        ),
        (
            "on the day itself",
            "DE",
            1000,
            day(6),
            Some(("standard", 500, day(6), true)),
        ),
        (
            "in a hurry",
            "DE",
            1000,
            day(5),
            Some(("express", 900, day(5), true)),
        ),
        (
            "too late for all: the earliest",
            "DE",
            1000,
            day(4),
            Some(("express", 900, day(5), false)),
        ),
        (
            "long past",
            "DE",
            1000,
            Date::MIN,
            Some(("express", 900, day(5), false)),
        ),
        (
            "another zone",
            "AT",
            1000,
            day(6),
            Some(("express", 900, day(5), true)),
        ),
        (
            "a zone with one tariff",
            "JP",
            1000,
            day(20),
            Some(("economy", 400, day(11), true)),
        ),
        (
            "which breaks the promise",
            "JP",
            1000,
            day(6),
            Some(("economy", 400, day(11), false)),
        ),
        (
            "a gram more: the next band",
            "DE",
            1001,
            day(11),
            Some(("economy", 700, day(11), true)),
        ),
        (
            "the last band's edge",
            "DE",
            5000,
            day(5),
            Some(("express", 1500, day(5), true)),
        ),
        ("over all bands", "DE", 5001, day(20), None),
        ("far over", "DE", u64::MAX, day(20), None),
        (
            "no weight",
            "DE",
            0,
            day(11),
            Some(("economy", 400, day(11), true)),
        ),
    ];
    for (name, country, weight, by, expected) in cases {
        let chosen = choose_method(&rates, from, country, weight, day(4), by);
        let chosen = chosen.map(|m| (m.rate.id.as_str(), m.price, m.arrives, m.keeps_promise));
        assert_eq!(chosen, expected, "{name}");
    }
    let elsewhere = &locations()[1];
    assert_eq!(
        choose_method(&rates, elsewhere, "DE", 1, day(4), day(9)),
        None
    );
    assert_eq!(choose_method(&[], from, "DE", 1, day(4), day(9)), None);
}

#[test]
fn a_heavy_parcel_goes_with_who_takes_it_even_late() {
    let rates = [
        rate("light", 1, &[], &[(1000, 100)]),
        rate("freight", 9, &[], &[(90_000, 9900)]),
    ];
    let from = &locations()[2];
    let day = date(2026, 3, 4);
    let chosen = choose_method(&rates, from, "DE", 2000, day, day).unwrap();
    assert_eq!(
        (chosen.rate.id.as_str(), chosen.keeps_promise),
        ("freight", false)
    );
}

#[test]
fn equals_are_decided_by_price_and_then_by_id() {
    let from = &locations()[2];
    let chosen = |rates: &[Rate], by| {
        let chosen = choose_method(rates, from, "DE", 1, date(2026, 3, 4), by);
        chosen.unwrap().rate.id.clone()
    };
    let alike = [
        rate("b", 1, &[], &[(9, 5)]),
        rate("a", 2, &[], &[(9, 5)]),
        rate("c", 1, &[], &[(9, 5)]),
    ];
    assert_eq!(chosen(&alike, Date::MAX), "a");
    assert_eq!(chosen(&alike, Date::MIN), "b", "a is later");
    let late = [rate("a", 1, &[], &[(9, 6)]), rate("b", 1, &[], &[(9, 5)])];
    assert_eq!(chosen(&late, Date::MIN), "b", "equally late, cheaper");
}

#[test]
fn days_on_the_way_are_working_days() {
    let from = &locations()[2];
    // From a day in March 2026, with days on the way.
    for (leaves, days, arrives) in [
        (4, 0, 4),
        (4, 2, 6),
        (4, 3, 9),
        (6, 1, 9),
        (7, 0, 9),
        (7, 1, 10),
        (8, 5, 16),
        (4, 10, 18),
    ] {
        let rates = [rate("r", days, &[], &[(9, 5)])];
        let leaves = date(2026, 3, leaves);
        let chosen = choose_method(&rates, from, "DE", 1, leaves, Date::MAX).unwrap();
        assert_eq!(chosen.arrives, date(2026, 3, arrives), "{leaves} + {days}");
    }
    let rates = [rate("r", 9, &[], &[(9, 5)])];
    let last = choose_method(&rates, from, "DE", 1, Date::MAX, Date::MAX);
    assert_eq!(last.unwrap().arrives, Date::MAX, "time's end");
}

#[test]
fn a_parcel_weighs_what_is_in_it() {
    let order = order(&[("A", 3), ("B", 2), ("C", 1)]);
    let order = allocated(&order, &[("A", "ber", 2), ("B", "ber", 2), ("C", "ber", 1)]);
    let product = |sku: &str, weight_g| Product {
        sku: sku.into(),
        title: sku.into(),
        weight_g,
        ..Product::default()
    };
    let products = [product("B", 100), product("A", 7), product("D", 1)];
    let fulfillment = &order.fulfillments[0];
    assert_eq!(weight_g(&order, fulfillment, &products), 2 * 7 + 2 * 100);
    let heavy = [product("A", u32::MAX), product("B", u32::MAX)];
    let most = 4 * u64::from(u32::MAX);
    assert_eq!(weight_g(&order, fulfillment, &heavy), most);
}

#[test]
fn only_what_is_packed_is_sent_off_and_once() {
    let order = allocated(&order(&[("A", 1)]), &[("A", "ber", 1)]);
    assert_eq!(ship(&order, 1, parcel("T1"), now()), None, "not packed");
    assert_eq!(ship(&order, 2, parcel("T1"), now()), None, "not there");
    let packed = reported(&order, 1, &Report::Packed(None));
    let gone = ship(&packed, 1, parcel("T1"), later(1)).unwrap();
    assert_eq!(gone.fulfillments[0].status, FulfillmentStatus::Shipped);
    assert_eq!(gone.fulfillments[0].shipped_at, Some(later(1)));
    assert_eq!(gone.fulfillments[0].parcel, Some(parcel("T1")));
    assert_eq!(standing(&gone), ["s1"]);
    assert!(gone.notices.contains(&Notice::Shipped(1)));
    assert_eq!(ship(&gone, 1, parcel("T2"), later(2)), None, "gone");
    let silent = ship(
        &domain::Order {
            mailed: false,
            ..packed
        },
        1,
        parcel("T1"),
        now(),
    );
    assert!(!silent.unwrap().notices.contains(&Notice::Shipped(1)));
}
