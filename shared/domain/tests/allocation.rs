//! Which warehouse sends what, from which stock.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use domain::Order;
use domain::allocation::{allocate, waits_for, wanted_skus};
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::NewOrder;
use domain::order::{FulfillmentStatus, Hold, HoldReason};
use domain::owed::{Notice, Work, owed};
use domain::stock::Changes;

/// Who sends which units: `ber: 1x2`.
fn sends(order: &Order) -> Vec<String> {
    let written = order.fulfillments.iter().map(|f| {
        let units = f.units.iter();
        let units: Vec<String> = units
            .map(|(place, n)| format!("{}x{n}", order.line(*place).id))
            .collect();
        format!("{}: {}", f.location, units.join(" "))
    });
    written.collect()
}

#[test]
fn few_warehouses_near_ones_send_what_there_is_and_the_rest_waits() {
    type Case<'a> = (
        &'a str,
        &'a [(&'a str, i64)],
        &'a [(&'a str, &'a str, i64)],
        &'a [&'a str],
        &'a [&'a str],
    );
    let cases: [Case; 14] = [
        (
            "the nearest of all that have it",
            &[("A", 2)],
            &[("A", "nyc", 9), ("A", "muc", 9), ("A", "ber", 9)],
            &["ber: 1x2"],
            &["a2"],
        ),
        (
            "exactly enough is enough",
            &[("A", 2)],
            &[("A", "ber", 2), ("A", "muc", 9)],
            &["ber: 1x2"],
            &["a2"],
        ),
        (
            "farther, but has all",
            &[("A", 2), ("B", 1)],
            &[("A", "ber", 9), ("A", "nyc", 2), ("B", "nyc", 1)],
            &["nyc: 1x2 2x1"],
            &["a2", "a1"],
        ),
        (
            "none has all: two share",
            &[("A", 2), ("B", 1)],
            &[("A", "muc", 2), ("B", "nyc", 1)],
            &["muc: 1x2", "nyc: 2x1"],
            &["a2", "a1"],
        ),
        (
            "as few as can be, and of these the nearest",
            &[("A", 3)],
            &[("A", "ber", 1), ("A", "muc", 2), ("A", "nyc", 1)],
            &["ber: 1x1", "muc: 1x2"],
            &["a3"],
        ),
        (
            "not the one that has most, if two do without it",
            &[("A", 1), ("B", 1), ("C", 1), ("D", 1), ("E", 1), ("F", 1)],
            &[
                ("A", "ber", 1),
                ("B", "ber", 1),
                ("E", "ber", 1),
                ("A", "muc", 1),
                ("B", "muc", 1),
                ("C", "muc", 1),
                ("D", "muc", 1),
                ("C", "nyc", 1),
                ("D", "nyc", 1),
                ("F", "nyc", 1),
            ],
            &["ber: 1x1 2x1 5x1", "nyc: 3x1 4x1 6x1"],
            &["a1", "a1", "a1", "a1", "a1", "a1"],
        ),
        (
            "some wait",
            &[("A", 5)],
            &[("A", "ber", 1), ("A", "nyc", 2)],
            &["ber: 1x1", "nyc: 1x2"],
            &["b2 a3"],
        ),
        ("nobody has any", &[("A", 1)], &[], &[], &["b1"]),
        (
            "nothing and less than nothing are alike",
            &[("A", 1), ("B", 1)],
            &[("A", "ber", 0), ("B", "ber", -7)],
            &[],
            &["b1", "b1"],
        ),
        (
            "one line waits, the other goes",
            &[("A", 1), ("B", 1)],
            &[("B", "muc", 1)],
            &["muc: 2x1"],
            &["b1", "a1"],
        ),
        (
            "lines of the same SKU share its level",
            &[("A", 2), ("A", 2)],
            &[("A", "ber", 3)],
            &["ber: 1x2 2x1"],
            &["a2", "b1 a1"],
        ),
        (
            "and find the rest elsewhere",
            &[("A", 2), ("A", 2)],
            &[("A", "ber", 3), ("A", "muc", 3)],
            &["ber: 1x2 2x1", "muc: 2x1"],
            &["a2", "a2"],
        ),
        (
            "and together rule out who has enough for each alone",
            &[("A", 2), ("A", 2)],
            &[("A", "ber", 3), ("A", "nyc", 4)],
            &["nyc: 1x2 2x2"],
            &["a2", "a2"],
        ),
        (
            "a level that nobody asked for",
            &[("A", 1)],
            &[("B", "ber", 9)],
            &[],
            &["b1"],
        ),
    ];
    for (name, lines, levels, expected, stand) in cases {
        let before = order(lines);
        let (found, changes) = try_allocate(&before, levels);
        let found = found.unwrap();
        assert_eq!(sends(&found.order), expected, "{name}");
        assert_eq!(standing(&found.order), stand, "{name}");
        assert_eq!(found.order.version, before.version + 1);
        let units = |of: &Order| -> u32 { of.lines.iter().map(|l| l.units.allocated).sum() };
        let moved: i64 = changes.iter().map(|c| c.needs()).sum();
        assert_eq!(moved, i64::from(units(&found.order)), "{name}");
        for change in &changes {
            let (sku, location) = (change.sku.as_str(), change.location.as_str());
            let level = levels.iter().find(|l| (l.0, l.1) == (sku, location));
            assert!(change.needs() <= level.unwrap().2, "{name}");
        }
        let waits = waits_for(&found.order);
        assert_eq!(found.starts_waiting, waits, "{name}");
        assert_eq!(found.stops_waiting, BTreeSet::new(), "{name}");
        let looks = |work: &Work| matches!(work, Work::Allocate(_));
        assert!(!owed(&found.order).iter().any(looks), "{name}");
    }
}

