//! What an order is owed in which state, and which steps a change calls for.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::change::cancel;
use domain::event::Event;
use domain::fulfillment::Report;
use domain::order::{FulfillmentStatus, Order};
use domain::owed::{Notice, Step, Work, newly_owed, notified, owed, steps};
use domain::refund::{Request, confirm, request, submitted};
use domain::shipping::{leave_unrated, ship};
use domain::stock::moved;

fn told(order: &Order, notice: Notice) -> Order {
    notified(order, &notice, None, now()).unwrap()
}

#[test]
fn every_kind_of_work_is_owed_until_it_is_done() {
    use Step::*;
    // The journey of an order: after each change, what is owed, and who has to be told.
    let mut order = order(&[("A", 2)]);
    assert_eq!(owed(&order), [Work::Allocate(2)]);
    let mut went = |name: &str, next: Order, works: &[Work], tell: &[Step]| {
        assert_eq!(owed(&next), works, "{name}");
        assert_eq!(newly_owed(&order, &next), tell, "{name}");
        assert_eq!(next.open_at.is_some(), !works.is_empty(), "{name}");
        order = next.clone();
        next
    };
    let (pick, confirmed) = (Notice::Pick(1), Notice::Confirmed);
    let notify = |notice: &Notice| Work::Notify(notice.clone());
    let next = common::order(&[("A", 2)]);
    let next = allocated(&next, &[("A", "ber", 2)]);
    let works = [notify(&pick), notify(&confirmed)];
    let next = went(
        "allocated",
        next,
        &works,
        &[NotifyWarehouse, NotifyCustomer],
    );
    let next = went("picking", told(&next, pick), &works[1..], &[]);
    let next = went("confirmed", told(&next, confirmed), &[], &[]);
    let next = went("accepted", reported(&next, 1, &Report::Accepted), &[], &[]);
    let packed = reported(&next, 1, &Report::Packed(None));
    let next = went("packed", packed, &[Work::Ship(1)], &[ShipOrder]);
    let shipped = Notice::Shipped(1);
    let works = [notify(&shipped), Work::MoveStock(1)];
    let gone = ship(&next, 1, parcel("T1"), now()).unwrap();
    let next = went("shipped", gone, &works, &[UpdateStock, NotifyCustomer]);
    let next = went("moved", moved(&next, 1, now()), &works[..1], &[]);
    let next = went("told", told(&next, shipped), &[], &[]);
    let next = went(
        "delivered",
        reported(&next, 1, &Report::Delivered),
        &[],
        &[],
    );
    let asked = request(&next, "k", &Request::Amount(500), now()).unwrap();
    let next = went(
        "refund",
        asked.0.unwrap(),
        &[Work::Refund(1)],
        &[RefundOrder],
    );
    let next = went("submitted", submitted(&next, 1, now()).unwrap(), &[], &[]);
    let refunded = Notice::Refunded(1);
    let paid = confirm(&next, 1, now()).unwrap().unwrap();
    let next = went("paid", paid, &[notify(&refunded)], &[NotifyCustomer]);
    let next = went("told of it", told(&next, refunded), &[], &[]);
    assert_eq!(next.open_at, None);
}

#[test]
fn work_that_was_called_for_before_is_not_called_for_again() {
    let order = order(&[("A", 2), ("B", 1)]);
    let order = allocated(&order, &[("A", "ber", 2), ("B", "muc", 1)]);
    let one = reported(&order, 1, &Report::Packed(None));
    assert_eq!(newly_owed(&order, &one), [Step::ShipOrder]);
    let accepted = reported(&one, 2, &Report::Accepted);
    assert_eq!(newly_owed(&one, &accepted), [], "the first is under way");
    let two = reported(&accepted, 2, &Report::Packed(None));
    assert_eq!(newly_owed(&accepted, &two), [Step::ShipOrder], "another");
    let first = ship(&two, 1, parcel("T1"), now()).unwrap();
    let tell = [Step::UpdateStock, Step::NotifyCustomer];
    assert_eq!(newly_owed(&two, &first), tell);
    let second = ship(&first, 2, parcel("T2"), now()).unwrap();
    assert_eq!(newly_owed(&first, &second), tell, "one movement more");
    let half = moved(&second, 1, now());
    assert_eq!(half.moves, second.moves[1..]);
    let tell = [Step::UpdateStock];
    assert_eq!(newly_owed(&second, &half), tell, "and one is left");
    assert_eq!(moved(&half, 99, now()).moves, []);
}

