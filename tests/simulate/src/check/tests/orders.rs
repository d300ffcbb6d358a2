use domain::change;
use domain::event::{Entry, Event};
use domain::fulfillment::Report;
use domain::order::{FulfillmentStatus, HoldReason, Order, Payment, RefundStatus};
use domain::owed::Notice;

use super::life::Life;
use crate::check::sample::at;
use crate::check::{goods_given, order_written};

#[test]
fn what_the_steps_decide_is_right() {
    for captured in [4000, 1500, 1200] {
        let life = Life::whole(captured);
        let refunded: i64 = life.now().refunds.iter().map(|r| r.amount).sum();
        // The download stays with the customer; the apology comes on top.
        let download = 100 + 401 * 100 / 3600;
        assert_eq!(refunded, captured.min(4000 - download + 50));
    }
    for captured in [4000, 0] {
        let mut life = Life::begin(captured);
        life.allocate(&[("A", "north", 1), ("B", "south", 1)]);
        life.tell();
        life.report(1, Report::Rejected("no hands".into()));
        life.allocate(&[("A", "south", 1)]);
        life.go(change::cancel(life.now(), "no", at(50)).unwrap().unwrap());
        life.tell();
        life.move_stock();
        assert!(life.now().lines.iter().all(|line| line.units.open == 0));
    }
}

/// The rule that is broken once the write that `event` names is changed so.
#[track_caller]
fn breaks(rule: &str, event: fn(&Event) -> bool, change: impl Fn(&mut Order)) {
    let life = Life::whole(4000).0;
    let newest = |order: &Order| event(&order.timeline.entries.last().unwrap().event);
    let place = life.iter().rposition(newest).unwrap();
    let mut after = life[place].clone();
    change(&mut after);
    let before = place.checked_sub(1).map(|before| &life[before]);
    let found = order_written(before, &after);
    let found = found.expect("nothing is found");
    assert_eq!(found.rule, rule, "{found:?}");
    assert_eq!(found.subject, after.id.to_string());
}

fn accepted(event: &Event) -> bool {
    matches!(event, Event::Accepted)
}

/// The second time.
fn allocated(event: &Event) -> bool {
    *event == Event::Allocated(1.into(), 0.into())
}

fn announced(event: &Event) -> bool {
    matches!(event, Event::ReturnAnnounced(_))
}

fn received(event: &Event) -> bool {
    matches!(event, Event::ReturnReceived(_))
}

fn told(event: &Event) -> bool {
    matches!(event, Event::Notified(Notice::Shipped(2)))
}

fn packed(event: &Event) -> bool {
    matches!(event, Event::Packed(..))
}

fn shipped(event: &Event) -> bool {
    matches!(event, Event::Shipped(1, _))
}

fn requested(event: &Event) -> bool {
    matches!(event, Event::RefundRequested(1, _))
}

fn paid(event: &Event) -> bool {
    matches!(event, Event::RefundPaid(3))
}

#[test]
fn what_was_agreed_changes() {
    breaks("order-begins-untouched", accepted, |o| o.version = 2);
    breaks("order-begins-untouched", accepted, |o| {
        o.lines[0].units.open -= 1
    });
    breaks("version-step", told, |o| o.version += 1);
    breaks("identity-changed", told, |o| o.number.push('1'));
    breaks("identity-changed", told, |o| o.lines[0].money.tax += 1);
    breaks("identity-changed", told, |o| o.lines[1].sku = None);
    breaks("identity-changed", told, |o| drop(o.lines.pop()));
    breaks("final-units-shrank", told, |o| {
        let units = &mut o.lines[0].units;
        units.shipped -= 1;
        units.allocated += 1;
    });
}

