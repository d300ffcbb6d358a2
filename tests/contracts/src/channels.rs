//! Every document of every channel's payloads: a delivery says which orders it is about, an order is
//! accepted or held with a reason, everything else is refused with a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ::channels::{Channel, Delivery, Said};
use domain::intake::NewOrder;
use domain::order::HoldReason;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::corpus::{json_files, name, say};

/// The folder of a channel's payloads.
pub fn folder(channel: &str) -> &str {
    match channel {
        "adobe-commerce" => "magento",
        "amazon" => "amazon_sp_api",
        "tiktok" => "tiktok_shop",
        same => same,
    }
}

/// The channels of vendors; Shopify's documents are looked at more closely elsewhere.
const CHANNELS: [&str; 11] = [
    "adobe-commerce",
    "amazon",
    "bigcommerce",
    "ebay",
    "etsy",
    "meta",
    "square",
    "tiktok",
    "walmart",
    "wix",
    "woocommerce",
];

/// What becomes of an order whose SKUs are all known: its total, and `accepted` or why it is held.
fn verdict(order: NewOrder) -> String {
    let known: BTreeSet<String> = order.skus().into_iter().map(str::to_owned).collect();
    let stated = order.stated_total;
    let cancelled = if order.cancelled {
        "cancelled, else "
    } else {
        ""
    };
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let (order, _) = NewOrder {
        cancelled: false,
        ..order
    }
    .accept(&known, now);
    let differs = stated.is_some_and(|stated| stated != order.total());
    let held_for_total = order
        .holds
        .iter()
        .any(|hold| matches!(hold.reason, HoldReason::Totals { .. }));
    assert_eq!(differs, held_for_total, "a total that differs is a hold");
    let total = order.currency.display(order.total());
    let why: Vec<String> = order
        .holds
        .iter()
        .map(|hold| match &hold.reason {
            totals @ HoldReason::Totals { .. } => totals.explain(order.currency),
            reason => reason.name().to_owned(),
        })
        .collect();
    match why.is_empty() {
        true => format!("{total}: {cancelled}accepted"),
        false => format!("{total}: {cancelled}held: {}", why.join(", ")),
    }
}

/// What is made of a document: as a delivery, and as an answer of the channel's API.
fn verdicts(channel: &dyn Channel, raw_body: &[u8]) -> Vec<String> {
    let delivery = Delivery {
        method: "POST",
        url: "",
        headers: &|_| None,
        query: &|_| None,
        raw_body,
    };
    if let Ok(Said::Changed(hints)) = channel.read(&delivery, "main") {
        let hint = |hint: &::channels::Hint| {
            let as_of = hint.as_of.map(|at| at.to_string()).unwrap_or_default();
            format!("hint: order {} has changed {as_of}", hint.external_id)
        };
        return hints.iter().map(hint).collect();
    }
    let orders = channel.orders(raw_body).unwrap().into_iter();
    let verdicts = orders.map(|order| match channel.parse(order, "main") {
        Ok(order) => verdict(order),
        Err(why) => {
            assert!(!why.to_string().is_empty());
            format!("refused: {why}")
        }
    });
    verdicts.collect()
}

#[test]
fn documents_of_channels_are_accepted_held_or_refused_with_a_reason() {
    let mut table = String::new();
    let mut taken = 0;
    for channel in CHANNELS {
        let channel = ::channels::by_name(channel).unwrap();
        for path in json_files(folder(channel.name())) {
            if path.ends_with("signature_test_vectors.json") {
                continue;
            }
            for verdict in verdicts(channel, &fs::read(&path).unwrap()) {
                taken += usize::from(!verdict.starts_with("refused"));
                let (channel, file) = (channel.name(), name(&path));
                table += &format!("{channel:<15} {file:<58} {verdict}\n");
            }
        }
    }
    if !table.is_empty() {
        say(&table);
        assert!(taken >= 14, "only {taken} documents were understood");
    }
}

