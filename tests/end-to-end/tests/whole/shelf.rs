//! What people count and send from one warehouse to another, and what of it was not as expected.

use end_to_end::{Level, Shop, WITHOUT_BODY, document};
use local::seed::DEMO_KEY;
use serde_json::{Value, json};

const SKU: &str = "KTL-COPPER-12";

async fn count(shop: &Shop, name: &str, body: Value) -> Value {
    shop.post(&format!("/stock/{SKU}/counts"), name, body.to_string())
        .await
}

async fn send(shop: &Shop, name: &str, quantity: i64) -> String {
    let body = json!({"from": "hamburg", "to": "newark", "quantity": quantity});
    let path = format!("/stock/{SKU}/transfers");
    let sent = shop.post(&path, name, body.to_string()).await;
    sent["id"].as_str().unwrap().to_owned()
}

fn received(transfer: &str) -> String {
    format!("/stock/{SKU}/transfers/{transfer}/received")
}

/// The open discrepancies, in words.
async fn open(shop: &Shop) -> Vec<String> {
    let open = shop.get("/stock/discrepancies").await;
    let open = open["discrepancies"].as_array().unwrap().iter();
    open.map(|d| format!("{} {}: {}", d["sku"], d["location"], d["text"]))
        .map(|text| text.replace('"', ""))
        .collect()
}

async fn units(shop: &Shop, location: &str) -> (i64, i64) {
    let Level {
        on_hand, allocated, ..
    } = shop.level(SKU, location).await;
    (on_hand, allocated)
}

#[tokio::test]
async fn a_count_moves_the_difference_and_nothing_else() {
    let shop = Shop::open().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 10).await;
    // Somebody begins to count ten; two are sold and gone before it is reported that nine were found.
    let id = &shop.place("kettles", &document(&[(SKU, 2)])).await;
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    let seen = json!({"location": "hamburg", "found": 9, "expected": 10});
    let fact = count(&shop, "shelf-1", seen.clone()).await;
    assert_eq!(
        (&fact["kind"], &fact["quantity"]),
        (&json!("count"), &json!(-1))
    );
    assert_eq!(units(&shop, "hamburg").await, (7, 0));
    // Again under the same name: the same fact.
    assert_eq!(count(&shop, "shelf-1", seen).await, fact);
    // Without a word of what was expected it is what the counter says, also when it is said again later.
    let now = json!({"location": "hamburg", "found": 8});
    let fact = count(&shop, "shelf-2", now.clone()).await;
    assert_eq!(
        (&fact["expected"], &fact["quantity"]),
        (&json!(7), &json!(1))
    );
    assert_eq!(count(&shop, "shelf-2", now).await, fact);
    assert_eq!(units(&shop, "hamburg").await, (8, 0));
    // A count that agrees is in the ledger, and no discrepancy.
    count(&shop, "shelf-3", json!({"location": "hamburg", "found": 8})).await;
    // Where there never was any, none is expected.
    let fact = count(&shop, "shelf-4", json!({"location": "newark", "found": 3})).await;
    assert_eq!(
        (&fact["expected"], &fact["quantity"]),
        (&json!(0), &json!(3))
    );
    let why = shop
        .get(&format!("/stock/{SKU}/why?location=hamburg"))
        .await;
    let told = why["levels"][0]["entries"].as_array().unwrap().iter();
    let told: Vec<&str> = told.take(3).map(|e| e["text"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "counted, as many as there should be",
            "counted, 1 more than there should be",
            "counted, 1 fewer than there should be",
        ]
    );
    let mut found = open(&shop).await;
    found.sort();
    assert_eq!(
        found,
        [
            format!("{SKU} hamburg: 8 counted where 7 were expected"),
            format!("{SKU} hamburg: 9 counted where 10 were expected"),
            format!("{SKU} newark: 3 counted where 0 were expected"),
        ]
    );
    shop.close().await;
}

