//! What is kept in a directory is there again, and goes on where it was.

use std::path::PathBuf;

use end_to_end::{Shop, document};
use serde_json::json;

/// A directory of its own, gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waybill-{name}-{}", std::process::id()));
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

async fn open(directory: &Directory) -> Shop {
    let data = directory.0.clone();
    Shop::open_with(move |options| options.data = Some(data)).await
}

#[tokio::test]
async fn orders_outlive_the_process_and_go_on() {
    let directory = Directory::new("orders");
    let shop = open(&directory).await;
    let order = document(&[("GRD-HAND-40", 2)]);
    let shipped = &shop.place("shipped", &order).await;
    shop.report(shipped, 1, "packed", "").await;
    let allocated = &shop.place("allocated", &order).await;
    let silent = &shop.store_in_silence("silent", &order).await;
    let before = shop.order(allocated).await;
    shop.cloud.stop().await;
    drop(shop);

    let shop = open(&directory).await;
    assert_eq!(shop.order(allocated).await, before);
    assert_eq!(shop.status(shipped).await, "shipped");
    assert_eq!(shop.status(silent).await, "accepted");
    let level = shop.level("GRD-HAND-40", "hamburg").await;
    assert_eq!(
        (level.on_hand, level.allocated),
        (58, 2),
        "the opening stock came once"
    );
    // The queues were in memory; the sweeper finds what was owed.
    assert_eq!(shop.sweep().await["orders"], 1);
    for id in [allocated, silent] {
        shop.deliver(id, 1).await;
        assert_eq!(shop.status(id).await, "delivered");
    }
    shop.report(shipped, 1, "delivered", "").await;
    // A repeat of what came before the restart is still a repeat.
    let (status, receipt) = shop
        .try_post("/orders", "allocated", order.to_string())
        .await;
    assert_eq!((status, &receipt["id"]), (201, &json!(allocated)));
    assert_eq!(shop.mails(shipped), [], "it was told everything before");
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await.on_hand, 54);
    shop.close().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_everything_loses_nothing() {
    let directory = Directory::new("middle");
    let shop = open(&directory).await;
    let body = document(&[("FLT-PAPER-100", 1)]).to_string();
    let mut ids = Vec::new();
    for n in 0..12 {
        let (status, receipt) = shop
            .try_post("/orders", &format!("order-{n}"), body.clone())
            .await;
        assert_eq!(status, 201);
        ids.push(receipt["id"].as_str().unwrap().to_owned());
    }
    // Nobody waits for the queues.
    shop.cloud.stop().await;
    let told: Vec<usize> = ids.iter().map(|id| shop.mails(id).len()).collect();
    drop(shop);

    let shop = open(&directory).await;
    shop.sweep().await;
    for (id, told) in ids.iter().zip(told) {
        assert_eq!(shop.status(id).await, "allocated");
        assert_eq!(
            told + shop.mails(id).len(),
            2,
            "each mail before the stop or after it"
        );
    }
    shop.close().await;
}
