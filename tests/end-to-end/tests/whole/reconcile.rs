//! Whether counters and ledgers agree, and what is said where they do not.

use aws_sdk_dynamodb::types::AttributeValue;
use end_to_end::Shop;
use serde_json::{Value, json};

const SKU: &str = "KTL-COPPER-12";

async fn reconcile(shop: &Shop) -> Value {
    let event = json!({"now": true});
    shop.cloud.invoke("reconcile-stock", event).await.unwrap()
}

/// The open discrepancies: kind, expected, found.
async fn open(shop: &Shop) -> Vec<(String, i64, i64)> {
    let open = shop.get("/stock/discrepancies").await;
    let of = |d: &Value| {
        let number = |name: &str| d[name].as_i64().unwrap();
        let kind = d["kind"].as_str().unwrap().to_owned();
        (kind, number("expected"), number("found"))
    };
    let mut open: Vec<_> = open["discrepancies"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect();
    open.sort();
    open
}

/// A shelf with so many movements, on several pages if there are many.
async fn shelf(shop: &Shop, movements: i64) {
    for n in 0..movements {
        shop.adjust(SKU, &format!("box-{n}"), "hamburg", "receive", 1)
            .await;
    }
}

/// Somebody writes past us.
async fn tamper(shop: &Shop, field: &str, by: i64) {
    let level = [("pk", format!("SKU#{SKU}")), ("sk", "LEVEL#hamburg".into())];
    let key = level.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let update = shop.db().update_item().table_name(shop.table("stock"));
    let update = update.set_key(Some(key.into()));
    let update = update.update_expression(format!("ADD {field} :by"));
    let by = AttributeValue::N(by.to_string());
    let update = update.expression_attribute_values(":by", by);
    update.send().await.unwrap();
}

#[tokio::test]
async fn books_that_agree_are_let_be() {
    let shop = Shop::open().await;
    shelf(&shop, 70).await;
    let told = reconcile(&shop).await;
    let levels = told["levels"].as_u64().unwrap();
    assert!(levels > 10, "{told}");
    assert_eq!(
        (&told["differences"], &told["done"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(open(&shop).await, []);
    // The schedule comes more often than a round begins.
    let told = shop
        .cloud
        .invoke("reconcile-stock", json!({}))
        .await
        .unwrap();
    assert_eq!(told, json!({"levels": 0, "differences": 0, "done": true}));
    shop.close().await;
}

#[tokio::test]
async fn what_differs_is_noted_once_and_never_changed() {
    let shop = Shop::open().await;
    shelf(&shop, 70).await;
    tamper(&shop, "on_hand", 3).await;
    let expected = [("available".into(), 73, 70), ("on_hand".into(), 70, 73)];
    for _ in 0..2 {
        assert_eq!(reconcile(&shop).await["differences"], 2);
        assert_eq!(open(&shop).await, expected);
    }
    assert_eq!(
        shop.level(SKU, "hamburg").await.on_hand,
        73,
        "nothing is edited"
    );
    // More moves: it is the same difference.
    shop.adjust(SKU, "more", "hamburg", "receive", 5).await;
    assert_eq!(reconcile(&shop).await["differences"], 2);
    assert_eq!(open(&shop).await, expected);
    // A person closes them: the alarm is still.
    let listed = shop.get("/stock/discrepancies").await;
    for found in listed["discrepancies"].as_array().unwrap() {
        let path = format!(
            "/stock/discrepancies/{}/resolved",
            found["id"].as_str().unwrap()
        );
        shop.post(&path, "", json!({"note": "written by hand"}).to_string())
            .await;
    }
    assert_eq!(reconcile(&shop).await["differences"], 0);
    assert_eq!(open(&shop).await, []);
    // Mended, and the audit has nothing to say.
    tamper(&shop, "on_hand", -3).await;
    shop.close().await;
}

#[tokio::test]
async fn a_page_that_is_missing_and_a_shelf_below_zero_are_noted() {
    let shop = Shop::open().await;
    shelf(&shop, 70).await;
    shop.adjust(SKU, "lost", "hamburg", "adjust", -72).await;
    assert_eq!(reconcile(&shop).await["differences"], 0);
    let below = ("below_zero".to_owned(), 0, -2);
    assert_eq!(open(&shop).await, std::slice::from_ref(&below));
    let page = [
        ("pk", format!("SKU#{SKU}")),
        ("sk", "LEDGER#hamburg#000000000001".into()),
    ];
    let key = page.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let delete = shop.db().delete_item().table_name(shop.table("stock"));
    let delete = delete.set_key(Some(key.into()));
    delete.send().await.unwrap();
    assert_eq!(reconcile(&shop).await["differences"], 1);
    assert_eq!(open(&shop).await, [below, ("ledger".into(), 71, 59)]);
    shop.cloud.stop().await;
}

#[tokio::test]
async fn a_round_goes_on_where_a_run_stopped_and_looks_at_each_level_once() {
    let shop = Shop::open().await;
    // Longer than one read goes back.
    shelf(&shop, 170).await;
    let whole = reconcile(&shop).await["levels"].as_u64().unwrap();
    let (mut levels, mut runs) = (0, 0);
    let mut event = json!({"now": true, "for_s": 0});
    loop {
        let told = shop.cloud.invoke("reconcile-stock", event).await.unwrap();
        levels += told["levels"].as_u64().unwrap();
        runs += 1;
        if told["done"] == true {
            break;
        }
        event = json!({"for_s": 0});
    }
    assert_eq!(levels, whole);
    assert!(runs > 2, "{runs}");
    // Several at a time find no more, and one of them gets to its end.
    tamper(&shop, "allocated", 1).await;
    let all = (0..4).map(|_| reconcile(&shop));
    let told = futures::future::join_all(all).await;
    assert!(told.iter().any(|told| told["done"] == true), "{told:?}");
    let found = open(&shop).await;
    assert_eq!(
        found,
        [("allocated".into(), 0, 1), ("available".into(), 169, 170)]
    );
    tamper(&shop, "allocated", -1).await;
    shop.close().await;
}