#[test]
fn movements_of_one_level_are_one_change_with_the_order_as_cause() {
    let before = order(&[("A", 2), ("A", 1), ("B", 1)]);
    let (_, changes) = try_allocate(&before, &[("A", "ber", 3), ("B", "ber", 1)]);
    assert_eq!(
        movements(&changes),
        ["A@ber allocate 2, allocate 1", "B@ber allocate 1"]
    );
    let causes = changes.iter().flat_map(|c| &c.movements);
    assert!(causes.into_iter().all(|m| m.cause == before.id.as_str()));
}

#[test]
fn a_batch_of_orders_shares_one_view_of_stock() {
    let (mut available, mut changes) = (stock(&[("A", "ber", 3)]), Changes::default());
    let mut next = || {
        let order = order(&[("A", 2)]);
        let found = allocate(
            &order,
            &network(locations()),
            &[],
            &mut available,
            &mut changes,
            now(),
        );
        standing(&found.unwrap().order)
    };
    assert_eq!(next(), ["a2"]);
    assert_eq!(next(), ["b1 a1"]);
    assert_eq!(next(), ["b2"]);
    let changes = changes.into_vec();
    assert_eq!(movements(&changes), ["A@ber allocate 2, allocate 1"]);
}

#[test]
fn who_does_not_ship_to_a_country_does_not_send_there() {
    let order = order(&[("A", 1)]);
    let find = |serves: [&[&str]; 3]| {
        let mut locations = locations();
        for (location, serves) in locations.iter_mut().zip(serves) {
            location.serves = serves.iter().map(|c| c.to_string()).collect();
        }
        let mut stock = stock(&[("A", "nyc", 1), ("A", "muc", 1), ("A", "ber", 1)]);
        let found = allocate(
            &order,
            &network(locations.clone()),
            &[],
            &mut stock,
            &mut Changes::default(),
            now(),
        );
        sends(&found.unwrap().order)
    };
    assert_eq!(find([&[], &[], &[]]), ["ber: 1x1"]);
    assert_eq!(find([&[], &["AT", "DE"], &["AT"]]), ["muc: 1x1"]);
    assert_eq!(find([&[], &["AT"], &["AT"]]), ["nyc: 1x1"]);
    assert_eq!(find([&["US"], &["AT"], &["AT"]]), [""; 0]);
}

