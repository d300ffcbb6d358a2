//! What a warehouse may report in which state, and what follows.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::event::Event;
use domain::fulfillment::{Report, report};
use domain::order::{FulfillmentStatus, Order};
use domain::owed::{Notice, Work, owed};
use domain::stock::{Changes, gather_moves};
use domain::{Refusal, change};

fn fresh() -> Order {
    let order = order(&[("A", 3), ("B", 1), ("A", 1)]);
    let mut order = allocated(&order, &[("A", "ber", 4), ("B", "ber", 1)]);
    order.notices.clear();
    order
}

fn due(order: &Order) -> Vec<String> {
    let mut changes = Changes::default();
    gather_moves(order, order.moves.len(), &mut changes, now());
    movements(&changes.into_vec())
}

/// An order whose first fulfillment order is in this state.
fn in_state(status: FulfillmentStatus) -> Order {
    let packed = || reported(&fresh(), 1, &Report::Packed(None));
    let shipped = || sent(&fresh(), 1, now());
    let order = match status {
        FulfillmentStatus::Released => fresh(),
        FulfillmentStatus::Accepted => reported(&fresh(), 1, &Report::Accepted),
        FulfillmentStatus::Packed => packed(),
        FulfillmentStatus::Shipped => shipped(),
        FulfillmentStatus::Delivered => reported(&shipped(), 1, &Report::Delivered),
        FulfillmentStatus::Rejected => reported(&fresh(), 1, &Report::Rejected("no".into())),
        FulfillmentStatus::Cancelled => change::cancel(&fresh(), "no", now()).unwrap().unwrap(),
    };
    assert_eq!(order.fulfillments[0].status, status);
    order
}

#[test]
fn every_state_answers_every_report() {
    use FulfillmentStatus::*;
    let reports = [
        Report::Accepted,
        Report::Packed(None),
        shipped_by_hand(),
        Report::Rejected("flood".into()),
        Report::Delivered,
    ];
    // For each report in turn: the next state, `Known`, or a refusal.
    let (known, no) = (Some(None), None);
    let to = |status| Some(Some(status));
    let table = [
        (
            Released,
            [to(Accepted), to(Packed), to(Shipped), to(Rejected), no],
        ),
        (Accepted, [known, to(Packed), to(Shipped), to(Rejected), no]),
        (Packed, [known, known, to(Shipped), no, no]),
        (Shipped, [known, known, known, no, to(Delivered)]),
        (Delivered, [known, known, known, no, known]),
        (Rejected, [no, no, no, known, no]),
        (Cancelled, [no, no, no, no, no]),
    ];
    for (status, answers) in table {
        let before = in_state(status);
        for (of, expected) in reports.iter().zip(answers) {
            let context = format!("{} reported {}", status.name(), of.name());
            let answer = match report(&before, 1, of, now()) {
                Ok(Some(next)) => {
                    assert_eq!(next.version, before.version + 1, "{context}");
                    standing(&next);
                    let again = report(&next, 1, of, now());
                    assert_eq!(again, Ok(None), "{context}, twice");
                    Some(Some(next.fulfillments[0].status))
                }
                Ok(None) => Some(None),
                Err(Refusal::WrongState { state, request, .. }) => {
                    assert_eq!(state, status.name(), "{context}");
                    assert!(request.ends_with(of.name()), "{context}");
                    None
                }
                Err(other) => panic!("{context}: {other}"),
            };
            assert_eq!(answer, expected, "{context}");
        }
    }
}

#[test]
fn a_fulfillment_order_that_is_not_there_is_not_found() {
    for n in [0, 2, u32::MAX] {
        let refused = report(&fresh(), n, &Report::Accepted, now());
        assert!(matches!(refused, Err(Refusal::NotFound(_))), "{n}");
    }
}

fn packing(lines: &[(&str, u32)]) -> Report {
    let lines = lines
        .iter()
        .map(|(id, units)| (id.to_string(), i64::from(*units).into()));
    Report::Packed(Some(lines.collect()))
}