/// What the payloads are known to say, told without the code under test.
#[test]
fn known_orders_are_read_as_they_are() {
    for (channel, file, expected) in [
        (
            "woocommerce",
            "woocommerce/order_get.json",
            vec!["29.35 USD: held: unknown-sku"],
        ),
        (
            "woocommerce",
            "woocommerce/orders_list.json",
            vec![
                "29.35 USD: held: unknown-sku",
                "39.00 USD: held: unknown-sku, channel",
            ],
        ),
        (
            "adobe-commerce",
            "magento/order_simple_downloadable_bundle_configurable.json",
            // A bank transfer that has not come in.
            vec!["165.00 USD: held: payment"],
        ),
        (
            "adobe-commerce",
            "magento/io_event_nested_order_0.json",
            vec!["1100.00 USD: held: address, payment"],
        ),
        (
            "meta",
            "meta/orders_created_with_address.json",
            vec!["2.19 USD: accepted"],
        ),
        (
            "ebay",
            "ebay/order_getOrder_docs_sample.json",
            vec!["294.33 USD: held: unknown-sku"],
        ),
        (
            "tiktok",
            "tiktok_shop/webhook_order_status_update_v1.json",
            vec!["hint: order 576684019603311365 has changed 2022-09-25T08:46:50Z"],
        ),
        (
            "square",
            "square/activepieces_new_order.json",
            vec!["hint: order eA3vssLHKJrv9H0IdJCM3gNqfdcZY has changed 2020-04-16T23:14:26.129Z"],
        ),
        (
            "etsy",
            "etsy/webhook_order_paid.json",
            vec!["hint: order 54321 has changed "],
        ),
        (
            "ebay",
            "ebay/notification_ORDER_CONFIRMATION_test.json",
            vec!["hint: order 123-123-4435 has changed 2026-06-18T22:07:01.137Z"],
        ),
        (
            "amazon",
            "amazon_sp_api/ORDER_CHANGE_notification_0.json",
            vec!["hint: order 903-8868176-2219830 has changed "],
        ),
    ] {
        let folder = Path::new(file).parent().unwrap().to_str().unwrap();
        let path = json_files(folder)
            .into_iter()
            .find(|path| path.ends_with(file));
        let Some(path) = path else { continue };
        let channel = ::channels::by_name(channel).unwrap();
        assert_eq!(
            verdicts(channel, &fs::read(path).unwrap()),
            expected,
            "{file}"
        );
    }
}

/// The older API of Amazon answers in parts.
#[test]
fn answers_about_different_orders_are_not_put_together() {
    let amazon = ::channels::by_name("amazon").unwrap();
    let part = |file: &str| -> Option<Value> {
        let files = json_files("amazon_sp_api").into_iter();
        let path = files.into_iter().find(|path| path.ends_with(file))?;
        Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
    };
    let parts = ["Order", "OrderItems", "OrderAddress", "OrderBuyerInfo"]
        .map(|part_of| part(&format!("samples_orders-get{part_of}.json")));
    let [Some(order), Some(mut items), Some(address), Some(buyer)] = parts else {
        return;
    };
    let all = |items: &Value| {
        json!({"order": order, "items": items, "address": address, "buyer": buyer}).to_string()
    };
    let refused = amazon
        .parse(all(&items).as_bytes(), "main")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("the items of order 123-4567890-1234567"),
        "{refused}"
    );
    assert!(
        refused.contains("expected USD, as the order has, found BRL"),
        "{refused}"
    );
    // Of the same order and in its currency they are, and the difference of the totals is named.
    items["payload"]["AmazonOrderId"] = "123-4567890-1234567".into();
    let items: Value = serde_json::from_str(&items.to_string().replace("BRL", "USD")).unwrap();
    let order = amazon.parse(all(&items).as_bytes(), "main").unwrap();
    assert_eq!(
        verdict(order),
        "8.02 USD: held: the channel states a total of 149.99 USD, its parts add up to 8.02 USD: a difference of 141.97 USD"
    );
}
