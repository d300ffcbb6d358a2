//! Units that a channel has taken off an order's lines since: they are not sent, and a person decides once goods
//! have been looked for.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::*;
use domain::change::release_hold;
use domain::intake::{ChannelRefund, NewLine, NewOrder};
use domain::order::{Contact, Difference, HoldReason};
use domain::owed::Notice;
use domain::restate::{Statement, restate};
use domain::{Order, Quantity};

/// So many of three A and of one B are taken off, as of so many hours from now.
fn said(hours: i64, a: i64, b: i64) -> NewOrder {
    let less = |id, sku, quantity, cancelled: i64| NewLine {
        cancelled: cancelled.into(),
        ..line(id, sku, quantity, 1000)
    };
    NewOrder {
        as_of: Some(later(hours)),
        ..new_order(vec![less("1", "A", 3, a), less("2", "B", 1, b)])
    }
}

fn take(new: &NewOrder) -> (Order, Contact) {
    let known: BTreeSet<String> = ["A", "B"].map(str::to_owned).into();
    assert_eq!(new.problems(), []);
    new.clone().accept(&known, now())
}

/// What an order becomes of which this is said.
fn after(order: &Order, new: &NewOrder) -> Order {
    let (stated, contact) = take(new);
    let said = Statement {
        order: &stated,
        contact: &contact,
        refunds: &new.refunds,
        shipped: new.shipped,
    };
    let (next, _) = restate(order, &contact, said, later(9)).unwrap();
    let again = restate(&next, &contact, said, later(10));
    assert_eq!(again, None, "the same statement twice changes nothing");
    next
}

/// Where the units of A are.
fn units(order: &Order) -> String {
    standing(order).swap_remove(0)
}

fn differences(order: &Order) -> Vec<Difference> {
    let of_channel = |hold: &domain::order::Hold| match &hold.reason {
        HoldReason::Channel(differences) => Some(differences.clone()),
        _ => None,
    };
    order.holds.iter().find_map(of_channel).unwrap_or_default()
}

/// A third of what A comes to, for one of it.
fn one_paid_back() -> Vec<ChannelRefund> {
    vec![ChannelRefund {
        id: "f".into(),
        amount: 1000,
        lines: vec![("1".into(), Quantity::from(1))],
    }]
}

#[test]
fn an_order_comes_in_without_what_is_taken_off_it() {
    let (order, _) = take(&said(0, 1, 0));
    assert_eq!(units(&order), "x1 o2");
    assert_eq!(order.total(), 4000, "what was sold stays what it was");
    assert_eq!(order.holds, []);

    let (gone, _) = take(&NewOrder {
        payments: Vec::new(),
        ..said(0, 3, 1)
    });
    assert_eq!(units(&gone), "x3");
    assert_eq!((gone.holds.len(), gone.status()), (0, "cancelled"));
}

#[test]
fn the_customer_is_told_of_what_is_left() {
    let (order, _) = take(&said(0, 1, 0));
    let allocated = allocated(&order, &[("A", "ber", 2), ("B", "ber", 1)]);
    assert_eq!(standing(&allocated), ["x1 a2", "a1"]);
    assert!(allocated.notices.contains(&Notice::Confirmed));
}

#[test]
fn a_line_that_is_taken_off_raises_no_doubts() {
    let mut new = said(0, 0, 1);
    new.lines[1].sku = Some("UNKNOWN".into());
    assert_eq!(take(&new).0.holds, []);
    new.lines[1].cancelled = Quantity::default();
    assert_eq!(take(&new).0.holds[0].reason, HoldReason::UnknownSku);
}

#[test]
fn no_more_can_be_taken_off_than_there_is() {
    let problems = said(0, 4, 0).problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].pointer, "/lines/0/quantity");
}

#[test]
fn what_nobody_has_set_aside_is_cancelled() {
    let fresh = take(&said(0, 0, 0)).0;
    let less = after(&fresh, &said(1, 1, 0));
    assert_eq!(units(&less), "x1 o2");
    // It is paid for, and nobody has said that it is paid back.
    assert_eq!(differences(&less), [Difference::Paid]);
    let paid_back = NewOrder {
        refunds: one_paid_back(),
        ..said(1, 1, 0)
    };
    let less = after(&fresh, &paid_back);
    assert_eq!((units(&less), differences(&less)), ("x1 o2".into(), vec![]));
    assert_eq!(less.captured() - less.refunds_promised(), 3000);
    let more = NewOrder {
        refunds: one_paid_back(),
        ..said(2, 2, 0)
    };
    assert_eq!(units(&after(&less, &more)), "x2 o1");
}

#[test]
fn what_waits_for_goods_is_for_a_person_too() {
    let fresh = take(&said(0, 0, 0)).0;
    let waits = allocated(&fresh, &[("A", "ber", 1), ("B", "ber", 1)]);
    assert_eq!(units(&waits), "b2 a1");
    let paid_back = NewOrder {
        refunds: one_paid_back(),
        ..said(1, 1, 0)
    };
    let held = after(&waits, &paid_back);
    assert_eq!(units(&held), "b2 a1");
    assert!(matches!(differences(&held)[..], [Difference::Lines(_)]));
}

#[test]
fn what_is_set_aside_is_for_a_person_to_call_back() {
    let fresh = take(&said(0, 0, 0)).0;
    let taken = allocated(&fresh, &[("A", "ber", 3), ("B", "ber", 1)]);
    let paid_back = NewOrder {
        refunds: one_paid_back(),
        ..said(1, 1, 0)
    };
    let held = after(&taken, &paid_back);
    assert_eq!(units(&held), "a3");
    let first = differences(&held);
    assert!(matches!(first[..], [Difference::Lines(_)]), "{first:?}");
    // Whoever has dealt with that is not asked again; he is, if more is taken off.
    let free = release_hold(&held, "channel", later(9)).unwrap().unwrap();
    let later_said = |hours, a| NewOrder {
        as_of: Some(later(hours)),
        ..NewOrder {
            refunds: one_paid_back(),
            ..said(hours, a, 0)
        }
    };
    assert_eq!(differences(&after(&free, &later_said(2, 1))), []);
    assert_ne!(differences(&after(&free, &later_said(2, 2))), first);
}

#[test]
fn an_order_of_which_all_is_taken_off_is_cancelled() {
    let fresh = take(&said(0, 0, 0)).0;
    let taken = allocated(&fresh, &[("A", "ber", 3), ("B", "ber", 1)]);
    let gone = after(&taken, &said(1, 3, 1));
    assert_eq!(units(&gone), "x3");
    assert_eq!((gone.status(), differences(&gone)), ("cancelled", vec![]));
    let stopped = |notice: &Notice| matches!(notice, Notice::Stop(_) | Notice::Cancelled(_));
    assert!(gone.notices.iter().any(stopped), "{:?}", gone.notices);
}
