//! Money back: to the minor unit, and never more than came in.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::Refusal;
use domain::event::Event;
use domain::intake::NewOrder;
use domain::money::split;
use domain::order::{Order, Payment, RefundStatus};
use domain::owed::{Notice, Step, newly_owed};
use domain::payment::{PaidThrough, Provider};
use domain::refund::{
    Answer, Outcome, Request, answered, confirm, repeat, request, submitted, told,
};
use proptest::prelude::*;

fn units(lines: &[(&str, u32)]) -> Request {
    let lines = lines
        .iter()
        .map(|(id, units)| (id.to_string(), i64::from(*units).into()));
    Request::Units(lines.collect())
}

fn asked(order: &Order, key: &str, of: &Request) -> Order {
    request(order, key, of, now()).unwrap().0.unwrap()
}

/// Three units for 10.00 together, one for 5.00, all captured.
fn thirds() -> Order {
    let mut lines = vec![line("1", "A", 3, 334), line("2", "B", 1, 500)];
    lines[0].discount = 2;
    accept(new_order(lines))
}

#[test]
fn units_are_worth_what_was_charged_for_them() {
    let order = thirds();
    type Case<'a> = (&'a str, &'a [(&'a str, u32)], i64);
    let cases: [Case; 6] = [
        ("the first of three", &[("1", 1)], 334),
        ("two of three", &[("1", 2)], 667),
        ("three", &[("1", 3)], 1000),
        ("in two entries", &[("1", 1), ("1", 1)], 667),
        ("of two lines", &[("1", 1), ("2", 1)], 834),
        ("everything", &[("1", 3), ("2", 1)], 1500),
    ];
    for (name, lines, amount) in cases {
        let next = asked(&order, "k", &units(lines));
        let refund = &next.refunds[0];
        assert_eq!((refund.n, refund.amount), (1, amount), "{name}");
        assert_eq!(refund.status, RefundStatus::Requested);
        assert_eq!(next.refunds_promised(), amount);
        assert_eq!(next.refunded(), 0, "promised, not paid");
        let last = &next.timeline.entries.last().unwrap().event;
        assert_eq!(*last, Event::RefundRequested(1, amount));
        assert_eq!(newly_owed(&order, &next), [Step::RefundOrder]);
    }
    let amounts = ["a", "b", "c"].iter().scan(order, |order, key| {
        *order = asked(order, key, &units(&[("1", 1)]));
        order.refunds.last().map(|r| r.amount)
    });
    assert_eq!(amounts.collect::<Vec<_>>(), [334, 333, 333]);
}

#[test]
fn what_cannot_go_back_is_refused() {
    let order = thirds();
    let most = asked(&order, "k", &Request::Amount(1499));
    let two = asked(&order, "k", &units(&[("1", 2)]));
    let unpaid = accept(NewOrder {
        payments: vec![Payment::Authorised(1500)],
        ..new_order(vec![line("1", "A", 3, 500)])
    });
    let free = accept(new_order(vec![line("1", "A", 3, 0)]));
    let money = |wanted: i64, left: i64| Refusal::TooMuch {
        subject: "minor units of EUR".into(),
        wanted: wanted.into(),
        left: left.into(),
    };
    let of_line = |wanted: i64, left: i64| Refusal::TooMuch {
        subject: "line \"1\"".into(),
        wanted: wanted.into(),
        left: left.into(),
    };
    let zero = Refusal::Nothing("the amount to refund is zero".into());
    let none = Refusal::Nothing("no units are named".into());
    let cases = [
        (
            "over what was captured",
            &order,
            Request::Amount(1501),
            money(1501, 1500),
        ),
        ("over what is left", &most, Request::Amount(2), money(2, 1)),
        (
            "units over what is left",
            &most,
            units(&[("1", 1)]),
            money(334, 1),
        ),
        (
            "units over those bought",
            &order,
            units(&[("1", 4)]),
            of_line(4, 3),
        ),
        (
            "units over those left",
            &two,
            units(&[("1", 2)]),
            of_line(2, 1),
        ),
        (
            "nothing captured",
            &unpaid,
            units(&[("1", 1)]),
            money(500, 0),
        ),
        ("nothing captured", &unpaid, Request::Amount(1), money(1, 0)),
        ("no amount", &order, Request::Amount(0), zero.clone()),
        (
            "a negative amount",
            &order,
            Request::Amount(-5),
            zero.clone(),
        ),
        (
            "the least amount",
            &order,
            Request::Amount(i64::MIN),
            zero.clone(),
        ),
        (
            "the greatest",
            &order,
            Request::Amount(i64::MAX),
            money(i64::MAX, 1500),
        ),
        ("units that cost nothing", &free, units(&[("1", 1)]), zero),
        ("no units", &order, units(&[]), none.clone()),
        ("none of a line", &order, units(&[("1", 0)]), none),
        (
            "an unknown line",
            &order,
            units(&[("9", 1)]),
            Refusal::NotFound("line \"9\"".into()),
        ),
    ];
    for (name, order, of, expected) in cases {
        let refused = request(order, "another", &of, now());
        assert_eq!(refused, Err(expected), "{name}");
    }
    let edge = asked(&most, "another", &Request::Amount(1));
    assert_eq!(edge.refunds_promised(), edge.captured());
}

