//! What a channel says anew of an order: the newest counts, what the goods allow is done, and the rest
//! is for a person.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::*;
use domain::Order;
use domain::change::{Disposition, announce_return, cancel, receive_return, release_hold};
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::{ChannelRefund, NewOrder};
use domain::order::{Contact, Difference, HoldReason, Payment, RefundStatus};
use domain::owed::{Notice, Work, owed};
use domain::refund::{self, Request};
use domain::restate::{Statement, deleted, refunded, restate};

/// Two of A and one of B, as of so many hours from now.
fn said(hours: i64) -> NewOrder {
    NewOrder {
        as_of: Some(later(hours)),
        ..new_order(vec![line("1", "A", 2, 1000), line("2", "B", 1, 500)])
    }
}

fn take(new: &NewOrder) -> (Order, Contact) {
    let known: BTreeSet<String> = ["A", "B", "C"].map(str::to_owned).into();
    new.clone().accept(&known, now())
}

/// What the order and its contact become.
fn follow(order: &Order, contact: &Contact, new: &NewOrder) -> Option<(Order, Option<Contact>)> {
    let (stated, who) = take(new);
    let said = Statement {
        order: &stated,
        contact: &who,
        refunds: &new.refunds,
        shipped: new.shipped,
    };
    let next = restate(order, contact, said, later(9));
    if let Some((next, changed)) = &next {
        assert_eq!(next.version, order.version + 1);
        let again = restate(next, changed.as_ref().unwrap_or(contact), said, later(10));
        assert_eq!(again, None, "the same statement twice changes nothing");
    }
    next
}

/// What an order becomes whose recipient is as it was.
fn after(order: &Order, new: &NewOrder) -> Order {
    follow(order, &take(&said(0)).1, new).unwrap().0
}

fn fresh() -> Order {
    take(&said(0)).0
}

fn taken() -> Order {
    allocated(&fresh(), &[("A", "ber", 2), ("B", "ber", 1)])
}

fn differences(order: &Order) -> Vec<Difference> {
    let of_channel = |hold: &domain::order::Hold| match &hold.reason {
        HoldReason::Channel(differences) => Some(differences.clone()),
        _ => None,
    };
    order.holds.iter().find_map(of_channel).unwrap_or_default()
}

fn cancelled(hours: i64) -> NewOrder {
    NewOrder {
        cancelled: true,
        ..said(hours)
    }
}

fn money_back(id: &str, amount: i64) -> ChannelRefund {
    ChannelRefund {
        id: id.into(),
        amount,
        lines: Vec::new(),
    }
}

#[test]
fn an_older_statement_changes_nothing_and_a_newer_one_of_the_same_is_remembered() {
    let (order, contact) = take(&said(5));
    assert_eq!(follow(&order, &contact, &cancelled(4)), None);
    let unknown = NewOrder {
        as_of: None,
        ..cancelled(0)
    };
    assert_eq!(
        follow(&order, &contact, &unknown),
        None,
        "older than any time"
    );
    let (newer, changed) = follow(&order, &contact, &said(6)).unwrap();
    assert_eq!((newer.as_of, changed), (Some(later(6)), None));
    assert_eq!(
        newer.timeline.entries.last().unwrap().event,
        Event::Restated(false)
    );
    assert_eq!(newer.lines, order.lines);
    assert_eq!(follow(&newer, &contact, &cancelled(5)), None);
}

#[test]
fn money_that_comes_in_releases_what_waited_for_it() {
    let unpaid = NewOrder {
        payments: Vec::new(),
        ..said(0)
    };
    let order = take(&unpaid).0;
    assert_eq!(order.holds[0].reason, HoldReason::Payment);
    let authorised = NewOrder {
        payments: vec![Payment::Authorised(2500)],
        ..said(1)
    };
    let promised = after(&order, &authorised);
    assert_eq!((promised.holds.len(), promised.captured()), (0, 0));
    let paid = after(&promised, &said(2));
    assert_eq!((paid.captured(), paid.payment_status()), (2500, "paid"));
    assert!(paid.open_at.is_some(), "it is looked for goods now");
    // What the channel says less of later has come in all the same.
    assert_eq!(
        after(
            &paid,
            &NewOrder {
                as_of: Some(later(3)),
                ..unpaid
            }
        )
        .captured(),
        2500
    );
}

