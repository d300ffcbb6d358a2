//! What is kept for somebody, and the order that takes it up.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use domain::allocation::{Allocation, Available, allocate};
use domain::catalog::{Component, Cost};
use domain::event::Event;
use domain::intake::NewOrder;
use domain::kit::take_apart;
use domain::limits::{
    MAX_LINES_PER_TAKE_UP, MAX_RESERVED_LEVELS, MAX_TAKES_PER_COMMIT, MAX_TRANSACTION_ACTIONS,
};
use domain::reservation::{Kept, Reservation, ReservationStatus, Unreserved, choose};
use domain::rules::Rules;
use domain::stock::{Changes, Level, LevelChange, MovementKind};
use domain::{Order, Product};

fn kept(sku: &str, location: &str, quantity: i64) -> Kept {
    Kept {
        sku: sku.into(),
        location: location.into(),
        share: 0,
        quantity,
        decimals: 0,
    }
}

fn product(sku: &str) -> Product {
    Product {
        sku: sku.into(),
        ..Product::default()
    }
}

/// Lines as they are asked for, called after their places.
fn asked(lines: &[(&str, i64)]) -> NewOrder {
    let lines = lines.iter().enumerate();
    new_order(
        lines
            .map(|(n, (sku, units))| line(&n.to_string(), sku, *units, 0))
            .collect(),
    )
}

/// What is kept for these lines, of which each may name a location.
fn chosen(
    lines: &[(&str, i64)],
    places: &[Option<&str>],
    levels: &[(&str, &str, i64)],
) -> Result<Vec<Kept>, Vec<String>> {
    let places: Vec<Option<String>> = places.iter().map(|p| p.map(str::to_owned)).collect();
    let order = accept(asked(lines));
    let chosen = choose(
        &order,
        &places,
        &network(locations()),
        &[],
        &stock(levels),
        now(),
    );
    chosen.map_err(|why| match why {
        Unreserved::TooFew(problems) => problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.detail))
            .collect(),
        Unreserved::TooManyPlaces => vec!["too many places".into()],
    })
}

#[test]
fn goods_are_kept_where_an_order_would_get_them() {
    let levels = [("A", "muc", 5), ("A", "ber", 2), ("B", "ber", 1)];
    assert_eq!(
        chosen(&[("A", 2)], &[None], &levels),
        Ok(vec![kept("A", "ber", 2)])
    );
    assert_eq!(
        chosen(&[("A", 3)], &[None], &levels),
        Ok(vec![kept("A", "muc", 3)]),
        "one who has all of it"
    );
    // Also in several places, and in the order of the request where a line says where.
    let all = chosen(&[("A", 7)], &[None], &levels).unwrap();
    assert_eq!(all, [kept("A", "ber", 2), kept("A", "muc", 5)]);
    let named = chosen(&[("A", 3), ("A", 2)], &[None, Some("ber")], &levels).unwrap();
    assert_eq!(named, [kept("A", "ber", 2), kept("A", "muc", 3)]);
}

#[test]
fn all_of_it_is_kept_or_nothing() {
    let levels = [("A", "muc", 5), ("A", "ber", 2)];
    assert_eq!(
        chosen(&[("A", 8), ("B", 1)], &[None, None], &levels).unwrap_err(),
        [
            "/lines/0: expected 8 available of A, found 7",
            "/lines/1: expected 1 available of B, found 0"
        ]
    );
    assert_eq!(
        chosen(&[("A", 3)], &[Some("ber")], &levels).unwrap_err(),
        ["/lines/0: expected 3 available of A, found 2"],
        "nobody else has what is to be there"
    );
    assert_eq!(
        chosen(&[("A", 6), ("A", 2)], &[None, Some("ber")], &levels).unwrap_err(),
        ["/lines/0: expected 6 available of A, found 5"]
    );
}

#[test]
fn a_kit_is_kept_in_its_parts_and_a_location_is_that_of_all_of_them() {
    let component = |sku: &str, quantity: i64| Component {
        sku: sku.into(),
        quantity: quantity.into(),
    };
    let kit = Product {
        components: vec![component("A", 2), component("B", 1)],
        ..product("SET")
    };
    let products = [kit, product("A"), product("B")];
    let order = accept(take_apart(asked(&[("SET", 2)]), &products));
    let levels = stock(&[
        ("A", "muc", 9),
        ("B", "muc", 9),
        ("A", "ber", 9),
        ("B", "ber", 1),
    ]);
    let choose = |place: &str| {
        let places = [Some(place.to_owned())];
        choose(
            &order,
            &places,
            &network(locations()),
            &products,
            &levels,
            now(),
        )
    };
    assert_eq!(
        choose("muc"),
        Ok(vec![kept("A", "muc", 4), kept("B", "muc", 2)])
    );
    let Err(Unreserved::TooFew(problems)) = choose("ber") else {
        panic!("expected too few");
    };
    assert_eq!(problems[0].pointer, "/lines/0");
    assert_eq!(problems[0].detail, "expected 2 available of B, found 1");
}

