//! Which goods may come back until when, and what becomes of them.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::Refusal;
use domain::change::{
    Disposition, LineUnits, announce_return, cancel_return, channel_return, receive_return,
};
use domain::event::Event;
use domain::fulfillment::Report;
use domain::intake::ChannelReturn;
use domain::limits::{MAX_RETURNS, RETURN_WINDOW_DAYS};
use domain::order::Order;
use domain::owed::{Step, newly_owed};
use domain::stock::{Changes, MovementKind, gather_moves};
use jiff::SignedDuration;

/// Three of A (10.00 each) and one of B, all shipped at [`now`], with nothing else due.
fn shipped() -> Order {
    let order = order(&[("A", 3), ("B", 1)]);
    let order = allocated(&order, &[("A", "ber", 3), ("B", "ber", 1)]);
    let mut order = sent(&order, 1, now());
    order.moves.clear();
    order.notices.clear();
    order
}

fn named(lines: &[(&str, u32)]) -> Vec<LineUnits> {
    let lines = lines
        .iter()
        .map(|(id, units)| (id.to_string(), i64::from(*units).into()));
    lines.collect()
}

fn announced(order: &Order, key: &str, lines: &[(&str, u32)]) -> Order {
    let (next, _) = announce_return(order, key, &named(lines), later(1)).unwrap();
    next.unwrap()
}