#[test]
fn an_amount_bears_no_units() {
    let next = asked(&thirds(), "k", &Request::Amount(700));
    assert!(next.lines.iter().all(|l| l.refunded_units == 0));
    let next = asked(&next, "l", &units(&[("1", 2)]));
    assert_eq!(next.refunds[1].amount, 667);
}

#[test]
fn a_repeat_finds_the_refund_that_it_made() {
    let order = asked(&thirds(), "k", &Request::Amount(700));
    for again in [Request::Amount(700), Request::Amount(9999), units(&[])] {
        assert_eq!(request(&order, "k", &again, later(1)), Ok((None, 1)));
    }
    let paid = confirm(&order, 1, now()).unwrap().unwrap();
    let again = request(&paid, "k", &Request::Amount(700), later(1));
    assert_eq!(again, Ok((None, 1)));
}

#[test]
fn a_refund_is_handed_over_and_confirmed_once() {
    let order = asked(&thirds(), "k", &Request::Amount(700));
    assert_eq!(submitted(&order, 2, now()), None, "no such refund");
    let waiting = submitted(&order, 1, now()).unwrap();
    let status = |order: &Order| order.refunds[0].status;
    assert_eq!(status(&waiting), RefundStatus::AwaitingConfirmation);
    assert_eq!(submitted(&waiting, 1, now()), None);
    assert_eq!(domain::owed::owed(&waiting).len(), 1, "allocation only");
    // A person may be quicker than the queue.
    for before in [&order, &waiting] {
        let paid = confirm(before, 1, now()).unwrap().unwrap();
        assert_eq!(status(&paid), RefundStatus::Paid);
        assert_eq!((paid.refunded(), paid.refunds_promised()), (700, 700));
        assert_eq!(paid.notices, [Notice::Refunded(1)]);
        assert_eq!(paid.payments.last(), Some(&Payment::Refunded(1, 700)));
        assert_eq!(confirm(&paid, 1, now()), Ok(None));
        assert_eq!(submitted(&paid, 1, now()), None);
    }
    let missing = confirm(&order, 2, now());
    assert!(matches!(missing, Err(Refusal::NotFound(_))));
}

/// An order that was paid through a provider, of which 7.00 are to go back.
fn asked_of_provider() -> Order {
    let order = accept(NewOrder {
        paid_through: Some(PaidThrough {
            provider: Provider::Stripe,
            account: "main".into(),
            reference: "pi_1".into(),
        }),
        ..new_order(vec![line("1", "A", 3, 500)])
    });
    asked(&order, "k", &Request::Amount(700))
}

fn said(external: Option<&str>, outcome: Outcome) -> Answer {
    Answer {
        external: external.map(str::to_owned),
        outcome,
    }
}

fn last(order: &Order) -> &Event {
    &order.timeline.entries.last().unwrap().event
}