#[test]
fn a_cancellation_stops_what_is_not_packed_and_asks_for_no_money() {
    let order = taken();
    let next = after(&order, &cancelled(1));
    assert_eq!(next.status(), "cancelled");
    assert_eq!(standing(&next), ["x2", "x1"]);
    assert!(
        next.refunds.is_empty(),
        "the channel gives back what is to go back"
    );
    assert!(
        next.notices
            .iter()
            .any(|notice| matches!(notice, Notice::Cancelled(_)))
    );
    assert!(!next.moves.is_empty(), "the goods go back to the shelf");
    let packed = reported(&order, 1, &Report::Packed(None));
    let late = after(&packed, &cancelled(1));
    assert_eq!(differences(&late), [Difference::Cancelled]);
    assert_eq!(late.status(), "held");
    // A person has seen it: it is no news any more.
    let seen = release_hold(&late, "channel", later(2)).unwrap().unwrap();
    assert_eq!(differences(&after(&seen, &cancelled(3))), []);
    // And what the channel takes back is let go of.
    assert_eq!(differences(&after(&late, &said(3))), []);
}

#[test]
fn other_lines_are_taken_until_goods_are() {
    let edited = |hours| {
        let mut new = said(hours);
        new.lines[0].quantity = 1.into();
        new.lines.push(line("3", "C", 4, 250));
        new
    };
    let next = after(&fresh(), &edited(1));
    assert_eq!(standing(&next), ["o1", "o1", "o4"]);
    assert_eq!(next.total(), 2500);
    let dearer = {
        let mut new = edited(2);
        new.lines[1].unit_price = 900;
        new
    };
    let held = after(&next, &dearer);
    assert_eq!(
        held.holds[0].reason,
        HoldReason::Payment,
        "more has to come in"
    );
    let late = after(&taken(), &edited(1));
    assert!(
        matches!(differences(&late)[..], [Difference::Lines(_)]),
        "{:?}",
        late.holds
    );
    assert_eq!(late.lines, taken().lines);
    // Each edit is seen once; another one is news.
    let seen = release_hold(&late, "channel", later(2)).unwrap().unwrap();
    assert_eq!(differences(&after(&seen, &edited(3))), []);
    assert_eq!(differences(&after(&seen, &dearer)).len(), 1);
}

#[test]
fn it_goes_elsewhere_until_a_parcel_is_closed() {
    let moved = |hours| {
        let mut new = said(hours);
        let address = new.contact.address.as_mut().unwrap();
        address.city = "Lyon".into();
        address.country = "FR".into();
        new.point = None;
        new
    };
    let (order, contact) = take(&said(0));
    for order in [order, taken()] {
        let (next, changed) = follow(&order, &contact, &moved(1)).unwrap();
        assert_eq!(changed.unwrap().address.unwrap().city, "Lyon");
        assert_eq!(next.destination.unwrap().country, "FR");
    }
    let packed = reported(&taken(), 1, &Report::Packed(None));
    let (late, changed) = follow(&packed, &contact, &moved(1)).unwrap();
    assert!(matches!(differences(&late)[..], [Difference::Recipient(_)]));
    assert_eq!((changed, late.destination), (None, packed.destination));
    // An address that was missing is what the order waited for.
    let mut nowhere = said(0);
    nowhere.contact.address = None;
    let (waiting, contact) = take(&nowhere);
    assert_eq!(waiting.holds[0].reason, HoldReason::Address);
    let (next, _) = follow(&waiting, &contact, &said(1)).unwrap();
    assert!(next.holds.is_empty() && next.destination.is_some());
}

