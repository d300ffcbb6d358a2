//! Goods that are sold by measure: parts of them are ordered, routed, charged, sent back and refunded exactly.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::allocation::{Allocation, allocate};
use domain::candidates::{Candidate, Network, candidates, margin_milli};
use domain::catalog::problems::product_problems;
use domain::catalog::{Backorders, Band, Component, Cost, Rate};
use domain::change::{Disposition, announce_return, cancel, receive_return, release_hold};
use domain::decision::Decision;
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::{NewLine, NewOrder};
use domain::kit::take_apart;
use domain::limits::{MAX_DECIMALS, MAX_QUANTITY};
use domain::order::HoldReason;
use domain::refund::{Request, request};
use domain::rules::Rules;
use domain::shipping::weight_g;
use domain::stock::Changes;
use domain::{Location, Order, Product, Quantity, Refusal, view};
use proptest::prelude::*;

fn q(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn product(sku: &str, decimals: u8) -> Product {
    Product {
        sku: sku.into(),
        title: sku.into(),
        decimals,
        weight_g: 333,
        ..Product::default()
    }
}

/// So much of a SKU, at a price for a whole one.
fn wanted(id: &str, sku: &str, quantity: &str, price: i64) -> NewLine {
    NewLine {
        quantity: q(quantity),
        ..line(id, sku, 1, price)
    }
}

fn ordered(lines: Vec<NewLine>, products: &[Product]) -> Order {
    let mut new = new_order(lines);
    assert_eq!(new.measure(products), []);
    accept(new)
}

fn find(
    order: &Order,
    network: &Network,
    products: &[Product],
    levels: &[(&str, &str, i64)],
) -> Option<Allocation> {
    let mut changes = Changes::default();
    allocate(
        order,
        network,
        products,
        &mut stock(levels),
        &mut changes,
        now(),
    )
}

/// The published case of Magento's source selection: what there is, in tenths.
const SOURCES: [(&str, &str, i64); 3] = [
    ("SKU-1", "eu-1", 55),
    ("SKU-1", "eu-2", 30),
    ("SKU-1", "eu-3", 100),
];

/// Its sources by their distance; the third is out of stock: nothing is taken from it.
fn sources() -> Network {
    let place = |id, latitude| location(id, "DE", latitude, 13.4, "Europe/Berlin");
    network(vec![
        place("eu-1", 52.5),
        place("eu-2", 51.0),
        Location {
            closed: true,
            ..place("eu-3", 52.6)
        },
    ])
}

#[test]
fn seven_are_sent_as_five_and_a_half_and_one_and_a_half() {
    let products = [product("SKU-1", 1)];
    let order = ordered(vec![wanted("1", "SKU-1", "7", 1000)], &products);
    let found = find(&order, &sources(), &products, &SOURCES).unwrap();
    let sent = found.order.fulfillments.iter();
    let sent: Vec<_> = sent
        .map(|f| (f.location.as_str(), found.order.sum_of(&f.units)))
        .collect();
    assert_eq!(sent, [("eu-1", q("5.5")), ("eu-2", q("1.5"))]);
    let decision = found.decision.unwrap();
    assert_eq!(
        decision.tell(&decision.considered[0]),
        "sends 5.5 of 7 units"
    );
    assert_eq!(decision.summary()[0], "all of it is sent");
    assert_eq!(
        found.order.timeline.entries[1].event,
        Event::Allocated(q("7"), q("0"))
    );
}

#[test]
fn fifteen_cannot_be_sent() {
    let mut products = [product("SKU-1", 1)];
    let order = ordered(vec![wanted("1", "SKU-1", "15", 1000)], &products);
    let found = find(&order, &sources(), &products, &SOURCES).unwrap();
    assert_eq!(
        found
            .order
            .sum_of(&[(0, found.order.lines[0].units.backordered)]),
        q("6.5")
    );
    assert_eq!(
        found.decision.unwrap().summary()[0],
        "8.5 of 15 units are sent"
    );
    products[0].backorders = Backorders::Ask;
    let held = find(&order, &sources(), &products, &SOURCES).unwrap().order;
    assert_eq!(held.holds[0].reason, HoldReason::OutOfStock);
}

#[test]
fn pieces_and_measures_are_weighed_by_what_they_are() {
    // A tenth of a metre does not count as much as a piece: who has the more is asked for both.
    let products = [product("CLOTH", 3), product("CUP", 0)];
    let lines = vec![
        wanted("1", "CLOTH", "2.125", 1000),
        wanted("2", "CUP", "3", 500),
    ];
    let order = ordered(lines, &products);
    let levels = [("CLOTH", "ber", 2000), ("CUP", "ber", 1), ("CUP", "muc", 9)];
    let found = find(&order, &network(locations()), &products, &levels).unwrap();
    assert_eq!(standing(&found.order), ["b125 a2000", "a3"]);
    let decision = found.decision.unwrap();
    assert_eq!(decision.summary()[0], "5 of 5.125 units are sent");
    assert_eq!(
        found.order.timeline.entries[1].event,
        Event::Allocated(q("5"), q("0.125"))
    );
    // Two that decide at once, one a piece and one a step of what is measured, leave a record each.
    let outcome = |decimals| {
        Decision {
            decimals,
            ..decision.clone()
        }
        .outcome()
    };
    assert_ne!(outcome(3), outcome(0));
    let sent: Quantity = decision
        .sends()
        .map(|(_, units)| decision.quantity(units))
        .sum();
    assert_eq!(sent, q("5"));
}

#[test]
fn a_price_is_of_a_whole_one() {
    let products = [product("CLOTH", 2)];
    let order = ordered(vec![wanted("1", "CLOTH", "2.25", 1999)], &products);
    assert_eq!(order.total(), 4498, "44.9775");
    assert_eq!(
        (order.lines[0].units.ordered, order.lines[0].decimals),
        (225, 2)
    );
    // A number of fewer decimals is of the same product.
    let order = ordered(vec![wanted("1", "CLOTH", "2.5", 1999)], &products);
    assert_eq!(order.lines[0].units.ordered, 250);
    assert_eq!(
        serde_json::to_value(view::order(&order)).unwrap()["lines"][0]["units"]["ordered"],
        2.5
    );
}

#[test]
fn parts_come_back_and_are_refunded_exactly() {
    let products = [product("CLOTH", 1)];
    let order = ordered(vec![wanted("1", "CLOTH", "5.5", 333)], &products);
    assert_eq!(order.total(), 1832, "18.315");
    let order = sent(&allocated(&order, &[("CLOTH", "ber", 55)]), 1, now());
    let back = |order: &Order, key: &str, text: &str| {
        let (next, n) = announce_return(order, key, &[("1".into(), q(text))], later(1)).unwrap();
        let came = [("1".into(), q(text), Disposition::Restock)];
        receive_return(&next.unwrap(), n, "ber", &came, later(2))
            .unwrap()
            .unwrap()
    };
    let order = back(&order, "a", "0.1");
    let order = back(&order, "b", "3.7");
    let rest = Request::Units(vec![("1".into(), q("1.7"))]);
    let order = request(&order, "c", &rest, later(3)).unwrap().0.unwrap();
    let amounts: Vec<i64> = order.refunds.iter().map(|r| r.amount).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 1832, "{amounts:?}");
    let more = request(
        &order,
        "d",
        &Request::Units(vec![("1".into(), q("0.1"))]),
        later(3),
    );
    let refused = Refusal::TooMuch {
        subject: "line \"1\"".into(),
        wanted: q("0.1"),
        left: q("0"),
    };
    assert_eq!(more, Err(refused));
}

