//! Every bound of an order, at its edge, and what is refused.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::intake::{NewLine, NewOrder};
use domain::limits::*;
use domain::payment::{PaidThrough, Provider};

fn one() -> NewOrder {
    new_order(vec![line("1", "A", 2, 1000)])
}

/// The pointers of what is wrong with an order of one line after a change.
fn wrong(change: impl FnOnce(&mut NewOrder)) -> Vec<String> {
    let mut new = one();
    change(&mut new);
    let problems = new.problems();
    assert!(problems.iter().all(|p| p.detail.starts_with("expected ")));
    problems.into_iter().map(|p| p.pointer).collect()
}

fn lines_of(count: usize) -> Vec<NewLine> {
    let line = |n: usize| line(&n.to_string(), "A", 1, 1);
    (0..count).map(line).collect()
}

#[test]
fn every_limit_holds_at_its_edge() {
    let none: [&str; 0] = [];
    assert_eq!(wrong(|o| o.lines = lines_of(MAX_LINES)), none);
    assert_eq!(wrong(|o| o.lines = lines_of(MAX_LINES + 1)), ["/lines"]);
    assert_eq!(wrong(|o| o.lines.clear()), ["/lines"]);

    let quantity = |units: i64| wrong(|o| o.lines[0].quantity = units.into());
    assert_eq!(quantity(1), none);
    assert_eq!(quantity(i64::from(MAX_QUANTITY)), none);
    for bad in [0, -1, i64::from(MAX_QUANTITY) + 1] {
        assert!(quantity(bad).contains(&"/lines/0/quantity".into()), "{bad}");
    }

    let sku = |sku: &str| wrong(|o| o.lines[0].sku = Some(sku.into()));
    assert_eq!(sku(&"A".repeat(MAX_SKU_CHARS)), none);
    assert_eq!(sku(&"é".repeat(MAX_SKU_CHARS / 2)), none);
    assert_eq!(sku(&"A".repeat(MAX_SKU_CHARS + 1)), ["/lines/0/sku"]);
    assert_eq!(sku(&"é".repeat(MAX_SKU_CHARS / 2 + 1)), ["/lines/0/sku"]);
    for bad in ["", "A#1", "A\n", "A\r"] {
        assert_eq!(sku(bad), ["/lines/0/sku"], "{bad:?}");
    }

    let id = |id: &str| wrong(|o| o.lines[0].id = id.into());
    assert_eq!(id(&"1".repeat(MAX_NAME_CHARS)), none);
    assert_eq!(id(&"é".repeat(MAX_NAME_CHARS / 2)), none);
    assert_eq!(id(&"1".repeat(MAX_NAME_CHARS + 1)), ["/lines/0/id"]);
    assert_eq!(id(&"é".repeat(MAX_NAME_CHARS / 2 + 1)), ["/lines/0/id"]);
    assert_eq!(id(""), ["/lines/0/id"]);
    assert_eq!(
        wrong(|o| o.lines = vec![line("1", "A", 1, 1), line("1", "B", 1, 1)]),
        ["/lines/1/id"]
    );

    let title = |chars| wrong(|o| o.lines[0].title = "é".repeat(chars));
    assert_eq!(title(MAX_TITLE_CHARS), none);
    assert_eq!(title(MAX_TITLE_CHARS + 1), ["/lines/0/title"]);

    let number = |chars| wrong(|o| o.number = "é".repeat(chars));
    assert_eq!(number(MAX_NAME_CHARS), none);
    assert_eq!(number(MAX_NAME_CHARS + 1), ["/number"]);
    assert_eq!(number(0), ["/number"]);
    let external = |chars| wrong(|o| o.source.external_id = "é".repeat(chars));
    assert_eq!(external(MAX_NAME_CHARS), none);
    assert_eq!(external(MAX_NAME_CHARS + 1), ["/id"]);
    assert_eq!(external(0), ["/id"]);

    let payment = |account: usize, reference: usize| {
        wrong(|o| {
            o.paid_through = Some(PaidThrough {
                provider: Provider::Stripe,
                account: "a".repeat(account),
                reference: format!("pi_{}", "1".repeat(reference)),
            });
        })
    };
    assert_eq!(payment(MAX_NAME_CHARS, MAX_REFERENCE_CHARS - 3), none);
    assert_eq!(payment(MAX_NAME_CHARS + 1, 1), ["/payment/account"]);
    assert_eq!(payment(0, 1), ["/payment/account"]);
    for chars in [0, MAX_REFERENCE_CHARS - 2] {
        assert_eq!(payment(1, chars), ["/payment/reference"]);
    }

    let price = |price: i64| {
        wrong(|o| {
            o.lines[0].quantity = 2.into();
            o.lines[0].unit_price = price;
        })
    };
    assert_eq!(price(MAX_MINOR / 2), none);
    assert_eq!(price(MAX_MINOR / 2 + 1), ["/lines/0"]);
}