#[test]
fn the_item_contradicts_itself() {
    breaks("timeline-version", told, |o| o.timeline.first += 1);
    breaks("timeline-length", told, |o| {
        let entry = o.timeline.entries[0].clone();
        while o.timeline.entries.len() <= 14 {
            o.timeline.entries.insert(0, entry.clone());
            o.timeline.first = o.timeline.first.saturating_sub(1).max(1);
        }
        o.timeline.first = o.version + 1 - o.timeline.entries.len() as u64;
    });
    breaks("units-unbalanced", told, |o| o.lines[0].units.open += 1);
    breaks("units-out-of-order", told, |o| {
        o.lines[0].units.delivered = 4
    });
    breaks("units-out-of-order", told, |o| {
        o.lines[1].units.returned = 2
    });
    breaks(
        "intangible-handled",
        |e| *e == Event::Allocated(4.into(), 0.into()),
        |o| o.lines[2].units.delivered = 0,
    );
    breaks("units-differ-from-fulfillments", told, |o| {
        o.fulfillments[1].units[0].1 = 2
    });
    breaks("delivered-differs", told, |o| {
        o.lines[1].units.delivered = 1
    });
    breaks("fulfillment-unsound", told, |o| o.fulfillments[1].n = 1);
    breaks("fulfillment-unsound", told, |o| {
        o.fulfillments[1].units[0].0 = 9
    });
    breaks("fulfillment-unsound", told, |o| {
        o.fulfillments[1].units[0].0 = 2
    });
    breaks("fulfillment-unsound", told, |o| {
        o.fulfillments[0].units = vec![(0, 1), (0, 1)]
    });
    breaks("departure-unrecorded", told, |o| {
        o.fulfillments[0].shipped_at = None
    });
    breaks("departure-unrecorded", packed, |o| {
        o.fulfillments[0].shipped_at = Some(at(0))
    });
    breaks(
        "unrated-unpacked",
        |e| *e == Event::FulfillmentAccepted(1),
        |o| {
            o.fulfillments[0].unrated = true;
        },
    );
    breaks("return-unsound", announced, |o| o.returns[0].n = 2);
    breaks("return-unsound", announced, |o| {
        o.returns.push(o.returns[0].clone())
    });
    breaks("notice-due-twice", shipped, |o| {
        o.notices.push(o.notices[0].clone())
    });
    breaks("open-index", shipped, |o| o.open_at = None);
    breaks("open-index", told, |o| o.open_at = Some(at(0)));
}

#[test]
fn goods_are_set_aside_for_nothing() {
    let mut order = Life::whole(4000).0.remove(1);
    order.lines[0].sku = None;
    let before = Life::begin(4000).0.remove(0);
    let mut before = Order { ..before };
    before.lines[0].sku = None;
    let found = order_written(Some(&before), &order).unwrap();
    assert_eq!(found.rule, "goods-without-sku", "{found:?}");
}

