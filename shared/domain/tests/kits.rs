//! Kits: sold as one article, kept as several.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::*;
use domain::catalog::{Component, Cost};
use domain::change::{Disposition, announce_return, receive_return};
use domain::intake::{NewLine, NewOrder};
use domain::kit::{component_skus, take_apart};
use domain::limits::{MAX_LINES, MAX_NAME_CHARS, MAX_QUANTITY};
use domain::{Order, Product};
use proptest::prelude::*;

fn product(sku: &str, components: &[(&str, u32)]) -> Product {
    let component = |(sku, quantity): &(&str, u32)| Component {
        sku: (*sku).into(),
        quantity: i64::from(*quantity).into(),
    };
    Product {
        sku: sku.into(),
        title: format!("a {sku}"),
        components: components.iter().map(component).collect(),
        ..Product::default()
    }
}

/// A brewing set of one dripper, two cups and a hundred filters.
fn catalogue() -> Vec<Product> {
    let set = product("SET", &[("DRIPPER", 1), ("CUP", 2)]);
    vec![set, product("DRIPPER", &[]), product("CUP", &[])]
}

fn accepted(new: NewOrder, products: &[Product]) -> Order {
    let new = take_apart(new, products);
    assert_eq!(new.problems(), []);
    let kept = products.iter().filter(|p| p.components.is_empty());
    let known: BTreeSet<String> = kept.map(|p| p.sku.clone()).collect();
    let (order, contact) = new.accept(&known, now());
    assert!(contact.titles.is_empty() || contact.titles.len() == order.lines.len());
    order
}

/// SKU, units, charge of each line.
fn lines(order: &Order) -> Vec<(&str, u32, i64)> {
    let of = |line: &'_ domain::Line| (line.units.ordered, line.charge(order.taxes_included));
    let lines = order.lines.iter();
    lines
        .map(|l| (l.sku.as_deref().unwrap(), of(l).0, of(l).1))
        .collect()
}

#[test]
fn a_kit_becomes_its_components_and_costs_what_it_did() {
    let mut new = new_order(vec![line("1", "SET", 3, 1000), line("2", "CUP", 1, 500)]);
    new.contact.titles = vec!["Brewing set".into(), "Cup".into()];
    let order = accepted(new.clone(), &catalogue());
    // 30.00 over 3 drippers and 6 cups, by their number.
    let expected = [("DRIPPER", 3, 1000), ("CUP", 6, 2000), ("CUP", 1, 500)];
    assert_eq!(lines(&order), expected);
    assert_eq!(order.total(), 3500);
    assert_eq!(order.holds, []);
    let ids: Vec<&str> = order.lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, ["1.1", "1.2", "2"]);
    let titles = take_apart(new, &catalogue()).contact.titles;
    assert_eq!(
        titles,
        ["a DRIPPER (title of SET)", "a CUP (title of SET)", "Cup"]
    );
    // By what they cost, if that is known of all.
    let mut products = catalogue();
    for (sku, amount) in [("DRIPPER", 600), ("CUP", 200)] {
        let known = products.iter_mut().find(|p| p.sku == sku).unwrap();
        known.unit_cost = Some(Cost {
            amount,
            currency: currency("EUR"),
        });
    }
    let order = accepted(new_order(vec![line("1", "SET", 3, 1000)]), &products);
    assert_eq!(lines(&order), [("DRIPPER", 3, 1800), ("CUP", 6, 1200)]);
}

#[test]
fn a_component_that_two_lines_share_is_taken_once_from_the_shelf_for_both() {
    let new = new_order(vec![line("1", "SET", 1, 1000), line("2", "CUP", 2, 500)]);
    let order = accepted(new, &catalogue());
    let (found, changes) = try_allocate(&order, &[("DRIPPER", "ber", 1), ("CUP", "ber", 3)]);
    // One cup of four is missing: of whichever line, no unit is promised twice.
    assert_eq!(standing(&found.unwrap().order), ["a1", "a2", "b1 a1"]);
    assert_eq!(
        movements(&changes),
        ["DRIPPER@ber allocate 1", "CUP@ber allocate 2, allocate 1"]
    );
}