#[test]
fn what_a_provider_says_is_noted_once() {
    let order = asked_of_provider();
    let refund = |order: &Order| {
        let refund = &order.refunds[0];
        (
            refund.status,
            refund.external.clone(),
            refund.reason.clone(),
        )
    };
    let re = || Some("re_1".to_owned());
    let paid = answered(&order, 1, &said(Some("re_1"), Outcome::Paid), now()).unwrap();
    assert_eq!(refund(&paid), (RefundStatus::Paid, re(), None));
    assert_eq!(paid.payments.last(), Some(&Payment::Refunded(1, 700)));
    assert_eq!(paid.notices, [Notice::Refunded(1)]);
    assert_eq!(*last(&paid), Event::RefundPaid(1));
    let why = || Some("requires_action".to_owned());
    let pending = said(Some("re_1"), Outcome::Pending(why()));
    let pending = answered(&order, 1, &pending, now()).unwrap();
    let waits = (RefundStatus::AwaitingConfirmation, re(), why());
    assert_eq!(refund(&pending), waits);
    assert_eq!(*last(&pending), Event::RefundSubmitted(1));
    let refusal = said(None, Outcome::Refused("status 402".into()));
    let refused = answered(&order, 1, &refusal, now()).unwrap();
    let why = Some("status 402".to_owned());
    assert_eq!(refund(&refused), (RefundStatus::Refused, None, why));
    let event = Event::RefundRefused(1, "status 402".into());
    assert_eq!(*last(&refused), event);
    assert_eq!(refused.refunded(), 0);
    assert_eq!(refused.refunds_promised(), 700, "it is still to go back");
    for noted in [&paid, &pending, &refused] {
        for answer in [said(None, Outcome::Paid), refusal.clone()] {
            assert_eq!(answered(noted, 1, &answer, now()), None);
        }
        assert!(
            domain::owed::owed(noted)
                .iter()
                .all(|work| work.step() != Step::RefundOrder)
        );
    }
    assert_eq!(answered(&order, 2, &refusal, now()), None, "no such refund");
}

#[test]
fn nobody_else_pays_what_a_provider_is_being_asked_for() {
    let order = asked_of_provider();
    let wrong = |order: &Order| matches!(confirm(order, 1, now()), Err(Refusal::WrongState { .. }));
    assert!(wrong(&order));
    let failed = said(
        Some("re_1"),
        Outcome::Refused("expired_or_canceled_card".into()),
    );
    let refused = answered(&order, 1, &failed, now()).unwrap();
    let paid = confirm(&refused, 1, now()).unwrap().unwrap();
    let refund = &paid.refunds[0];
    assert_eq!(refund.status, RefundStatus::Paid);
    assert_eq!(
        (&refund.external, &refund.reason),
        (&None, &None),
        "otherwise"
    );
    let pending = said(Some("re_1"), Outcome::Pending(None));
    let pending = answered(&order, 1, &pending, now()).unwrap();
    let paid = confirm(&pending, 1, now()).unwrap().unwrap();
    assert_eq!(paid.refunds[0].external.as_deref(), Some("re_1"));
    // Asked anew it is under way again.
    let again = repeat(&refused, 1, now()).unwrap().unwrap();
    assert_eq!(
        (again.refunds[0].status, again.refunds[0].repeats),
        (RefundStatus::Requested, 1)
    );
    assert_eq!(*last(&again), Event::RefundRepeated(1));
    assert_eq!(newly_owed(&refused, &again), [Step::RefundOrder]);
    assert!(wrong(&again));
    assert_eq!(repeat(&again, 1, now()), Ok(None));
    for not_refused in [&pending, &paid] {
        let refusal = repeat(not_refused, 1, now());
        assert!(
            matches!(refusal, Err(Refusal::WrongState { .. })),
            "{refusal:?}"
        );
    }
    assert!(matches!(
        repeat(&again, 2, now()),
        Err(Refusal::NotFound(_))
    ));
}