#[test]
fn what_a_product_cannot_have_is_refused_at_its_place() {
    let products = [product("CLOTH", 1), product("CUP", 0), product("GOLD", 3)];
    let mut new = new_order(vec![
        wanted("1", "CLOTH", "5.55", 100),
        wanted("2", "CUP", "1.5", 100),
        wanted("3", "GOLD", "100.001", 100),
        wanted("4", "GOLD", "100", 100),
        wanted("5", "CLOTH", "10000", 100),
        // What is not in the catalogue is counted as it was written.
        wanted("6", "NONE", "0.25", 100),
    ]);
    let problems = new.measure(&products).into_iter();
    let problems: Vec<String> = problems
        .map(|p| format!("{}: {}", p.pointer, p.detail))
        .collect();
    let expected = [
        "/lines/0/quantity: expected at most one decimal, found 5.55",
        "/lines/1/quantity: expected a whole number, found 1.5",
        "/lines/2/quantity: expected 0.001 to 100, found 100.001",
    ];
    assert_eq!(problems, expected);
    new.lines.drain(..3);
    assert_eq!(new.measure(&products), []);
    let order = new.accept(&["GOLD".into(), "CLOTH".into()].into(), now()).0;
    let units: Vec<u32> = order.lines.iter().map(|line| line.units.ordered).collect();
    assert_eq!(units, [MAX_QUANTITY, MAX_QUANTITY, 25]);
    assert_eq!(order.holds[0].reason, HoldReason::UnknownSku);
    for (decimals, found) in [(MAX_DECIMALS, 0), (MAX_DECIMALS + 1, 1)] {
        let problems = product_problems(&product("A", decimals));
        assert_eq!(
            problems.iter().filter(|p| p.pointer == "/decimals").count(),
            found
        );
    }
}

