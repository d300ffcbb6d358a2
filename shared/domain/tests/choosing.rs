//! Who may send an order, what counts, and what is said of the choice.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::allocation::{Allocation, Available, allocate};
use domain::candidates::{Exclusion, Network};
use domain::catalog::{Band, Cost, Day, Rate};
use domain::decision::{Decision, Ground, Verdict, carried_out};
use domain::fulfillment::Report;
use domain::limits::{COOL_DOWN_HOURS, MAX_CONSIDERED, MAX_REJECTIONS};
use domain::order::HoldReason;
use domain::rules::{Criterion, Rules};
use domain::shipping::ship_by;
use domain::stock::{Changes, Level, Movement, MovementKind};
use domain::{Location, Order, Product};
use jiff::Timestamp;
use jiff::civil::date;

/// What is bought, at 10.00 a unit: each weighs a kilogram, and costs 4.00.
fn products(skus: &[&str]) -> Vec<Product> {
    let product = |sku: &&str| Product {
        sku: (*sku).into(),
        weight_g: 1_000,
        unit_cost: Some(Cost {
            amount: 400,
            currency: currency("EUR"),
        }),
        ..Product::default()
    };
    skus.iter().map(product).collect()
}

/// A tariff from a location: so much up to a kilogram, so much up to thirty.
fn rate(from: &str, transit_days: u32, light: i64, heavy: i64) -> Rate {
    let band = |max_weight_g, price| Band {
        max_weight_g,
        price,
    };
    Rate {
        id: format!("{from}-{transit_days}"),
        carrier: "Post".into(),
        service: "Parcel".into(),
        from: from.into(),
        to: Vec::new(),
        transit_days,
        bands: vec![band(1_000, light), band(30_000, heavy)],
    }
}

fn rules(of: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::of(&[], "api").clone();
    of(&mut rules);
    rules
}

fn find_at(
    order: &Order,
    network: &Network,
    levels: &[(&str, &str, i64)],
    now: Timestamp,
) -> Option<Allocation> {
    let mut stock = stock(levels);
    let products = products(&["A", "B", "C", "D"]);
    allocate(
        order,
        network,
        &products,
        &mut stock,
        &mut Changes::default(),
        now,
    )
}

fn find(order: &Order, network: &Network, levels: &[(&str, &str, i64)]) -> Allocation {
    find_at(order, network, levels, now()).unwrap()
}

/// Who sends how many units.
fn sends(found: &Allocation) -> Vec<(&str, u64)> {
    found.decision.as_ref().unwrap().sends().collect()
}

fn verdict<'a>(found: &'a Allocation, location: &str) -> &'a Verdict {
    let decision = found.decision.as_ref().unwrap();
    let mut considered = decision.considered.iter();
    &considered.find(|c| c.location == location).unwrap().verdict
}

fn told(found: &Allocation, location: &str) -> String {
    let decision = found.decision.as_ref().unwrap();
    let mut considered = decision.considered.iter();
    decision.tell(considered.find(|c| c.location == location).unwrap())
}

fn with(change: impl Fn(&mut Location)) -> Network {
    let mut locations = locations();
    let ber = locations.iter_mut().find(|l| l.id == "ber").unwrap();
    change(ber);
    network(locations)
}

const BOTH: [(&str, &str, i64); 2] = [("A", "ber", 9), ("A", "muc", 9)];

#[test]
fn who_may_not_send_is_left_out_and_it_is_said_why() {
    let order = order(&[("A", 2)]);
    assert_eq!(sends(&find(&order, &with(|_| {}), &BOTH)), [("ber", 2)]);
    let closed = find(&order, &with(|ber| ber.closed = true), &BOTH);
    assert_eq!(sends(&closed), [("muc", 2)]);
    assert_eq!(
        *verdict(&closed, "ber"),
        Verdict::Excluded(Exclusion::Closed)
    );
    assert_eq!(told(&closed, "ber"), "is closed");
    let elsewhere = find(&order, &with(|ber| ber.serves = vec!["AT".into()]), &BOTH);
    assert_eq!(told(&elsewhere, "ber"), "does not ship to this country");
    let rejected = reported(
        &find(&order, &with(|_| {}), &BOTH).order,
        1,
        &Report::Rejected("flood".into()),
    );
    let again = find(&rejected, &with(|_| {}), &BOTH);
    assert_eq!(told(&again, "ber"), "has rejected this order");
    // Who has nothing of it need not be told of.
    let closed = find(&order, &with(|ber| ber.closed = true), &BOTH[1..]);
    let decision = closed.decision.unwrap();
    assert!(decision.considered.iter().all(|c| c.location != "ber"));
}