#[test]
fn what_a_provider_tells_by_itself_is_news_or_not() {
    let order = asked_of_provider();
    let tell = |order: &Order, repeats, answer: &Answer| told(order, 1, repeats, answer, now());
    let answer = |outcome| said(Some("re_1"), outcome);
    let (paid, waits) = (answer(Outcome::Paid), answer(Outcome::Pending(None)));
    let fails = answer(Outcome::Refused("declined".into()));
    let status = |order: Order| (order.refunds[0].status, last(&order).name());
    // Quicker than whoever has asked.
    for (answer, then) in [
        (&paid, (RefundStatus::Paid, "refund.paid")),
        (
            &waits,
            (RefundStatus::AwaitingConfirmation, "refund.submitted"),
        ),
        (&fails, (RefundStatus::Refused, "refund.refused")),
    ] {
        let next = tell(&order, 0, answer).unwrap().unwrap();
        assert_eq!(status(next), then);
        assert_eq!(tell(&order, 1, answer), Ok(None), "of another request");
    }
    let pending = answered(&order, 1, &waits, now()).unwrap();
    let next = tell(&pending, 0, &paid).unwrap().unwrap();
    assert_eq!(next.payments.last(), Some(&Payment::Refunded(1, 700)));
    assert_eq!(status(next.clone()), (RefundStatus::Paid, "refund.paid"));
    let refused = tell(&pending, 0, &fails).unwrap().unwrap();
    assert_eq!(
        status(refused.clone()),
        (RefundStatus::Refused, "refund.refused")
    );
    assert_eq!(refused.refunds[0].reason.as_deref(), Some("declined"));
    // Late, twice, or of another.
    let other = said(Some("re_2"), Outcome::Paid);
    let none = said(None, Outcome::Paid);
    for (order, answer) in [
        (&pending, &waits),
        (&pending, &other),
        (&pending, &none),
        (&next, &paid),
        (&next, &waits),
        (&refused, &paid),
        (&refused, &fails),
    ] {
        assert_eq!(tell(order, 0, answer), Ok(None), "{answer:?}");
    }
    // It was paid, the provider had said, and has come back.
    let doubt = tell(&next, 0, &fails);
    assert!(
        matches!(doubt, Err(Refusal::WrongState { .. })),
        "{doubt:?}"
    );
    let missing = told(&order, 2, 0, &paid, now());
    assert!(matches!(missing, Err(Refusal::NotFound(_))));
}

#[test]
fn a_payment_that_is_known_stays() {
    let order = asked_of_provider();
    let through = order.paid_through.clone().unwrap();
    let other = PaidThrough {
        reference: "pi_2".into(),
        ..through.clone()
    };
    for (known, stated, then) in [
        (None, Some(&through), Some(&through)),
        (Some(&through), Some(&other), Some(&through)),
        (Some(&through), None, Some(&through)),
    ] {
        let mut order = order.clone();
        order.paid_through = known.cloned();
        let mut stated_order = order.clone();
        stated_order.paid_through = stated.cloned();
        stated_order.as_of = Some(later(1));
        let contact = domain::order::Contact::default();
        let said = domain::restate::Statement {
            order: &stated_order,
            contact: &contact,
            refunds: &[],
            shipped: false,
        };
        let (next, _) = domain::restate::restate(&order, &contact, said, later(1)).unwrap();
        assert_eq!(next.paid_through.as_ref(), then);
    }
}

#[test]
fn the_ledger_says_where_the_money_stands() {
    use Payment::*;
    let status = |payments: &[Payment]| {
        let mut order = thirds();
        order.payments = payments.to_vec();
        order.payment_status()
    };
    assert_eq!(status(&[]), "pending");
    assert_eq!(status(&[Authorised(1500)]), "authorised");
    assert_eq!(status(&[Authorised(1500), Captured(1500)]), "paid");
    assert_eq!(
        status(&[Captured(1500), Refunded(1, 1)]),
        "partially_refunded"
    );
    assert_eq!(
        status(&[Captured(1500), Refunded(1, 1499), Refunded(2, 1)]),
        "refunded"
    );
    let mut free = accept(new_order(vec![line("1", "A", 1, 0)]));
    free.payments.clear();
    assert_eq!(free.payment_status(), "paid");
}

