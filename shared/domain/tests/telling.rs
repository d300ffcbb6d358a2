//! What a channel is told of an order that it has sold.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::change::{Disposition, announce_return, cancel, receive_return};
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::NewOrder;
use domain::kit::KitPart;
use domain::order::{Contact, Order};
use domain::owed::{Notice, Step, notified, owed};
use domain::refund::confirm;
use domain::restate::{Statement, restate};
use domain::telling::{Resolution, is_complete, resolve, sent_lines};
use domain::{Quantity, Work};

fn told() -> NewOrder {
    NewOrder {
        told: true,
        ..new_order(vec![line("1", "A", 2, 1000), line("2", "B", 1, 500)])
    }
}

fn for_channel(order: &Order) -> Vec<Notice> {
    let notices = order.notices.iter();
    let of_channel = notices.filter(|notice| notice.step() == Step::UpdateChannel);
    of_channel.cloned().collect()
}

#[test]
fn a_channel_hears_of_an_order_only_if_it_is_told_and_waits() {
    let waits = |told: bool, awaited: bool| {
        let new = NewOrder {
            told,
            awaited,
            ..self::told()
        };
        for_channel(&accept(new))
    };
    assert_eq!(waits(true, true), [Notice::Acknowledged]);
    for none in [(true, false), (false, true), (false, false)] {
        assert_eq!(waits(none.0, none.1), []);
    }
    let awaited = NewOrder {
        awaited: true,
        ..told()
    };
    let order = accept(awaited.clone());
    assert!(owed(&order).contains(&Work::Notify(Notice::Acknowledged)));
    assert_eq!(order.open_at, Some(now()));
    // It has come in, whatever a person has to look at.
    let unpaid = NewOrder {
        payments: Vec::new(),
        ..awaited.clone()
    };
    assert_eq!(for_channel(&accept(unpaid)), [Notice::Acknowledged]);
    let test = accept(NewOrder {
        test: true,
        ..awaited.clone()
    });
    assert!(
        !test.told && for_channel(&test).is_empty(),
        "nobody's order"
    );
    let gone = accept(NewOrder {
        cancelled: true,
        ..awaited
    });
    assert!(gone.told && for_channel(&gone).is_empty(), "nothing waits");
}

#[test]
fn who_cancels_it_in_the_channel_waits_for_no_word_of_it() {
    let order = accept(NewOrder {
        awaited: true,
        ..told()
    });
    let cancelled = NewOrder {
        cancelled: true,
        as_of: Some(later(1)),
        ..told()
    };
    let cancelled = accept(cancelled);
    let said = Statement {
        order: &cancelled,
        contact: &Contact::default(),
        refunds: &[],
        shipped: false,
    };
    let (gone, _) = restate(&order, &Contact::default(), said, now()).unwrap();
    assert_eq!(for_channel(&gone), []);
    // Cancelled here it is still in the channel, which wants to hear that we have it.
    let here = cancel(&order, "no", now()).unwrap().unwrap();
    assert_eq!(for_channel(&here), [Notice::Acknowledged]);
}

#[test]
fn each_parcel_that_leaves_is_told_of_with_its_own_lines() {
    let order = accept(told());
    let order = allocated(&order, &[("A", "ber", 2), ("B", "muc", 1)]);
    assert_eq!(sent_lines(&order, 1), [], "it has not left");
    let packed = reported(
        &order,
        1,
        &Report::Packed(Some(vec![("1".into(), 1.into())])),
    );
    let first = domain::shipping::ship(&packed, 1, parcel("T1"), later(1)).unwrap();
    assert_eq!(for_channel(&first), [Notice::Sent(1)]);
    assert_eq!(sent_lines(&first, 1), [("1".into(), 1.into())]);
    assert!(!is_complete(&first));
    let second = reported(&first, 2, &shipped_by_hand());
    assert_eq!(for_channel(&second), [Notice::Sent(1), Notice::Sent(2)]);
    assert_eq!(sent_lines(&second, 2), [("2".into(), 1.into())]);
    // The one that was missing is given up: nothing more is to be sent.
    let rest = cancel(&second, "gone", now()).unwrap().unwrap();
    assert!(is_complete(&rest));
    // An order of a channel that is not told.
    let silent = accept(NewOrder {
        told: false,
        ..told()
    });
    let silent = allocated(&silent, &[("A", "ber", 2), ("B", "ber", 1)]);
    let silent = sent(&silent, 1, later(1));
    assert_eq!(for_channel(&silent), []);
}

