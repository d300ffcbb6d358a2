//! What is called off before it has left, in each channel's own words, is not sent; and what is not for us to
//! send is not taken in.

use std::fs;

use domain::intake::NewOrder;
use domain::order::Payment;
use serde_json::{Value, json};

use crate::testing::sent;
use crate::vendor::Next;
use crate::{Said, Secret, by_name};

/// The sample of a channel, with some of its members changed, each by its JSON pointer.
fn sample(channel: &str, changes: &[(&str, Value)]) -> String {
    let path = format!(
        "{}/../../events/channels/{channel}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    document.to_string()
}

fn order(channel: &str, changes: &[(&str, Value)]) -> NewOrder {
    let document = sample(channel, changes);
    let read = by_name(channel).unwrap().parse(document.as_bytes(), "demo");
    read.unwrap_or_else(|why| panic!("{channel}: {why}"))
}

/// How much of each line is cancelled.
fn cancelled(channel: &str, changes: &[(&str, Value)]) -> Vec<String> {
    let lines = order(channel, changes).lines.into_iter();
    lines.map(|line| line.cancelled.to_string()).collect()
}

#[test]
fn units_that_are_called_off_before_they_have_left_are_cancelled() {
    let adobe = |canceled: u8, refunded: u8, shipped: u8| {
        let of = |name| format!("/items/0/{name}");
        let [canceled_at, refunded_at, shipped_at] =
            ["qty_canceled", "qty_refunded", "qty_shipped"].map(of);
        let changes = [
            ("/items/0/qty_ordered", json!(3)),
            (canceled_at.as_str(), json!(canceled)),
            (refunded_at.as_str(), json!(refunded)),
            (shipped_at.as_str(), json!(shipped)),
        ];
        cancelled("adobe-commerce", &changes).swap_remove(0)
    };
    assert_eq!(adobe(0, 0, 0), "0");
    assert_eq!(adobe(1, 0, 0), "1");
    assert_eq!(adobe(1, 1, 0), "2");
    assert_eq!(adobe(0, 2, 3), "0", "they have come back");
    assert_eq!(adobe(0, 2, 2), "1");

    let bigcommerce = |refunded: u8, shipped: u8| {
        let changes = [
            ("/products/1/quantity_refunded", json!(refunded)),
            ("/products/1/quantity_shipped", json!(shipped)),
        ];
        cancelled("bigcommerce", &changes)
    };
    assert_eq!(bigcommerce(0, 0), ["0", "0"]);
    assert_eq!(bigcommerce(1, 0), ["0", "1"]);
    assert_eq!(bigcommerce(1, 2), ["0", "0"], "it has come back");

    let display = "/line_items/1/display_status";
    assert_eq!(cancelled("tiktok", &[]), ["0", "0"]);
    assert_eq!(
        cancelled("tiktok", &[(display, json!("CANCELLED"))]),
        ["0", "1"]
    );
}

#[test]
fn a_line_of_walmart_says_what_has_become_of_each_of_its_units() {
    let with = |statuses: &[(&str, &str)]| {
        let status = |(status, amount): &(&str, &str)| json!({"status": status, "statusQuantity": {"amount": amount}});
        let statuses: Vec<Value> = statuses.iter().map(status).collect();
        let line = "/orderLines/orderLine/0";
        let [quantity, list] = [
            "orderLineQuantity/amount",
            "orderLineStatuses/orderLineStatus",
        ]
        .map(|name| format!("{line}/{name}"));
        let changes = [(quantity.as_str(), json!("3")), (&list, json!(statuses))];
        let order = order("walmart", &changes);
        (order.lines[0].cancelled.to_string(), order.shipped)
    };
    assert_eq!(with(&[("Acknowledged", "3")]), ("0".into(), false));
    assert_eq!(
        with(&[("Cancelled", "1"), ("Acknowledged", "2")]),
        ("1".into(), false)
    );
    assert!(!with(&[("Cancelled", "1"), ("Shipped", "1")]).1);
    assert_eq!(
        with(&[("Cancelled", "1"), ("Delivered", "2")]),
        ("1".into(), true)
    );
    let (all, _) = with(&[("Cancelled", "3")]);
    assert_eq!(all, "3");
}

#[test]
fn an_order_that_is_all_paid_back_before_it_is_sent_is_not_sent() {
    for (channel, paid_back, sent) in [
        (
            "ebay",
            ("/orderPaymentStatus", json!("FULLY_REFUNDED")),
            ("/orderFulfillmentStatus", json!("FULFILLED")),
        ),
        (
            "etsy",
            ("/status", json!("Fully Refunded")),
            ("/is_shipped", json!(true)),
        ),
        (
            "wix",
            ("/paymentStatus", json!("FULLY_REFUNDED")),
            ("/fulfillmentStatus", json!("FULFILLED")),
        ),
        (
            "woocommerce",
            ("/status", json!("refunded")),
            ("/date_completed_gmt", json!("2026-11-24T10:00:00")),
        ),
    ] {
        let gone = |changes: &[(&str, Value)]| {
            let order = order(channel, changes);
            let all = order
                .lines
                .iter()
                .all(|line| line.cancelled == line.quantity);
            (order.cancelled || all, order.shipped)
        };
        assert_eq!(gone(&[]), (false, false), "{channel}");
        let once = std::slice::from_ref(&paid_back);
        assert_eq!(gone(once), (true, false), "{channel}");
        assert_eq!(gone(&[paid_back, sent]), (false, true), "{channel}");
    }
}

#[test]
fn an_item_that_amazon_has_none_left_of_is_no_line() {
    let item = |id: &str, ordered: u8| {
        json!({
            "OrderItemId": id, "SellerSKU": id, "Title": id, "QuantityOrdered": ordered,
            "ItemPrice": {"CurrencyCode": "GBP", "Amount": "12.00"},
        })
    };
    let parts = json!({
        "order": {
            "AmazonOrderId": "700-0000001-0000001", "PurchaseDate": "2026-03-04T05:06:07Z",
            "OrderStatus": "Unshipped", "OrderTotal": {"CurrencyCode": "GBP", "Amount": "12.00"},
        },
        "items": {"AmazonOrderId": "700-0000001-0000001", "OrderItems": [item("MUG", 1), item("JUG", 0)]},
    });
    let amazon = by_name("amazon").unwrap();
    let order = amazon.parse(parts.to_string().as_bytes(), "demo").unwrap();
    assert_eq!(order.contact.titles, ["MUG"]);
}

#[test]
fn what_others_ship_is_not_ours() {
    for (channel, pointer, theirs, ours) in [
        (
            "walmart",
            "/shipNode",
            json!({"type": "WFSFulfilled"}),
            json!({"type": "3PLFulfilled"}),
        ),
        (
            "tiktok",
            "/fulfillment_type",
            json!("FULFILLMENT_BY_TIKTOK"),
            json!("FULFILLMENT_BY_SELLER"),
        ),
    ] {
        order(channel, &[(pointer, ours)]);
        let document = sample(channel, &[(pointer, theirs)]);
        let read = by_name(channel).unwrap().parse(document.as_bytes(), "demo");
        let why = read.unwrap_err().to_string();
        assert!(why.contains("ships the others itself"), "{channel}: {why}");
    }
}

/// What is to be done with an answer of a channel's API about an order.
fn next(channel: &str, answer: &Value) -> Next {
    let api = by_name(channel).unwrap().api().unwrap();
    let access = Secret::read(r#"{"url": "https://shop.example"}"#);
    api.order(&access, "1", &[answer.to_string().into_bytes()])
        .unwrap()
}

#[test]
fn what_is_no_order_of_ours_is_not_taken_in() {
    let cart = |status: &str| json!({"id": 1, "status": status, "line_items": []});
    let by = |who: &str| json!({"order": {"orderId": "1", "fulfillment": {"fulfilledBy": who}}});
    let node = |who: &str| json!({"order": {"purchaseOrderId": "1", "shipNode": {"type": who}}});
    let sale = json!({"order": {"id": "1", "line_items": [], "returns": []}});
    for (channel, answer, ours) in [
        ("woocommerce", cart("checkout-draft"), false),
        ("woocommerce", cart("auto-draft"), false),
        ("woocommerce", cart("pending"), true),
        ("amazon", by("AMAZON"), false),
        ("amazon", by("MERCHANT"), true),
        ("walmart", node("WFSFulfilled"), false),
        ("walmart", node("3PLFulfilled"), true),
        (
            "square",
            json!({"order": {"id": "1", "returns": [{}]}}),
            false,
        ),
        ("square", sale, true),
        (
            "square",
            json!({"order": {"id": "1", "state": "DRAFT", "line_items": []}}),
            false,
        ),
    ] {
        let next = next(channel, &answer);
        assert_eq!(matches!(next, Next::Order(_)), ours, "{channel}: {answer}");
        assert_eq!(
            matches!(next, Next::NotOurs(_)),
            !ours,
            "{channel}: {answer}"
        );
    }
    let woo = by_name("woocommerce").unwrap();
    let said = |status: &str| {
        let body = sample("woocommerce", &[("/status", json!(status))]);
        sent(body)
            .header("x-wc-webhook-topic", "order.updated")
            .read(woo)
    };
    assert!(matches!(said("checkout-draft"), Ok(Said::Changed(none)) if none.is_empty()));
    assert!(matches!(said("pending"), Ok(Said::Order(_))));
}

#[test]
fn what_can_still_be_called_off_waits() {
    let payments = |status: &str| order("tiktok", &[("/status", json!(status))]).payments;
    assert_eq!(payments("ON_HOLD"), []);
    assert_eq!(payments("AWAITING_SHIPMENT"), [Payment::Captured(7549)]);
}

#[test]
fn an_amount_that_was_asked_for_by_itself_is_a_line_with_nothing_to_ship() {
    let fees = json!([
        {"id": 5, "name": "Repair &amp; cleaning", "total": "40.00", "total_tax": "7.60"},
        {"id": 6, "name": "Parts", "total": "2.50", "total_tax": "0.48"},
    ]);
    let new = order(
        "woocommerce",
        &[
            ("/line_items", json!([])),
            ("/fee_lines", fees),
            ("/gift_cards", json!([])),
            ("/shipping_total", json!("0.00")),
            ("/shipping_tax", json!("0.00")),
            ("/total_tax", json!("8.08")),
            ("/total", json!("50.58")),
        ],
    );
    assert_eq!(new.contact.titles, ["Repair & cleaning", "Parts"]);
    let (order, _) = new.accept(&Default::default(), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!((order.total(), order.holds), (5058, vec![]));
    assert!(order.lines.iter().all(|line| line.intangible));
}

#[test]
fn prices_are_in_what_is_paid_in_and_not_in_what_they_were_shown_in() {
    let shown = order("bigcommerce", &[("/currency_code", json!("GBP"))]);
    assert_eq!(shown.currency.code(), "EUR");
}

#[test]
fn what_square_brings_by_itself_has_an_address_too() {
    let recipient = json!({"display_name": "Ada Quist", "address": {
        "address_line_1": "3 Hill St", "locality": "Tacoma", "postal_code": "98402", "country": "US"}});
    let fulfillments = json!([{"type": "DELIVERY", "delivery_details": {"recipient": recipient}}]);
    let order = order("square", &[("/fulfillments", fulfillments)]);
    let address = order.contact.address.unwrap();
    assert_eq!(
        (address.name.as_str(), address.city.as_str()),
        ("Ada Quist", "Tacoma")
    );
}

#[test]
fn all_fees_of_tiktok_are_paid() {
    let order = order(
        "tiktok",
        &[
            ("/payment/buyer_service_fee", json!("0.50")),
            ("/payment/item_insurance_fee", json!("0.25")),
            ("/payment/total_amount", json!("76.24")),
        ],
    );
    let known = order.skus().into_iter().map(str::to_owned).collect();
    let (order, _) = order.accept(&known, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!((order.total(), order.holds), (7624, vec![]));
}