#[test]
fn what_a_reservation_would_earn_bounds_nothing() {
    let costs = Product {
        unit_cost: Some(Cost {
            amount: 500,
            currency: currency("EUR"),
        }),
        ..product("A")
    };
    let rules = Rules {
        channel: "*".into(),
        shipment_cost: Some(100),
        ..Rules::of(&[], "*").clone()
    };
    let mut network = network(locations());
    network.rules = vec![rules];
    let levels = stock(&[("A", "muc", 1), ("A", "ber", 1)]);
    let order = accept(asked(&[("A", 2)]));
    let kept = choose(&order, &[None], &network, &[costs], &levels, now());
    assert_eq!(kept.unwrap().len(), 2, "two shipments");
}

/// One share of a level has less than is wanted, and several have more places than a reservation.
#[test]
fn goods_are_kept_in_few_places() {
    let share = |share| Level {
        sku: "A".into(),
        location: "ber".into(),
        share,
        available: 1,
        ..Level::default()
    };
    let keeps = |units: usize| {
        let mut available = Available::default();
        for n in 0..units {
            available.note(&share(n as u8));
        }
        let order = accept(asked(&[("A", units as i64)]));
        let network = network(locations());
        choose(&order, &[None], &network, &[], &available, now()).map(|kept| kept.len())
    };
    assert_eq!(keeps(MAX_RESERVED_LEVELS), Ok(MAX_RESERVED_LEVELS));
    assert_eq!(
        keeps(MAX_RESERVED_LEVELS + 1),
        Err(Unreserved::TooManyPlaces)
    );
}

fn reservation(kept: &[Kept]) -> Reservation {
    Reservation {
        id: "R".into(),
        status: ReservationStatus::Held,
        held_until: now(),
        kept: kept.to_vec(),
        fingerprint: String::new(),
        order: None,
    }
}

/// What an order that names a reservation comes to, as allocate-warehouse has it.
fn taken_up(
    order: &Order,
    keeps: &[Kept],
    products: &[Product],
    levels: &[(&str, &str, i64)],
) -> (Option<Allocation>, Vec<LevelChange>, Available) {
    let (network, mut available) = (network(locations()), stock(levels));
    let mut changes = Changes::default();
    available.note_kept(keeps);
    for kept in keeps {
        changes.take_up(kept, order, now());
    }
    let found = allocate(
        order,
        &network,
        products,
        &mut available,
        &mut changes,
        now(),
    );
    (found, changes.into_vec(), available)
}

fn naming(lines: &[(&str, i64)]) -> Order {
    let lines = (1..).zip(lines);
    let lines = lines.map(|(n, (sku, units))| line(&format!("{n}"), sku, *units, 1000));
    accept(NewOrder {
        reservation: Some("R".into()),
        ..new_order(lines.collect())
    })
}

fn newest(order: &Order) -> &Event {
    &order.timeline.entries.last().unwrap().event
}

#[test]
fn an_order_has_what_was_kept_for_it_where_nothing_else_is_available() {
    let order = naming(&[("A", 2)]);
    assert_eq!(order.unused_reservation(), Some("R"));
    let keeps = [kept("A", "muc", 3)];
    let (found, changes, available) = taken_up(&order, &keeps, &[], &[("A", "muc", 0)]);
    let after = found.unwrap().order;
    assert_eq!(standing(&after), ["a2"]);
    assert_eq!(
        *newest(&after),
        Event::AllocatedReserved(2.into(), 0.into(), 3.into())
    );
    assert_eq!(after.unused_reservation(), None);
    assert_eq!(movements(&changes), ["A@muc commit 3, allocate 2"]);
    assert_eq!(changes[0].needs(), 0);
    assert_eq!(available.units("A", "muc"), 1, "the rest is anybody's");
    let reservation = reservation(&keeps);
    assert_eq!(
        reservation.given_back(&order, &after),
        BTreeSet::from(["A"])
    );

    // With all of it gone, nothing is given back.
    let order = naming(&[("A", 4)]);
    let (found, changes, _) = taken_up(&order, &keeps, &[], &[("A", "muc", 1)]);
    let after = found.unwrap().order;
    assert_eq!(standing(&after), ["a4"]);
    assert_eq!(changes[0].needs(), 1);
    assert_eq!(reservation.given_back(&order, &after), BTreeSet::new());
}