#[test]
fn without_coordinates_the_country_stands_for_the_address() {
    let nearest = |country: &str, point| {
        let mut new = new_order(vec![line("1", "A", 1, 1000)]);
        new.contact.address.as_mut().unwrap().country = country.into();
        let levels = [("A", "nyc", 1), ("A", "muc", 1), ("A", "ber", 1)];
        let order = accept(NewOrder { point, ..new });
        sends(&allocated(&order, &levels)).join("")
    };
    assert_eq!(nearest("DE", None), "ber: 1x1");
    assert_eq!(nearest("AT", None), "muc: 1x1");
    assert_eq!(nearest("CA", None), "nyc: 1x1");
    assert_eq!(nearest("US", Some((48.0, 11.0))), "muc: 1x1");
}

#[test]
fn equally_near_is_decided_by_id() {
    let twin = |id: &str| location(id, "DE", 52.5, 13.4, "Europe/Berlin");
    let twins = [twin("b"), twin("a"), twin("c")];
    let mut stock = stock(&[("A", "a", 1), ("A", "b", 1), ("A", "c", 1)]);
    let order = order(&[("A", 1)]);
    let found = allocate(
        &order,
        &network(twins.into()),
        &[],
        &mut stock,
        &mut Changes::default(),
        now(),
    );
    assert_eq!(sends(&found.unwrap().order), ["a: 1x1"]);
}

#[test]
fn a_warehouse_that_rejected_is_not_asked_again() {
    let levels = [("A", "ber", 9), ("A", "muc", 9)];
    let first = allocated(&order(&[("A", 2)]), &levels);
    assert_eq!(sends(&first), ["ber: 1x2"]);
    let rejected = reported(&first, 1, &Report::Rejected("flood".into()));
    assert_eq!(standing(&rejected), ["o2"]);
    let second = allocated(&rejected, &levels);
    assert_eq!(sends(&second), ["ber: 1x2", "muc: 1x2"]);
    assert_eq!(second.fulfillments[1].n, 2);
    assert_eq!(second.fulfillments[0].status, FulfillmentStatus::Rejected);
    assert_eq!(second.notices, [Notice::Confirmed, Notice::Pick(2)]);
    let third = reported(&second, 2, &Report::Rejected("fire".into()));
    assert_eq!(standing(&allocated(&third, &levels)), ["b2"]);
}

#[test]
fn intangible_lines_are_with_the_customer_at_once() {
    let gift = |lines| accept(new_order(lines));
    let only = allocated(&gift(vec![intangible("1", 3, 1000)]), &[]);
    assert_eq!(standing(&only), ["s3 d3"]);
    assert_eq!(sends(&only), [""; 0]);
    assert_eq!(only.status(), "delivered");
    assert_eq!(only.notices, [Notice::Confirmed]);
    assert_eq!(
        only.timeline.entries[1].event,
        Event::Allocated(0.into(), 0.into())
    );

    let mixed = gift(vec![intangible("1", 1, 1000), line("2", "A", 1, 1000)]);
    let mixed = allocated(&mixed, &[("A", "ber", 1)]);
    assert_eq!(standing(&mixed), ["s1 d1", "a1"]);
    assert_eq!(mixed.status(), "partially_shipped");

    // A SKU does not make it something to pick.
    let mut named = intangible("1", 1, 1000);
    named.sku = Some("GIFT".into());
    let (found, changes) = try_allocate(&gift(vec![named]), &[("GIFT", "ber", 9)]);
    assert_eq!(standing(&found.unwrap().order), ["s1 d1"]);
    assert_eq!(changes, []);
}