#[test]
fn who_speaks_of_the_kit_speaks_of_all_its_parts() {
    let order = accepted(new_order(vec![line("1", "SET", 2, 1000)]), &catalogue());
    let order = allocated(&order, &[("DRIPPER", "ber", 2), ("CUP", "ber", 4)]);
    let order = sent(&order, 1, now());
    let one = [("1".to_owned(), 1.into())];
    let (announced, n) = announce_return(&order, "r", &one, later(1)).unwrap();
    let order = announced.unwrap();
    assert_eq!(order.returns[0].units, [(0, 1), (1, 2)]);
    let came = [("1".to_owned(), 1.into(), Disposition::Restock)];
    let order = receive_return(&order, n, "ber", &came, later(2))
        .unwrap()
        .unwrap();
    assert_eq!(standing(&order), ["s2 d1 r1", "s4 d2 r2"]);
    // Half of what both kits cost, to the share of each unit: 3.34 of 6.67, and 6.67 of 13.33.
    assert_eq!(order.refunds[0].amount, 1001);
    // One cup by itself can come back too.
    let cup = [("1.2".to_owned(), 1.into())];
    assert!(
        announce_return(&order, "s", &cup, later(3))
            .unwrap()
            .0
            .is_some()
    );
    assert!(announce_return(&order, "t", &[("3".to_owned(), 1.into())], later(3)).is_err());
}

#[test]
fn a_kit_that_is_taken_off_the_order_is_with_all_its_parts() {
    let mut new = new_order(vec![line("1", "SET", 3, 1000)]);
    new.lines[0].cancelled = 2.into();
    let order = accepted(new, &catalogue());
    assert_eq!(standing(&order), ["x2 o1", "x4 o2"]);
}

#[test]
fn what_cannot_be_taken_apart_stays_whole_and_is_looked_at() {
    let whole = |new: NewOrder, products: &[Product]| {
        let apart = take_apart(new.clone(), products);
        assert_eq!(apart, new);
        let order = accepted(new, products);
        assert_eq!(order.holds[0].reason.name(), "unknown-sku");
    };
    let kit = || new_order(vec![line("1", "SET", 1, 1000)]);
    whole(kit(), &catalogue()[..2]);
    let mut nested = catalogue();
    nested[2] = product("CUP", &[("CLAY", 1)]);
    whole(kit(), &nested);
    let most = i64::from(MAX_QUANTITY) / 2;
    assert_eq!(
        lines(&accepted(
            new_order(vec![line("1", "SET", most, 1)]),
            &catalogue()
        ))
        .len(),
        2
    );
    whole(new_order(vec![line("1", "SET", most + 1, 1)]), &catalogue());
    let long = "x".repeat(MAX_NAME_CHARS - 2);
    assert_eq!(
        lines(&accepted(
            new_order(vec![line(&long, "SET", 1, 1)]),
            &catalogue()
        ))
        .len(),
        2
    );
    whole(
        new_order(vec![line(&format!("{long}x"), "SET", 1, 1)]),
        &catalogue(),
    );
    let taken = new_order(vec![line("1", "SET", 1, 1000), line("1.2", "CUP", 1, 500)]);
    whole(taken, &catalogue());
}

#[test]
fn no_order_has_more_lines_than_it_may() {
    let order = |cups: usize| {
        let mut all: Vec<NewLine> = vec![line("kit", "SET", 1, 10)];
        all.extend((0..cups).map(|n| line(&n.to_string(), "CUP", 1, 10)));
        take_apart(new_order(all), &catalogue()).lines.len()
    };
    assert_eq!(order(MAX_LINES - 2), MAX_LINES);
    assert_eq!(order(MAX_LINES - 1), MAX_LINES, "it stays whole");
}

#[test]
fn what_is_in_kits_is_told() {
    let products = catalogue();
    let skus: Vec<&str> = component_skus(&products).collect();
    assert_eq!(skus, ["DRIPPER", "CUP"]);
}

proptest! {
    /// Whatever a kit costs, its parts cost that, and so does sending all of them back in any steps.
    #[test]
    fn no_minor_unit_is_lost(
        quantity in 1_i64..50,
        unit_price in 0_i64..100_000,
        discount in 0_i64..1_000,
        tax in 0_i64..5_000,
        per in prop::collection::vec(1_u32..9, 1..6),
    ) {
        let skus: Vec<String> = (0..per.len()).map(|n| format!("P{n}")).collect();
        let parts: Vec<(&str, u32)> = skus.iter().map(String::as_str).zip(per).collect();
        let mut products = vec![product("SET", &parts)];
        products.extend(skus.iter().map(|sku| product(sku, &[])));
        let kit = NewLine {
            discount: discount.min(unit_price * quantity),
            tax,
            ..line("1", "SET", quantity, unit_price)
        };
        let mut new = new_order(vec![kit.clone()]);
        new.taxes_included = false;
        let whole = unit_price * quantity - kit.discount + tax;
        let apart = take_apart(new, &products);
        prop_assert_eq!(apart.problems(), []);
        let (order, _) = apart.accept(&skus.iter().cloned().collect(), now());
        prop_assert_eq!(order.total(), whole);
        prop_assert_eq!(order.lines.len(), skus.len());
    }
}