#[test]
fn what_the_picker_did_not_find_is_looked_for_again() {
    type Case<'a> = (
        &'a str,
        &'a [(&'a str, u32)],
        [&'a str; 3],
        u32,
        &'a [&'a str],
    );
    let cases: [Case; 6] = [
        (
            "all of it, by name",
            &[("1", 3), ("2", 1), ("3", 1)],
            ["p3", "p1", "p1"],
            0,
            &[],
        ),
        (
            "in two entries",
            &[("1", 1), ("2", 1), ("1", 2), ("3", 1)],
            ["p3", "p1", "p1"],
            0,
            &[],
        ),
        (
            "some of a line",
            &[("1", 1), ("2", 1), ("3", 1)],
            ["o2 p1", "p1", "p1"],
            2,
            &["A@ber short 2"],
        ),
        (
            "whole lines missing",
            &[("2", 1)],
            ["o3", "p1", "o1"],
            4,
            &["A@ber short 3, short 1"],
        ),
        (
            "named with none",
            &[("1", 3), ("2", 0), ("3", 1)],
            ["p3", "o1", "p1"],
            1,
            &["B@ber short 1"],
        ),
        (
            "one unit of all",
            &[("3", 1)],
            ["o3", "o1", "p1"],
            4,
            &["A@ber short 3", "B@ber short 1"],
        ),
    ];
    for (name, lines, stand, short, moves) in cases {
        let next = reported(&fresh(), 1, &packing(lines));
        assert_eq!(standing(&next), stand, "{name}");
        let last = next.timeline.entries.last().unwrap();
        assert_eq!(
            last.event,
            Event::Packed(1, i64::from(short).into()),
            "{name}"
        );
        assert_eq!(due(&next), moves, "{name}");
        assert!(owed(&next).contains(&Work::Ship(1)), "{name}");
        let looks = owed(&next).contains(&Work::Allocate(u64::from(short)));
        assert_eq!(looks, short > 0, "{name}");
        // Only what is in the parcel leaves with it.
        let gone = domain::shipping::ship(&next, 1, parcel("T1"), now()).unwrap();
        let shipped: u32 = gone.lines.iter().map(|l| l.units.shipped).sum();
        assert_eq!(shipped, 5 - short, "{name}");
        assert_eq!(
            gone.fulfillments[0].units.iter().map(|u| u.1).sum::<u32>(),
            shipped
        );
    }
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let split = order(&[("A", 1), ("B", 1)]);
    let split = allocated(&split, &[("A", "ber", 1), ("B", "muc", 1)]);
    type Case<'a> = (
        &'a str,
        &'a Order,
        &'a [(&'a str, u32)],
        fn(&Refusal) -> bool,
    );
    let whole = fresh();
    let too_much: fn(&Refusal) -> bool = |r| matches!(r, Refusal::TooMuch { .. });
    let nothing: fn(&Refusal) -> bool = |r| matches!(r, Refusal::Nothing(_));
    let not_found: fn(&Refusal) -> bool = |r| matches!(r, Refusal::NotFound(_));
    let cases: [Case; 8] = [
        ("more than asked", &whole, &[("1", 4)], too_much),
        (
            "more in two entries",
            &whole,
            &[("1", 2), ("1", 2)],
            too_much,
        ),
        (
            "more than can be counted",
            &whole,
            &[("1", u32::MAX), ("1", u32::MAX)],
            too_much,
        ),
        ("another warehouse's line", &split, &[("2", 1)], too_much),
        ("an unknown line", &whole, &[("9", 1)], not_found),
        (
            "an unknown line, none of it",
            &whole,
            &[("9", 0)],
            not_found,
        ),
        ("nothing", &whole, &[], nothing),
        ("none of each", &whole, &[("1", 0), ("2", 0)], nothing),
    ];
    for (name, order, lines, expected) in cases {
        let refused = report(order, 1, &packing(lines), now()).unwrap_err();
        assert!(expected(&refused), "{name}: {refused}");
    }
}

#[test]
fn a_second_warehouse_sends_what_the_first_did_not_find() {
    let short = reported(&fresh(), 1, &packing(&[("1", 1), ("2", 1), ("3", 1)]));
    let next = allocated(&short, &[("A", "muc", 2)]);
    assert_eq!(standing(&next)[0], "a2 p1");
    let next = sent(&next, 2, now());
    assert_eq!(standing(&next)[0], "p1 s2");
    let next = domain::shipping::ship(&next, 1, parcel("T1"), now()).unwrap();
    assert_eq!(standing(&next), ["s3", "s1", "s1"]);
    assert_eq!(
        due(&next),
        [
            "A@ber short 2, ship 1, ship 1",
            "A@muc ship 2",
            "B@ber ship 1"
        ]
    );
}

