//! An order as the API shows it.

mod common;

use common::*;
use domain::Order;
use domain::change::{cancel, release_hold};
use domain::fulfillment::Report;
use domain::intake::NewOrder;
use domain::payment::{PaidThrough, Provider};
use domain::refund::{Answer, Outcome, Request, answered, confirm, request, submitted};
use domain::shipping::leave_unrated;
use domain::view::{order as view, waiting_for};

/// With everybody told and stock up to date.
fn quiet(mut order: Order) -> Order {
    order.notices.clear();
    order.moves.clear();
    order
}

#[test]
fn it_says_whom_the_order_waits_for() {
    let fresh = order(&[("A", 2)]);
    let held = accept(NewOrder {
        payments: Vec::new(),
        ..new_order(vec![line("1", "A", 2, 1000)])
    });
    let some = quiet(allocated(&fresh, &[("A", "ber", 1)]));
    let all = quiet(allocated(&fresh, &[("A", "ber", 2)]));
    let packed = reported(&all, 1, &Report::Packed(None));
    let unrated = leave_unrated(&packed, 1, now()).unwrap();
    let shipped = quiet(sent(&all, 1, now()));
    let delivered = reported(&shipped, 1, &Report::Delivered);
    let asked = request(&delivered, "k", &Request::Amount(500), now());
    let asked = submitted(&asked.unwrap().0.unwrap(), 1, now()).unwrap();
    let paid = quiet(confirm(&asked, 1, now()).unwrap().unwrap());
    let coming = domain::change::announce_return(&delivered, "k", &[("1".into(), 1.into())], now());
    let coming = coming.unwrap().0.unwrap();
    let gone = quiet(cancel(&held, "no", now()).unwrap().unwrap());
    let free = release_hold(&held, "payment", now()).unwrap().unwrap();
    let id = fresh.id.as_str();
    let hold = "accounting to resolve a hold: not all of the money is captured or authorised";
    let pack = format!("warehouse ber to pack {id}-1 by 2026-03-04");
    let by_hand = format!("warehouse ber to ship {id}-1 by its own means: no tariff takes it");
    let cases: [(&str, &Order, &[&str]); 12] = [
        ("accepted", &fresh, &["the step allocate-warehouse"]),
        ("held", &held, &[hold]),
        ("released", &free, &["the step allocate-warehouse"]),
        ("held and cancelled", &gone, &[]),
        ("half there", &some, &["goods: A is backordered", &pack]),
        ("allocated", &all, &[&pack]),
        ("packed", &packed, &["the step ship-order"]),
        ("too heavy", &unrated, &[&by_hand]),
        (
            "shipped",
            &shipped,
            &[&format!("the carrier to deliver {id}-1")],
        ),
        ("delivered", &delivered, &[]),
        (
            "coming back",
            &coming,
            &[&format!("the goods of return {id}-R1")],
        ),
        (
            "to be refunded",
            &asked,
            &[&format!(
                "a person to pay back 5.00 EUR and confirm refund {id}-F1"
            )],
        ),
    ];
    for (name, order, expected) in cases {
        assert_eq!(waiting_for(order), expected, "{name}");
    }
    assert_eq!(waiting_for(&paid), [""; 0]);
}

#[test]
fn it_says_what_a_payment_provider_makes_of_a_refund() {
    let through = PaidThrough {
        provider: Provider::Stripe,
        account: "main".into(),
        reference: "pi_1".into(),
    };
    let order = accept(NewOrder {
        paid_through: Some(through),
        ..new_order(vec![line("1", "A", 1, 1000)])
    });
    let order = cancel(&order, "no", now()).unwrap().unwrap();
    let said = |outcome| Answer {
        external: Some("re_1".into()),
        outcome,
    };
    let quiet = |outcome| quiet(answered(&order, 1, &said(outcome), now()).unwrap());
    let id = order.id.as_str();
    assert_eq!(waiting_for(&quiet(Outcome::Paid)), [""; 0]);
    let pending = quiet(Outcome::Pending(None));
    let waits = format!("stripe to pay back 10.00 EUR, or a person to confirm refund {id}-F1");
    assert_eq!(waiting_for(&pending), [&*waits]);
    let other = quiet(Outcome::Pending(Some("other_amount".into())));
    assert_eq!(waiting_for(&other), [format!("{waits} (other_amount)")]);
    let refused = quiet(Outcome::Refused("status 402".into()));
    let waits = format!(
        "a person to look why stripe does not pay back 10.00 EUR (status 402), and to have it asked again or to confirm \
         refund {id}-F1 as paid otherwise"
    );
    assert_eq!(waiting_for(&refused), [waits]);
    let shown = serde_json::to_value(view(&refused)).unwrap();
    let refund = serde_json::json!({
        "id": format!("{id}-F1"), "amount": "10.00", "status": "refused", "reference": "re_1", "reason": "status 402",
    });
    assert_eq!(shown["refunds"][0], refund);
    let payment = serde_json::json!({"provider": "stripe", "account": "main", "reference": "pi_1"});
    assert_eq!(shown["payment"], payment);
}

#[test]
fn amounts_are_decimal_text_of_the_orders_currency() {
    for (code, price, tax, total) in [
        ("JPY", "1000", "190", "2190"),
        ("EUR", "10.00", "1.90", "21.90"),
        ("KWD", "1.000", "0.190", "2.190"),
    ] {
        let mut lines = vec![line("1", "A", 2, 1000)];
        lines[0].tax = 190;
        let order = accept(NewOrder {
            currency: currency(code),
            taxes_included: false,
            ..new_order(lines)
        });
        let shown = serde_json::to_value(view(&order)).unwrap();
        let found = ["/lines/0/unit_price", "/lines/0/tax", "/total"].map(|at| shown.pointer(at));
        let found = found.map(|text| text.unwrap().as_str().unwrap());
        assert_eq!(found, [price, tax, total]);
    }
}