#[test]
fn requests_in_parts_that_a_line_does_not_have_are_refused_at_their_place() {
    let order = ordered(vec![line("1", "CUP", 2, 100)], &[product("CUP", 0)]);
    let order = allocated(&order, &[("CUP", "ber", 2)]);
    let refused = |lines: Vec<(String, Quantity)>| match request(
        &order,
        "k",
        &Request::Units(lines),
        now(),
    ) {
        Err(Refusal::Invalid(problem)) => (problem.pointer, problem.detail),
        other => panic!("{other:?}"),
    };
    let (pointer, detail) = refused(vec![("1".into(), q("1")), ("1".into(), q("0.5"))]);
    assert_eq!(
        (pointer.as_str(), detail.as_str()),
        ("/lines/1/quantity", "expected a whole number, found 0.5")
    );
    let (_, detail) = refused(vec![("1".into(), q("-1"))]);
    assert!(detail.ends_with("found -1"), "{detail}");
    let packed = Report::Packed(Some(vec![("1".into(), q("1.5"))]));
    let packed = domain::fulfillment::report(&order, 1, &packed, now());
    assert!(
        matches!(packed, Err(Refusal::Invalid(problem)) if problem.pointer == "/lines/0/quantity")
    );
}

#[test]
fn what_was_ordered_before_its_product_was_known_is_counted_anew() {
    let late = |quantity: &str| {
        let new = new_order(vec![wanted("1", "CLOTH", quantity, 333)]);
        let held = new.accept(&Default::default(), now()).0;
        release_hold(&held, "unknown-sku", now()).unwrap().unwrap()
    };
    let levels = [("CLOTH", "ber", 900)];
    let find = |order: &Order, decimals| {
        let products = [product("CLOTH", decimals)];
        find(order, &network(locations()), &products, &levels)
            .unwrap()
            .order
    };
    for (quantity, units) in [("3", 300), ("2.5", 250)] {
        let order = late(quantity);
        let found = find(&order, 2);
        assert_eq!(standing(&found), [format!("a{units}")]);
        assert_eq!((found.lines[0].decimals, found.total()), (2, order.total()));
    }
    let mut less = new_order(vec![wanted("1", "CLOTH", "3", 333)]);
    less.lines[0].cancelled = q("1");
    let less = less.accept(&Default::default(), now()).0;
    let less = release_hold(&less, "unknown-sku", now()).unwrap().unwrap();
    assert_eq!(standing(&find(&less, 2)), ["x100 a200"]);
    // There is no half of it: nothing is set aside, and a person looks at it.
    let held = find(&late("2.5"), 0);
    assert_eq!(standing(&held), ["o25"]);
    assert_eq!(held.holds[0].reason, HoldReason::UnknownSku);
    // What has gone back in parts of then is not divided anew.
    let part = Request::Units(vec![("1".into(), q("1"))]);
    let part = request(&late("3"), "k", &part, now()).unwrap().0.unwrap();
    assert_eq!(find(&part, 2).holds[0].reason, HoldReason::UnknownSku);
}

#[test]
fn a_kit_has_measured_parts() {
    let kit = Product {
        components: vec![
            Component {
                sku: "CLOTH".into(),
                quantity: q("1.5"),
            },
            Component {
                sku: "CUP".into(),
                quantity: q("2"),
            },
        ],
        ..product("SET", 0)
    };
    let products = [kit.clone(), product("CLOTH", 1), product("CUP", 0)];
    let mut new = new_order(vec![line("1", "SET", 3, 1000)]);
    assert_eq!(new.measure(&products), []);
    let order = accept(take_apart(new, &products));
    // By their number: 4.5 and 6.
    assert_eq!(standing(&order), ["o45", "o6"]);
    let charges: Vec<i64> = order.lines.iter().map(|line| line.charge(true)).collect();
    assert_eq!(charges, [1286, 1714]);
    let shown = serde_json::to_value(view::order(&order)).unwrap();
    assert_eq!(shown["lines"][0]["kit"]["per_kit"], 1.5);
    // Who speaks of one kit speaks of its parts.
    assert_eq!(order.units_of("1", q("1"), "").unwrap(), [(0, 15), (1, 2)]);
    assert!(
        order.units_of("1", q("0.5"), "").is_err(),
        "there is no half of a kit"
    );
    let whole = Product { decimals: 1, ..kit };
    assert_eq!(product_problems(&whole).len(), 1, "a kit is counted");
}