#[test]
fn nothing_new_is_no_decision() {
    let waiting = allocated(&order(&[("A", 2)]), &[]);
    assert_eq!(standing(&waiting), ["b2"]);
    assert_eq!(try_allocate(&waiting, &[]).0, None);
    assert_eq!(try_allocate(&waiting, &[("A", "ber", 0)]).0, None);
    let done = allocated(&order(&[("A", 2)]), &[("A", "ber", 2)]);
    assert_eq!(try_allocate(&done, &[("A", "ber", 9)]).0, None);
    let sent = sent(&done, 1, now());
    assert_eq!(try_allocate(&sent, &[("A", "ber", 9)]).0, None);
}

#[test]
fn goods_that_come_for_a_backorder_are_set_aside() {
    let waiting = allocated(&order(&[("A", 3), ("B", 1)]), &[]);
    assert_eq!(wanted_skus(&waiting), BTreeSet::from(["A", "B"]));
    let (some, changes) = try_allocate(&waiting, &[("A", "muc", 2)]);
    let some = some.unwrap();
    assert_eq!(standing(&some.order), ["b1 a2", "b1"]);
    assert_eq!(movements(&changes), ["A@muc allocate 2"]);
    let still = BTreeMap::from([("A".to_owned(), 1)]);
    assert_eq!(some.starts_waiting, still, "it waits for one more");
    assert_eq!(some.stops_waiting, BTreeSet::new());
    let (rest, _) = try_allocate(&some.order, &[("A", "ber", 5)]);
    let rest = rest.unwrap();
    assert_eq!(standing(&rest.order), ["a3", "b1"]);
    assert_eq!(rest.stops_waiting, BTreeSet::from(["A".to_owned()]));
    assert_eq!(wanted_skus(&rest.order), BTreeSet::from(["B"]));
    assert_eq!(sends(&rest.order), ["muc: 1x2", "ber: 1x1"]);
    let last = rest.order.timeline.entries.last().unwrap();
    assert_eq!(
        last.event,
        Event::Allocated(1.into(), 0.into()),
        "B was not looked for"
    );
}

#[test]
fn an_order_is_confirmed_to_its_customer_once() {
    let confirmations = |order: &Order| {
        let confirmed = |n: &&Notice| **n == Notice::Confirmed;
        order.notices.iter().filter(confirmed).count()
    };
    // Whether anything was found, some of it, or nothing.
    for levels in [&[][..], &[("A", "ber", 1)], &[("A", "ber", 2)]] {
        let mut next = allocated(&order(&[("A", 2)]), levels);
        assert_eq!(confirmations(&next), 1);
        next.notices.retain(|n| *n != Notice::Confirmed);
        let rejected = match next.fulfillments.is_empty() {
            true => next,
            false => reported(&next, 1, &Report::Rejected("flood".into())),
        };
        let again = allocated(&rejected, &[("A", "muc", 9)]);
        assert_eq!(confirmations(&again), 0);
    }
    let silent = accept(NewOrder {
        mailed: false,
        ..new_order(vec![line("1", "A", 1, 1000)])
    });
    let notices = allocated(&silent, &[("A", "ber", 1)]).notices;
    assert_eq!(notices, [Notice::Pick(1)]);
}

#[test]
fn a_held_order_sets_nothing_aside() {
    let mut held = order(&[("A", 1)]);
    held.holds.push(Hold {
        reason: HoldReason::Payment,
        since: now(),
    });
    let (found, changes) = try_allocate(&held, &[("A", "ber", 9)]);
    assert_eq!((found, changes), (None, vec![]));
}

#[test]
fn what_has_no_address_or_no_sku_waits() {
    // Both were on hold, and somebody lifted it.
    let mut nowhere = order(&[("A", 1)]);
    nowhere.destination = None;
    assert_eq!(standing(&allocated(&nowhere, &[("A", "ber", 9)])), ["b1"]);
    let mut unnamed = order(&[("A", 1)]);
    unnamed.lines[0].sku = None;
    let (found, _) = try_allocate(&unnamed, &[("A", "ber", 9)]);
    let found = found.unwrap();
    assert_eq!(standing(&found.order), ["b1"]);
    assert_eq!(found.starts_waiting, BTreeMap::new());
}
