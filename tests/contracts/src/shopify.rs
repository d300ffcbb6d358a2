//! Every Shopify document of the payloads: orders are accepted or held with a reason and add up to the cent, or are
//! held for that; everything else is refused with a reason.

use std::collections::BTreeSet;
use std::fs;

use ::channels::{Delivery, Secret, Unreadable};
use data_encoding::BASE64;
use domain::Currency;
use domain::order::HoldReason;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

use crate::corpus::{json_files, name, say};

const SECRET: &str = "the shop's secret";

fn signature(raw_body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    BASE64.encode(&mac.chain_update(raw_body).finalize().into_bytes())
}

/// The order within a document, if it is one: seen without the code under test.
fn order_in(raw_body: &[u8]) -> Option<Value> {
    let document: Value = serde_json::from_slice(raw_body).unwrap();
    let order = match document.get("order") {
        Some(inner) => inner.clone(),
        None => document,
    };
    (order["line_items"].is_array() && order["total_price"].is_string()).then_some(order)
}

#[test]
fn orders_are_accepted_or_held_and_add_up() {
    let shopify = ::channels::by_name("shopify").unwrap();
    let files = json_files("shopify");
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let mut table = String::new();
    let mut orders = 0;
    for path in &files {
        let raw_body = fs::read(path).unwrap();
        let signature = signature(&raw_body);
        let headers = |name: &str| (name == "x-shopify-hmac-sha256").then_some(signature.as_str());
        let delivery = Delivery {
            method: "POST",
            url: "",
            headers: &headers,
            query: &|_| None,
            raw_body: &raw_body,
        };
        let [new, old] = ["newer secret", SECRET].map(Secret::read);
        assert!(!shopify.verify(&delivery, std::slice::from_ref(&new), now));
        assert!(shopify.verify(&delivery, &[new, old], now));
        let file = name(path);
        let (verdict, total) = match (order_in(&raw_body), shopify.parse(&raw_body, "main")) {
            (Some(document), Ok(order)) => {
                let currency = Currency::from_code(document["currency"].as_str().unwrap()).unwrap();
                let stated = document["total_price"].as_str().unwrap();
                let stated = currency.parse_minor(stated).unwrap();
                let all = order.skus().into_iter().map(str::to_owned).collect();
                let prefix = if order.cancelled {
                    "cancelled, else "
                } else {
                    ""
                };
                let mut verdicts = Vec::new();
                let mut met = true;
                for known in [all, BTreeSet::new()] {
                    let mut order = order.clone();
                    // A cancelled order is never held: its money is looked at as if it were not.
                    order.cancelled = false;
                    let (order, _) = order.accept(&known, now);
                    let adds_up = order.total() == stated;
                    met &= adds_up;
                    let reasons = order.holds.iter().map(|hold| &hold.reason);
                    let differs = |reason: &HoldReason| matches!(reason, HoldReason::Totals { .. });
                    let held = reasons.clone().any(differs);
                    assert_eq!(held, !adds_up, "{file}: held for its total");
                    let names: Vec<_> = reasons.map(HoldReason::name).collect();
                    verdicts.push(match names.join(", ") {
                        held if held.is_empty() => format!("{prefix}accepted"),
                        held => format!("{prefix}held: {held}"),
                    });
                }
                orders += usize::from(met);
                verdicts.dedup();
                let verdict = verdicts.join(" | no SKU known: ");
                (verdict, currency.display(stated))
            }
            (None, Err(Unreadable::Problems(problems))) => {
                assert!(!problems.is_empty(), "{file}: refused without a reason");
                (
                    format!("refused: {}", Unreadable::Problems(problems)),
                    String::new(),
                )
            }
            (document, parsed) => panic!(
                "{file}: an order: {}, read as {parsed:?}",
                document.is_some()
            ),
        };
        table += &format!("{file:<52} {total:>12}  {verdict}\n");
    }
    if !files.is_empty() {
        assert!(orders >= 9, "only {orders} orders that add up");
        say(&table);
    }
}

#[test]
fn orders_cut_short_are_told_with_the_position() {
    let shopify = ::channels::by_name("shopify").unwrap();
    for path in json_files("shopify") {
        let raw_body = fs::read(&path).unwrap();
        let whole = raw_body.trim_ascii_end().len();
        for cut in (0..whole).step_by(whole / 40 + 1) {
            let parsed = shopify.parse(&raw_body[..cut], "main");
            let syntax = matches!(parsed, Err(Unreadable::Syntax { line: 1.., .. }));
            assert!(syntax, "{} cut at {cut}: {parsed:?}", name(&path));
        }
    }
}
