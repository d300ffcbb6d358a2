//! Everything that comes twice, or twenty times at once, changes things once.

use std::collections::BTreeSet;

use end_to_end::{Shop, WITHOUT_BODY, document, shopify};
use futures::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_webhook_twenty_times_at_once_is_one_order() {
    let shop = Shop::open().await;
    let body = shopify().to_string();
    let answers = join_all((0..20).map(|_| shop.webhook(body.clone()))).await;
    let distinct: BTreeSet<String> = answers
        .iter()
        .map(|(_, answer)| answer.to_string())
        .collect();
    assert!(
        answers.iter().all(|(status, _)| *status == 200),
        "{answers:?}"
    );
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    shop.settle().await;
    assert_eq!(shop.order_ids().await.len(), 1);
    let id = answers[0].1["id"].as_str().unwrap();
    let allocated = shop.level("GRD-HAND-40", "hamburg").await.allocated;
    assert_eq!(
        (shop.status(id).await.as_str(), allocated),
        ("allocated", 1)
    );
    assert_eq!(shop.mails(id).len(), 2, "{:?}", shop.mails(id));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_twenty_times_at_once_is_one_order() {
    let shop = Shop::open().await;
    let body = document(&[("GRD-HAND-40", 3)]).to_string();
    let answers = join_all((0..20).map(|_| shop.try_post("/orders", "mine", body.clone()))).await;
    let distinct: BTreeSet<String> = answers
        .iter()
        .map(|(_, answer)| answer.to_string())
        .collect();
    assert!(
        answers.iter().all(|(status, _)| *status == 201),
        "{answers:?}"
    );
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    shop.settle().await;
    assert_eq!(shop.order_ids().await.len(), 1);
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await.allocated, 3);
    // A day later the answer is still the same, wherever the order is by then.
    let id = answers[0].1["id"].as_str().unwrap();
    shop.deliver(id, 1).await;
    let again = shop.try_post("/orders", "mine", body).await;
    assert_eq!(again, answers[0]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_orders_at_once_are_twenty_orders() {
    let shop = Shop::open().await;
    let body = document(&[("GRD-HAND-40", 1), ("FLT-PAPER-100", 2)]).to_string();
    let names: Vec<String> = (0..20).map(|n| format!("order-{n}")).collect();
    let answers = join_all(
        names
            .iter()
            .map(|n| shop.try_post("/orders", n, body.clone())),
    )
    .await;
    assert!(
        answers.iter().all(|(status, _)| *status == 201),
        "{answers:?}"
    );
    shop.settle().await;
    for id in shop.order_ids().await {
        assert_eq!(shop.status(id.as_str()).await, "allocated");
        assert_eq!(shop.mails(id.as_str()).len(), 2);
    }
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await.allocated, 20);
    assert_eq!(shop.level("FLT-PAPER-100", "hamburg").await.allocated, 40);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_report_and_request_may_come_again() {
    let shop = Shop::open().await;
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 3)])).await;
    // Each five times at once and once more when all has settled; what came of it is the same.
    let many = async |path: String, name: &str, body: String| {
        let path = &path;
        let sent = (0..5).map(|_| shop.try_post(path, name, body.clone()));
        let answers = join_all(sent).await;
        assert!(
            answers.iter().all(|a| a.0 == 200 || a.0 == 201),
            "{path}: {answers:?}"
        );
        let made: BTreeSet<String> = answers.iter().map(|a| a.1["id"].to_string()).collect();
        assert_eq!(made.len(), 1, "{path}: {made:?}");
        shop.settle().await;
        let version = shop.stored(id).await.version;
        shop.post(path, name, body).await;
        assert_eq!(
            shop.stored(id).await.version,
            version,
            "{path} again is no news"
        );
    };
    let own_means = json!({"carrier": "bicycle", "tracking_number": "7"}).to_string();
    let one = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    let empty = String::new;
    many(format!("/fulfillments/{id}-1/accepted"), "", empty()).await;
    many(format!("/fulfillments/{id}-1/packed"), "", empty()).await;
    // It has left with a carrier of ours by now: the report changes nothing.
    many(format!("/fulfillments/{id}-1/shipped"), "", own_means).await;
    assert_eq!(
        shop.order(id).await["fulfillments"][0]["parcel"]["carrier"],
        "Larkpost"
    );
    many(format!("/fulfillments/{id}-1/delivered"), "", empty()).await;
    many(format!("/fulfillments/{id}-1/accepted"), "", empty()).await;
    many(format!("/orders/{id}/returns"), "rma", one.clone()).await;
    many(format!("/returns/{id}-R1/received"), "", empty()).await;
    many(format!("/refunds/{id}-F1/confirmed"), "", empty()).await;
    many(
        format!("/orders/{id}/refunds"),
        "sorry",
        json!({"amount": "2.50"}).to_string(),
    )
    .await;
    many(format!("/refunds/{id}-F2/confirmed"), "", empty()).await;
    many(format!("/orders/{id}/returns"), "another", one).await;
    let order = shop.order(id).await;
    assert_eq!(order["returns"].as_array().unwrap().len(), 2);
    assert_eq!(order["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(order["refunded"], "12.50");
    assert_eq!(
        shop.level("GRD-HAND-40", "hamburg").await.on_hand,
        58,
        "three left, one is back"
    );
    let mails: Vec<String> = shop.mails(id).into_iter().map(|mail| mail.0).collect();
    assert_eq!(
        mails
            .iter()
            .filter(|mail| mail.starts_with("refunded"))
            .count(),
        2
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hints_that_come_again_at_any_stage_change_nothing() {
    let shop = Shop::open().await;
    let steps = [
        "allocate-warehouse",
        "notify-warehouse",
        "ship-order",
        "update-stock",
        "notify-customer",
        "refund-order",
        "publish-events",
    ];
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 2)])).await;
    // States that hints carried along at some time, and that nobody should believe later.
    let mut states = Vec::new();
    let mut haunt = async |what: &str| {
        let order = shop.stored(id).await;
        states.push(json!({"order": id, "state": order}).to_string());
        let (mails, level) = (shop.mails(id), shop.level("GRD-HAND-40", "hamburg").await);
        for step in steps {
            for _ in 0..3 {
                shop.hint(step, json!({"order": id}).to_string());
            }
            for state in &states {
                shop.hint(step, state.clone());
            }
        }
        shop.settle().await;
        for _ in 0..3 {
            shop.sweep().await;
        }
        assert_eq!(shop.stored(id).await, order, "{what}");
        assert_eq!(shop.mails(id), mails, "{what}");
        assert_eq!(shop.level("GRD-HAND-40", "hamburg").await, level, "{what}");
    };
    haunt("allocated").await;
    shop.report(id, 1, "accepted", WITHOUT_BODY).await;
    haunt("accepted").await;
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    haunt("shipped").await;
    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    haunt("delivered").await;
    let lines = json!({"lines": [{"line": "L1", "quantity": 2}]}).to_string();
    shop.post(&format!("/orders/{id}/returns"), "rma", lines)
        .await;
    shop.post(&format!("/returns/{id}-R1/received"), "", WITHOUT_BODY)
        .await;
    haunt("returned").await;
    shop.post(&format!("/refunds/{id}-F1/confirmed"), "", WITHOUT_BODY)
        .await;
    haunt("refunded").await;
    assert_eq!(shop.mails(id).len(), 4, "{:?}", shop.mails(id));
    shop.close().await;
}
