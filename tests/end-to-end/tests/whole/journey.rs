//! From a signed webhook to shipped, and back to refunded.

use end_to_end::{Level, Shop, WITHOUT_BODY, document, shopify};
use serde_json::{Value, json};

fn level(on_hand: i64, allocated: i64) -> Level {
    Level {
        on_hand,
        allocated,
        available: on_hand - allocated,
    }
}

/// The mails about an order, in alphabetical order: within one step their order is nobody's promise.
fn mails(shop: &Shop, id: &str) -> Vec<(String, String)> {
    let mut mails = shop.mails(id);
    mails.sort();
    mails
}

fn sent(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let sent = expected
        .iter()
        .map(|(n, to)| (n.to_string(), to.to_string()));
    sent.collect()
}

const CUSTOMER: &str = "mira.albrecht@example.com";
const HAMBURG: &str = "hamburg@brindlewick.test";

#[tokio::test]
async fn an_order_goes_from_webhook_to_delivered_and_back_to_refunded() {
    let shop = Shop::open().await;
    let (grinder, beans) = ("GRD-HAND-40", "BNS-HARBOUR-1K");
    assert_eq!(shop.level(grinder, "hamburg").await, level(60, 0));
    assert_eq!(shop.level(beans, "hamburg").await, level(120, 0));

    let (status, receipt) = shop.webhook(shopify().to_string()).await;
    assert_eq!(status, 200);
    let id = receipt["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "number": "1001", "channel": "shopify", "account": "demo",
        "currency": "EUR", "total": "149.70", "url": format!("/orders/{id}"),
    });
    assert_eq!(receipt, expected);
    shop.settle().await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "allocated");
    assert_eq!(order["payment_status"], "paid");
    assert_eq!(order["fulfillment_status"], "unfulfilled");
    assert_eq!(order["customer"]["email"], CUSTOMER);
    let fulfillments = order["fulfillments"].as_array().unwrap();
    assert_eq!(fulfillments.len(), 1);
    assert_eq!(
        fulfillments[0]["location"], "hamburg",
        "the nearest to Berlin"
    );
    assert_eq!(fulfillments[0]["status"], "released");
    let waits = order["waiting_for"][0].as_str().unwrap();
    assert!(waits.starts_with("warehouse hamburg to pack"), "{waits}");
    assert_eq!(shop.level(grinder, "hamburg").await, level(60, 1));
    assert_eq!(shop.level(beans, "hamburg").await, level(120, 2));
    let mut due = vec![("confirmed", CUSTOMER), ("pick-1", HAMBURG)];
    assert_eq!(mails(&shop, id), sent(&due));
    let pick = shop.mail(id, "pick-1");
    for told in [
        grinder,
        beans,
        "Mira Albrecht",
        "Wörther Straße 41",
        "10405",
    ] {
        assert!(pick.contains(told), "{told} is missing in {pick}");
    }
    let confirmation = shop.mail(id, "confirmed");
    assert!(
        confirmation.contains("1001") && confirmation.contains("149.70"),
        "{confirmation}"
    );

    let accepted = shop.report(id, 1, "accepted", WITHOUT_BODY).await;
    assert_eq!(accepted["status"], "accepted");
    let packed = shop.report(id, 1, "packed", WITHOUT_BODY).await;
    assert_eq!(packed["status"], "packed");
    let order = shop.order(id).await;
    assert_eq!(order["status"], "shipped");
    assert_eq!(order["fulfillment_status"], "fulfilled");
    let parcel = &order["fulfillments"][0]["parcel"];
    // 2,800 g within Germany: ten days are enough for the cheaper of the two.
    assert_eq!(parcel["carrier"], "Larkpost");
    assert_eq!(parcel["cost"], "7.90 EUR");
    let tracking = parcel["tracking_number"].as_str().unwrap();
    due.push(("shipped-1", CUSTOMER));
    assert_eq!(mails(&shop, id), sent(&due));
    assert!(shop.mail(id, "shipped-1").contains(tracking));
    assert_eq!(shop.level(grinder, "hamburg").await, level(59, 0));
    assert_eq!(shop.level(beans, "hamburg").await, level(118, 0));

    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "delivered");
    assert_eq!(order["waiting_for"], json!([]));

    let lines: Vec<Value> = order["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!({"line": line["id"], "quantity": line["units"]["delivered"]}))
        .collect();
    let wish = json!({"lines": lines}).to_string();
    let announced = shop
        .post(&format!("/orders/{id}/returns"), "rma", wish)
        .await;
    assert_eq!(announced["id"], format!("{id}-R1"));
    assert_eq!(
        shop.level(grinder, "hamburg").await,
        level(59, 0),
        "not here yet"
    );
    shop.post(&format!("/returns/{id}-R1/received"), "", WITHOUT_BODY)
        .await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "returned");
    assert_eq!(
        order["payment_status"], "paid",
        "nobody has paid it back yet"
    );
    assert_eq!(
        order["refunds"],
        json!([{"id": format!("{id}-F1"), "amount": "149.70", "status": "awaiting_confirmation"}])
    );
    assert_eq!(shop.level(grinder, "hamburg").await, level(60, 0));
    assert_eq!(shop.level(beans, "hamburg").await, level(120, 0));
    assert_eq!(
        mails(&shop, id),
        sent(&due),
        "no mail before the money is back"
    );

    shop.post(&format!("/refunds/{id}-F1/confirmed"), "", WITHOUT_BODY)
        .await;
    let order = shop.order(id).await;
    assert_eq!(order["payment_status"], "refunded");
    assert_eq!(order["refunded"], "149.70");
    assert_eq!(order["waiting_for"], json!([]));
    due.push(("refunded-1", CUSTOMER));
    due.sort();
    assert_eq!(mails(&shop, id), sent(&due));
    assert!(shop.mail(id, "refunded-1").contains("149.70"));

    let events = shop.events(id).await;
    assert_eq!(events.len() as u64, order["version"].as_u64().unwrap());
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    let expected = [
        ("order.accepted", 1),
        ("order.allocated", 1),
        ("notice.sent", 4),
        ("fulfillment.accepted", 1),
        ("fulfillment.packed", 1),
        ("fulfillment.shipped", 1),
        ("stock.moved", 2),
        ("fulfillment.delivered", 1),
        ("return.announced", 1),
        ("return.received", 1),
        ("refund.submitted", 1),
        ("refund.paid", 1),
    ];
    for (name, times) in expected {
        assert_eq!(count(name), times, "{name} in {events:?}");
    }
    assert_eq!(events.len(), 16, "and nothing else: {events:?}");
    let found = shop.get("/orders?channel=shopify&number=1001").await;
    assert_eq!(found["orders"][0]["id"], id);
    shop.close().await;
}

