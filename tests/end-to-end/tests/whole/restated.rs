//! Orders that their shop states anew.

use end_to_end::{Shop, shopify, sign};
use local::seed::DEMO_ACCOUNT;
use serde_json::{Value, json};

async fn say(shop: &Shop, topic: &str, document: &Value) -> Value {
    let body = document.to_string();
    let signature = sign(DEMO_ACCOUNT.2, body.as_bytes());
    let (status, answer) = shop.signed("demo", topic, &signature, body).await;
    assert_eq!(status, 200, "{topic}: {answer}");
    shop.settle().await;
    answer
}

/// The sample order, as it stands at a minute of the hour.
fn at(minute: u32) -> Value {
    let mut order = shopify();
    order["updated_at"] = format!("2026-11-23T10:{minute:02}:00+01:00").into();
    order
}

#[tokio::test]
async fn the_newest_counts_whatever_the_order_in_which_they_come() {
    let shop = Shop::open().await;
    let mut cancelled = at(5);
    cancelled["cancelled_at"] = "2026-11-23T10:05:00+01:00".into();
    let mut unpaid = at(1);
    unpaid["financial_status"] = "pending".into();
    // An update before its create creates.
    let receipt = say(&shop, "orders/updated", &unpaid).await;
    let url = receipt["url"].as_str().unwrap().to_owned();
    assert_eq!(shop.get(&url).await["holds"][0]["name"], "payment");
    // The create comes late: it is older.
    say(&shop, "orders/create", &at(0)).await;
    assert_eq!(shop.get(&url).await["holds"][0]["name"], "payment");
    let mut paid = at(2);
    paid["shipping_address"]["address1"] = "Neue Straße 2".into();
    say(&shop, "orders/paid", &paid).await;
    let order = shop.get(&url).await;
    assert_eq!(
        (&order["holds"], &order["payment_status"]),
        (&json!([]), &json!("paid"))
    );
    assert_eq!(order["status"], "allocated");
    assert_eq!(order["customer"]["address"]["line1"], "Neue Straße 2");
    let version = order["version"].clone();
    say(&shop, "orders/paid", &paid).await;
    assert_eq!(
        shop.get(&url).await["version"],
        version,
        "a repeat changes nothing"
    );
    say(&shop, "orders/cancelled", &cancelled).await;
    assert_eq!(shop.get(&url).await["status"], "cancelled");
    say(&shop, "orders/updated", &at(3)).await;
    let order = shop.get(&url).await;
    assert_eq!(
        (&order["status"], &order["refunds"]),
        (&json!("cancelled"), &json!([]))
    );
    shop.close().await;
}

#[tokio::test]
async fn what_the_goods_no_longer_allow_is_for_a_person() {
    let shop = Shop::open().await;
    let receipt = say(&shop, "orders/create", &at(0)).await;
    let url = receipt["url"].as_str().unwrap().to_owned();
    let mut edited = at(1);
    edited["line_items"][0]["quantity"] = 7.into();
    say(&shop, "orders/updated", &edited).await;
    let order = shop.get(&url).await;
    let hold = &order["holds"][0];
    assert_eq!(hold["name"], "channel", "{order}");
    assert!(
        hold["detail"]
            .as_str()
            .unwrap()
            .contains("its lines are others"),
        "{hold}"
    );
    shop.post(&format!("{url}/holds/channel/release"), "", "")
        .await;
    // It is not asked for twice.
    edited["updated_at"] = "2026-11-23T10:09:00+01:00".into();
    say(&shop, "orders/updated", &edited).await;
    assert_eq!(shop.get(&url).await["holds"], json!([]));
    // Another currency says nothing that could be compared.
    let mut dollars = at(10);
    dollars["currency"] = "USD".into();
    say(&shop, "orders/updated", &dollars).await;
    let order = shop.get(&url).await;
    assert_eq!(
        (&order["holds"][0]["name"], &order["currency"]),
        (&json!("channel"), &json!("EUR"))
    );
    shop.close().await;
}