#[test]
fn a_location_takes_as_many_orders_on_a_day_as_it_can() {
    let network = with(|ber| ber.daily_orders = Some(2));
    let order = order(&[("A", 1)]);
    let mut stock = stock(&BOTH);
    let today = date(2026, 3, 4);
    let next = |stock: &mut Available, at: Timestamp| {
        let found = allocate(&order, &network, &[], stock, &mut Changes::default(), at).unwrap();
        (sends(&found)[0].0.to_owned(), found.loads.len())
    };
    assert_eq!(next(&mut stock, now()), ("ber".into(), 1));
    assert_eq!(next(&mut stock, now()), ("ber".into(), 1), "the edge");
    assert_eq!(next(&mut stock, now()), ("muc".into(), 0));
    // 23:30 UTC is tomorrow in Berlin.
    assert_eq!(
        next(&mut stock, later(14) + jiff::SignedDuration::from_mins(30)),
        ("ber".into(), 1)
    );
    let mut known = common::stock(&BOTH);
    known.note_load("ber", today, 2);
    assert_eq!(next(&mut known, now()).0, "muc");
    known.note_load("ber", today, 1);
    assert_eq!(next(&mut known, now()).0, "ber");
}

#[test]
fn parcels_leave_on_the_days_of_the_locations_own_calendar() {
    let friday_noon = at("2026-03-06T11:00:00Z");
    let leaves = |change: &dyn Fn(&mut Location), now| {
        let network = with(change);
        let ber = network.locations.iter().find(|l| l.id == "ber").unwrap();
        ship_by(ber, now)
    };
    assert_eq!(leaves(&|_| {}, friday_noon), date(2026, 3, 6));
    let gulf = |ber: &mut Location| {
        use Day::*;
        ber.working_days = vec![Sunday, Monday, Tuesday, Wednesday, Thursday];
    };
    assert_eq!(leaves(&gulf, friday_noon), date(2026, 3, 8));
    let holiday = |ber: &mut Location| ber.closed_on = vec![date(2026, 3, 6), date(2026, 3, 9)];
    assert_eq!(leaves(&holiday, friday_noon), date(2026, 3, 10));
    let slow = |ber: &mut Location| ber.handling_days = 2;
    assert_eq!(leaves(&slow, friday_noon), date(2026, 3, 10));
    // Late on Friday, two days' work: Monday is the first of them.
    assert_eq!(leaves(&slow, at("2026-03-06T14:00:00Z")), date(2026, 3, 11));
}

#[test]
fn who_keeps_the_promise_comes_first_and_who_does_not_sends_what_nobody_else_has() {
    // Berlin is nearer and cheaper, and takes two weeks; the promise is ten days.
    let rates = vec![rate("ber", 10, 100, 100), rate("muc", 2, 900, 900)];
    let network = Network::new(locations(), rates, Vec::new());
    let found = find(&order(&[("A", 2)]), &network, &BOTH);
    assert_eq!(sends(&found), [("muc", 2)]);
    assert_eq!(
        told(&found, "ber"),
        "could send all of it, but more shipments are late: 1 against 0"
    );
    let scarce = [("A", "ber", 9), ("A", "muc", 1)];
    let found = find(&order(&[("A", 2)]), &network, &scarce);
    let decision = found.decision.as_ref().unwrap();
    let ber = decision.considered.iter().find(|c| c.location == "ber");
    assert!(ber.unwrap().late);
    assert_eq!(
        sends(&found),
        [("ber", 2)],
        "one late shipment either way: as few as can be"
    );
}