#[test]
fn what_is_kept_elsewhere_is_given_back_and_what_is_not_there_is_not_had() {
    // All of it is nearer.
    let order = naming(&[("A", 2)]);
    let keeps = [kept("A", "muc", 2)];
    let (found, changes, _) = taken_up(&order, &keeps, &[], &[("A", "ber", 2)]);
    let after = found.unwrap().order;
    assert_eq!(movements(&changes), ["A@muc commit 2", "A@ber allocate 2"]);
    let reservation = reservation(&keeps);
    let given_back = reservation.given_back(&order, &after);
    assert_eq!(given_back, BTreeSet::from(["A"]));
    // A count has found fewer than were kept.
    let (found, ..) = taken_up(&order, &keeps, &[], &[("A", "muc", -1)]);
    assert_eq!(standing(&found.unwrap().order), ["b1 a1"]);
    // A reservation that is not held any more.
    let (found, changes, _) = taken_up(&order, &[], &[], &[("A", "muc", 2)]);
    let after = found.unwrap().order;
    assert_eq!(
        *newest(&after),
        Event::AllocatedReserved(2.into(), 0.into(), 0.into())
    );
    assert_eq!(after.unused_reservation(), None);
    assert_eq!(movements(&changes), ["A@muc allocate 2"]);
}

#[test]
fn what_was_promised_is_had_although_more_is_kept_back_by_now() {
    let safe = Product {
        safety_stock: BTreeMap::from([("*".to_owned(), 5.into())]),
        ..product("A")
    };
    let order = naming(&[("A", 4)]);
    let had = |available: i64| {
        let keeps = [kept("A", "muc", 3)];
        let products = std::slice::from_ref(&safe);
        let levels = [("A", "muc", available)];
        standing(&taken_up(&order, &keeps, products, &levels).0.unwrap().order)
    };
    assert_eq!(had(0), ["b1 a3"]);
    assert_eq!(had(5), ["b1 a3"], "the safety stock stays");
    assert_eq!(had(6), ["a4"]);
    assert_eq!(had(-2), ["b3 a1"]);
}

#[test]
fn a_long_order_looks_first_at_what_is_kept_for_it() {
    let skus: Vec<String> = (0..=MAX_LINES_PER_TAKE_UP)
        .map(|n| format!("S{n}"))
        .collect();
    let lines: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    let order = naming(&lines);
    let last = skus.last().unwrap();
    let (found, ..) = taken_up(&order, &[kept(last, "muc", 1)], &[], &[]);
    let after = found.unwrap().order;
    let stand = standing(&after);
    assert_eq!(stand[MAX_LINES_PER_TAKE_UP], "a1");
    assert_eq!(
        stand[MAX_LINES_PER_TAKE_UP - 1],
        "o1",
        "it is looked at next"
    );
    assert!(stand[..MAX_LINES_PER_TAKE_UP - 1].iter().all(|l| l == "b1"));
    // Everything that may change together fits one transaction, with a day of some locations.
    let (order_and_page, reservation) = (2, 1);
    let most = MAX_LINES_PER_TAKE_UP + MAX_TAKES_PER_COMMIT + MAX_RESERVED_LEVELS;
    let most = most + order_and_page + reservation;
    assert!(
        most + locations().len() <= MAX_TRANSACTION_ACTIONS,
        "{most}"
    );
}

#[test]
fn the_stored_form_of_a_reservation_is_fixed() {
    let golden = r#"{"id":"R","status":"held","held_until":1772614800,"kept":[{"sku":"A","location":"ber","quantity":2},{"sku":"A","location":"ber","share":3,"quantity":1,"decimals":1}],"fingerprint":"e3b0"}"#;
    let other = Kept {
        share: 3,
        decimals: 1,
        ..kept("A", "ber", 1)
    };
    let mut known = Reservation {
        fingerprint: "e3b0".into(),
        ..reservation(&[kept("A", "ber", 2), other])
    };
    assert_eq!(serde_json::to_string(&known).unwrap(), golden);
    assert_eq!(serde_json::from_str::<Reservation>(golden).unwrap(), known);
    for (status, name) in [
        (ReservationStatus::Committed, "committed"),
        (ReservationStatus::Released, "released"),
        (ReservationStatus::Expired, "expired"),
    ] {
        known.status = status;
        known.order = Some(order(&[("A", 1)]).id);
        let written = serde_json::to_string(&known).unwrap();
        assert!(
            written.contains(&format!(r#""status":"{name}""#)),
            "{written}"
        );
        assert_eq!(
            serde_json::from_str::<Reservation>(&written).unwrap(),
            known
        );
        assert_eq!(status.name(), name);
    }
}

#[test]
fn its_time_alone_ends_nothing() {
    let mut known = reservation(&[kept("A", "ber", 2)]);
    assert!(known.is_held() && known.is_due(now()));
    assert!(!known.is_due(now() - jiff::SignedDuration::from_secs(1)));
    known.status = ReservationStatus::Released;
    assert!(!known.is_due(later(1)));
    let changes = known.changes(MovementKind::Expire, now()).into_vec();
    assert_eq!(movements(&changes), ["A@ber expire 2"]);
    assert_eq!(changes[0].movements[0].cause, "R");
    assert_eq!(changes[0].delta().available, 2);
}