#[test]
fn a_kit_has_left_with_the_parcel_that_makes_it_whole() {
    // Three sets of one dripper and two cups; and two cups by themselves.
    let part = |id: &str, sku: &str, units: i64, per_kit: u32| {
        let mut part = line(id, sku, units, 100);
        part.kit = Some(KitPart {
            line: "1".into(),
            sku: "SET".into(),
            per_kit,
        });
        part
    };
    let lines = vec![
        part("1-a", "DRIPPER", 3, 1),
        part("1-b", "CUP", 6, 2),
        line("2", "CUP", 2, 100),
    ];
    let order = accept(NewOrder {
        told: true,
        ..new_order(lines)
    });
    let goods = [("DRIPPER", "ber", 3), ("CUP", "ber", 3), ("CUP", "muc", 5)];
    let order = allocated(&order, &goods);
    let numbers: Vec<u32> = order.fulfillments.iter().map(|f| f.n).collect();
    let mut gone = order;
    let mut told: Vec<(String, Quantity)> = Vec::new();
    for (n, minutes) in numbers.iter().zip(1..) {
        gone = sent(&gone, *n, later(minutes));
        told.extend(sent_lines(&gone, *n));
    }
    let of = |id: &str| -> Quantity {
        let lines = told.iter().filter(|(line, _)| line == id);
        lines.map(|(_, quantity)| *quantity).sum()
    };
    assert!(numbers.len() > 1, "in several parcels");
    assert_eq!((of("1"), of("2")), (3.into(), 2.into()), "{told:?}");
    assert!(
        told.iter().all(|(id, _)| id == "1" || id == "2"),
        "{told:?}"
    );
    // What is told of a parcel does not change with those that come after it.
    let again: Vec<_> = numbers.iter().flat_map(|n| sent_lines(&gone, *n)).collect();
    assert_eq!(again, told);
    assert!(is_complete(&gone));
}

#[test]
fn what_a_channel_refuses_is_for_a_person_and_stops_nothing() {
    let order = allocated(&accept(told()), &[("A", "ber", 2), ("B", "ber", 1)]);
    let gone = sent(&order, 1, later(1));
    let why = Some("status 422".to_owned());
    let refused = notified(&gone, &Notice::Sent(1), why.clone(), now()).unwrap();
    assert_eq!(refused.untold, [Notice::Sent(1)]);
    assert!(refused.holds.is_empty() && for_channel(&refused).is_empty());
    let waits = domain::view::waiting_for(&refused);
    let task = "customer service to look why api refuses the word of fulfillment 1's shipment to the channel, \
                and to have it told again or settled";
    assert!(waits.contains(&task.to_owned()), "{waits:?}");
    let event = &refused.timeline.entries.last().unwrap().event;
    assert_eq!(event.name(), "notice.failed");
    assert!(
        event
            .describe(refused.currency)
            .ends_with("not sent: status 422")
    );
    // A mail that is refused is no task.
    let unmailed = notified(&gone, &Notice::Shipped(1), why, now()).unwrap();
    assert_eq!(unmailed.untold, []);
    let again = resolve(&refused, Resolution::Again, now()).unwrap();
    assert_eq!(
        (again.untold.as_slice(), for_channel(&again)),
        (&[][..], vec![Notice::Sent(1)])
    );
    let told = notified(&again, &Notice::Sent(1), None, now()).unwrap();
    assert_eq!(for_channel(&told), []);
    assert_eq!(
        resolve(&told, Resolution::Again, now()),
        None,
        "nothing is refused"
    );
    let settled = resolve(&refused, Resolution::Settled, now()).unwrap();
    assert!(settled.untold.is_empty() && for_channel(&settled).is_empty());
    let event = &settled.timeline.entries.last().unwrap().event;
    assert_eq!(*event, Event::UntoldResolved(Resolution::Settled));
    assert_eq!(event.name(), "untold.resolved");
    assert_eq!(Resolution::named("again"), Some(Resolution::Again));
    assert_eq!(Resolution::named("settled"), Some(Resolution::Settled));
    assert_eq!(Resolution::named("forgotten"), None);
}

/// A channel that writes to its customers itself: nobody hears anything from us, whatever happens.
#[test]
fn who_is_written_to_by_the_channel_hears_nothing_from_us() {
    let mut seen = Vec::new();
    let mut note = |order: &Order| seen.extend(order.notices.clone());
    let order = accept(NewOrder {
        mailed: false,
        awaited: true,
        ..told()
    });
    note(&order);
    let order = allocated(&order, &[("A", "ber", 2), ("B", "muc", 1)]);
    note(&order);
    let gone = sent(&order, 1, later(1));
    note(&gone);
    let less = cancel(&gone, "no", now()).unwrap().unwrap();
    note(&less);
    let paid_back = confirm(&less, 1, now()).unwrap().unwrap();
    note(&paid_back);
    let lines = [("1".to_owned(), Quantity::from(1))];
    let (back, n) = announce_return(&paid_back, "k", &lines, later(2)).unwrap();
    let lines = [("1".to_owned(), Quantity::from(1), Disposition::Restock)];
    let back = receive_return(&back.unwrap(), n, "ber", &lines, later(3))
        .unwrap()
        .unwrap();
    note(&back);
    let back = confirm(&back, 2, later(4)).unwrap().unwrap();
    note(&back);
    let to_customer = seen
        .iter()
        .filter(|notice| notice.step() == Step::NotifyCustomer);
    assert_eq!(to_customer.count(), 0, "{seen:?}");
    assert!(seen.contains(&Notice::Acknowledged) && seen.contains(&Notice::Sent(1)));
}