#[tokio::test]
async fn money_that_the_shop_gave_back_is_not_paid_again() {
    let shop = Shop::open().await;
    let order_id = shopify()["admin_graphql_api_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let order_id: u64 = order_id.rsplit('/').next().unwrap().parse().unwrap();
    let refund = json!({
        "id": 77, "order_id": order_id,
        "transactions": [{"kind": "refund", "status": "success", "amount": "9.70", "currency": "EUR"}],
    });
    // Of an order that nobody has heard of it is kept.
    assert_eq!(
        say(&shop, "refunds/create", &refund).await,
        json!({"status": "kept"})
    );
    let receipt = say(&shop, "orders/create", &at(0)).await;
    let url = receipt["url"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        say(&shop, "refunds/create", &refund).await;
        let order = shop.get(&url).await;
        assert_eq!(
            (&order["refunded"], &order["payment_status"]),
            (&json!("9.70"), &json!("partially_refunded"))
        );
        assert_eq!(order["refunds"].as_array().unwrap().len(), 1, "{order}");
    }
    say(&shop, "orders/delete", &json!({"id": order_id})).await;
    let order = shop.get(&url).await;
    assert_eq!(
        (&order["status"], &order["refunded"]),
        (&json!("cancelled"), &json!("9.70"))
    );
    shop.close().await;
}

#[tokio::test]
async fn what_a_customer_sends_back_through_the_shop_is_expected() {
    let shop = Shop::open().await;
    let receipt = say(&shop, "orders/create", &at(0)).await;
    let id = receipt["id"].as_str().unwrap();
    let url = receipt["url"].as_str().unwrap();
    let number: u64 = shopify()["id"].as_u64().unwrap();
    let said = |name: u64, status: &str, quantity: u32| {
        json!({
            "id": name, "status": status, "order": {"id": number}, "total_return_line_items": 1,
            "return_line_items": [{
                "id": 5, "quantity": quantity, "return_reason": "unwanted",
                "fulfillment_line_item": {"id": 6, "line_item": {"id": shopify()["line_items"][0]["id"]}},
            }],
        })
    };
    let kept = json!({"status": "kept"});
    let early = say(&shop, "returns/approve", &said(1, "open", 1)).await;
    assert_eq!(early, kept, "nothing has left yet");
    shop.deliver(id, 1).await;
    for (topic, status) in [
        ("returns/request", "requested"),
        ("returns/close", "closed"),
    ] {
        assert_eq!(
            say(&shop, topic, &said(2, status, 1)).await,
            kept,
            "{topic}"
        );
    }
    for _ in 0..2 {
        say(&shop, "returns/approve", &said(2, "open", 1)).await;
        let order = shop.get(url).await;
        assert_eq!(order["returns"].as_array().unwrap().len(), 1, "{order}");
        assert_eq!(order["returns"][0]["status"], "announced");
        assert_eq!(order["returns"][0]["lines"][0]["quantity"], 1);
    }
    let too_many = say(&shop, "returns/approve", &said(3, "open", 50)).await;
    assert_eq!(too_many, kept, "more than there is");
    say(&shop, "returns/cancel", &said(2, "canceled", 1)).await;
    say(&shop, "returns/approve", &said(2, "open", 1)).await;
    assert_eq!(shop.get(url).await["returns"][0]["status"], "cancelled");
    say(&shop, "returns/approve", &said(4, "open", 1)).await;
    shop.post(&format!("/returns/{id}-R2/received"), "", "")
        .await;
    shop.settle().await;
    let order = shop.get(url).await;
    assert_eq!(order["returns"][1]["status"], "received");
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1, "{order}");
    let late = say(&shop, "returns/cancel", &said(4, "canceled", 1)).await;
    assert_eq!(late, kept, "its goods have arrived");
    shop.close().await;
}

#[tokio::test]
async fn a_return_that_does_not_come_is_called_off() {
    let shop = Shop::open().await;
    let receipt = say(&shop, "orders/create", &at(0)).await;
    let id = receipt["id"].as_str().unwrap();
    shop.deliver(id, 1).await;
    let line = &shop.order(id).await["lines"][0]["id"];
    let wish = json!({"lines": [{"line": line, "quantity": 1}]}).to_string();
    let announce = async |name| {
        let url = format!("/orders/{id}/returns");
        shop.try_post(&url, name, wish.clone()).await.0
    };
    assert_eq!(announce("first").await, 201);
    assert_eq!(announce("second").await, 409, "it is on its way already");
    for _ in 0..2 {
        let order = shop
            .post(&format!("/returns/{id}-R1/cancelled"), "", "")
            .await;
        assert_eq!(order["returns"][0]["status"], "cancelled");
        assert_eq!(order["waiting_for"], json!([]));
    }
    assert_eq!(announce("second").await, 201);
    shop.post(&format!("/returns/{id}-R2/received"), "", "")
        .await;
    let url = format!("/returns/{id}-R2/cancelled");
    let (status, answer) = shop.try_post(&url, "", "").await;
    let wrong_state = json!("urn:waybill:problem:wrong-state");
    assert_eq!((status, &answer["type"]), (409, &wrong_state));
    shop.close().await;
}