#[test]
fn a_write_does_what_it_may_not() {
    breaks("timeline-rewritten", told, |o| {
        let entries = &mut o.timeline.entries;
        let (n, at) = (entries.len() - 2, at(99));
        entries[n] = Entry {
            at,
            event: Event::Accepted,
        };
    });
    breaks("timeline-rewritten", told, |o| {
        // An event is lost: neither in the item nor on the next page.
        o.timeline.entries.remove(0);
        let event = Event::StockMoved(0);
        o.timeline.entries.push(Entry { at: at(99), event });
    });
    breaks("fulfillment-transition", allocated, |o| {
        o.fulfillments[1].status = FulfillmentStatus::Accepted;
    });
    breaks("fulfillment-transition", shipped, |o| {
        o.fulfillments[0].status = FulfillmentStatus::Delivered;
        o.lines[0].units.delivered = 2;
        o.lines[1].units.delivered = 1;
    });
    breaks("fulfillment-rewritten", told, |o| {
        o.fulfillments[0].location = "south".into()
    });
    breaks("fulfillment-rewritten", told, |o| {
        o.fulfillments[0].short_at = None
    });
    breaks("fulfillment-rewritten", packed, |o| {
        o.fulfillments[0].short_at = None
    });
    breaks("event-differs", packed, |o| {
        o.timeline.entries.last_mut().unwrap().event = Event::Packed(1, 0.into());
    });
    breaks("event-differs", shipped, |o| {
        o.timeline.entries.last_mut().unwrap().event = Event::Shipped(2, "1".into());
    });
    breaks("event-differs", announced, |o| {
        o.timeline.entries.last_mut().unwrap().event = Event::StockMoved(1);
    });
    breaks("event-differs", received, |o| {
        o.refunds.last_mut().unwrap().key = "cancel".into();
    });
    breaks("return-rewritten", received, |o| {
        o.returns[0].units[0].1 = 1
    });
    breaks("return-rewritten", paid, |o| o.returns[0].received = false);
    breaks("return-rewritten", paid, |o| o.returns[0].by_channel = true);
    breaks("event-differs", paid, |o| o.returns[0].cancelled = true);
    breaks("event-differs", announced, |o| {
        o.returns[0].cancelled = true
    });
    breaks("refund-rewritten", received, |o| {
        o.refunds[1].key = "+else".into()
    });
    breaks("refund-transition", paid, |o| {
        o.refunds[1].status = RefundStatus::AwaitingConfirmation;
        o.payments
            .retain(|payment| !matches!(payment, Payment::Refunded(2, _)));
    });
    breaks("open-since-changed", paid, |o| o.open_at = Some(at(999)));
    breaks(
        "notice-due-again",
        |e| *e == Event::Notified(Notice::Shipped(1)),
        |o| o.notices.insert(0, Notice::Shipped(1)),
    );
    let unmailed = |mut order: Order| {
        order.mailed = false;
        order
    };
    let life = Life::whole(4000).0;
    let place = life
        .iter()
        .position(|o| shipped(&o.timeline.entries.last().unwrap().event));
    let place = place.unwrap();
    let (before, after) = (
        unmailed(life[place - 1].clone()),
        unmailed(life[place].clone()),
    );
    let found = order_written(Some(&before), &after).unwrap();
    assert_eq!(found.rule, "notice-unwanted", "{found:?}");
}

#[test]
fn money_goes_where_it_should_not() {
    breaks("refunded-beyond-ordered", told, |o| {
        o.lines[0].refunded_units = 4
    });
    breaks("refunded-beyond-captured", told, |o| {
        o.payments.push(Payment::Refunded(1, 4001))
    });
    breaks("promised-beyond-captured", requested, |o| {
        o.refunds[0].amount = 4001
    });
    breaks("refund-unsound", requested, |o| o.refunds[0].n = 2);
    breaks("refund-unsound", requested, |o| o.refunds[0].amount = 0);
    breaks(
        "refund-unsound",
        |e| matches!(e, Event::RefundRequested(2, _)),
        |o| {
            o.refunds[1].key = "+r".into();
        },
    );
    breaks("refund-ledger", paid, |o| o.payments.truncate(4));
    breaks("refund-ledger", paid, |o| {
        let Some(Payment::Refunded(_, amount)) = o.payments.last_mut() else {
            panic!("{o:?}");
        };
        *amount -= 1;
    });
    breaks(
        "refund-ledger",
        |e| *e == Event::RefundPaid(2),
        |o| {
            o.payments.push(Payment::Refunded(2, 50));
        },
    );
    breaks(
        "payment-unmatched",
        |e| *e == Event::RefundPaid(1),
        |o| {
            o.payments.push(Payment::Refunded(9, 50));
        },
    );
    breaks("payment-rewritten", told, |o| {
        o.payments[0] = Payment::Authorised(4001)
    });
    breaks("units-refunded-without-refund", told, |o| {
        o.lines[0].refunded_units = 1
    });
    breaks("units-refunded-without-refund", paid, |o| {
        o.lines[0].refunded_units = 2
    });
    // Half a cent, so to speak: the first unit bears what does not divide.
    breaks(
        "refund-amount",
        |e| matches!(e, Event::RefundRequested(1, _)),
        |o| {
            let amount = o.refunds[0].amount - 1;
            o.refunds[0].amount = amount;
            o.timeline.entries.last_mut().unwrap().event = Event::RefundRequested(1, amount);
        },
    );
    breaks("refund-amount", received, |o| o.refunds[2].amount -= 1);
    breaks("refund-amount", received, |o| {
        for line in &mut o.lines[..2] {
            line.refunded_units = line.units.ordered - line.units.ordered.min(2);
        }
        (o.lines[0].refunded_units, o.lines[1].refunded_units) = (1, 0);
    });
}

