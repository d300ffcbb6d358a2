//! Who hears of goods that run low, and how often.

use domain::restock::Verdict;
use end_to_end::{Shop, document};
use serde_json::{Value, json};

/// The restock mails so far: to whom.
fn told(shop: &Shop) -> Vec<String> {
    let mails = shop.cloud.services().ses.mails().into_iter();
    let mails = mails.filter(|mail| mail.tags.iter().any(|tag| tag.1.contains("restock")));
    let mut told: Vec<String> = mails.map(|mail| mail.to.join(",")).collect();
    told.sort();
    told
}

async fn check(shop: &Shop) -> Value {
    shop.cloud.invoke("check-restock", json!({})).await.unwrap()
}

const BOTH: [&str; 2] = ["orders@ostertal.test", "team@example.com"];

#[tokio::test]
async fn a_crossing_is_told_once_and_the_next_one_again() {
    let shop = Shop::open().await;
    let sku = "ESP-LEVER-01";
    let tally = check(&shop).await;
    assert_eq!(
        (&tally["crossed"], &tally["told"]),
        (&json!(0), &json!(0)),
        "{tally}"
    );
    // Five machines, a reorder point of two. Three left: not yet.
    shop.place("two", &document(&[(sku, 2)])).await;
    assert_eq!(check(&shop).await["crossed"], 0);
    assert_eq!(told(&shop), [""; 0]);
    // Two left: what is promised counts, although it has not left.
    shop.place("one", &document(&[(sku, 1)])).await;
    let tally = check(&shop).await;
    assert_eq!((&tally["crossed"], &tally["told"]), (&json!(1), &json!(1)));
    assert_eq!(told(&shop), BOTH);
    let mails = shop.cloud.services().ses.mails();
    let mail = mails.iter().find(|mail| mail.to == [BOTH[0]]).unwrap();
    let text = mail.text.as_ref().unwrap();
    assert!(
        text.contains(sku) && text.contains('6') && text.contains("Hamburg"),
        "{text}"
    );
    // The next runs, also when it falls further, say nothing.
    check(&shop).await;
    shop.place("another", &document(&[(sku, 1)])).await;
    assert_eq!(check(&shop).await["told"], 0);
    assert_eq!(told(&shop), BOTH);
    // Goods arrive, and it falls again.
    shop.adjust(sku, "pallet", "hamburg", "receive", 6).await;
    let tally = check(&shop).await;
    assert_eq!(
        (&tally["recovered"], &tally["told"]),
        (&json!(1), &json!(0))
    );
    shop.adjust(sku, "count", "hamburg", "adjust", -5).await;
    assert_eq!(check(&shop).await["told"], 1);
    check(&shop).await;
    assert_eq!(told(&shop), [BOTH[0], BOTH[0], BOTH[1], BOTH[1]]);
    shop.close().await;
}

#[tokio::test]
async fn a_run_that_looked_long_ago_does_not_tell_again() {
    let shop = Shop::open().await;
    let sku = "ESP-LEVER-01";
    shop.adjust(sku, "theft", "hamburg", "adjust", -4).await;
    // One run has read the level, and another is quicker: it tells of the crossing, and sees it end.
    let (levels, _) = shop.store.scan_levels(None).await.unwrap();
    let here = |level: &&domain::stock::Level| level.sku == sku && level.location == "hamburg";
    let seen = levels.iter().find(here).unwrap();
    let Verdict::Crossed(crossing) = domain::restock::check(seen, 2) else {
        panic!("expected {seen:?} to be low");
    };
    assert_eq!(check(&shop).await["told"], 1);
    shop.adjust(sku, "pallet", "hamburg", "receive", 6).await;
    assert_eq!(check(&shop).await["recovered"], 1);
    let opened = shop.store.open_crossing(seen, &crossing).await.unwrap();
    assert!(!opened, "{crossing:?} has been told of");
    shop.adjust(sku, "count", "hamburg", "adjust", -5).await;
    assert_eq!(check(&shop).await["told"], 1, "the next crossing");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_at_the_same_time_tell_once() {
    let shop = Shop::open().await;
    shop.adjust("ESP-LEVER-01", "theft", "hamburg", "adjust", -4)
        .await;
    let runs = (0..8).map(|_| shop.cloud.invoke("check-restock", json!({})));
    // One that meets another at work may fail: the schedule runs it again.
    futures::future::join_all(runs).await;
    check(&shop).await;
    assert_eq!(told(&shop), BOTH);
    shop.close().await;
}

#[tokio::test]
async fn goods_without_a_supplier_are_the_teams_to_find() {
    let shop = Shop::open().await;
    let product = json!({
        "sku": "MUG-ENAMEL", "title": "Enamel mug", "weight_g": 200,
        "length_mm": 90, "width_mm": 90, "height_mm": 90, "reorder_point": 3,
    });
    shop.put("/products", product).await;
    shop.adjust("MUG-ENAMEL", "first", "newark", "receive", 3)
        .await;
    assert_eq!(check(&shop).await["told"], 1);
    assert_eq!(told(&shop), ["team@example.com"]);
    shop.close().await;
}