type Came<'a> = &'a [(&'a str, u32, Disposition)];

fn try_receive(order: &Order, n: u32, lines: Came) -> Result<Option<Order>, Refusal> {
    let lines = lines
        .iter()
        .map(|(id, units, d)| (id.to_string(), i64::from(*units).into(), *d));
    let lines: Vec<_> = lines.collect();
    receive_return(order, n, "muc", &lines, later(48))
}

fn due(order: &Order) -> Vec<String> {
    let mut changes = Changes::default();
    gather_moves(order, order.moves.len(), &mut changes, now());
    movements(&changes.into_vec())
}

#[test]
fn the_window_closes_thirty_days_after_the_last_parcel_left() {
    let window = SignedDuration::from_hours(RETURN_WINDOW_DAYS * 24);
    let second = SignedDuration::from_secs(1);
    let split = order(&[("A", 3), ("B", 1)]);
    let split = allocated(&split, &[("A", "ber", 3), ("B", "muc", 1)]);
    let twice = sent(&sent(&split, 2, later(100)), 1, now());
    let digital = accept(new_order(vec![intangible("1", 1, 1000)]));
    let digital = allocated(&digital, &[]);
    for (name, order, opens) in [
        ("one parcel", shipped(), now()),
        ("the later of two", twice, later(100)),
        ("nothing was shipped: since it was bought", digital, now()),
    ] {
        let ask = |when| announce_return(&order, "k", &named(&[("1", 1)]), when);
        assert!(matches!(ask(opens), Ok((Some(_), 1))), "{name}");
        assert!(matches!(ask(opens + window), Ok((Some(_), 1))), "{name}");
        let closed_at = opens + window;
        let late = Refusal::WindowClosed {
            days: RETURN_WINDOW_DAYS,
            closed_at,
        };
        assert_eq!(ask(closed_at + second), Err(late), "{name}");
    }
}

#[test]
fn no_more_may_come_back_than_left() {
    let order = shipped();
    let once = announced(&order, "first", &[("1", 2)]);
    let came = try_receive(&once, 1, &[("1", 2, Disposition::Scrap)]);
    let came = came.unwrap().unwrap();
    let unshipped = allocated(&common::order(&[("A", 1)]), &[("A", "ber", 1)]);
    let left = |wanted: i64, left: i64| Refusal::TooMuch {
        subject: "line \"1\"".into(),
        wanted: wanted.into(),
        left: left.into(),
    };
    type Case<'a> = (&'a str, &'a Order, &'a [(&'a str, u32)], Option<Refusal>);
    let cases: [Case; 11] = [
        ("all of it", &order, &[("1", 3), ("2", 1)], None),
        ("one too many", &order, &[("1", 4)], Some(left(4, 3))),
        (
            "in two entries",
            &order,
            &[("1", 2), ("1", 2)],
            Some(left(4, 3)),
        ),
        (
            "uncountably many",
            &order,
            &[("1", u32::MAX), ("1", 2)],
            Some(left(i64::from(u32::MAX), 3)),
        ),
        ("beside what is on its way", &once, &[("1", 1)], None),
        ("and one more", &once, &[("1", 2)], Some(left(2, 1))),
        ("beside what has come", &came, &[("1", 1)], None),
        ("and one more", &came, &[("1", 2)], Some(left(2, 1))),
        (
            "what has not left",
            &unshipped,
            &[("1", 1)],
            Some(left(1, 0)),
        ),
        (
            "nothing",
            &order,
            &[("1", 0)],
            Some(Refusal::Nothing("no units are named".into())),
        ),
        (
            "an unknown line",
            &order,
            &[("9", 1)],
            Some(Refusal::NotFound("line \"9\"".into())),
        ),
    ];
    for (name, order, lines, refused) in cases {
        let answer = announce_return(order, "another", &named(lines), later(1));
        assert_eq!(answer.err(), refused, "{name}");
    }
}

#[test]
fn a_repeat_finds_the_return_that_it_made() {
    let once = announced(&shipped(), "first", &[("1", 1)]);
    let again = |order: &Order, key, lines, hours| {
        let (next, n) = announce_return(order, key, &named(lines), later(hours)).unwrap();
        (next.is_some(), n)
    };
    assert_eq!(again(&once, "first", &[("1", 1)], 1), (false, 1));
    assert_eq!(again(&once, "first", &[("2", 1)], 9999), (false, 1));
    assert_eq!(again(&once, "second", &[("1", 1)], 1), (true, 2));
}

#[test]
fn what_is_expected_no_longer_can_be_announced_anew_and_taken_in() {
    let once = announced(&shipped(), "first", &[("1", 3)]);
    assert!(announce_return(&once, "second", &named(&[("1", 1)]), later(1)).is_err());
    let off = cancel_return(&once, 1, later(2)).unwrap().unwrap();
    assert_eq!(
        off.timeline.entries.last().unwrap().event,
        Event::ReturnCancelled(1)
    );
    assert_eq!(off.returns[0].status(), "cancelled");
    assert_eq!(cancel_return(&off, 1, later(3)), Ok(None), "said again");
    assert_eq!(
        cancel_return(&off, 2, later(3)),
        Err(Refusal::NotFound(format!("return {}-R2", off.id)))
    );
    let anew = announced(&off, "second", &[("1", 3)]);
    assert_eq!(anew.returns[1].status(), "announced");
    // It is sent all the same.
    let came = try_receive(&off, 1, &[("1", 1, Disposition::Restock)]);
    let came = came.unwrap().unwrap();
    assert_eq!(came.returns[0].status(), "received");
    assert!(matches!(
        cancel_return(&came, 1, later(49)),
        Err(Refusal::WrongState { .. })
    ));
}

#[test]
fn a_channel_announces_and_calls_off_in_any_order() {
    let said = |id: &str, cancelled, lines: &[(&str, u32)]| ChannelReturn {
        id: id.into(),
        cancelled,
        lines: named(lines),
    };
    let hear = |order: &Order, said: &ChannelReturn| channel_return(order, said, later(9999));
    let order = shipped();
    let one = said("9", false, &[("1", 1)]);
    let known = hear(&order, &one).unwrap().unwrap();
    assert_eq!(
        (known.returns[0].n, known.returns[0].is_coming()),
        (1, true)
    );
    assert_eq!(hear(&known, &one), Ok(None), "said again");
    let off = hear(&known, &said("9", true, &[])).unwrap().unwrap();
    assert_eq!(off.returns[0].status(), "cancelled");
    assert_eq!(hear(&off, &one), Ok(None), "what was said before, late");
    assert_eq!(hear(&off, &said("9", true, &[])), Ok(None), "said again");
    let before = hear(&order, &said("9", true, &[])).unwrap().unwrap();
    assert_eq!(before.returns[0].status(), "cancelled");
    assert_eq!(hear(&before, &one), Ok(None), "announced after that");
    // A request of ours of the same name is another.
    let both = announced(&known, "9", &[("1", 1)]);
    assert_eq!(both.returns.len(), 2);
    let too_much = hear(&both, &said("10", false, &[("1", 2)]));
    assert!(
        matches!(too_much, Err(Refusal::TooMuch { .. })),
        "{too_much:?}"
    );
    let unknown = hear(&order, &said("9", false, &[("7", 1)]));
    assert!(matches!(unknown, Err(Refusal::NotFound(_))), "{unknown:?}");
    let came = try_receive(&known, 1, &[("1", 1, Disposition::Restock)]);
    let late = hear(&came.unwrap().unwrap(), &said("9", true, &[]));
    assert!(matches!(late, Err(Refusal::WrongState { .. })), "{late:?}");
}

#[test]
fn returns_of_an_order_have_an_end() {
    let mut order = shipped();
    for n in 1..=MAX_RETURNS as u32 {
        order = announced(&order, &n.to_string(), &[("1", 1)]);
        order = cancel_return(&order, n, later(2)).unwrap().unwrap();
    }
    let another = announce_return(&order, "another", &named(&[("1", 1)]), later(1));
    assert!(
        matches!(another, Err(Refusal::TooMuch { .. })),
        "{another:?}"
    );
    for cancelled in [false, true] {
        let said = ChannelReturn {
            id: "another".into(),
            cancelled,
            lines: named(&[("1", 1)]),
        };
        let heard = channel_return(&order, &said, later(1));
        assert!(matches!(heard, Err(Refusal::TooMuch { .. })), "{heard:?}");
    }
}

#[test]
fn what_came_back_goes_where_its_disposition_says() {
    use Disposition::*;
    // What came of an announced return of two of line 1; what is moved, refunded, and where lines stand.
    type Case<'a> = (&'a str, Came<'a>, &'a [&'a str], i64, [&'a str; 2]);
    let cases: [Case; 10] = [
        (
            "as announced",
            &[("1", 2, Restock)],
            &["A@muc restock 2"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "to be looked at",
            &[("1", 2, Quarantine)],
            &["A@muc quarantine 2"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "to the supplier",
            &[("1", 2, ReturnToVendor)],
            &["A@muc return_to_vendor 2"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "waste",
            &[("1", 2, Scrap)],
            &["A@muc scrap 2"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "one good, one broken",
            &[("1", 1, Restock), ("1", 1, Scrap)],
            &["A@muc restock 1, scrap 1"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "alike, in two entries",
            &[("1", 1, Restock), ("1", 1, Restock)],
            &["A@muc restock 1, restock 1"],
            2000,
            ["s3 d2 r2", "s1"],
        ),
        (
            "fewer",
            &[("1", 1, Restock)],
            &["A@muc restock 1"],
            1000,
            ["s3 d1 r1", "s1"],
        ),
        (
            "more",
            &[("1", 3, Restock)],
            &["A@muc restock 3"],
            3000,
            ["s3 d3 r3", "s1"],
        ),
        (
            "something else",
            &[("2", 1, Restock), ("1", 0, Scrap)],
            &["B@muc restock 1"],
            1000,
            ["s3", "s1 d1 r1"],
        ),
        (
            "this and that",
            &[("2", 1, Scrap), ("1", 1, Scrap)],
            &["B@muc scrap 1", "A@muc scrap 1"],
            2000,
            ["s3 d1 r1", "s1 d1 r1"],
        ),
    ];
    for (name, came, moves, refund, stand) in cases {
        let before = announced(&shipped(), "k", &[("1", 2)]);
        let next = try_receive(&before, 1, came).unwrap().unwrap();
        assert_eq!(due(&next), moves, "{name}");
        assert_eq!(next.refunds[0].amount, refund, "{name}");
        assert_eq!(standing(&next), stand, "{name}");
        assert!(next.returns[0].received, "{name}");
        let steps = newly_owed(&before, &next);
        assert_eq!(steps, [Step::UpdateStock, Step::RefundOrder], "{name}");
        assert_eq!(try_receive(&next, 1, came), Ok(None), "{name}: twice");
    }
}

#[test]
fn only_goods_that_can_be_sold_again_are_counted() {
    let counted = |kind: MovementKind| kind.delta(2).available;
    assert_eq!(counted(MovementKind::Restock), 2);
    for kind in [
        MovementKind::Quarantine,
        MovementKind::ReturnToVendor,
        MovementKind::Scrap,
    ] {
        assert_eq!(counted(kind), 0, "{kind:?}");
    }
}

#[test]
fn what_cannot_have_come_is_refused() {
    use Disposition::Restock;
    let order = announced(&shipped(), "k", &[("1", 2)]);
    type Case<'a> = (&'a str, u32, Came<'a>, fn(&Refusal) -> bool);
    let refusals: [Case; 6] = [
        ("more than left", 1, &[("1", 4, Restock)], |r| {
            matches!(r, Refusal::TooMuch { .. })
        }),
        (
            "more under two dispositions",
            1,
            &[("1", 3, Restock), ("1", 1, Disposition::Scrap)],
            |r| matches!(r, Refusal::TooMuch { .. }),
        ),
        ("nothing", 1, &[], |r| matches!(r, Refusal::Nothing(_))),
        ("none of it", 1, &[("1", 0, Restock)], |r| {
            matches!(r, Refusal::Nothing(_))
        }),
        ("an unknown line", 1, &[("9", 1, Restock)], |r| {
            matches!(r, Refusal::NotFound(_))
        }),
        ("an unknown return", 2, &[("1", 1, Restock)], |r| {
            matches!(r, Refusal::NotFound(_))
        }),
    ];
    for (name, n, came, expected) in refusals {
        let refused = try_receive(&order, n, came).unwrap_err();
        assert!(expected(&refused), "{name}: {refused}");
    }
}

#[test]
fn nothing_intangible_is_put_on_a_shelf() {
    let mut gift = intangible("2", 2, 500);
    gift.sku = Some("GIFT".into());
    let order = accept(new_order(vec![line("1", "A", 1, 1000), gift]));
    let mut order = sent(&allocated(&order, &[("A", "ber", 1)]), 1, now());
    order.moves.clear();
    let order = announced(&order, "k", &[("2", 2)]);
    let next = try_receive(&order, 1, &[("2", 2, Disposition::Restock)]);
    let next = next.unwrap().unwrap();
    assert_eq!(due(&next), [""; 0]);
    assert_eq!(next.moves, []);
    assert_eq!(standing(&next), ["s1", "s2 d2 r2"]);
    assert_eq!(next.refunds[0].amount, 1000);
}

#[test]
fn an_order_whose_units_all_came_back_is_returned() {
    use Disposition::Restock;
    let order = announced(&shipped(), "k", &[("1", 3), ("2", 1)]);
    let next = try_receive(&order, 1, &[("1", 3, Restock), ("2", 1, Restock)]);
    let next = next.unwrap().unwrap();
    assert_eq!(next.status(), "returned");
    assert_eq!(next.refunds[0].amount, next.total());
    let late = reported(&next, 1, &Report::Delivered);
    assert_eq!(standing(&late), ["s3 d3 r3", "s1 d1 r1"]);
    assert_eq!(late.status(), "returned");
}