#[test]
fn money_that_the_channel_gave_back_is_noted_once_and_not_paid_again() {
    let order = taken();
    let refund = money_back("r1", 700);
    let next = refunded(&order, &refund, later(1)).unwrap();
    assert_eq!(
        (next.refunded(), next.payment_status()),
        (700, "partially_refunded")
    );
    assert_eq!(next.refunds[0].status, RefundStatus::Paid);
    assert_eq!(refunded(&next, &refund, later(2)), None, "a repeat");
    let whole = NewOrder {
        refunds: vec![refund.clone(), money_back("r2", 1800)],
        ..cancelled(2)
    };
    let gone = after(&next, &whole);
    assert_eq!(
        (gone.refunded(), gone.refunds.len(), gone.status()),
        (2500, 2, "cancelled")
    );
    assert_eq!(differences(&gone), []);
}

#[test]
fn a_refund_that_we_asked_for_is_confirmed_by_the_channel() {
    let asked = refund::request(&taken(), "key", &Request::Amount(700), later(1));
    let asked = asked.unwrap().0.unwrap();
    let next = refunded(&asked, &money_back("r1", 700), later(2)).unwrap();
    assert_eq!(
        (next.refunds.len(), next.refunds[0].status),
        (1, RefundStatus::Paid)
    );
    assert_eq!(next.refunded(), 700);
    assert_eq!(refunded(&next, &money_back("r1", 700), later(3)), None);
    assert_eq!(refund::confirm(&next, 1, later(3)), Ok(None));
}

#[test]
fn more_back_than_came_in_is_told_and_never_booked() {
    let next = refunded(&taken(), &money_back("r1", 2600), later(1)).unwrap();
    assert_eq!((next.refunded(), next.captured()), (2500, 2500));
    assert_eq!(differences(&next), [Difference::Refunded(100)]);
    let told = next.holds[0].reason.explain(next.currency);
    assert!(told.contains("1.00 EUR more"), "{told}");
    let whole = NewOrder {
        refunds: vec![money_back("r1", 2600)],
        ..said(2)
    };
    assert_eq!(
        differences(&after(&next, &whole)),
        [Difference::Refunded(100)]
    );
    // It may come so in the first place.
    let (first, _) = take(&whole);
    assert_eq!((first.refunded(), differences(&first).len()), (2500, 1));
}

#[test]
fn another_currency_is_for_a_person_and_changes_no_amount() {
    let dollars = NewOrder {
        currency: currency("USD"),
        payments: vec![Payment::Captured(9900)],
        ..cancelled(1)
    };
    let order = taken();
    let next = after(&order, &dollars);
    assert_eq!(differences(&next), [Difference::Currency(currency("USD"))]);
    assert_eq!((next.currency, next.captured()), (order.currency, 2500));
    assert_eq!(next.lines, order.lines);
    assert_eq!(differences(&after(&next, &said(2))), []);
}

#[test]
fn an_order_that_is_no_longer_there_is_cancelled_as_far_as_it_can_be() {
    let gone = deleted(&taken(), later(1)).unwrap();
    assert_eq!(gone.status(), "cancelled");
    assert_eq!(deleted(&gone, later(2)), None);
    let packed = reported(&taken(), 1, &Report::Packed(None));
    let late = deleted(&packed, later(1)).unwrap();
    assert_eq!(differences(&late), [Difference::Cancelled]);
    assert_eq!(deleted(&late, later(2)), None);
}

#[test]
fn what_we_cancelled_ourselves_stays_cancelled() {
    let ours = cancel(&taken(), "changed my mind", later(1))
        .unwrap()
        .unwrap();
    let next = after(&ours, &said(2));
    assert_eq!((next.status(), differences(&next)), ("cancelled", vec![]));
    assert_eq!(next.refunds, ours.refunds);
}

