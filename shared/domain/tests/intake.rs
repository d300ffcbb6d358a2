//! Which orders are taken, which are held, and how their money is frozen.

mod common;

use std::collections::BTreeSet;

use common::*;
use domain::geo::Located;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Hold, LocatedBy, Payment};
use domain::owed::owed;
use jiff::civil::date;

fn one() -> NewOrder {
    new_order(vec![line("1", "A", 2, 1000)])
}

#[test]
fn an_order_is_held_where_somebody_has_to_look() {
    type Case = (&'static str, fn(&mut NewOrder), &'static [&'static str]);
    let cases: [Case; 17] = [
        ("nothing wrong", |_| {}, &[]),
        (
            "a SKU that the catalogue lacks",
            |o| o.lines[0].sku = Some("?".into()),
            &["unknown-sku"],
        ),
        (
            "two of them: one hold",
            |o| o.lines = vec![line("1", "?", 1, 0), line("2", "!", 1, 0)],
            &["unknown-sku"],
        ),
        (
            "a tangible line without a SKU",
            |o| o.lines[0].sku = None,
            &["unknown-sku"],
        ),
        (
            "an intangible line needs none",
            |o| o.lines.push(intangible("2", 1, 0)),
            &[],
        ),
        (
            "the stated total agrees",
            |o| o.stated_total = Some(2000),
            &[],
        ),
        (
            "the stated total differs",
            |o| o.stated_total = Some(1999),
            &["totals"],
        ),
        (
            "goods without an address",
            |o| o.contact.address = None,
            &["address"],
        ),
        (
            "nothing to ship needs no address",
            |o| {
                o.lines = vec![intangible("1", 1, 0)];
                o.contact.address = None;
            },
            &[],
        ),
        ("nobody paid", |o| o.payments.clear(), &["payment"]),
        (
            "paid in part",
            |o| o.payments = vec![Payment::Captured(1999)],
            &["payment"],
        ),
        (
            "paid in part, the rest promised",
            |o| o.payments = vec![Payment::Captured(1), Payment::Authorised(1999)],
            &[],
        ),
        (
            "nothing to pay",
            |o| {
                o.payments.clear();
                o.lines[0].unit_price = 0;
            },
            &[],
        ),
        (
            "authorised is enough",
            |o| o.payments = vec![Payment::Authorised(2000)],
            &[],
        ),
        ("a test", |o| o.test = true, &["test"]),
        (
            "cancelled before: nothing to look at",
            |o| {
                o.cancelled = true;
                o.payments.clear();
                o.contact.address = None;
            },
            &[],
        ),
        (
            "everything at once",
            |o| {
                o.test = true;
                o.lines[0].sku = None;
                o.stated_total = Some(1);
                o.contact.address = None;
                o.payments.clear();
            },
            &["test", "unknown-sku", "totals", "address", "payment"],
        ),
    ];
    let known = BTreeSet::from(["A".to_owned()]);
    for (name, change, expected) in cases {
        let mut new = one();
        change(&mut new);
        assert_eq!(new.problems(), [], "{name}");
        let (order, _) = new.accept(&known, now());
        let holds: Vec<&str> = order.holds.iter().map(|h| h.reason.name()).collect();
        assert_eq!(holds, expected, "{name}");
        assert!(order.holds.iter().all(|h| h.since == now()));
        assert_eq!(order.status() == "held", !expected.is_empty(), "{name}");
        if !expected.is_empty() {
            assert_eq!(owed(&order), [], "{name}: it stands still");
        }
        for Hold { reason, .. } in &order.holds {
            assert!(!reason.owner().is_empty());
            assert!(!reason.explain(order.currency).is_empty());
        }
    }
}

#[test]
fn a_difference_of_totals_is_explained_in_the_orders_currency() {
    let new = NewOrder {
        stated_total: Some(1999),
        currency: currency("KWD"),
        ..one()
    };
    let order = accept(new);
    let words = order.holds[0].reason.explain(order.currency);
    assert_eq!(
        words,
        "the channel states a total of 1.999 KWD, its parts add up to 2.000 KWD: a difference of -0.001 KWD"
    );
}

#[test]
fn what_was_cancelled_before_it_reached_us_rests() {
    let order = accept(NewOrder {
        cancelled: true,
        ..one()
    });
    assert_eq!(standing(&order), ["x2"]);
    assert_eq!(order.status(), "cancelled");
    assert_eq!(owed(&order), []);
    assert_eq!((order.version, order.timeline.entries.len()), (1, 1));
    assert!(
        order.refunds.is_empty(),
        "the channel has seen to its money"
    );
}

#[test]
fn customers_are_mailed_only_where_it_is_ours_to_do() {
    type Case = (&'static str, fn(&mut NewOrder), bool);
    let cases: [Case; 4] = [
        ("ours", |_| {}, true),
        ("the channel does it", |o| o.mailed = false, false),
        ("no e-mail address", |o| o.contact.email = None, false),
        ("a test", |o| o.test = true, false),
    ];
    for (name, change, mailed) in cases {
        let mut new = one();
        change(&mut new);
        assert_eq!(accept(new).mailed, mailed, "{name}");
    }
}

#[test]
fn the_money_of_the_whole_order_is_frozen_on_its_lines() {
    // Line prices; discount, tax and extras of the order; what each line then bears of the three.
    type Case<'a> = (&'a str, &'a str, &'a [i64], [i64; 3], [&'a [i64]; 3], i64);
    let cases: [Case; 7] = [
        (
            "thirds, the first bears the rest",
            "EUR",
            &[500, 500, 500],
            [100, 0, 200],
            [&[34, 33, 33], &[0, 0, 0], &[67, 67, 66]],
            1600,
        ),
        (
            "by price",
            "EUR",
            &[3000, 1000],
            [400, 100, 490],
            [&[300, 100], &[75, 25], &[368, 122]],
            4190,
        ),
        (
            "yen have no minor unit",
            "JPY",
            &[1200, 800, 500],
            [100, 227, 650],
            [&[48, 32, 20], &[109, 73, 45], &[312, 208, 130]],
            3277,
        ),
        (
            "a dinar has a thousand",
            "KWD",
            &[12_345, 7_655],
            [1_001, 0, 2_500],
            [&[618, 383], &[0, 0], &[1543, 957]],
            21_499,
        ),
        (
            "a gift bears nothing",
            "EUR",
            &[0, 1000],
            [1000, 19, 1],
            [&[0, 1000], &[0, 19], &[0, 1]],
            20,
        ),
        (
            "gifts only: shared alike",
            "EUR",
            &[0, 0, 0],
            [0, 0, 500],
            [&[0, 0, 0], &[0, 0, 0], &[167, 167, 166]],
            500,
        ),
        (
            "the largest remainder, not the first",
            "EUR",
            &[100, 100, 300],
            [1, 3, 0],
            [&[0, 0, 1], &[1, 0, 2], &[0, 0, 0]],
            502,
        ),
    ];
    for (name, code, prices, [discount, tax, extras], borne, total) in cases {
        let lines = (1..).zip(prices);
        let lines = lines.map(|(n, price)| line(&n.to_string(), "A", 1, *price));
        let order = accept(NewOrder {
            currency: currency(code),
            taxes_included: false,
            discount,
            tax,
            extras,
            ..new_order(lines.collect())
        });
        let of =
            |part: fn(&domain::Line) -> i64| -> Vec<i64> { order.lines.iter().map(part).collect() };
        assert_eq!(of(|l| l.money.discount), borne[0], "{name}: discount");
        assert_eq!(of(|l| l.money.tax), borne[1], "{name}: tax");
        assert_eq!(of(|l| l.money.extras), borne[2], "{name}: extras");
        assert_eq!(order.total(), total, "{name}");
    }
}

#[test]
fn a_line_keeps_its_own_discount_and_tax() {
    let own = NewLine {
        discount: 200,
        tax: 152,
        ..line("1", "A", 2, 500)
    };
    let new = NewOrder {
        discount: 90,
        taxes_included: false,
        ..new_order(vec![own, line("2", "B", 1, 100)])
    };
    let order = accept(new.clone());
    assert_eq!(order.lines[0].money.discount, 200 + 80);
    assert_eq!(order.lines[1].money.discount, 10);
    assert_eq!(order.total(), 1000 - 280 + 152 + 100 - 10);
    let included = accept(NewOrder {
        taxes_included: true,
        ..new
    });
    assert_eq!(included.total(), 1000 - 280 + 100 - 10);
}

#[test]
fn arrival_is_promised_ten_days_on_unless_the_order_names_a_day() {
    let promised = |placed_at: &str, deliver_by| {
        let new = NewOrder {
            placed_at: at(placed_at),
            deliver_by,
            ..one()
        };
        accept(new).deliver_by
    };
    let day = Some(date(2026, 3, 6));
    assert_eq!(promised("2026-03-04T09:00:00Z", day), date(2026, 3, 6));
    assert_eq!(promised("2026-03-04T09:00:00Z", None), date(2026, 3, 14));
    assert_eq!(promised("2026-03-04T23:59:59Z", None), date(2026, 3, 14));
    assert_eq!(promised("2026-02-20T00:00:00Z", None), date(2026, 3, 2));
    assert_eq!(promised("2026-12-25T00:00:00Z", None), date(2027, 1, 4));
    let end = jiff::civil::Date::MAX;
    assert_eq!(promised("9999-12-30T22:00:00Z", None), end, "time's end");
}

#[test]
fn coordinates_are_kept_to_a_tenth_of_a_degree() {
    let point = |point| {
        let order = accept(NewOrder { point, ..one() });
        order.destination.unwrap().point
    };
    let cases = [
        (Some((52.52, 13.4)), Some((525, 134))),
        (Some((-33.87, 151.21)), Some((-339, 1512))),
        (Some((0.0, 179.96)), Some((0, 1800))),
        (Some((0.0, -179.96)), Some((0, -1800))),
        (Some((90.0, 180.0)), Some((900, 1800))),
        (Some((-90.0, -180.0)), Some((-900, -1800))),
        (None, None),
        // What is no place on earth is not taken for one: the country stands for it.
        (Some((90.1, 0.0)), None),
        (Some((0.0, -180.1)), None),
        (Some((f64::NAN, 0.0)), None),
        (Some((0.0, f64::INFINITY)), None),
    ];
    for (given, kept) in cases {
        assert_eq!(point(given), kept, "{given:?}");
    }
}

#[test]
fn where_an_order_goes_is_looked_up_only_if_its_channel_does_not_say() {
    let found = Located {
        point: (536, 99),
        by: LocatedBy::PostalCode,
    };
    let looked_up = |point, lines: Vec<NewLine>| {
        let new = NewOrder {
            point,
            located: Some(found),
            ..new_order(lines)
        };
        let asked = new.unlocated().is_some();
        let to = accept(new).destination;
        (asked, to.map(|to| (to.point, to.accuracy())))
    };
    let goods = || vec![line("1", "A", 1, 1000)];
    let here = |point, accuracy| Some((Some(point), accuracy));
    assert_eq!(
        looked_up(Some((52.52, 13.4)), goods()),
        (false, here((525, 134), "coordinates"))
    );
    assert_eq!(
        looked_up(None, goods()),
        (true, here((536, 99), "postal_code"))
    );
    assert_eq!(
        looked_up(Some((90.1, 0.0)), goods()),
        (true, here((536, 99), "postal_code")),
        "what is no place on earth is looked up"
    );
    let nothing_to_ship = vec![intangible("1", 1, 1000)];
    assert_eq!(looked_up(None, nothing_to_ship), (false, None));

    let nothing_found = NewOrder {
        point: None,
        ..one()
    };
    let to = accept(nothing_found).destination.unwrap();
    assert_eq!((to.point, to.accuracy()), (None, "country"));
    let mut nowhere = one();
    nowhere.point = None;
    nowhere.contact.address = None;
    assert_eq!(nowhere.unlocated(), None);
}