#[test]
fn weights_costs_and_margins_are_of_a_whole_one() {
    let eur = currency("EUR");
    let cost = Some(Cost {
        amount: 400,
        currency: eur,
    });
    let products = [Product {
        unit_cost: cost,
        ..product("CLOTH", 1)
    }];
    let order = ordered(vec![wanted("1", "CLOTH", "2.5", 1000)], &products);
    let sent = allocated(&order, &[("CLOTH", "ber", 25)]);
    assert_eq!(
        weight_g(&sent, &sent.fulfillments[0], &products),
        833,
        "832.5"
    );
    let margin = margin_milli(&order, &products, Rules::of(&[], "api"), eur);
    assert_eq!(margin, Some(1_500_000), "25.00 less 10.00");
    let band = |max_weight_g, price| Band {
        max_weight_g,
        price,
    };
    let rate = Rate {
        id: "r".into(),
        carrier: "Post".into(),
        service: "Parcel".into(),
        from: "ber".into(),
        to: Vec::new(),
        transit_days: 1,
        bands: vec![band(100, 100), band(10_000, 600)],
    };
    let network = Network::new(locations(), vec![rate], Vec::new());
    let to = order.destination.as_ref().unwrap();
    let (found, _) = candidates(&order, to, &network, &Default::default(), 1_000, now());
    let ber = |c: &&Candidate| c.location.id == "ber";
    let ber = found.iter().find(ber).unwrap();
    assert_eq!(
        (ber.unit_cost_milli(333, 1), ber.unit_cost_milli(333, 10)),
        (166_500, 16_650)
    );
}

#[test]
fn documents_of_products_are_in_their_own_measure() {
    let told = |document: &str| {
        let product: Product = serde_json::from_str(document).unwrap();
        let problems = product_problems(&product).into_iter();
        problems.map(|p| p.pointer).collect::<Vec<_>>()
    };
    let of = |fields: &str| {
        format!(
            r#"{{"sku":"A","title":"a","weight_g":1,"length_mm":1,"width_mm":1,"height_mm":1,{fields}}}"#
        )
    };
    let none: [&str; 0] = [];
    let sound = of(
        r#""decimals":1,"reorder_point":2.5,"reorder_quantity":"10.0","safety_stock":{"*":0.5}"#,
    );
    assert_eq!(told(&sound), none);
    let product: Product = serde_json::from_str(&sound).unwrap();
    assert_eq!(
        (product.safety_stock_in("ber"), product.units(q("2.5"))),
        (5, Some(25))
    );
    assert_eq!(
        serde_json::to_value(&product).unwrap()["reorder_point"],
        2.5
    );
    assert_eq!(told(&of(r#""reorder_point":2.5"#)), ["/reorder_point"]);
    assert_eq!(
        told(&of(r#""decimals":1,"reorder_quantity":-1"#)),
        ["/reorder_quantity"]
    );
    assert_eq!(
        told(&of(r#""decimals":1,"safety_stock":{"ber":0.25}"#)),
        ["/safety_stock/ber"]
    );
    assert_eq!(told(&of(r#""decimals":4"#)), ["/decimals"]);
    assert_eq!(
        told(&of(r#""components":[{"sku":"B","quantity":0}]"#)),
        ["/components/0/quantity"]
    );
    // What was stored before there were measures.
    let old: Product = serde_json::from_str(&of(r#""reorder_point":3"#)).unwrap();
    assert_eq!((old.decimals, old.reorder_point), (0, Some(3.into())));
}

fn amounts(order: &Order) -> i64 {
    order.refunds.iter().map(|refund| refund.amount).sum()
}

proptest! {
    /// Whatever a line costs, its parts cost that, in whatever steps they go back.
    #[test]
    fn parts_add_up_to_the_whole(
        units in 1_u32..3_000,
        decimals in 0..=MAX_DECIMALS,
        price in 1_i64..1_000_000,
        discount in 0_i64..50,
        extras in 0_i64..2_000,
        parts in prop::collection::vec(1_u32..900, 1..8),
    ) {
        let products = [product("A", decimals)];
        let quantity = Quantity::new(units, decimals);
        let goods = quantity.cost_at(price);
        let exact = i128::from(price) * i128::from(units);
        let step = 10_i128.pow(decimals.into());
        prop_assert!((i128::from(goods) * step - exact).abs() * 2 <= step);
        let line = NewLine { quantity, discount: discount.min(goods), ..line("1", "A", 1, price) };
        let mut new = NewOrder { extras, ..new_order(vec![line]) };
        prop_assert_eq!(new.measure(&products), []);
        new.payments = vec![domain::order::Payment::Captured(goods - discount.min(goods) + extras)];
        let mut order = accept(new);
        let whole = order.total();
        prop_assert_eq!(whole, goods - discount.min(goods) + extras);
        for (n, part) in parts.into_iter().enumerate() {
            let part = part.min(units - order.lines[0].refunded_units);
            let part = Request::Units(vec![("1".into(), Quantity::new(part, decimals))]);
            if let Ok((Some(next), _)) = request(&order, &n.to_string(), &part, now()) {
                order = next;
            }
        }
        let order = cancel(&order, "no", now()).unwrap().unwrap();
        prop_assert_eq!(amounts(&order), whole);
    }
}
