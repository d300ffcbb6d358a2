//! What may be promised of what is there, and what becomes of what is not.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::*;
use domain::Quantity;
use domain::allocation::{Allocation, allocate};
use domain::catalog::problems::product_problems;
use domain::catalog::{ANY_LOCATION, Backorders, Component};
use domain::change::{cancel, release_hold};
use domain::event::Event;
use domain::limits::MAX_QUANTITY;
use domain::offer::offered;
use domain::order::HoldReason;
use domain::owed::Notice;
use domain::stock::Changes;
use domain::{Order, Product};
use jiff::Timestamp;

fn product(sku: &str, of: impl FnOnce(&mut Product)) -> Product {
    let mut product = Product {
        sku: sku.into(),
        title: sku.into(),
        ..Product::default()
    };
    of(&mut product);
    product
}

fn kept(all: &[(&str, u32)]) -> BTreeMap<String, Quantity> {
    all.iter()
        .map(|(id, units)| ((*id).into(), Quantity::new(*units, 0)))
        .collect()
}

/// What an order finds, and the units that each level has to have for it.
fn found(
    order: &Order,
    products: &[Product],
    levels: &[(&str, &str, i64)],
    now: Timestamp,
) -> (Option<Allocation>, Vec<i64>) {
    let mut changes = Changes::default();
    let network = network(locations());
    let found = allocate(
        order,
        &network,
        products,
        &mut stock(levels),
        &mut changes,
        now,
    );
    let needs = changes.into_vec().iter().map(|c| c.needs()).collect();
    (found, needs)
}

#[test]
fn what_is_kept_back_is_promised_to_nobody() {
    let a = |kept: &[(&str, u32)]| [product("A", |p| p.safety_stock = self::kept(kept))];
    let cases = [
        ("none is", a(&[]), 5, "a5", 5),
        ("some is", a(&[("ber", 2)]), 5, "b2 a3", 5),
        ("everywhere", a(&[(ANY_LOCATION, 3)]), 5, "b3 a2", 5),
        (
            "its own number goes before",
            a(&[("ber", 1), (ANY_LOCATION, 5)]),
            5,
            "b1 a4",
            5,
        ),
        ("elsewhere", a(&[("muc", 5)]), 5, "a5", 5),
        ("more than there is", a(&[("ber", 9)]), 5, "b5", 0),
    ];
    for (name, products, units, expected, needs) in cases {
        let order = order(&[("A", units)]);
        let (found, needed) = found(&order, &products, &[("A", "ber", 5)], now());
        assert_eq!(standing(&found.unwrap().order), [expected], "{name}");
        // The database is asked for what is taken and what stays.
        assert_eq!(needed.iter().sum::<i64>(), needs, "{name}");
    }
}

#[test]
fn a_preorder_waits_for_its_first_day_by_the_locations_own_calendar() {
    let products = [product("A", |p| {
        p.available_on = Some("2026-03-05".parse().unwrap());
    })];
    // 23:59 and 00:00 in Berlin.
    let (before, first) = (at("2026-03-04T22:59:59Z"), at("2026-03-04T23:00:00Z"));
    let order = order(&[("A", 1)]);
    let levels = [("A", "ber", 5)];
    let (early, _) = found(&order, &products, &levels, before);
    assert_eq!(standing(&early.unwrap().order), ["b1"]);
    let (then, _) = found(&order, &products, &levels, first);
    assert_eq!(standing(&then.unwrap().order), ["a1"]);
    let ber = &locations()[2];
    assert_eq!(offered(5, Some(&products[0]), ber, before), 0);
    assert_eq!(offered(5, Some(&products[0]), ber, first), 5);
    assert_eq!(
        offered(-5, None, ber, first),
        0,
        "less than nothing is nothing"
    );
}

#[test]
fn a_person_is_asked_before_some_products_wait() {
    let products = [
        product("A", |p| p.backorders = Backorders::Ask),
        product("B", |_| {}),
    ];
    let placed = order(&[("A", 3), ("B", 1)]);
    let levels = [("A", "ber", 2)];
    let (held, _) = found(&placed, &products, &levels, now());
    let held = held.unwrap().order;
    // What is there goes; what is missing of A stays open, and B waits as usual.
    assert_eq!(standing(&held), ["o1 a2", "b1"]);
    let reasons: Vec<_> = held.holds.iter().map(|hold| &hold.reason).collect();
    assert_eq!(reasons, [&HoldReason::OutOfStock]);
    let more = [("A", "ber", 9)];
    assert_eq!(found(&held, &products, &more, now()).0, None, "until then");
    // Somebody says that it may wait: it is looked for again, and nobody is asked again.
    let may = release_hold(&held, "out-of-stock", now()).unwrap().unwrap();
    let (waits, _) = found(&may, &products, &[], now());
    let waits = waits.unwrap();
    assert_eq!(standing(&waits.order), ["b1 a2", "b1"]);
    assert!(waits.order.holds.is_empty() && waits.starts_waiting.contains_key("A"));
    let (all, _) = found(&may, &products, &more, now());
    assert_eq!(standing(&all.unwrap().order), ["a3", "b1"]);
    // Or that it is not wanted any more.
    let gone = cancel(&held, "too late", now()).unwrap().unwrap();
    assert!(gone.holds.is_empty(), "{:?}", gone.holds);
    assert_eq!(standing(&gone), ["x3", "x1"]);
    // The customer hears once that the order has come in.
    let (asked, _) = found(&placed, &products, &[], now());
    let asked = asked.unwrap().order;
    assert_eq!(asked.notices, [Notice::Confirmed]);
    let may = release_hold(&asked, "out-of-stock", now())
        .unwrap()
        .unwrap();
    let told = may.advance(now(), Event::Accepted, |next| next.notices.clear());
    let (again, _) = found(&told, &products, &[], now());
    assert_eq!(again.unwrap().order.notices, []);
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_its_place() {
    let pointers = |product: &Product| -> Vec<String> {
        let problems = product_problems(product).into_iter();
        problems.map(|problem| problem.pointer).collect()
    };
    let most = |units| product("A", |p| p.safety_stock = kept(&[("ber", units)]));
    assert_eq!(pointers(&most(MAX_QUANTITY)), [""; 0]);
    assert_eq!(pointers(&most(MAX_QUANTITY + 1)), ["/safety_stock/ber"]);
    let place = |id: &str| product("A", |p| p.safety_stock = kept(&[(id, 1)]));
    assert_eq!(pointers(&place(ANY_LOCATION)), [""; 0]);
    assert_eq!(pointers(&place("no place")), ["/safety_stock"]);
    let part = Component {
        sku: "B".into(),
        quantity: 2.into(),
    };
    let kit = |of: fn(&mut Product)| {
        product("SET", |p| {
            p.components = vec![part.clone()];
            of(p);
        })
    };
    assert_eq!(pointers(&kit(|_| {})), [""; 0]);
    assert_eq!(pointers(&kit(|p| p.backorders = Backorders::Ask)), [""]);
}
