//! Orders that stand still until somebody acts, and orders that nobody wants any more.

use end_to_end::{Shop, WITHOUT_BODY, document, shopify};
use serde_json::{Value, json};

const SKU: &str = "GRD-HAND-40";

async fn release(shop: &Shop, id: &str, hold: &str) -> Value {
    shop.post(
        &format!("/orders/{id}/holds/{hold}/release"),
        "",
        WITHOUT_BODY,
    )
    .await
}

async fn cancel(shop: &Shop, id: &str) -> Value {
    let reason = json!({"reason": "the customer changed their mind"}).to_string();
    shop.post(&format!("/orders/{id}/cancel"), "", reason).await
}

fn notices(shop: &Shop, id: &str) -> Vec<String> {
    let mut notices: Vec<String> = shop.mails(id).into_iter().map(|mail| mail.0).collect();
    notices.sort();
    notices
}

/// Places an order that is held for one reason, and holds it to standing still.
async fn held(shop: &Shop, hold: &str, order: &Value) -> String {
    let before = shop.level(SKU, "hamburg").await;
    let id = shop.place(hold, order).await;
    let view = shop.order(&id).await;
    assert_eq!(view["status"], "held");
    let names: Vec<&Value> = view["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| &h["name"])
        .collect();
    assert_eq!(names, [hold]);
    assert_eq!(shop.level(SKU, "hamburg").await, before);
    assert_eq!(shop.mails(&id), []);
    assert_eq!(shop.sweep().await["orders"], 0, "there is no work on it");
    id
}

#[tokio::test]
async fn a_test_order_is_neither_shipped_nor_mailed_nor_released() {
    let shop = Shop::open().await;
    let mut order = document(&[(SKU, 1)]);
    order["test"] = json!(true);
    let id = &held(&shop, "test", &order).await;
    let (status, answer) = shop
        .try_post(&format!("/orders/{id}/holds/test/release"), "", "")
        .await;
    let given = (status, answer["type"].as_str().unwrap());
    assert_eq!(given, (409, "urn:waybill:problem:wrong-state"));
    assert_eq!(shop.status(id).await, "held");
    let view = cancel(&shop, id).await;
    assert_eq!(
        (&view["status"], &view["refunds"]),
        (&json!("cancelled"), &json!([]))
    );
    assert_eq!(shop.mails(id), []);
    // Shopify's test orders as well.
    let mut webhook = shopify();
    webhook["test"] = json!(true);
    let (status, receipt) = shop.webhook(webhook.to_string()).await;
    assert_eq!(status, 200);
    shop.settle().await;
    let id = receipt["id"].as_str().unwrap();
    assert_eq!(
        (shop.status(id).await.as_str(), shop.mails(id).len()),
        ("held", 0)
    );
    shop.close().await;
}

#[tokio::test]
async fn an_order_waits_for_its_payment_its_address_or_its_sums() {
    let shop = Shop::open().await;
    let mut unpaid = document(&[(SKU, 1)]);
    unpaid["payment"]["status"] = json!("pending");
    let mut short = document(&[(SKU, 1)]);
    short["payment"]["amount"] = json!("9.99");
    let mut homeless = document(&[("BNS-NIGHT-250", 1)]);
    homeless["shipping_address"] = Value::Null;
    let mut miscounted = document(&[(SKU, 1)]);
    miscounted["total"] = json!("9.50");
    miscounted["payment"]["amount"] = json!("10.00");
    let unpaid = &held(&shop, "payment", &unpaid).await;
    let homeless = &held(&shop, "address", &homeless).await;
    let miscounted = &held(&shop, "totals", &miscounted).await;
    let detail = shop.order(miscounted).await["holds"][0]["detail"].clone();
    for sum in ["9.50", "10.00", "0.50"] {
        assert!(detail.as_str().unwrap().contains(sum), "{sum} in {detail}");
    }
    assert_eq!(shop.order(unpaid).await["payment_status"], "pending");
    assert_eq!(release(&shop, unpaid, "payment").await["holds"], json!([]));
    assert_eq!(shop.status(unpaid).await, "allocated");
    assert_eq!(notices(&shop, unpaid), ["confirmed", "pick-1"]);
    // Released again, and a hold that it never had: no news.
    let version = shop.stored(unpaid).await.version;
    release(&shop, unpaid, "payment").await;
    release(&shop, unpaid, "moonlight").await;
    assert_eq!(shop.stored(unpaid).await.version, version);
    release(&shop, miscounted, "totals").await;
    assert_eq!(shop.status(miscounted).await, "allocated");
    // There still is no address: it can only be cancelled.
    let address = format!("/orders/{homeless}/holds/address/release");
    let (status, answer) = shop.try_post(&address, "", WITHOUT_BODY).await;
    let given = (status, answer["type"].as_str().unwrap());
    assert_eq!(given, (409, "urn:waybill:problem:wrong-state"));
    assert_eq!(cancel(&shop, homeless).await["status"], "cancelled");
    // Two reasons: it moves when both are gone.
    let mut both = document(&[(SKU, 1)]);
    both["payment"]["status"] = json!("pending");
    both["total"] = json!("11.00");
    let both = &shop.place("both", &both).await;
    release(&shop, both, "payment").await;
    assert_eq!(shop.status(both).await, "held");
    release(&shop, both, "totals").await;
    assert_eq!(shop.status(both).await, "allocated");
    let short = &shop.place("short", &short).await;
    assert_eq!(shop.order(short).await["holds"][0]["name"], "payment");
    shop.close().await;
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_it_is_packed() {
    let shop = Shop::open().await;
    let before = shop.level(SKU, "hamburg").await;
    let mut unpaid = document(&[(SKU, 2)]);
    unpaid["payment"]["status"] = json!("pending");
    // Before anybody looked for goods: a held one, without money to give back.
    let id = &shop.place("held", &unpaid).await;
    let view = cancel(&shop, id).await;
    assert_eq!(
        (&view["status"], &view["refunds"]),
        (&json!("cancelled"), &json!([]))
    );
    assert_eq!(
        notices(&shop, id).len(),
        1,
        "the customer hears of the cancellation alone"
    );
    release(&shop, id, "payment").await;
    assert_eq!(
        shop.status(id).await,
        "cancelled",
        "a lifted hold does not bring it back"
    );
    assert_eq!(shop.level(SKU, "hamburg").await, before);
    // After the pick list: the warehouse is told to stop, the goods go back, the money too.
    let id = &shop.place("released", &document(&[(SKU, 2)])).await;
    shop.report(id, 1, "accepted", WITHOUT_BODY).await;
    cancel(&shop, id).await;
    let view = shop.order(id).await;
    assert_eq!(view["status"], "cancelled");
    assert_eq!(view["fulfillments"][0]["status"], "cancelled");
    assert_eq!(view["refunds"][0]["amount"], "20.00");
    assert_eq!(shop.level(SKU, "hamburg").await, before);
    assert_eq!(notices(&shop, id).len(), 4, "{:?}", notices(&shop, id));
    assert!(shop.mail(id, "stop-1").contains(SKU));
    let version = view["version"].clone();
    assert_eq!(
        cancel(&shop, id).await["version"],
        version,
        "cancelled again is no news"
    );
    shop.post(&format!("/refunds/{id}-F1/confirmed"), "", WITHOUT_BODY)
        .await;
    assert_eq!(shop.order(id).await["payment_status"], "refunded");
    let (status, _) = shop
        .try_post(&format!("/fulfillments/{id}-1/packed"), "", "")
        .await;
    assert_eq!(status, 409, "the warehouse was told to stop");
    // Packed, shipped: too late.
    let id = &shop
        .place("packed", &document(&[("ESP-LEVER-01", 5)]))
        .await;
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    assert_eq!(
        shop.status(id).await,
        "packed",
        "too heavy to leave by itself"
    );
    let (status, answer) = shop.try_post(&format!("/orders/{id}/cancel"), "", "").await;
    let given = (status, answer["type"].as_str().unwrap());
    assert_eq!(given, (409, "urn:waybill:problem:wrong-state"));
    assert_eq!(shop.status(id).await, "packed");
    // Part of it has left: the rest can be cancelled.
    let id = &shop
        .place(
            "split",
            &document(&[("TMP-58-WAL", 1), ("GRD-HAND-40", 61)]),
        )
        .await;
    let shipped = shop.order(id).await["fulfillments"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(shipped, 2);
    shop.deliver(id, 2).await;
    cancel(&shop, id).await;
    let view = shop.order(id).await;
    assert_eq!(view["status"], "delivered", "what is left of it is");
    assert_eq!(shop.level(SKU, "hamburg").await.allocated, 0);
    shop.close().await;
}

#[tokio::test]
async fn a_cancelled_backorder_gets_no_goods() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    let id = &shop
        .place("cancelled", &document(&[(sku, 1), (SKU, 1)]))
        .await;
    let other = &shop.place("kept", &document(&[(sku, 1)])).await;
    assert_eq!(shop.status(id).await, "allocated", "the grinder is");
    cancel(&shop, id).await;
    assert_eq!(shop.status(id).await, "cancelled");
    shop.adjust(sku, "pallet", "hamburg", "receive", 2).await;
    let level = shop.level(sku, "hamburg").await;
    assert_eq!((level.allocated, level.available), (1, 1));
    assert_eq!(shop.status(other).await, "allocated");
    assert_eq!(shop.status(id).await, "cancelled");
    assert_eq!(
        shop.store.waiting_for(sku).await.unwrap(),
        [],
        "it waits no longer"
    );
    shop.close().await;
}

#[tokio::test]
async fn an_order_that_was_cancelled_before_it_came_in_is_only_noted() {
    let shop = Shop::open().await;
    let mut order = shopify();
    order["cancelled_at"] = order["created_at"].clone();
    let (status, receipt) = shop.webhook(order.to_string()).await;
    assert_eq!(status, 200);
    shop.settle().await;
    let id = receipt["id"].as_str().unwrap();
    assert_eq!(shop.status(id).await, "cancelled");
    assert_eq!(shop.mails(id), []);
    assert_eq!(shop.level(SKU, "hamburg").await.allocated, 0);
    shop.close().await;
}