#[test]
fn address_texts_and_countries_are_checked() {
    let none: [&str; 0] = [];
    let mut address = one().contact.address.unwrap();
    let long = "é".repeat(MAX_TEXT_CHARS);
    for text in [
        &mut address.name,
        &mut address.company,
        &mut address.line1,
        &mut address.line2,
        &mut address.city,
        &mut address.region,
        &mut address.postal_code,
    ] {
        text.clone_from(&long);
    }
    let edge = address.clone();
    assert_eq!(wrong(|o| o.contact.address = Some(edge)), none);
    for text in [
        &mut address.name,
        &mut address.company,
        &mut address.line1,
        &mut address.line2,
        &mut address.city,
        &mut address.region,
        &mut address.postal_code,
    ] {
        text.push('é');
    }
    address.country = "ZZ".into();
    assert_eq!(
        wrong(|o| o.contact.address = Some(address)),
        [
            "/address/country",
            "/address/name",
            "/address/company",
            "/address/line1",
            "/address/line2",
            "/address/city",
            "/address/region",
            "/address/postal_code"
        ]
    );
}

#[test]
fn amounts_that_cannot_be_are_refused() {
    let none: [&str; 0] = [];
    assert_eq!(wrong(|o| o.lines[0].discount = 2000), none, "all of it");
    assert_eq!(wrong(|o| o.lines[0].discount = 2001), ["/lines/0"]);
    assert_eq!(wrong(|o| o.lines[0].discount = -1), ["/lines/0"]);
    assert_eq!(wrong(|o| o.lines[0].tax = -1), ["/lines/0"]);
    assert_eq!(wrong(|o| o.lines[0].unit_price = -1), ["/lines/0"]);
    assert_eq!(wrong(|o| o.discount = 2000), none, "all of it");
    assert_eq!(wrong(|o| o.discount = 2001), [""]);
    assert_eq!(
        wrong(|o| {
            o.lines[0].discount = 1500;
            o.discount = 501;
        }),
        [""],
        "both together over the goods"
    );
    assert_eq!(wrong(|o| o.discount = -1), [""]);
    assert_eq!(wrong(|o| o.tax = -1), [""]);
    assert_eq!(wrong(|o| o.extras = -1), [""]);
}

#[test]
fn no_amount_is_too_large_to_be_refused() {
    let extreme = |n: usize, quantity: i64, unit_price, discount, tax| NewLine {
        quantity: quantity.into(),
        unit_price,
        discount,
        tax,
        ..line(&n.to_string(), "A", 1, 1)
    };
    let (min, max) = (i64::MIN, i64::MAX);
    for a in [min, -1, 0, 1, max] {
        for b in [min, -1, 0, 1, max] {
            let new = NewOrder {
                discount: a,
                tax: b,
                extras: max,
                ..new_order(vec![
                    extreme(0, max, max, a, b),
                    extreme(1, max, max, a, b),
                    extreme(2, a, b, max, max),
                    extreme(3, a, b, min, min),
                ])
            };
            assert!(!new.problems().is_empty());
        }
    }
    assert_eq!(wrong(|o| o.tax = max), [""]);
    assert_eq!(wrong(|o| o.extras = max), [""]);
    assert_eq!(wrong(|o| o.lines[0].tax = max), ["/lines/0"]);
}

#[test]
fn the_largest_order_can_be_accepted() {
    let lines = lines_of(MAX_LINES).into_iter().map(|line| NewLine {
        quantity: i64::from(MAX_QUANTITY).into(),
        unit_price: MAX_MINOR / i64::from(MAX_QUANTITY),
        tax: MAX_MINOR,
        ..line
    });
    let order = accept(NewOrder {
        taxes_included: false,
        discount: MAX_MINOR,
        tax: MAX_MINOR,
        extras: MAX_MINOR,
        ..new_order(lines.collect())
    });
    assert_eq!(order.total(), 2 * 500 * MAX_MINOR + MAX_MINOR);
    let whole = |line: &domain::Line| line.refund_of(MAX_QUANTITY, false);
    assert_eq!(order.lines.iter().map(whole).sum::<i64>(), order.total());
}