#[test]
fn rejected_goods_go_back_on_the_shelf_and_are_looked_for_elsewhere() {
    let mut order = fresh();
    order.notices.push(Notice::Pick(1));
    let next = reported(&order, 1, &Report::Rejected("flood".into()));
    assert_eq!(standing(&next), ["o3", "o1", "o1"]);
    assert_eq!(due(&next), ["A@ber reject 3, reject 1", "B@ber reject 1"]);
    let works = owed(&next);
    assert_eq!(
        works,
        [Work::Allocate(5), Work::MoveStock(1)],
        "no pick list"
    );
}

#[test]
fn a_warehouse_may_ship_by_its_own_means() {
    for before in [
        fresh(),
        in_state(FulfillmentStatus::Accepted),
        in_state(FulfillmentStatus::Packed),
    ] {
        let next = reported(&before, 1, &shipped_by_hand());
        assert_eq!(standing(&next), ["s3", "s1", "s1"]);
        assert_eq!(due(&next), ["A@ber ship 3, ship 1", "B@ber ship 1"]);
        let gone = &next.fulfillments[0];
        assert_eq!(gone.shipped_at, Some(now()));
        let parcel = gone.parcel.as_ref().unwrap();
        assert_eq!((parcel.carrier.as_str(), &parcel.label), ("own van", &None));
        assert_eq!(next.notices, [Notice::Shipped(1)]);
        assert_eq!(
            domain::shipping::ship(&next, 1, parcel.clone(), now()),
            None
        );
    }
}

#[test]
fn delivered_is_what_arrived_or_came_back() {
    // One line, shared by two parcels.
    let order = order(&[("A", 5)]);
    let order = allocated(&order, &[("A", "ber", 3), ("A", "muc", 2)]);
    let order = sent(&sent(&order, 1, now()), 2, now());
    assert_eq!(standing(&order), ["s5"]);
    let first = reported(&order, 1, &Report::Delivered);
    assert_eq!(standing(&first), ["s5 d3"]);
    assert_eq!(
        standing(&reported(&first, 2, &Report::Delivered)),
        ["s5 d5"]
    );

    // Two come back before the carrier says that anything arrived.
    let back = |order: &Order, units: i64| {
        let units = units.into();
        let (next, n) = change::announce_return(order, "k", &[("1".into(), units)], now()).unwrap();
        let lines = [("1".to_owned(), units, change::Disposition::Scrap)];
        let next = change::receive_return(&next.unwrap(), n, "ber", &lines, now());
        next.unwrap().unwrap()
    };
    let early = back(&order, 2);
    assert_eq!(standing(&early), ["s5 d2 r2"]);
    let first = reported(&early, 1, &Report::Delivered);
    assert_eq!(standing(&first), ["s5 d3 r2"], "the other is on its way");
    assert_eq!(first.status(), "shipped");
    let both = reported(&first, 2, &Report::Delivered);
    assert_eq!(standing(&both), ["s5 d5 r2"]);
    assert_eq!(both.status(), "delivered");

    // Nor does a delivery unsay what came back.
    let early = back(&order, 4);
    let first = reported(&early, 1, &Report::Delivered);
    assert_eq!(standing(&first), ["s5 d4 r4"]);
}

#[test]
fn the_order_stands_where_its_lines_do() {
    let order = order(&[("A", 1), ("B", 1)]);
    let statuses = |o: &Order| [o.status(), o.fulfillment_status(), o.payment_status()];
    assert_eq!(statuses(&order), ["accepted", "unfulfilled", "paid"]);
    let waiting = allocated(&order, &[]);
    assert_eq!(waiting.status(), "backordered");
    let next = allocated(&waiting, &[("A", "ber", 1)]);
    assert_eq!(next.status(), "allocated");
    let packed = reported(&next, 1, &Report::Packed(None));
    assert_eq!(packed.status(), "packed");
    let shipped = sent(&next, 1, now());
    let partly = ["partially_shipped", "partially_fulfilled", "paid"];
    assert_eq!(statuses(&shipped), partly);
    let rest = change::cancel(&shipped, "waited too long", now());
    let rest = rest.unwrap().unwrap();
    assert_eq!(statuses(&rest), ["shipped", "fulfilled", "paid"]);
    let arrived = reported(&rest, 1, &Report::Delivered);
    assert_eq!(arrived.status(), "delivered");
    let paid = domain::refund::confirm(&arrived, 1, now())
        .unwrap()
        .unwrap();
    assert_eq!(paid.payment_status(), "partially_refunded");
}
