//! Messages that no step can use, and what becomes of their neighbours.

use end_to_end::{Shop, document};
use serde_json::json;

#[tokio::test]
async fn an_unreadable_message_is_parked_and_its_neighbours_go_on() {
    // A second in which the queue gathers: all of it is one batch.
    let shop = Shop::open_with(|options| {
        options
            .parameters
            .insert("BatchingWindow".into(), "1".into());
    })
    .await;
    let mut ids = Vec::new();
    for n in 0..9 {
        let order = document(&[("FLT-PAPER-100", 1)]);
        ids.push(shop.store_in_silence(&format!("silent-{n}"), &order).await);
    }
    for (n, id) in ids.iter().enumerate() {
        shop.hint("allocate-warehouse", json!({"order": id}).to_string());
        if n == 4 {
            shop.hint("allocate-warehouse", "{\"order\": \"half of");
        }
    }
    shop.settle().await;
    for id in &ids {
        assert_eq!(shop.status(id).await, "allocated");
        assert!(shop.events(id).await.contains(&"notice.sent".into()));
    }
    let counters = &shop.cloud.services().counters;
    let commits = counters.total(|call| {
        &*call.caller == "allocate-warehouse" && call.operation == "TransactWriteItems"
    });
    assert_eq!(
        commits.calls, 1,
        "nine good ones in one transaction: it was one batch"
    );
    let parked = shop.parked();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].0, "allocate-warehouse");
    assert!(
        parked[0].1.starts_with("the message cannot be read"),
        "{parked:?}"
    );
    shop.close_with_parked().await;
}

#[tokio::test]
async fn every_step_parks_what_it_cannot_use() {
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
    for step in steps {
        shop.hint(step, "\u{1F4A9}");
        shop.hint(step, "{}");
        shop.hint(step, r#"{"order": "../../etc"}"#);
        // Well formed, and of nothing that exists.
        shop.hint(step, r#"{"order": "AAAAAAAAAAAAAAAA"}"#);
        shop.hint(step, r#"{"sku": "NONE", "fact": "NONE"}"#);
    }
    shop.settle().await;
    let parked = shop.parked();
    for step in steps {
        let reasons: Vec<&String> = parked
            .iter()
            .filter(|p| p.0 == step)
            .map(|p| &p.1)
            .collect();
        assert_eq!(reasons.len(), 5, "{step}: {reasons:?}");
        assert!(
            reasons.iter().any(|why| *why == "there is no such order"),
            "{reasons:?}"
        );
    }
    shop.close_with_parked().await;
}