#[test]
fn more_to_look_for_is_new_work() {
    // A short pick, while an earlier look for goods is under way.
    let order = order(&[("A", 3), ("B", 2)]);
    let order = allocated(&order, &[("A", "ber", 3), ("B", "muc", 2)]);
    let packing = |lines: &[(&str, u32)]| {
        let lines = lines
            .iter()
            .map(|(id, n)| (id.to_string(), i64::from(*n).into()));
        Report::Packed(Some(lines.collect()))
    };
    let first = reported(&order, 1, &packing(&[("1", 1)]));
    assert!(newly_owed(&order, &first).contains(&Step::AllocateWarehouse));
    let second = reported(&first, 2, &packing(&[("2", 1)]));
    assert!(newly_owed(&first, &second).contains(&Step::AllocateWarehouse));
}

#[test]
fn an_order_that_waits_for_somebody_outside_is_at_rest() {
    let quiet = |mut order: Order| {
        order.notices.clear();
        order.moves.clear();
        order
    };
    let levels = [("A", "ber", 1)];
    let one = || quiet(allocated(&order(&[("A", 1)]), &levels));
    let mut held = order(&[("A", 1)]);
    held.holds.push(domain::order::Hold {
        reason: domain::order::HoldReason::Payment,
        since: now(),
    });
    let unrated = reported(&one(), 1, &Report::Packed(None));
    let unrated = leave_unrated(&unrated, 1, now()).unwrap();
    let cancelled = cancel(&one(), "no", now()).unwrap().unwrap();
    let cancelled = quiet(submitted(&cancelled, 1, now()).unwrap());
    let cases = [
        ("a hold", held),
        ("goods", quiet(allocated(&order(&[("A", 1)]), &[]))),
        ("a picker", one()),
        ("a packer", reported(&one(), 1, &Report::Accepted)),
        ("a warehouse's own van", unrated.clone()),
        ("a carrier", quiet(sent(&one(), 1, now()))),
        ("nobody: it is cancelled", cancelled),
    ];
    for (name, order) in cases {
        assert_eq!(owed(&order), [], "it waits for {name}");
    }
    assert_eq!(leave_unrated(&unrated, 1, now()), None, "known");
    assert_eq!(leave_unrated(&one(), 1, now()), None, "not packed");
    let gone = reported(&unrated, 1, &shipped_by_hand());
    assert_eq!(gone.fulfillments[0].status, FulfillmentStatus::Shipped);
}

#[test]
fn it_is_open_since_it_was_first_owed_something() {
    let order = order(&[("A", 1)]);
    assert_eq!(order.open_at, Some(now()));
    let order = allocated(&order, &[("A", "ber", 1)]);
    let order = notified(&order, &Notice::Pick(1), None, later(1)).unwrap();
    assert_eq!(order.open_at, Some(now()), "without a pause");
    let order = notified(&order, &Notice::Confirmed, None, later(2)).unwrap();
    assert_eq!(order.open_at, None);
    let order = domain::fulfillment::report(&order, 1, &Report::Packed(None), later(3));
    assert_eq!(order.unwrap().unwrap().open_at, Some(later(3)));
}

#[test]
fn somebody_who_was_told_is_not_told_again() {
    let order = allocated(&order(&[("A", 1)]), &[("A", "ber", 1)]);
    for (failure, event) in [
        (None, Event::Notified(Notice::Confirmed)),
        (
            Some("bounced".to_owned()),
            Event::NotNotified(Notice::Confirmed, "bounced".into()),
        ),
    ] {
        let next = notified(&order, &Notice::Confirmed, failure, now()).unwrap();
        assert_eq!(next.notices, [Notice::Pick(1)]);
        assert_eq!(next.timeline.entries.last().unwrap().event, event);
        assert_eq!(notified(&next, &Notice::Confirmed, None, now()), None);
    }
    assert_eq!(notified(&order, &Notice::Shipped(1), None, now()), None);
    assert_eq!(notified(&order, &Notice::Pick(2), None, now()), None);
}