#[tokio::test]
async fn refunds_of_single_units_add_up_to_the_charge_in_a_currency_of_three_decimals() {
    let shop = Shop::open().await;
    let sample = include_str!("../../../../events/orders/api-2041-kuwait.json");
    let order: Value = serde_json::from_str(sample).unwrap();
    let id = &shop.place("kuwait", &order).await;
    shop.deliver(id, 1).await;
    assert_eq!(shop.order(id).await["total"], "57.475");
    // Two cups and a kettle, of which each bears its share of a discount and of the shipping.
    let mut amounts = Vec::new();
    for (key, line) in [("first", "1"), ("second", "1"), ("third", "2")] {
        let wish = json!({"lines": [{"line": line, "quantity": 1}]}).to_string();
        shop.post(&format!("/orders/{id}/returns"), key, wish).await;
        let n = amounts.len() + 1;
        shop.post(&format!("/returns/{id}-R{n}/received"), "", WITHOUT_BODY)
            .await;
        shop.post(&format!("/refunds/{id}-F{n}/confirmed"), "", WITHOUT_BODY)
            .await;
        let order = shop.order(id).await;
        let amount = order["refunds"][n - 1]["amount"].as_str().unwrap();
        let (dinars, fils) = amount.split_once('.').unwrap();
        assert_eq!(fils.len(), 3, "{amount}");
        amounts.push(format!("{dinars}{fils}").parse::<i64>().unwrap());
        let expected = if n == 3 {
            "refunded"
        } else {
            "partially_refunded"
        };
        assert_eq!(order["payment_status"], expected);
    }
    assert_eq!(amounts.iter().sum::<i64>(), 57_475, "{amounts:?}");
    let more = json!({"amount": "0.001"}).to_string();
    let (status, answer) = shop
        .try_post(&format!("/orders/{id}/refunds"), "more", more)
        .await;
    assert_eq!(
        (status, &answer["type"]),
        (409, &json!("urn:waybill:problem:too-much"))
    );
    shop.close().await;
}

#[tokio::test]
async fn what_comes_back_goes_where_its_disposition_says() {
    let shop = Shop::open().await;
    let id = &shop
        .place("dispositions", &document(&[("GRD-HAND-40", 4)]))
        .await;
    shop.deliver(id, 1).await;
    let wish = json!({"lines": [{"line": "L1", "quantity": 4}]}).to_string();
    shop.post(&format!("/orders/{id}/returns"), "all", wish)
        .await;
    let part = |disposition| json!({"line": "L1", "quantity": 1, "disposition": disposition});
    let parts = ["restock", "quarantine", "return_to_vendor", "scrap"].map(part);
    let arrived = json!({"location": "newark", "lines": parts}).to_string();
    shop.post(&format!("/returns/{id}-R1/received"), "", arrived)
        .await;
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await, level(56, 0));
    assert_eq!(
        shop.level("GRD-HAND-40", "newark").await,
        level(46, 0),
        "one can be sold again"
    );
    let stock = shop.get("/stock/GRD-HAND-40").await;
    let newark = stock["levels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["location"] == "newark");
    let kinds: Vec<&Value> = newark.unwrap()["newest_movements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|movement| &movement["kind"])
        .collect();
    assert_eq!(
        kinds,
        [
            "receive",
            "restock",
            "quarantine",
            "return_to_vendor",
            "scrap"
        ]
    );
    shop.close().await;
}

#[tokio::test]
async fn goods_that_need_no_shipping_are_delivered_as_soon_as_they_are_bought() {
    let shop = Shop::open().await;
    let mut order = document(&[("any", 2)]);
    order["lines"][0]["requires_shipping"] = json!(false);
    let id = &shop.place("voucher", &order).await;
    let order = shop.order(id).await;
    assert_eq!(
        (&order["status"], &order["holds"]),
        (&json!("delivered"), &json!([]))
    );
    assert_eq!(
        shop.mails(id),
        [("confirmed".into(), "ada.quist@example.com".into())]
    );
    shop.close().await;
}
