//! The largest that is taken, all the way through.

use domain::limits::{
    LEDGER_PAGE, MAX_LEDGER_TAIL, MAX_LINES, MAX_LINES_PER_COMMIT, MAX_TIMELINE_TAIL,
};
use domain::stock::{LevelChange, Movement, MovementKind};
use end_to_end::{Shop, document};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Commit, LedgerPage, Transacted};

/// Products and one unit of each in Hamburg.
async fn stock_up(shop: &Shop, skus: &[String]) {
    let product = |sku: &String| {
        json!({
            "sku": sku, "title": format!("Article {sku}"), "weight_g": 10,
            "length_mm": 10, "width_mm": 10, "height_mm": 10,
        })
    };
    let received = |sku: &String| LevelChange {
        sku: sku.clone(),
        location: "hamburg".into(),
        share: 0,
        shares: 0,
        movements: vec![received("opening")],
        kept: 0,
    };
    for skus in skus.chunks(100) {
        shop.put("/products", skus.iter().map(product).collect())
            .await;
        let changes = skus.iter().map(received).collect();
        let commit = Commit {
            changes,
            ..Commit::default()
        };
        shop.store.transact(commit).await.unwrap();
    }
}

#[tokio::test]
async fn an_order_of_five_hundred_lines_is_allocated_in_parts_and_shipped() {
    let shop = Shop::open().await;
    let skus: Vec<String> = (0..MAX_LINES).map(|n| format!("PART-{n:03}")).collect();
    stock_up(&shop, &skus).await;
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    let id = &shop.place("all", &document(&lines)).await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "allocated");
    let parts = order["fulfillments"].as_array().unwrap().len();
    assert_eq!(parts, MAX_LINES.div_ceil(MAX_LINES_PER_COMMIT));
    let allocated = |line: &Value| line["units"]["allocated"] == 1;
    assert!(order["lines"].as_array().unwrap().iter().all(allocated));
    assert_eq!(
        shop.mails(id).len(),
        parts + 1,
        "a pick list for each part, and one confirmation"
    );
    for n in 1..=parts {
        shop.report(id, n as u32, "packed", "").await;
    }
    let order = shop.order(id).await;
    assert_eq!(order["status"], "shipped");
    for sku in [&skus[0], &skus[MAX_LINES - 1]] {
        let level = shop.level(sku, "hamburg").await;
        assert_eq!((level.on_hand, level.allocated), (0, 0), "{sku}");
    }
    // Far more events than its own item holds.
    let events = shop.events(id).await;
    assert_eq!(events.len() as u64, order["version"].as_u64().unwrap());
    assert!(events.len() > 2 * MAX_TIMELINE_TAIL, "{}", events.len());
    assert_eq!(shop.mails(id).len(), 2 * parts + 1);
    shop.close().await;
}

#[tokio::test]
async fn an_order_of_five_hundred_lines_that_nobody_has_waits_and_is_cancelled() {
    let shop = Shop::open().await;
    let skus: Vec<String> = (0..MAX_LINES).map(|n| format!("PART-{n:03}")).collect();
    let product = |sku: &String| {
        json!({
            "sku": sku, "title": "A part", "weight_g": 10,
            "length_mm": 10, "width_mm": 10, "height_mm": 10,
        })
    };
    for skus in skus.chunks(100) {
        shop.put("/products", skus.iter().map(product).collect())
            .await;
    }
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 2)).collect();
    let id = &shop.place("all", &document(&lines)).await;
    assert_eq!(shop.status(id).await, "backordered");
    // Goods for the last of its lines reach it.
    let last = &skus[MAX_LINES - 1];
    shop.adjust(last, "pallet", "hamburg", "receive", 1).await;
    assert_eq!(
        shop.order(id).await["lines"][MAX_LINES - 1]["units"]["allocated"],
        1
    );
    shop.post(&format!("/orders/{id}/cancel"), "", "").await;
    let order = shop.order(id).await;
    assert_eq!(
        (&order["status"], &order["refunds"][0]["amount"]),
        (&json!("cancelled"), &json!("10000.00"))
    );
    // It hears of further goods once, and then of none of its articles any more.
    shop.adjust(last, "another", "hamburg", "receive", 1).await;
    for sku in [&skus[0], last] {
        assert_eq!(shop.store.waiting_for(sku).await.unwrap(), [], "{sku}");
    }
    assert_eq!(shop.level(last, "hamburg").await.available, 2);
    shop.close().await;
}

#[tokio::test]
async fn a_ledger_moves_its_pages_and_loses_nothing() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    let (most, page) = (MAX_LEDGER_TAIL as i64, LEDGER_PAGE as i64);
    let mut expected = 0;
    for n in 1..=(most + page + 2) {
        shop.adjust(sku, &format!("box-{n}"), "hamburg", "receive", n)
            .await;
        expected += n;
        let pages = shop.store.ledger_before(sku, "hamburg", 0, n as u64 + 1);
        let pages = pages.await.unwrap();
        let stock = shop.get(&format!("/stock/{sku}")).await;
        let level = &stock["levels"][0];
        let newest = level["newest_movements"].as_array().unwrap();
        assert!(newest.len() <= MAX_LEDGER_TAIL);
        assert_eq!(pages.len() + newest.len(), n as usize);
        assert_eq!(
            (&level["on_hand"], &level["movements"]),
            (&json!(expected), &json!(n))
        );
        // The edge: the sixty-fourth fits, the next moves a page of the oldest, as does each twelfth after it.
        let moved = (n - most).max(0).unsigned_abs().div_ceil(page as u64);
        assert_eq!(pages.len() as u64, moved * page as u64, "{n}");
    }
    let all = (most + page) as u64 + 3;
    let pages = shop
        .store
        .ledger_before(sku, "hamburg", 0, all)
        .await
        .unwrap();
    let paged: Vec<(u64, i64)> = pages.iter().map(|(n, m)| (*n, m.quantity)).collect();
    let numbers = (1..=2 * page).rev().map(|n| (n as u64, n));
    assert_eq!(paged, numbers.collect::<Vec<_>>(), "in order, each once");
    let older = shop
        .store
        .ledger_before(sku, "hamburg", 0, 7)
        .await
        .unwrap();
    assert_eq!(older, pages[2 * page as usize - 6..]);
    shop.close().await;
}