#[test]
fn holds_have_the_names_of_their_paths() {
    // Two lists of the same names: neither may grow alone.
    let totals = HoldReason::Totals {
        stated: 1,
        computed: 2,
    };
    let reasons = [
        HoldReason::UnknownSku,
        totals,
        HoldReason::Address,
        HoldReason::Payment,
        HoldReason::Test,
    ];
    for reason in reasons {
        assert_eq!(crate::check::deeds::name(&reason), reason.name());
    }
}

#[test]
fn a_reservation_is_used_once() {
    let named = |order: &mut Order, used| {
        order.reservation = Some(domain::order::NamedReservation {
            id: "R".into(),
            used,
        });
    };
    breaks("reservation-used-otherwise", allocated, |after| {
        named(after, true);
    });
    let life = Life::whole(4000).0;
    let newest = |order: &Order| order.timeline.entries.last().unwrap().event.clone();
    let place = life.iter().rposition(|order| allocated(&newest(order)));
    let (mut before, mut after) = (
        life[place.unwrap() - 1].clone(),
        life[place.unwrap()].clone(),
    );
    named(&mut before, false);
    named(&mut after, true);
    let rule = |before: &Order, after: &Order| order_written(Some(before), after).map(|v| v.rule);
    let otherwise = Some("reservation-used-otherwise");
    assert_eq!(rule(&before, &after), otherwise, "it is not said");
    let said = Event::AllocatedReserved(1.into(), 0.into(), 1.into());
    after.timeline.entries.last_mut().unwrap().event = said;
    assert_eq!(rule(&before, &after), None);
    named(&mut before, true);
    assert_eq!(rule(&before, &after), otherwise, "twice");
    named(&mut before, false);
    named(&mut after, false);
    assert_eq!(rule(&before, &after), otherwise, "it is still to be used");
}

#[test]
fn goods_that_were_waited_for_are_hinted_at_beforehand() {
    let life = Life::whole(4000).0;
    let more = |pair: &&[Order]| pair[0].fulfillments.len() < pair[1].fulfillments.len();
    let given = life.windows(2).find(more).unwrap();
    let rule = |before: &Order, told| goods_given(before, &given[1], told).map(|v| v.rule);
    let mut before = given[0].clone();
    assert_eq!(rule(&before, false), None, "it is what the order calls for");
    for units in before.lines.iter_mut().map(|line| &mut line.units) {
        units.backordered += std::mem::take(&mut units.open);
    }
    assert_eq!(rule(&before, false), Some("goods-given-unhinted"));
    assert_eq!(rule(&before, true), None);
}

#[test]
fn what_waited_while_it_was_held_is_looked_for_again() {
    let life = Life::whole(4000).0;
    let newest = |order: &Order| order.timeline.entries.last().unwrap().event.clone();
    let place = life.iter().rposition(|order| allocated(&newest(order)));
    let place = place.unwrap();
    let (mut before, mut after) = (life[place - 1].clone(), life[place].clone());
    let rule = |before: &Order, after: &Order| order_written(Some(before), after).map(|v| v.rule);
    assert_eq!(rule(&before, &after), None);
    before.look_again = true;
    assert_eq!(rule(&before, &after), None, "it was looked for");
    after.look_again = true;
    assert_eq!(rule(&before, &after), Some("looked-for-again"));
}
