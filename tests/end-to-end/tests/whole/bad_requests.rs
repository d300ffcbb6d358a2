//! Requests for what does not exist, and requests without a name.

use domain::limits::MAX_SKU_CHARS;
use end_to_end::{Shop, WITHOUT_BODY, document, problem};
use http::Method;
use local::seed::DEMO_KEY;
use serde_json::json;

#[tokio::test]
async fn requests_that_change_something_twice_need_a_name_of_their_own() {
    let shop = Shop::open().await;
    let order = document(&[("GRD-HAND-40", 2)]);
    let id = &shop.place("mine", &order).await;
    shop.deliver(id, 1).await;
    let lines = json!({"lines": [{"line": "L1", "quantity": 1}]});
    let report = json!({"location": "hamburg", "kind": "receive", "quantity": 1});
    for (path, body) in [
        ("/orders".to_owned(), order.clone()),
        (format!("/orders/{id}/returns"), lines.clone()),
        (format!("/orders/{id}/refunds"), lines),
        ("/stock/GRD-HAND-40/adjustments".into(), report.clone()),
    ] {
        let (status, answer) = shop.try_post(&path, "", body.to_string()).await;
        let given = (status, &answer["type"]);
        assert_eq!(given, (400, &problem("no-idempotency-key")), "{path}");
        let (status, _) = shop
            .try_post(&path, &"k".repeat(129), body.to_string())
            .await;
        assert!(matches!(status, 400 | 422), "{path}: {status}");
    }
    // A name that was used for something else.
    let other = document(&[("GRD-HAND-40", 1)]).to_string();
    let (status, answer) = shop.try_post("/orders", "mine", other).await;
    assert_eq!(
        (status, &answer["type"]),
        (422, &problem("idempotency-key-reused"))
    );
    let adjustments = "/stock/GRD-HAND-40/adjustments";
    shop.post(adjustments, "pallet", report.to_string()).await;
    let other = json!({"location": "hamburg", "kind": "receive", "quantity": 2}).to_string();
    let (status, answer) = shop.try_post(adjustments, "pallet", other).await;
    assert_eq!(
        (status, &answer["type"]),
        (422, &problem("idempotency-key-reused"))
    );
    assert_eq!(shop.order_ids().await.len(), 1);
    shop.close().await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let shop = Shop::open().await;
    let none = "AAAAAAAAAAAAAAAA";
    let id = &shop.place("one", &document(&[("GRD-HAND-40", 1)])).await;
    for path in [
        format!("/orders/{none}"),
        "/orders/nonsense".into(),
        "/orders/%00".into(),
        format!("/orders/{}", "A".repeat(5000)),
        format!("/orders/{}", id.to_lowercase()),
        format!("/orders/{none}/events"),
        "/orders/..%2F..%2Fkeys/events".into(),
        "/stock/NO-SUCH-SKU".into(),
        "/stock/%23".into(),
        "/stock/NO-SUCH-SKU/why".into(),
        "/stock/KTL-GOOSE-09/why?location=atlantis".into(),
        format!("/stock/{}", "A".repeat(MAX_SKU_CHARS + 1)),
        format!("/stock/{}", "A".repeat(5000)),
    ] {
        let (status, answer) = shop.get_as(DEMO_KEY, &path).await;
        assert_eq!(
            (status, &answer["type"]),
            (404, &problem("not-found")),
            "{path}"
        );
    }
    let lines = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    for (path, body) in [
        (format!("/orders/{none}/cancel"), ""),
        ("/orders/nonsense/cancel".into(), ""),
        (format!("/orders/{none}/holds/payment/release"), ""),
        (format!("/orders/{none}/returns"), lines.as_str()),
        (format!("/orders/{none}/refunds"), lines.as_str()),
        (format!("/returns/{id}-R1/received"), ""),
        (format!("/returns/{id}-1/received"), ""),
        (format!("/returns/{id}-R99999999999/received"), ""),
        (format!("/refunds/{id}-F1/confirmed"), ""),
        (format!("/refunds/{none}-F1/confirmed"), ""),
        (format!("/refunds/{id}-F1/again"), ""),
        (format!("/fulfillments/{id}-2/packed"), ""),
        (format!("/fulfillments/{id}-0/packed"), ""),
        (format!("/fulfillments/{id}/packed"), ""),
        (format!("/fulfillments/{none}-1/packed"), ""),
        (format!("/fulfillments/{id}-1/eaten"), ""),
    ] {
        let (status, answer) = shop.try_post(&path, "k", body).await;
        assert_eq!(
            (status, &answer["type"]),
            (404, &problem("not-found")),
            "{path}: {answer}"
        );
    }
    let report = json!({"location": "hamburg", "kind": "receive", "quantity": 1}).to_string();
    for sku in ["NO-SUCH-SKU", &"A".repeat(5000)] {
        let path = format!("/stock/{sku}/adjustments");
        assert_eq!(shop.try_post(&path, "k", report.clone()).await.0, 404);
    }
    // Paths and methods that no route has, and questions that leave something out.
    for (method, path, expected) in [
        (Method::GET, "/nothing/here", 404),
        (Method::POST, "/order", 404),
        (Method::DELETE, "/orders", 405),
        (Method::GET, "/webhooks/shopify/demo", 401),
        (Method::PUT, "/orders", 405),
    ] {
        let (status, answer) = shop.send(method, path, &[], WITHOUT_BODY).await;
        assert_eq!(
            (status, &answer["status"]),
            (expected, &json!(expected)),
            "{path}"
        );
    }
    assert_eq!(shop.get_as(DEMO_KEY, "/orders?channel=api").await.0, 422);
    assert_eq!(
        shop.get("/orders?channel=api&number=none").await,
        json!({"orders": []})
    );
    for (channel, number) in [("api", &*"9".repeat(5000)), (&*"a".repeat(5000), "none")] {
        let path = format!("/orders?channel={channel}&number={number}");
        assert_eq!(shop.get(&path).await, json!({"orders": []}));
    }
    for (length, expected) in [(MAX_SKU_CHARS, 200), (MAX_SKU_CHARS + 1, 422)] {
        let after = format!("/products?after={}", "A".repeat(length));
        assert_eq!(shop.get_as(DEMO_KEY, &after).await.0, expected);
    }
    let after = format!("/orders/{id}/events?after=x");
    assert_eq!(shop.get_as(DEMO_KEY, &after).await.0, 422);
    assert_eq!(shop.status(id).await, "allocated");
    shop.close().await;
}