#[tokio::test]
async fn a_page_that_nobody_takes_out_stands_in_no_ones_way() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    let few = LEDGER_PAGE as i64 + 1;
    for n in 0..few {
        shop.adjust(sku, &format!("box-{n}"), "hamburg", "receive", 1)
            .await;
    }
    // Somebody writes the page, and dies.
    let keys = [(sku, "hamburg", 0)];
    let level = async || shop.store.load_levels(&keys).await.unwrap().swap_remove(0);
    let seen = level().await;
    let page = LedgerPage::of(&seen).unwrap();
    assert!(shop.store.put_page(&page).await.unwrap());
    assert_eq!(level().await, seen);
    // More movements at once than there is room beside what he has left.
    let many = MAX_LEDGER_TAIL as i64 - few + 1;
    let movements = (0..many).map(|n| Movement {
        kind: MovementKind::Scrap,
        quantity: 1,
        cause: format!("many-{n}"),
        at: seen.tail[0].at,
    });
    let change = LevelChange {
        sku: sku.into(),
        location: "hamburg".into(),
        share: 0,
        shares: 0,
        movements: movements.collect(),
        kept: 0,
    };
    let commit = Commit {
        changes: vec![change],
        ..Commit::default()
    };
    let done = shop.store.transact(commit).await.unwrap();
    assert!(matches!(done, Transacted::Done(_)), "{done:?}");
    let level = level().await;
    assert_eq!((level.paged(), level.paged), (12, 12));
    assert_eq!((level.movements, level.on_hand), ((few + many) as u64, few));
    let paged = shop.store.ledger_before(sku, "hamburg", 0, 13).await;
    let paged: Vec<Movement> = paged.unwrap().into_iter().map(|(_, m)| m).collect();
    assert!(paged.iter().rev().eq(&page.movements));
    shop.close().await;
}

#[tokio::test]
async fn a_page_leaves_its_level_with_a_change_and_once() {
    let shop = Shop::open().await;
    let sku = "KTL-COPPER-12";
    // Of a share of its own, and of the first.
    for share in [0, 3] {
        let change = |causes: std::ops::Range<usize>| LevelChange {
            sku: sku.into(),
            location: "hamburg".into(),
            share,
            shares: 0,
            movements: causes.map(|n| received(&format!("box-{n}"))).collect(),
            kept: 0,
        };
        let transact = async |causes, pages| {
            let commit = Commit {
                changes: vec![change(causes)],
                pages,
                ..Commit::default()
            };
            let done = shop.store.transact(commit).await.unwrap();
            assert!(matches!(done, Transacted::Done(_)), "{done:?}");
        };
        let keys = [(sku, "hamburg", share)];
        let level = async || shop.store.load_levels(&keys).await.unwrap().swap_remove(0);
        let causes = async || {
            let level = level().await;
            let causes = level.tail.into_iter().map(|movement| movement.cause);
            causes.collect::<Vec<_>>()
        };
        let boxes = |numbers: std::ops::Range<usize>| -> Vec<String> {
            numbers.map(|n| format!("box-{n}")).collect()
        };
        transact(0..LEDGER_PAGE + 2, Vec::new()).await;
        let pages = shop.store.put_pages(&[level().await]).await;
        assert_eq!(pages, [LedgerPage::of(&level().await).unwrap()]);
        assert_eq!(
            shop.store.put_pages(&[level().await]).await,
            [],
            "it is written"
        );

        transact(14..17, pages.clone()).await;
        assert_eq!(causes().await, boxes(12..17));
        assert_eq!((level().await.paged, level().await.on_hand), (12, 17));

        // Who still comes with it afterwards takes out no others in their place.
        transact(17..20, pages).await;
        assert_eq!(causes().await, boxes(12..20));
        transact(20..26, Vec::new()).await;
        let next = shop.store.put_pages(&[level().await]).await;
        transact(26..27, next).await;
        assert_eq!(causes().await, boxes(24..27));
        assert_eq!((level().await.paged, level().await.movements), (24, 27));
        let older = shop.store.ledger_before(sku, "hamburg", share, 25).await;
        let older = older
            .unwrap()
            .into_iter()
            .rev()
            .map(|(_, movement)| movement.cause);
        assert_eq!(older.collect::<Vec<_>>(), boxes(0..24));
    }
    shop.close().await;
}

fn received(cause: &str) -> Movement {
    Movement {
        kind: MovementKind::Receive,
        quantity: 1,
        cause: cause.into(),
        at: Timestamp::now(),
    }
}
