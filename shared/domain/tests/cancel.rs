//! What a cancellation stops, what it gives back, and when it comes too late.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::change::{cancel, release_hold};
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::NewOrder;
use domain::order::{FulfillmentStatus, HoldReason, Order, Payment};
use domain::owed::{Notice, Step, newly_owed, notified};
use domain::stock::{Changes, gather_moves};
use domain::{Refusal, Work};

fn cancelled(order: &Order) -> Order {
    cancel(order, "changed my mind", later(1)).unwrap().unwrap()
}

fn due(order: &Order) -> Vec<String> {
    let mut changes = Changes::default();
    gather_moves(order, order.moves.len(), &mut changes, now());
    movements(&changes.into_vec())
}

fn told(order: &Order, notice: Notice) -> Order {
    notified(order, &notice, None, now()).unwrap()
}

fn both() -> Order {
    let order = order(&[("A", 2), ("B", 1)]);
    allocated(&order, &[("A", "ber", 2), ("B", "ber", 1)])
}

#[test]
fn a_cancellation_takes_back_what_is_not_packed() {
    let split = || {
        let order = order(&[("A", 2), ("B", 1)]);
        allocated(&order, &[("A", "ber", 2), ("B", "muc", 1)])
    };
    type Case<'a> = (
        &'a str,
        Order,
        [&'a str; 2],
        &'a [&'a str],
        &'a [Notice],
        i64,
    );
    let notice = |order: &Order| Notice::Cancelled(order.version as u32 + 1);
    let fresh = order(&[("A", 2), ("B", 1)]);
    let waiting = allocated(&fresh, &[("A", "ber", 1)]);
    let sent_list = told(&both(), Notice::Pick(1));
    let failed_list = notified(&both(), &Notice::Pick(1), Some("bounced".into()), now());
    let accepted = reported(&sent_list, 1, &Report::Accepted);
    let half_packed = reported(&split(), 1, &Report::Packed(None));
    let half_gone = sent(&split(), 1, now());
    let short = reported(
        &both(),
        1,
        &Report::Packed(Some(vec![("1".into(), 1.into()), ("2".into(), 1.into())])),
    );
    let rejected = reported(&both(), 1, &Report::Rejected("flood".into()));
    let release = ["A@ber release 2", "B@ber release 1"];
    let (stop, pick) = (Notice::Stop(1), Notice::Pick(1));
    let cases: [Case; 10] = [
        (
            "before allocation",
            fresh.clone(),
            ["x2", "x1"],
            &[],
            &[notice(&fresh)],
            3000,
        ),
        (
            "before the pick list went out",
            both(),
            ["x2", "x1"],
            &release,
            &[notice(&both())],
            3000,
        ),
        (
            "after it went out",
            sent_list.clone(),
            ["x2", "x1"],
            &release,
            &[stop.clone(), notice(&sent_list)],
            3000,
        ),
        (
            "after it failed to go out: the warehouse may know by other ways",
            failed_list.clone().unwrap(),
            ["x2", "x1"],
            &release,
            &[stop.clone(), notice(&sent_list)],
            3000,
        ),
        (
            "after the warehouse accepted it",
            accepted.clone(),
            ["x2", "x1"],
            &release,
            &[stop, notice(&accepted)],
            3000,
        ),
        (
            "with some backordered",
            waiting.clone(),
            ["x2", "x1"],
            &["A@ber release 1"],
            &[notice(&waiting)],
            3000,
        ),
        (
            "with one parcel packed",
            half_packed.clone(),
            ["p2", "x1"],
            &["B@muc release 1"],
            &[pick.clone(), notice(&half_packed)],
            1000,
        ),
        (
            "with one parcel gone",
            half_gone.clone(),
            ["s2", "x1"],
            &["A@ber ship 2", "B@muc release 1"],
            &[pick.clone(), Notice::Shipped(1), notice(&half_gone)],
            1000,
        ),
        (
            "with a unit that the picker did not find",
            short.clone(),
            ["x1 p1", "p1"],
            &["A@ber short 1"],
            &[pick, notice(&short)],
            1000,
        ),
        (
            "after the warehouse rejected it",
            rejected.clone(),
            ["x2", "x1"],
            &["A@ber reject 2", "B@ber reject 1"],
            &[notice(&rejected)],
            3000,
        ),
    ];
    for (name, before, stand, moves, notices, refund) in cases {
        let next = cancelled(&before);
        assert_eq!(standing(&next), stand, "{name}");
        assert_eq!(due(&next), moves, "{name}");
        let mut expected = notices.to_vec();
        let mut found = next.notices.clone();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{name}");
        let amounts: Vec<i64> = next.refunds.iter().map(|r| r.amount).collect();
        assert_eq!(amounts, [refund], "{name}");
        let units = next
            .lines
            .iter()
            .map(|l| l.quantity(l.units.cancelled))
            .sum();
        let last = &next.timeline.entries.last().unwrap().event;
        assert_eq!(*last, Event::Cancelled(units, "changed my mind".into()));
        let steps = newly_owed(&before, &next);
        assert!(steps.contains(&Step::RefundOrder) && steps.contains(&Step::NotifyCustomer));
        assert_eq!(cancel(&next, "again", later(2)), Ok(None), "{name}: twice");
    }
}

