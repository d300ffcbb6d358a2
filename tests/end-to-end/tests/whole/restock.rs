//! Who hears of goods that run low, and how often.

use domain::restock::{Crossings, Due};
use end_to_end::{Shop, document};
use serde_json::{Value, json};

/// The mails about stock so far: to whom.
fn told(shop: &Shop) -> Vec<String> {
    let mut told: Vec<String> = notices(shop).into_iter().map(|mail| mail.0).collect();
    told.sort();
    told
}

/// The mails about stock so far: to whom, subject and text.
fn notices(shop: &Shop) -> Vec<(String, String, String)> {
    let mails = shop.cloud.services().ses.mails().into_iter();
    let about = |name: &str| {
        ["-restock-", "-low-", "-out-", "-back-"]
            .iter()
            .any(|w| name.contains(w))
    };
    let mails = mails.filter(|mail| mail.tags.iter().any(|tag| about(&tag.1)));
    let notices = mails.map(|mail| (mail.to.join(","), mail.subject, mail.text.unwrap()));
    notices.collect()
}

async fn check(shop: &Shop) -> Value {
    let event = json!({"now": true});
    shop.cloud.invoke("check-restock", event).await.unwrap()
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
    let look = domain::restock::look(seen, Some(2), 0, jiff::Timestamp::now());
    assert_eq!(look.due, [Due::Low]);
    assert_eq!(check(&shop).await["told"], 1);
    shop.adjust(sku, "pallet", "hamburg", "receive", 6).await;
    assert_eq!(check(&shop).await["recovered"], 1);
    let seen = Crossings::of(seen);
    let noted = shop
        .store
        .note_crossings(sku, "hamburg", &seen, &look.claimed);
    assert!(!noted.await.unwrap(), "{look:?} has been told of");
    shop.adjust(sku, "count", "hamburg", "adjust", -5).await;
    assert_eq!(check(&shop).await["told"], 1, "the next crossing");
    shop.close().await;
}

#[tokio::test]
async fn what_is_out_and_what_is_back_is_told_once_in_one_mail() {
    let shop = Shop::open().await;
    // Hamburg has the only kettles, Newark not the only scales.
    let (kettle, scale) = ("KTL-COPPER-12", "SCL-POCKET-2K");
    shop.adjust(kettle, "first", "hamburg", "receive", 6).await;
    check(&shop).await;
    let before = notices(&shop).len();
    shop.adjust(kettle, "fire", "hamburg", "adjust", -6).await;
    shop.adjust(scale, "flood", "newark", "adjust", -10).await;
    assert_eq!(check(&shop).await["told"], 2);
    let new = notices(&shop).split_off(before);
    let team: Vec<_> = new.iter().filter(|mail| mail.0 == BOTH[1]).collect();
    assert_eq!(team.len(), 1, "{new:?}");
    let (_, subject, text) = team[0];
    assert_eq!(subject, "Stock: 2 out");
    assert!(text.contains(kettle) && text.contains(scale), "{text}");
    assert!(text.contains("Available:     -1 ("), "{text}");
    assert!(
        text.contains("Elsewhere:     42 in Hamburg, 25 in Chiba"),
        "{text}"
    );
    assert!(text.contains("Elsewhere:     none available"), "{text}");
    // A supplier of both is asked in one mail too.
    let asked = new.iter().filter(|mail| mail.0 == BOTH[0]);
    assert_eq!(asked.count(), 1, "{new:?}");
    // It stays so, and is not said again.
    shop.adjust(kettle, "more", "hamburg", "adjust", -1).await;
    assert_eq!(check(&shop).await["told"], 0);
    // One of them is back.
    shop.adjust(kettle, "pallet", "hamburg", "receive", 100)
        .await;
    assert_eq!(check(&shop).await["told"], 1);
    let last = notices(&shop).pop().unwrap();
    assert_eq!(
        last.1,
        format!("Back in stock: {kettle} in Hamburg, 99 available")
    );
    assert_eq!(check(&shop).await["told"], 0);
    assert_eq!(notices(&shop).len(), before + 3);
    shop.close().await;
}

#[tokio::test]
async fn more_than_one_mail_can_say_go_in_several() {
    let shop = Shop::open().await;
    check(&shop).await;
    let before = notices(&shop).len();
    let many = domain::limits::MAX_STOCK_LINES + 1;
    for n in 0..many {
        let sku = format!("MUG-{n}");
        let product = json!({
            "sku": sku, "title": "Mug", "weight_g": 200,
            "length_mm": 90, "width_mm": 90, "height_mm": 90,
        });
        shop.put("/products", product).await;
        shop.adjust(&sku, &sku, "newark", "adjust", -1).await;
    }
    assert_eq!(check(&shop).await["told"], many);
    let subjects = notices(&shop).split_off(before);
    let subjects: Vec<String> = subjects.into_iter().map(|mail| mail.1).collect();
    assert_eq!(subjects[0], format!("Stock: {} out", many - 1));
    assert!(
        subjects[1].starts_with("Out of stock: MUG-"),
        "{subjects:?}"
    );
    assert_eq!(subjects.len(), 2);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_at_the_same_time_tell_once() {
    let shop = Shop::open().await;
    shop.adjust("ESP-LEVER-01", "theft", "hamburg", "adjust", -4)
        .await;
    let runs = (0..8).map(|_| shop.cloud.invoke("check-restock", json!({"now": true})));
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

#[tokio::test]
async fn a_round_goes_on_where_a_run_stopped_and_tells_of_each_level_once() {
    let shop = Shop::open().await;
    let whole = check(&shop).await["levels"].as_u64().unwrap();
    for sku in ["ESP-LEVER-01", "GRD-HAND-40"] {
        let left = shop.level(sku, "hamburg").await.available;
        shop.adjust(sku, "theft", "hamburg", "adjust", -left).await;
    }
    let run = |event: Value| shop.cloud.invoke("check-restock", event);
    // The schedule comes more often than a round begins.
    let idle = run(json!({})).await.unwrap();
    assert_eq!(
        idle,
        json!({"levels": 0, "crossed": 0, "told": 0, "recovered": 0, "done": true})
    );
    let (mut levels, mut crossed, mut runs) = (0, 0, 0);
    let mut event = json!({"now": true, "for_s": 0});
    loop {
        let tally = run(event).await.unwrap();
        levels += tally["levels"].as_u64().unwrap();
        crossed += tally["crossed"].as_u64().unwrap();
        runs += 1;
        if tally["done"] == true {
            break;
        }
        // Time over, and each run has looked at one level.
        event = json!({"for_s": 0});
    }
    assert_eq!((levels, crossed, runs), (whole, 2, whole));
    let heard = notices(&shop).into_iter().map(|mail| mail.1);
    let out = heard.filter(|subject| subject.starts_with("Out of stock"));
    assert_eq!(out.count(), 2);
    // Whoever begins the next one has nothing to tell.
    assert_eq!(check(&shop).await["told"], 0);
    shop.close().await;
}
