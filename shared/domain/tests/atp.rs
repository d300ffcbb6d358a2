//! From which day on how much can be promised.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::Product;
use domain::atp::{Incoming, Promise, covers, left, supply};
use jiff::civil::{Date, date};

/// March 2026; the tests' today is the fourth.
fn day(day: i8) -> Date {
    date(2026, 3, day)
}

fn coming(location: &str, units: i64, on: i8) -> Incoming {
    Incoming {
        location: location.into(),
        units,
        expected_on: day(on),
    }
}

fn steps(all: &[Promise]) -> Vec<(i8, i64)> {
    all.iter().map(|step| (step.on.day(), step.units)).collect()
}

/// A product of which so many are kept back in Berlin, from a day on.
fn product(kept: u32, from: Option<i8>) -> Product {
    Product {
        safety_stock: [("ber".to_owned(), i64::from(kept).into())].into(),
        available_on: from.map(day),
        ..Product::default()
    }
}

#[test]
fn what_comes_counts_from_its_day_on() {
    type Case<'a> = (&'a str, Product, [i64; 2], &'a [Incoming], &'a [(i8, i64)]);
    let plain = || product(0, None);
    let cases: [Case; 10] = [
        ("nothing", plain(), [0, 0], &[], &[(4, 0)]),
        ("what is there", plain(), [3, 2], &[], &[(4, 5)]),
        (
            "and what comes",
            plain(),
            [3, 0],
            &[coming("ber", 4, 9), coming("muc", 1, 6)],
            &[(4, 3), (6, 4), (9, 8)],
        ),
        (
            "on one day",
            plain(),
            [0, 0],
            &[coming("ber", 4, 9), coming("muc", 1, 9)],
            &[(4, 0), (9, 5)],
        ),
        ("today", plain(), [1, 0], &[coming("ber", 4, 4)], &[(4, 5)]),
        (
            "what is late may never come",
            plain(),
            [1, 0],
            &[coming("ber", 4, 3)],
            &[(4, 1)],
        ),
        (
            "elsewhere is not asked",
            plain(),
            [1, 0],
            &[coming("nyc", 4, 9)],
            &[(4, 1)],
        ),
        (
            "what is missing is replaced first",
            plain(),
            [-3, 1],
            &[coming("ber", 4, 9)],
            &[(4, 1), (9, 2)],
        ),
        (
            "what is kept back is filled first",
            product(3, None),
            [1, 0],
            &[coming("ber", 4, 9)],
            &[(4, 0), (9, 2)],
        ),
        (
            "nothing before its first day",
            product(0, Some(7)),
            [2, 0],
            &[coming("ber", 4, 5)],
            &[(4, 0), (7, 6)],
        ),
    ];
    let all = locations();
    let (ber, muc) = (&all[2], &all[1]);
    for (name, product, available, incoming, expected) in cases {
        let shelves = [(ber, available[0]), (muc, available[1])];
        let found = supply(Some(&product), &shelves, incoming, now());
        assert_eq!(steps(&found), expected, "{name}");
    }
}

#[test]
fn today_is_by_the_calendar_of_each_location() {
    let all = locations();
    let (ber, nyc) = (
        &all[2],
        location("nyc", "US", 40.7, -74.0, "America/New_York"),
    );
    // Half past midnight in Berlin, half past six in New York: the fifth here, the fourth there.
    let now = "2026-03-04T23:30:00Z".parse().unwrap();
    let shelves = [(ber, 1), (&nyc, 2)];
    let comes = |incoming| steps(&supply(None, &shelves, &[incoming], now));
    assert_eq!(comes(coming("ber", 4, 4)), [(4, 3)], "late in Berlin");
    assert_eq!(comes(coming("ber", 4, 5)), [(4, 7)], "today in Berlin");
    assert_eq!(comes(coming("ber", 4, 6)), [(4, 3), (6, 7)]);
    assert_eq!(comes(coming("nyc", 4, 4)), [(4, 7)], "today in New York");
    assert_eq!(comes(coming("nyc", 4, 5)), [(4, 3), (5, 7)]);
}

#[test]
fn who_was_promised_first_is_served_first() {
    let all = locations();
    let incoming = [coming("ber", 4, 9), coming("ber", 5, 12)];
    let found = supply(None, &[(&all[2], 2)], &incoming, now());
    assert_eq!(steps(&found), [(4, 2), (9, 6), (12, 11)]);
    assert_eq!(steps(&left(&found, 0)), [(4, 2), (9, 6), (12, 11)]);
    assert_eq!(steps(&left(&found, 2)), [(4, 0), (9, 4), (12, 9)]);
    assert_eq!(steps(&left(&found, 7)), [(4, 0), (12, 4)]);
    assert_eq!(steps(&left(&found, 20)), [(4, 0)]);
    let day_of = |units| covers(&found, units).map(Date::day);
    let days: Vec<_> = [1, 2, 3, 6, 7, 11, 12].into_iter().map(day_of).collect();
    let expected = [Some(4), Some(4), Some(9), Some(9), Some(12), Some(12), None];
    assert_eq!(days, expected);
}