#[test]
fn the_cheapest_of_as_few_sends_it_and_units_go_where_they_cost_least() {
    let rates = vec![rate("ber", 2, 490, 890), rate("muc", 2, 490, 690)];
    let network = Network::new(locations(), rates, Vec::new());
    let found = find(&order(&[("A", 2)]), &network, &BOTH);
    assert_eq!(sends(&found), [("muc", 2)]);
    assert_eq!(
        told(&found, "ber"),
        "could send all of it, but it is dearer: 8.90 EUR against 6.90 EUR"
    );
    // Neither has all of both: what both have of A costs less by the kilogram from Munich.
    let levels = [
        ("A", "ber", 3),
        ("A", "muc", 3),
        ("B", "ber", 1),
        ("C", "muc", 1),
    ];
    let found = find(&order(&[("A", 3), ("B", 1), ("C", 1)]), &network, &levels);
    assert_eq!(sends(&found), [("ber", 1), ("muc", 4)]);
}

#[test]
fn a_channel_can_have_an_objective_of_its_own() {
    let rates = vec![
        rate("ber", 2, 490, 890),
        rate("muc", 2, 100, 150),
        rate("nyc", 2, 100, 150),
    ];
    let by = |objective: &[Criterion]| {
        let rules = rules(|rules| {
            rules.channel = "api".into();
            rules.objective = objective.to_vec();
        });
        let network = Network::new(locations(), rates.clone(), vec![rules]);
        let levels = [("A", "ber", 2), ("A", "muc", 1), ("A", "nyc", 1)];
        let found = find(&order(&[("A", 2)]), &network, &levels);
        sends(&found)
            .into_iter()
            .map(|s| s.0.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(by(&[]), ["ber"]);
    assert_eq!(by(&[Criterion::Distance]), ["ber"]);
    // Two cheap shipments for less than one dear one.
    assert_eq!(by(&[Criterion::Cost]), ["muc", "nyc"]);
}

#[test]
fn priority_decides_between_those_that_cost_the_same_and_are_as_near() {
    let twin = |id: &str, priority| Location {
        priority,
        ..location(id, "DE", 52.5, 13.4, "Europe/Berlin")
    };
    let network = network(vec![twin("a", 2), twin("b", 1), twin("c", 1)]);
    let levels = [("A", "a", 1), ("A", "b", 1), ("A", "c", 1)];
    let found = find(&order(&[("A", 1)]), &network, &levels);
    assert_eq!(sends(&found), [("b", 1)]);
    let lost = "could send all of it, but it comes later by the locations' priorities: 2 against 1";
    assert_eq!(told(&found, "a"), lost);
    let lost = "could send all of it, but by nothing more than the order of ids";
    assert_eq!(told(&found, "c"), lost);
}

#[test]
fn an_order_is_split_only_as_far_as_its_margin_pays_for_it() {
    // Each unit leaves 6.00; three of them 18.00.
    let limited = |shipment_cost| {
        let rules = rules(|rules| rules.shipment_cost = Some(shipment_cost));
        let network = Network::new(locations(), Vec::new(), vec![rules]);
        let levels = [("A", "ber", 1), ("B", "muc", 1), ("C", "nyc", 1)];
        find(&order(&[("A", 1), ("B", 1), ("C", 1)]), &network, &levels)
    };
    let split = |shipment_cost| sends(&limited(shipment_cost)).len();
    assert_eq!(
        [split(600), split(601), split(900), split(901)],
        [3, 2, 2, 1]
    );
    assert_eq!(split(100_000), 1, "the first was sold");
    let found = limited(901);
    assert_eq!(standing(&found.order), ["a1", "b1", "b1"]);
    let decision = found.decision.unwrap();
    assert_eq!((decision.withheld, decision.most), (2, Some(1)));
    assert!(decision.summary().iter().any(|sentence| sentence
        == "2 could be had, but would take more than the 1 shipments that the margin pays for"));
    // What is under way counts: the rest is not sent by the back door.
    assert_eq!(
        find_at(
            &found.order,
            &Network::new(
                locations(),
                Vec::new(),
                vec![rules(|rules| {
                    rules.shipment_cost = Some(901);
                })]
            ),
            &[("B", "muc", 1)],
            later(1)
        ),
        None
    );
    // Nothing is known of the margin: nothing is limited.
    let rules = rules(|rules| rules.shipment_cost = Some(901));
    let network = Network::new(locations(), Vec::new(), vec![rules]);
    let (mut stock, mut changes) = (
        stock(&[("A", "ber", 1), ("B", "muc", 1)]),
        Changes::default(),
    );
    let order = order(&[("A", 1), ("B", 1)]);
    let found = allocate(&order, &network, &[], &mut stock, &mut changes, now()).unwrap();
    assert_eq!(sends(&found).len(), 2);
}

#[test]
fn what_a_location_has_rejected_it_is_not_asked_for_again_for_a_while() {
    let level = |rejected_hours_ago: Option<i64>| {
        let mut stock = stock(&BOTH);
        stock.note(&Level {
            sku: "A".into(),
            location: "ber".into(),
            available: 9,
            rejected_at: rejected_hours_ago.map(|hours| later(-hours)),
            ..Level::default()
        });
        let network = network(locations());
        let order = order(&[("A", 1)]);
        let found = allocate(
            &order,
            &network,
            &[],
            &mut stock,
            &mut Changes::default(),
            now(),
        );
        sends(&found.unwrap())[0].0.to_owned()
    };
    let hours = i64::from(COOL_DOWN_HOURS);
    assert_eq!(level(None), "ber");
    assert_eq!(level(Some(0)), "muc");
    assert_eq!(level(Some(hours - 1)), "muc");
    assert_eq!(level(Some(hours)), "ber");
    let change = |kind| domain::stock::LevelChange {
        sku: "A".into(),
        location: "ber".into(),
        share: 0,
        shares: 0,
        movements: vec![Movement {
            kind,
            quantity: 1,
            cause: "X".into(),
            at: now(),
        }],
        kept: 0,
    };
    assert_eq!(change(MovementKind::Reject).rejected_at(), Some(now()));
    assert_eq!(change(MovementKind::Release).rejected_at(), None);
}

#[test]
fn after_some_rejections_a_person_is_asked_and_can_say_to_go_on() {
    let network = network(
        (0..=MAX_REJECTIONS)
            .map(|n| location(&format!("w{n}"), "DE", 52.5, 13.4, "Europe/Berlin"))
            .collect(),
    );
    let ids: Vec<String> = network.locations.iter().map(|l| l.id.clone()).collect();
    let levels: Vec<(&str, &str, i64)> = ids.iter().map(|id| ("A", id.as_str(), 1)).collect();
    let mut order = order(&[("A", 1)]);
    for n in 1..=MAX_REJECTIONS as u32 {
        assert_eq!(order.holds, [], "before the edge");
        order = find(&order, &network, &levels).order;
        order = reported(&order, n, &Report::Rejected("no box".into()));
    }
    assert_eq!(order.holds[0].reason, HoldReason::Rejections);
    assert_eq!(find_at(&order, &network, &levels, now()), None);
    let free = domain::change::release_hold(&order, "rejections", now())
        .unwrap()
        .unwrap();
    let found = find(&free, &network, &levels);
    assert_eq!(
        sends(&found),
        [("w0", 1)],
        "those that rejected it are asked again"
    );
}

#[test]
fn the_record_is_that_of_the_choice_that_was_carried_out() {
    let found = find(&order(&[("A", 2)]), &network(locations()), &BOTH);
    let decision = found.decision.clone().unwrap();
    assert_eq!(decision.of_version, found.order.version);
    let done = |all: Vec<Decision>, order: &Order| carried_out(all, order, &order.timeline);
    let only = std::slice::from_ref(&decision);
    assert_eq!(done(only.to_vec(), &found.order), only);
    let other = find(&order(&[("A", 2)]), &network(locations()), &BOTH[1..]);
    let other = other.decision.unwrap();
    assert_ne!(decision.outcome(), other.outcome());
    assert_eq!(done(vec![other, decision.clone()], &found.order), only);
    let late = Decision {
        of_version: 7,
        ..decision.clone()
    };
    assert_eq!(done(vec![late], &found.order), []);
    // One that shares the order out between the warehouse that sent it, and the one that did afterwards.
    let shared = [("A", "ber", 1), ("A", "muc", 1)];
    let shared = find(&order(&[("A", 2)]), &network(locations()), &shared)
        .decision
        .unwrap();
    let rejected = reported(&found.order, 1, &Report::Rejected("flood".into()));
    let again = find(&rejected, &network(locations()), &BOTH);
    let second = again.decision.clone().unwrap();
    let all = vec![shared, decision.clone(), second.clone()];
    assert_eq!(done(all, &again.order), [decision.clone(), second]);
    let runner_up = decision.runner_up.as_ref().unwrap();
    assert_eq!(runner_up.locations, ["muc"]);
    assert_eq!(
        runner_up.loss.ground,
        Ground::Criterion(Criterion::Distance)
    );
    assert_eq!(
        decision.summary(),
        [
            "all of it is sent",
            "the next best would have been muc, but it is farther: 506 km against 0 km",
            "it is proved that no choice is better",
        ]
    );
}

#[test]
fn who_decides_the_same_again_a_moment_later_has_the_same_record() {
    let at = |ms: i64| now() + jiff::SignedDuration::from_millis(ms);
    let record = |ms: i64| {
        let found = find_at(&order(&[("A", 2)]), &network(locations()), &BOTH, at(ms));
        found.unwrap().decision.unwrap()
    };
    assert_eq!(record(0), record(999));
    assert_ne!(record(0), record(1_000));
}

/// The stored form: what it costs to write is what it weighs.
#[test]
fn the_record_of_a_common_decision_fits_one_write_unit() {
    let rates = ["ber", "muc", "nyc"]
        .map(|from| rate(from, 2, 490, 890))
        .to_vec();
    let network = Network::new(locations(), rates, Vec::new());
    let levels = [
        ("A", "ber", 9),
        ("A", "muc", 9),
        ("A", "nyc", 9),
        ("B", "muc", 1),
    ];
    let found = find(&order(&[("A", 2), ("B", 1)]), &network, &levels);
    let decision = found.decision.unwrap();
    let written = serde_json::to_string(&decision).unwrap();
    assert!(written.len() < 800, "{} bytes: {written}", written.len());
    assert_eq!(
        serde_json::from_str::<Decision>(&written).unwrap(),
        decision
    );
    assert_eq!(
        written,
        concat!(
            r#"{"n":2,"f":1,"t":1772614800,"o":["shipments","cost","distance","priority"],"c":"EUR","u":3,"s":3,"#,
            r#""l":[{"l":"muc","m":505644,"c":890,"d":"2026-03-06","v":{"s":3}},"#,
            r#"{"l":"ber","c":890,"d":"2026-03-06","v":{"h":2}},"#,
            r#"{"l":"nyc","m":6386305,"c":890,"d":"2026-03-06","v":{"h":2}}],"#,
            r#""a":{"l":["ber"],"b":{"g":"u","l":1,"w":0}}}"#
        )
    );
}

#[test]
fn of_very_many_locations_the_nearest_are_told_of() {
    let many = (0..200).map(|n| {
        let id = format!("w{n:03}");
        location(
            &id,
            "DE",
            50.0 + f64::from(n) / 100.0,
            10.0,
            "Europe/Berlin",
        )
    });
    let network = network(many.collect());
    let ids: Vec<String> = network.locations.iter().map(|l| l.id.clone()).collect();
    let levels: Vec<(&str, &str, i64)> = ids.iter().map(|id| ("A", id.as_str(), 1)).collect();
    let found = find(&order(&[("A", 2)]), &network, &levels);
    let decision = found.decision.unwrap();
    assert_eq!(decision.considered.len(), MAX_CONSIDERED);
    assert_eq!(decision.others as usize, 200 - MAX_CONSIDERED);
    assert_eq!(decision.runner_up, None, "not looked for among so many");
}