#[test]
fn the_largest_sums_are_split_exactly() {
    let most = i64::MAX;
    for (total, weights) in [
        (most, vec![most; 7]),
        (most, vec![1, most, 0, 1]),
        (most, vec![0; 3]),
        (most - 1, vec![most, most - 1]),
        (0, vec![most; 3]),
        (1, vec![most; 3]),
        (2, vec![0, 0, 1]),
        (5, vec![]),
    ] {
        let parts = split(total, &weights);
        let expected = if weights.is_empty() { 0 } else { total };
        assert_eq!(
            parts.iter().sum::<i64>(),
            expected,
            "{total} over {weights:?}"
        );
        assert!(parts.iter().all(|part| *part >= 0));
        let weightless = weights.iter().any(|w| *w > 0);
        for (part, weight) in parts.iter().zip(&weights) {
            assert!(
                !weightless || *weight > 0 || *part == 0,
                "nothing for no weight"
            );
        }
    }
}

/// Prices, discounts and taxes of a few lines, and what belongs to the whole order.
fn priced() -> impl Strategy<Value = NewOrder> {
    let code = prop::sample::select(vec!["JPY", "EUR", "KWD"]);
    let line = (1..30_i64, 0..100_000_i64, 0..=100_i64, 0..10_000_i64);
    let lines = prop::collection::vec(line, 1..5);
    let order = (
        code,
        lines,
        any::<bool>(),
        0..=100_i64,
        0..5000_i64,
        0..5000_i64,
    );
    order.prop_map(|(code, lines, taxes_included, percent, tax, extras)| {
        let lines = (0..).zip(lines).map(|(n, (quantity, price, off, tax))| {
            let mut line = line_of(n, quantity, price);
            line.discount = quantity * price * off / 100;
            line.tax = tax;
            line
        });
        let lines: Vec<_> = lines.collect();
        let goods: i64 = lines
            .iter()
            .map(|l| l.quantity.cost_at(l.unit_price) - l.discount)
            .sum();
        NewOrder {
            currency: currency(code),
            taxes_included,
            discount: goods * percent / 100,
            tax,
            extras,
            ..new_order(lines)
        }
    })
}

fn line_of(n: usize, quantity: i64, price: i64) -> domain::intake::NewLine {
    line(&n.to_string(), &format!("S{n}"), quantity, price)
}

proptest! {
    #[test]
    fn refunds_in_any_portions_add_up_to_the_charge(
        new in priced(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 1..12_u32), 0..60),
    ) {
        let mut order = accept(new);
        let total = order.total();
        order.payments = vec![Payment::Captured(total)];
        let everything = (0..order.lines.len()).map(|n| (n, u32::MAX));
        let picks = picks.iter().map(|(line, units)| (line.index(order.lines.len()), *units));
        let picks: Vec<_> = picks.chain(everything).collect();
        for (k, (place, most)) in picks.into_iter().enumerate() {
            let line = &order.lines[place];
            let portion = most.min(line.units.ordered - line.refunded_units);
            match request(&order, &format!("k{k}"), &units(&[(&line.id, portion)]), now()) {
                Ok((Some(next), _)) => order = next,
                Err(Refusal::Nothing(_)) => {}
                other => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(order.refunds_promised() <= total);
        }
        prop_assert_eq!(order.refunds_promised(), total);
    }

    #[test]
    fn the_charges_of_the_lines_add_up(new in priced()) {
        let goods = new.lines.iter().map(|l| l.quantity.cost_at(l.unit_price) - l.discount);
        let goods: i64 = goods.sum();
        let taxes = new.lines.iter().map(|l| l.tax).sum::<i64>() + new.tax;
        let on_top = if new.taxes_included { 0 } else { taxes };
        let expected = goods - new.discount + on_top + new.extras;
        let order = accept(new);
        prop_assert_eq!(order.total(), expected);
        prop_assert!(order.lines.iter().all(|l| l.charge(order.taxes_included) >= 0));
    }
}