#[tokio::test]
async fn goods_on_the_road_are_nowhere_else_and_serve_who_waits_when_they_arrive() {
    let shop = Shop::open().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 5).await;
    let id = &send(&shop, "lorry", 4).await;
    assert_eq!(units(&shop, "hamburg").await, (1, 0));
    assert_eq!(units(&shop, "newark").await, (0, 0));
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    let coming = &stock["in_transit"][0];
    assert_eq!(
        (&coming["location"], &coming["quantity"]),
        (&json!("newark"), &json!(4))
    );
    // What is on the road is promised to nobody.
    let waits = &shop.place("kettles", &document(&[(SKU, 3)])).await;
    let order = shop.order(waits).await;
    assert_eq!(order["lines"][0]["units"]["backordered"], 2);
    // Three of four arrive, and are said to twice; and no other number is believed afterwards.
    for _ in 0..2 {
        let answer = shop.post(&received(id), "", r#"{"quantity":3}"#).await;
        assert_eq!(answer["received"], 3);
    }
    let (status, answer) = shop.try_post(&received(id), "", r#"{"quantity":4}"#).await;
    assert_eq!(
        (status, &answer["type"]),
        (409, &json!("urn:waybill:problem:wrong-state"))
    );
    assert_eq!(units(&shop, "newark").await, (3, 2));
    let order = shop.order(waits).await;
    assert_eq!(order["lines"][0]["units"]["allocated"], 3);
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    assert_eq!(stock["in_transit"], json!([]));
    let missing = format!("{SKU} newark: 3 arrived of 4 that left with transfer {id}");
    assert_eq!(open(&shop).await, [missing]);
    shop.close().await;
}

#[tokio::test]
async fn what_has_left_has_left_also_when_it_was_promised() {
    let shop = Shop::open().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 3).await;
    shop.place("kettles", &document(&[(SKU, 2)])).await;
    let id = &send(&shop, "lorry", 5).await;
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    let hamburg = &stock["levels"][0];
    assert_eq!(
        (&hamburg["on_hand"], &hamburg["shortfall"]),
        (&json!(-2), &json!(4))
    );
    // Nothing of it arrives, and that is said as well.
    shop.post(&received(id), "", r#"{"quantity":0}"#).await;
    assert_eq!(units(&shop, "newark").await, (0, 0));
    let lost = format!("{SKU} newark: 0 arrived of 5 that left with transfer {id}");
    assert_eq!(open(&shop).await, [lost]);
    shop.close().await;
}

#[tokio::test]
async fn a_discrepancy_is_open_until_somebody_says_what_came_of_it() {
    let shop = Shop::open().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 3).await;
    let id = &shop.place("kettles", &document(&[(SKU, 3)])).await;
    let one = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    shop.report(id, 1, "packed", one).await;
    let short = format!("{SKU} hamburg: 2 not found when order {id} was picked");
    assert_eq!(open(&shop).await, [short]);
    let open_ones = shop.get("/stock/discrepancies").await;
    let found = open_ones["discrepancies"][0]["id"].as_str().unwrap();
    let path = format!("/stock/discrepancies/{found}/resolved");
    for note in ["behind the radiator", "never mind"] {
        let closed = shop
            .post(&path, "", json!({"note": note}).to_string())
            .await;
        assert_eq!(closed["resolved"]["note"], "behind the radiator");
    }
    assert_eq!(open(&shop).await, [""; 0]);
    shop.close().await;
}

#[tokio::test]
async fn discrepancies_are_listed_page_by_page() {
    let shop = Shop::open().await;
    for n in 1..=103 {
        let body = json!({"location": "hamburg", "found": n, "expected": n - 1});
        count(&shop, &format!("shelf-{n}"), body).await;
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!("/stock/discrepancies{after}");
        let (status, page) = shop.get_as(DEMO_KEY, &path).await;
        assert_eq!(status, 200, "{page}");
        let found = page["discrepancies"].as_array().unwrap();
        seen.extend(found.iter().map(|d| d["found"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => after = format!("?after={next}"),
            None => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=103).collect::<Vec<_>>());
    shop.close().await;
}