#[test]
fn money_that_comes_in_for_what_we_cancelled_is_for_a_person() {
    let unpaid = NewOrder {
        payments: Vec::new(),
        ..said(0)
    };
    let (unpaid, _) = take(&unpaid);
    let ours = cancel(&unpaid, "changed my mind", later(1))
        .unwrap()
        .unwrap();
    assert_eq!((ours.status(), ours.refunds.len()), ("cancelled", 0));
    let paid = after(&ours, &said(2));
    assert_eq!(differences(&paid), [Difference::Paid]);
    assert_eq!((paid.captured(), paid.refunds.len()), (2500, 0));
    // Somebody has cancelled it there as well, and given the money back.
    assert_eq!(differences(&after(&paid, &cancelled(3))), []);
}

#[test]
fn money_that_comes_in_after_the_goods_came_back_is_for_a_person() {
    let promised = NewOrder {
        payments: vec![Payment::Authorised(2500)],
        ..said(0)
    };
    let (promised, _) = take(&promised);
    let order = allocated(&promised, &[("A", "ber", 2), ("B", "ber", 1)]);
    let order = reported(&order, 1, &shipped_by_hand());
    let announced = announce_return(&order, "r", &[("2".into(), 1.into())], later(1)).unwrap();
    let came = [("2".to_owned(), 1.into(), Disposition::Restock)];
    let back = receive_return(&announced.0.unwrap(), 1, "ber", &came, later(1));
    let back = back.unwrap().unwrap();
    let asked: i64 = back.refunds.iter().map(|refund| refund.amount).sum();
    assert_eq!(asked, 0, "nothing has come in that could go back");
    let paid = after(&back, &said(2));
    assert_eq!(differences(&paid), [Difference::Paid]);
}

#[test]
fn a_statement_is_not_newer_than_itself_once_it_was_stored() {
    let exact = NewOrder {
        as_of: Some(later(1) + jiff::SignedDuration::from_nanos(1_234_567)),
        ..said(1)
    };
    let (order, contact) = take(&exact);
    let stored = serde_json::to_string(&order).unwrap();
    let read: Order = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, order);
    assert!(follow(&read, &contact, &exact).is_none());
}

#[test]
fn what_was_shipped_elsewhere_is_not_shipped_again() {
    let shipped = |hours| NewOrder {
        shipped: true,
        ..said(hours)
    };
    let (first, _) = take(&shipped(0));
    assert_eq!(differences(&first), [Difference::Shipped]);
    assert_eq!(
        differences(&after(&fresh(), &shipped(1))),
        [Difference::Shipped]
    );
    let ours = sent(&taken(), 1, later(1));
    assert_eq!(differences(&after(&ours, &shipped(2))), [], "it was us");
}

#[test]
fn what_waits_is_looked_for_again_once_nothing_holds_the_order() {
    let order = allocated(&fresh(), &[("A", "ber", 2)]);
    let looks = |order: &Order| owed(order).contains(&Work::Allocate(1));
    assert!(!looks(&order), "it waits for goods");
    let refund = ChannelRefund {
        id: "f".into(),
        amount: order.captured() + 1,
        lines: Vec::new(),
    };
    let held = refunded(&order, &refund, later(1)).unwrap();
    assert!(!held.holds.is_empty() && !looks(&held));
    let free = release_hold(&held, "channel", later(2)).unwrap().unwrap();
    assert!(looks(&free), "goods may have come meanwhile");
    let none = allocated(&free, &[]);
    assert_eq!((looks(&none), none.lines[1].units.backordered), (false, 1));
    assert!(try_allocate(&none, &[]).0.is_none(), "once is enough");
    let found = allocated(&free, &[("B", "ber", 1)]);
    assert_eq!((looks(&found), found.lines[1].units.allocated), (false, 1));
}