#[test]
fn a_pick_list_that_a_cancellation_overtook_is_called_back() {
    // The list was in the mail, not yet noted, when the order was cancelled.
    let order = allocated(&order(&[("A", 1)]), &[("A", "ber", 1)]);
    let pick = Notice::Pick(1);
    let cancelled = cancel(&order, "no", now()).unwrap().unwrap();
    assert!(!cancelled.notices.contains(&Notice::Stop(1)));
    let next = notified(&cancelled, &pick, None, now()).unwrap();
    assert!(next.notices.contains(&Notice::Stop(1)));
    assert_eq!(newly_owed(&cancelled, &next), [Step::NotifyWarehouse]);
    assert_eq!(notified(&next, &pick, None, now()), None, "once");
    let stopped = told(&next, Notice::Stop(1));
    assert_eq!(notified(&stopped, &pick, None, now()), None, "for good");
    // It did not go out after all.
    let failure = Some("bounced".to_owned());
    assert_eq!(notified(&cancelled, &pick, failure, now()), None);
    // The cancellation came after it was noted, and calls it back itself.
    let noted = told(&order, pick.clone());
    let stopping = cancel(&noted, "no", now()).unwrap().unwrap();
    assert!(stopping.notices.contains(&Notice::Stop(1)));
    assert_eq!(notified(&stopping, &pick, None, now()), None);
    let stopped = told(&stopping, Notice::Stop(1));
    assert_eq!(notified(&stopped, &pick, None, now()), None);
    // The warehouse itself rejected it: it knows.
    let rejected = reported(&order, 1, &Report::Rejected("flood".into()));
    assert_eq!(notified(&rejected, &pick, None, now()), None);
}

#[test]
fn each_step_is_told_once_in_a_fixed_order() {
    use Notice::*;
    let works = [
        Work::Refund(1),
        Work::Notify(Refunded(1)),
        Work::Ship(2),
        Work::Ship(1),
        Work::Notify(Stop(1)),
        Work::Notify(Pick(2)),
        Work::MoveStock(3),
        Work::Notify(Cancelled(7)),
        Work::Publish,
        Work::Notify(Shipped(1)),
        Work::Notify(Sent(1)),
        Work::Notify(Acknowledged),
        Work::Notify(Confirmed),
        Work::Allocate(1),
    ];
    // What is to be fetched is no work that an order's state calls for.
    let states = Step::ALL
        .into_iter()
        .filter(|step| *step != Step::FetchOrder);
    assert_eq!(steps(works), states.collect::<Vec<_>>());
    let names = Step::ALL.map(Step::name);
    assert_eq!(
        names,
        [
            "allocate-warehouse",
            "notify-warehouse",
            "ship-order",
            "update-stock",
            "notify-customer",
            "refund-order",
            "update-channel",
            "fetch-order",
            "publish-events"
        ]
    );
}

#[test]
fn notices_are_told_apart_by_their_keys() {
    use Notice::*;
    let notices = [
        Pick(1),
        Pick(2),
        Stop(1),
        Confirmed,
        Shipped(1),
        Refunded(1),
        Cancelled(1),
        Acknowledged,
        Sent(1),
        Sent(2),
    ];
    let keys: std::collections::BTreeSet<String> = notices.iter().map(Notice::key).collect();
    assert_eq!(keys.len(), notices.len());
}

#[test]
fn what_has_happened_is_to_be_published_if_anybody_listens() {
    let order = order(&[("A", 2)]);
    assert!(!order.is_unpublished(), "nobody listens");
    let fed = order.clone().fed(now());
    assert_eq!(owed(&fed), [Work::Allocate(2), Work::Publish]);
    let next = allocated(&fed, &[("A", "ber", 2)]);
    assert!(
        !newly_owed(&fed, &next).contains(&Step::PublishEvents),
        "its hint is under way"
    );
    let next = told(&told(&next, Notice::Pick(1)), Notice::Confirmed);
    assert_eq!(owed(&next), [Work::Publish]);
    let published = next.all_published();
    assert_eq!(
        (published.version, &published.timeline),
        (next.version, &next.timeline)
    );
    assert_eq!((owed(&published), published.open_at), (vec![], None));
    let more = reported(&published, 1, &Report::Packed(None));
    assert_eq!(
        newly_owed(&published, &more),
        [Step::ShipOrder, Step::PublishEvents]
    );
    assert!(
        more.all_published().open_at.is_some(),
        "it has work besides"
    );
    // An order that rests as it comes in is open all the same.
    let mut held = order;
    (held.open_at, held.lines) = (None, Vec::new());
    assert_eq!(owed(&held), []);
    assert_eq!(held.fed(now()).open_at, Some(now()));
}
