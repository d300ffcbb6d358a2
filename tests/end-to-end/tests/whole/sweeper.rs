//! What is lost on the way heals by itself: the tables know what is owed, whatever became of the hints.

use domain::fact::StockFact;
use domain::fulfillment::{Report, report};
use domain::id::derived;
use domain::order::RefundStatus;
use domain::refund::{Request, request};
use domain::stock::MovementKind;
use domain::{Order, Refusal};
use end_to_end::{Shop, WITHOUT_BODY, document};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Commit, Committed};

/// What the sweeper says that it has found.
fn swept(orders: u32, facts: u32, waiting: u32) -> Value {
    json!({"orders": orders, "facts": facts, "waiting": waiting})
}

#[tokio::test]
async fn an_order_that_nobody_was_told_of_is_found_and_shipped() {
    let shop = Shop::open().await;
    let id = &shop
        .store_in_silence("silent", &document(&[("GRD-HAND-40", 1)]))
        .await;
    shop.settle().await;
    assert_eq!(shop.status(id).await, "accepted", "nobody knows of it");
    // By its schedule the sweeper leaves young work to its own queue.
    let found = shop.cloud.invoke("sweep-orders", json!({})).await.unwrap();
    assert_eq!(found, swept(0, 0, 0));
    assert_eq!(shop.sweep().await, swept(1, 0, 0));
    assert_eq!(shop.status(id).await, "allocated");
    assert_eq!(shop.mails(id).len(), 2);
    shop.deliver(id, 1).await;
    assert_eq!(shop.status(id).await, "delivered");
    assert_eq!(shop.sweep().await, swept(0, 0, 0), "nothing is open");
    shop.close().await;
}

#[tokio::test]
async fn an_order_whose_every_hint_is_lost_still_reaches_its_end() {
    let shop = Shop::open().await;
    let sqs = &shop.cloud.services().sqs;
    // What is in the queues at this moment is gone; the sweeper brings it on, as often as it takes.
    let lose = || sqs.queues().iter().for_each(|queue| sqs.purge(queue));
    let body = document(&[("GRD-HAND-40", 1)]).to_string();
    let (_, receipt) = shop.try_post("/orders", "unlucky", body).await;
    lose();
    let id = receipt["id"].as_str().unwrap();
    let wish = json!({"older_than_s": 0});
    for report in ["packed", "delivered"] {
        loop {
            let path = format!("/fulfillments/{id}-1/{report}");
            let (status, _) = shop.try_post(&path, "", WITHOUT_BODY).await;
            lose();
            if status == 200 {
                break;
            }
            shop.cloud
                .invoke("sweep-orders", wish.clone())
                .await
                .unwrap();
            tokio::task::yield_now().await;
            lose();
            shop.settle().await;
            shop.cloud
                .invoke("sweep-orders", wish.clone())
                .await
                .unwrap();
            shop.settle().await;
        }
    }
    shop.sweep().await;
    assert_eq!(shop.status(id).await, "delivered");
    assert_eq!(shop.mails(id).len(), 3, "{:?}", shop.mails(id));
    shop.close().await;
}

#[tokio::test]
async fn all_parcels_and_all_refunds_that_nobody_was_told_of_follow_from_one_sweep() {
    let shop = Shop::open().await;
    // From two warehouses: see the test of splitting.
    let order = document(&[("ESP-LEVER-01", 1), ("TMP-58-WAL", 1), ("GRD-HAND-40", 1)]);
    let id = &shop.place("split", &order).await;
    let commit = async |next: Result<Option<Order>, Refusal>| {
        let next = next.unwrap().unwrap();
        let done = shop.store.commit_order(next.version - 1, next).await;
        assert!(matches!(done.unwrap(), Committed::Done(_)));
    };
    for n in [1, 2] {
        let packed = report(
            &shop.stored(id).await,
            n,
            &Report::Packed(None),
            Timestamp::now(),
        );
        commit(packed).await;
    }
    assert_eq!(shop.sweep().await["orders"], 1);
    assert_eq!(shop.status(id).await, "shipped");
    for amount in [100, 200] {
        let wish = Request::Amount(amount);
        let order = shop.stored(id).await;
        let asked = request(&order, &format!("of {amount}"), &wish, Timestamp::now());
        commit(asked.map(|(order, _)| order)).await;
    }
    assert_eq!(shop.sweep().await["orders"], 1);
    let asked = shop.stored(id).await.refunds;
    let asked: Vec<RefundStatus> = asked.iter().map(|refund| refund.status).collect();
    assert_eq!(asked, [RefundStatus::AwaitingConfirmation; 2]);
    shop.close().await;
}

#[tokio::test]
async fn many_silent_orders_are_found_in_every_part_of_the_index() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        let order = document(&[("FLT-PAPER-100", 1)]);
        ids.push(shop.store_in_silence(&format!("silent-{n}"), &order).await);
    }
    let parts = ids.iter().map(|id| store::key::open_shard(id));
    let parts: std::collections::BTreeSet<String> = parts.collect();
    assert_eq!(
        parts.len() as u32,
        store::key::OPEN_SHARDS,
        "the ids cover the index"
    );
    assert_eq!(shop.sweep().await["orders"], 40);
    for id in &ids {
        assert_eq!(shop.status(id).await, "allocated");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_fact_about_stock_that_nobody_was_told_of_is_found() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    let id = &shop.place("waits", &document(&[(sku, 1)])).await;
    let fact = StockFact {
        id: derived(&[sku, "silent"]),
        sku: sku.into(),
        location: "hamburg".into(),
        kind: MovementKind::Receive,
        quantity: 2,
        reason: String::new(),
        at: Timestamp::now(),
        applied: false,
        shares: 1,
        details: None,
    };
    assert_eq!(shop.store.store_fact(&fact).await.unwrap(), None);
    assert_eq!(shop.status(id).await, "backordered");
    assert_eq!(shop.sweep().await, swept(0, 1, 0));
    assert_eq!(shop.status(id).await, "allocated");
    assert_eq!(shop.level(sku, "hamburg").await.on_hand, 2);
    assert_eq!(shop.sweep().await, swept(0, 0, 0));
    shop.close().await;
}

#[tokio::test]
async fn goods_that_came_without_anybody_being_told_reach_who_waits_for_them() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    let id = &shop.place("waits", &document(&[(sku, 2)])).await;
    assert_eq!(shop.sweep().await, swept(0, 0, 0), "there is nothing yet");
    let fact = StockFact {
        id: derived(&[sku, "silent"]),
        sku: sku.into(),
        location: "hamburg".into(),
        kind: MovementKind::Receive,
        quantity: 1,
        reason: String::new(),
        at: Timestamp::now(),
        applied: false,
        shares: 1,
        details: None,
    };
    shop.store.store_fact(&fact).await.unwrap();
    // As if update-stock had died between its commit and its hints.
    let commit = Commit {
        changes: vec![fact.change()],
        fact: Some((fact.sku, fact.id)),
        ..Commit::default()
    };
    shop.store.transact(commit).await.unwrap();
    let units = async || shop.order(id).await["lines"][0]["units"].clone();
    assert_eq!(units().await["backordered"], 2);
    assert_eq!(shop.sweep().await, swept(0, 0, 1));
    let found = units().await;
    assert_eq!(
        (&found["allocated"], &found["backordered"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        shop.sweep().await,
        swept(0, 0, 0),
        "it waits for what is not there"
    );
    shop.post(&format!("/orders/{id}/cancel"), "", WITHOUT_BODY)
        .await;
    assert_eq!(shop.sweep().await, swept(0, 0, 0), "it waits no more");
    shop.close().await;
}