#[test]
fn only_what_was_captured_is_refunded() {
    let refund = |payments: &[Payment]| {
        let order = accept(NewOrder {
            payments: payments.to_vec(),
            ..new_order(vec![line("1", "A", 2, 1000)])
        });
        let next = cancelled(&order);
        next.refunds.iter().map(|r| r.amount).sum::<i64>()
    };
    use Payment::*;
    assert_eq!(refund(&[Captured(2000)]), 2000);
    assert_eq!(refund(&[Captured(1500)]), 1500, "a deposit");
    assert_eq!(refund(&[Authorised(2000)]), 0);
    assert_eq!(
        refund(&[Authorised(2000), Captured(700), Captured(1300)]),
        2000
    );
    assert_eq!(refund(&[Captured(9000)]), 2000, "no more than the charge");
}

#[test]
fn what_has_gone_back_already_does_not_go_back_again() {
    use domain::refund::{Request, request};
    let order = order(&[("A", 2)]);
    let appeased = request(&order, "k", &Request::Amount(700), now());
    let next = cancelled(&appeased.unwrap().0.unwrap());
    assert_eq!(next.refunds[1].amount, 1300);
    let one = Request::Units(vec![("1".into(), 1.into())]);
    let one_back = request(&order, "k", &one, now());
    let next = cancelled(&one_back.unwrap().0.unwrap());
    assert_eq!(next.refunds[1].amount, 1000);
    let all_back = request(&order, "k", &Request::Amount(2000), now());
    let next = cancelled(&all_back.unwrap().0.unwrap());
    assert_eq!(next.refunds.len(), 1);
}

#[test]
fn a_confirmation_that_has_not_gone_out_no_longer_does() {
    assert!(both().notices.contains(&Notice::Confirmed));
    assert!(!cancelled(&both()).notices.contains(&Notice::Confirmed));
}

#[test]
fn what_is_packed_is_not_cancelled() {
    let packed = reported(&both(), 1, &Report::Packed(None));
    let gone = sent(&both(), 1, now());
    let arrived = reported(&gone, 1, &Report::Delivered);
    let digital = accept(new_order(vec![intangible("1", 1, 1000)]));
    let digital = allocated(&digital, &[]);
    for order in [packed, gone, arrived, digital] {
        let refused = cancel(&order, "too late", now()).unwrap_err();
        assert!(matches!(refused, Refusal::WrongState { .. }), "{refused}");
    }
}

#[test]
fn a_held_order_can_be_cancelled_and_then_rests() {
    let held = accept(NewOrder {
        payments: Vec::new(),
        ..new_order(vec![line("1", "A", 1, 1000)])
    });
    assert_eq!(held.status(), "held");
    let next = cancelled(&held);
    assert_eq!(next.status(), "cancelled");
    assert_eq!(
        domain::owed::owed(&next),
        [Work::Notify(Notice::Cancelled(2))]
    );
    let silent = cancelled(&Order {
        mailed: false,
        ..held
    });
    assert_eq!(domain::owed::owed(&silent), []);
}

#[test]
fn each_cancellation_has_a_notice_of_its_own() {
    // Today nothing comes open again after a cancellation; should it ever, that is another one.
    let order = order(&[("A", 3)]);
    let order = allocated(&order, &[("A", "ber", 2), ("A", "muc", 1)]);
    let order = reported(
        &order,
        1,
        &Report::Packed(Some(vec![("1".into(), 1.into())])),
    );
    let first = cancelled(&order);
    assert_eq!(standing(&first), ["x2 p1"]);
    let mut reopened = first.clone();
    reopened.lines[0].units.packed -= 1;
    reopened.lines[0].units.open += 1;
    reopened.fulfillments[0].status = FulfillmentStatus::Rejected;
    let second = cancelled(&reopened);
    let of = |order: &Order| -> Vec<String> {
        let cancelled = |n: &&Notice| matches!(n, Notice::Cancelled(_));
        let notices = order.notices.iter().filter(cancelled);
        notices.map(Notice::key).collect()
    };
    assert_eq!(of(&second).len(), 2);
    assert_ne!(of(&second)[0], of(&second)[1]);
}

#[test]
fn a_hold_is_lifted_by_name_once() {
    let held = accept(NewOrder {
        payments: Vec::new(),
        stated_total: Some(1),
        ..new_order(vec![line("1", "A", 1, 1000)])
    });
    let names =
        |order: &Order| -> Vec<&str> { order.holds.iter().map(|h| h.reason.name()).collect() };
    assert_eq!(names(&held), ["totals", "payment"]);
    let next = release_hold(&held, "payment", now()).unwrap().unwrap();
    assert_eq!(names(&next), ["totals"]);
    assert_eq!(newly_owed(&held, &next), []);
    assert_eq!(release_hold(&next, "payment", now()), Ok(None));
    assert_eq!(release_hold(&next, "no such hold", now()), Ok(None));
    let free = release_hold(&next, "totals", now()).unwrap().unwrap();
    assert_eq!(newly_owed(&next, &free), [Step::AllocateWarehouse]);
    let last = &free.timeline.entries.last().unwrap().event;
    assert_eq!(*last, Event::HoldReleased("totals".into()));
}

#[test]
fn a_test_order_is_never_released() {
    let test = accept(NewOrder {
        test: true,
        ..new_order(vec![line("1", "A", 1, 1000)])
    });
    assert_eq!(test.holds[0].reason, HoldReason::Test);
    let refused = release_hold(&test, "test", now());
    assert!(matches!(refused, Err(Refusal::WrongState { .. })));
}
