//! What there is, what is promised, and that neither is ever wrong.

use domain::stock::{Changes, Movement, MovementKind};
use end_to_end::{Dice, Level, Shop, WITHOUT_BODY, document};
use futures::future::join_all;
use serde_json::json;
use store::{Commit, Transacted};

const SKU: &str = "KTL-COPPER-12";

/// A product that there is nothing of, in any warehouse.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    assert_eq!(
        shop.get(&format!("/stock/{SKU}")).await["levels"],
        json!([])
    );
    shop
}

/// Everything that is told of a SKU in a location, read page by page.
async fn whole_story(shop: &Shop, sku: &str, location: &str) -> Vec<serde_json::Value> {
    let (mut entries, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/stock/{sku}/why?location={location}{before}");
        let page = shop.get(&path).await;
        let [level] = page["levels"].as_array().unwrap().as_slice() else {
            panic!("expected one level in {page}");
        };
        entries.extend(level["entries"].as_array().unwrap().clone());
        match level["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return entries,
        }
    }
}

#[tokio::test]
async fn a_level_says_why_it_is_what_it_is() {
    let shop = shop().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 10).await;
    shop.adjust(SKU, "count", "hamburg", "adjust", -1).await;
    let id = &shop.place("kettles", &document(&[(SKU, 2)])).await;
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    let why = shop.get(&format!("/stock/{SKU}/why")).await;
    let hamburg = &why["levels"][0];
    assert_eq!(
        (&hamburg["on_hand"], &hamburg["next"]),
        (&json!(7), &json!(null))
    );
    let told: Vec<_> = hamburg["entries"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|e| {
            (
                e["text"].as_str().unwrap(),
                e["on_hand"].as_i64().unwrap(),
                e["allocated"].as_i64().unwrap(),
            )
        })
        .collect();
    let (left, set_aside) = (
        format!("2 left for order {id}"),
        format!("2 set aside for order {id}"),
    );
    assert_eq!(
        told,
        [
            (left.as_str(), 7, 0),
            (set_aside.as_str(), 9, 2),
            ("1 fewer than counted: counted", 9, 0),
            ("10 came in: counted", 10, 0),
        ]
    );
    // More than the newest: page by page back to the first, each once.
    for n in 5..=130 {
        shop.adjust(SKU, &format!("box-{n}"), "hamburg", "receive", 1)
            .await;
    }
    let whole = whole_story(&shop, SKU, "hamburg").await;
    let numbers: Vec<u64> = whole
        .iter()
        .map(|e| e["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=130).rev().collect::<Vec<_>>());
    assert_eq!(whole[0]["on_hand"], 7 + 126);
    assert_eq!(whole[129], hamburg["entries"][3]);
    for wrong in [
        "before=131.1.1&location=hamburg",
        "before=132.1.1&location=hamburg",
        "before=x&location=hamburg",
        "before=2.1.1",
    ] {
        let path = format!("/stock/{SKU}/why?{wrong}");
        let (status, answer) = shop.get_as(local::seed::DEMO_KEY, &path).await;
        let expected = match wrong.starts_with("before=131") {
            true => 200,
            false => 422,
        };
        assert_eq!(status, expected, "{wrong}: {answer}");
    }
    shop.close().await;
}

#[tokio::test]
async fn facts_are_taken_once_and_never_refused() {
    let shop = shop().await;
    let level = |on_hand, allocated| Level {
        on_hand,
        allocated,
        available: on_hand - allocated,
    };
    shop.adjust(SKU, "pallet-1", "hamburg", "receive", 10).await;
    shop.adjust(SKU, "pallet-1", "hamburg", "receive", 10).await;
    assert_eq!(
        shop.level(SKU, "hamburg").await,
        level(10, 0),
        "the same pallet"
    );
    shop.adjust(SKU, "pallet-2", "hamburg", "receive", 10).await;
    shop.adjust(SKU, "count-1", "hamburg", "adjust", -1).await;
    shop.adjust(SKU, "count-2", "hamburg", "adjust", 3).await;
    assert_eq!(shop.level(SKU, "hamburg").await, level(22, 0));
    // Twelve promised, and then a count that finds five of the twenty-two.
    let id = &shop.place("kettles", &document(&[(SKU, 12)])).await;
    shop.adjust(SKU, "count-3", "hamburg", "adjust", -17).await;
    assert_eq!(shop.level(SKU, "hamburg").await, level(5, 12));
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    let hamburg = &stock["levels"][0];
    let shown = (
        &hamburg["available"],
        &hamburg["shortfall"],
        &hamburg["movements"],
    );
    assert_eq!(shown, (&json!(0), &json!(7), &json!(6)));
    let newest = hamburg["newest_movements"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(
        (&newest["kind"], &newest["quantity"]),
        (&json!("adjust"), &json!(-17))
    );
    // Nothing more is promised out of a shortfall.
    let late = &shop.place("late", &document(&[(SKU, 1)])).await;
    assert_eq!(shop.status(late).await, "backordered");
    // The warehouse packs what there is, and the rest waits; goods end it all.
    let five = json!({"lines": [{"line": "L1", "quantity": 5}]}).to_string();
    shop.report(id, 1, "packed", five).await;
    assert_eq!(shop.order(id).await["lines"][0]["units"]["backordered"], 7);
    assert_eq!(shop.level(SKU, "hamburg").await, level(-7, 0));
    shop.adjust(SKU, "pallet-3", "newark", "receive", 8).await;
    assert_eq!(shop.level(SKU, "newark").await, level(8, 8));
    assert_eq!(shop.status(late).await, "allocated");
    shop.close().await;
}

#[tokio::test]
async fn goods_that_arrive_on_a_shelf_once_found_short_reach_who_waits_for_them() {
    let shop = shop().await;
    shop.adjust(SKU, "pallet-1", "hamburg", "receive", 2).await;
    let id = &shop.place("kettles", &document(&[(SKU, 2)])).await;
    let one = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    shop.report(id, 1, "packed", one).await;
    assert_eq!(shop.order(id).await["lines"][0]["units"]["backordered"], 1);
    // Times are kept in whole seconds: what came in is newer than the short pick from the next on.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    shop.adjust(SKU, "pallet-2", "hamburg", "receive", 10).await;
    assert_eq!(shop.order(id).await["lines"][0]["units"]["allocated"], 1);
    shop.close().await;
}

#[tokio::test]
async fn goods_that_arrive_go_to_who_has_waited_longest() {
    // A second in which the queue gathers, as in the template: those who wait are looked at together.
    let shop = Shop::open_with(|options| {
        options
            .parameters
            .insert("BatchingWindow".into(), "1".into());
    })
    .await;
    let mut ids = Vec::new();
    // Some were bought earlier than they came in: what counts is when the customer bought.
    for day in [4, 2, 7, 1, 5, 3, 6] {
        let mut order = document(&[(SKU, 1)]);
        order["placed_at"] = json!(format!("2026-01-{day:02}T12:00:00Z"));
        let (status, receipt) = shop
            .try_post("/orders", &format!("day-{day}"), order.to_string())
            .await;
        assert_eq!(status, 201);
        ids.push((day, receipt["id"].as_str().unwrap().to_owned()));
    }
    shop.settle().await;
    ids.sort();
    let allocated = async || {
        let mut days = Vec::new();
        for (day, id) in &ids {
            match shop.status(id).await.as_str() {
                "allocated" => days.push(*day),
                status => assert_eq!(status, "backordered"),
            }
        }
        days
    };
    assert_eq!(allocated().await, [0; 0]);
    shop.adjust(SKU, "a", "hamburg", "receive", 3).await;
    assert_eq!(allocated().await, [1, 2, 3]);
    shop.adjust(SKU, "b", "newark", "receive", 2).await;
    assert_eq!(allocated().await, [1, 2, 3, 4, 5]);
    // What a cancelled order gives back goes on as well.
    let first = &ids[0].1;
    shop.post(&format!("/orders/{first}/cancel"), "", WITHOUT_BODY)
        .await;
    let status = shop.status(&ids[5].1).await;
    assert_eq!(status, "allocated", "the sixth has the first one's kettle");
    assert_eq!(shop.status(&ids[6].1).await, "backordered");
    assert_eq!(
        shop.mails(&ids[6].1).len(),
        1,
        "confirmed once, and nothing to pick"
    );
    shop.close().await;
}

/// Six orders at once on a shelf move it once, and it says for whom.
#[tokio::test]
async fn a_batch_moves_a_level_once_and_says_for_whom() {
    let shop = Shop::open_with(|options| {
        options
            .parameters
            .insert("BatchingWindow".into(), "2".into());
    })
    .await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 20).await;
    let body = document(&[(SKU, 2)]).to_string();
    let names: Vec<String> = (0..6).map(|n| format!("buyer-{n}")).collect();
    let placed = names
        .iter()
        .map(|n| shop.try_post("/orders", n, body.clone()));
    let mut ids = Vec::new();
    for (status, receipt) in join_all(placed).await {
        assert_eq!(status, 201);
        ids.push(receipt["id"].as_str().unwrap().to_owned());
    }
    shop.settle().await;
    ids.sort();
    let why = shop.get(&format!("/stock/{SKU}/why")).await;
    let entry = &why["levels"][0]["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["quantity"], &entry["number"]),
        (&json!("allocate"), &json!(12), &json!(2))
    );
    let listed = ids.join(", ");
    assert_eq!(
        entry["text"],
        format!("12 set aside for 6 orders: {listed}")
    );
    let parts = entry["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["quantity"] == 2));
    let mut causes: Vec<&str> = parts.iter().map(|p| p["cause"].as_str().unwrap()).collect();
    causes.sort_unstable();
    assert_eq!(causes, ids);
    shop.close().await;
}

/// A product whose levels are split: what came in is spread, all of it is found, and seen as one.
#[tokio::test]
async fn stock_that_is_split_into_shares_is_one_to_everybody() {
    let shop = shop().await;
    let product = |shares: u8| {
        json!({
            "sku": "KTL-SPLIT", "title": "A kettle", "weight_g": 10,
            "length_mm": 10, "width_mm": 10, "height_mm": 10, "shares": shares,
        })
    };
    shop.put("/products", json!([product(3)])).await;
    let put = |shares| shop.try_put("/products", product(shares));
    for (shares, pointer) in [(0, "/shares"), (17, "/shares"), (2, "/shares")] {
        let (status, problem) = put(shares).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{shares}"
        );
    }
    let sku = "KTL-SPLIT";
    shop.adjust(sku, "pallet", "hamburg", "receive", 10).await;
    assert_eq!(shop.level(sku, "hamburg").await.available, 10);
    // More than any share has, and then the rest of all of them.
    let many = &shop.place("many", &document(&[(sku, 6)])).await;
    let rest = &shop.place("rest", &document(&[(sku, 4)])).await;
    let none = &shop.place("none", &document(&[(sku, 1)])).await;
    for (id, status) in [
        (many, "allocated"),
        (rest, "allocated"),
        (none, "backordered"),
    ] {
        assert_eq!(shop.status(id).await, status);
    }
    assert_eq!(
        shop.order(many).await["fulfillments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // What goes back, leaves and is found missing is noted in the first share; the sum is right.
    shop.post(&format!("/orders/{many}/cancel"), "", WITHOUT_BODY)
        .await;
    assert_eq!(shop.status(none).await, "allocated");
    shop.report(rest, 1, "packed", WITHOUT_BODY).await;
    shop.adjust(sku, "count", "hamburg", "adjust", -2).await;
    let level = shop.level(sku, "hamburg").await;
    assert_eq!((level.on_hand, level.allocated, level.available), (4, 1, 3));
    let why = shop
        .get(&format!("/stock/{sku}/why?location=hamburg&share=1"))
        .await;
    assert_eq!(why["levels"][0]["share"], 1);
    shop.put("/products", json!([product(4)])).await;
    shop.adjust(sku, "more", "hamburg", "receive", 8).await;
    assert_eq!(shop.level(sku, "hamburg").await.available, 11);
    let all = &shop.place("all", &document(&[(sku, 11)])).await;
    assert_eq!(shop.status(all).await, "allocated");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_buyers_of_ten_units_get_ten_units() {
    let shop = shop().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 10).await;
    let body = document(&[(SKU, 1)]).to_string();
    let names: Vec<String> = (0..64).map(|n| format!("buyer-{n}")).collect();
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
    let mut statuses = Vec::new();
    for (_, receipt) in &answers {
        statuses.push(shop.status(receipt["id"].as_str().unwrap()).await);
    }
    let count = |wanted: &str| statuses.iter().filter(|status| *status == wanted).count();
    assert_eq!((count("allocated"), count("backordered")), (10, 54));
    let level = shop.level(SKU, "hamburg").await;
    assert_eq!(
        (level.on_hand, level.allocated, level.available),
        (10, 10, 0)
    );
    shop.close().await;
}

#[tokio::test]
async fn what_is_kept_for_a_reservation_is_nobody_elses() {
    use MovementKind::{Allocate, Commit as TakenUp, Expire, Release, Reserve};
    let shop = shop().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", 5).await;
    shop.settle().await;
    let moves = async |moved: &[(MovementKind, i64)]| {
        let mut changes = Changes::default();
        for &(kind, quantity) in moved {
            let movement = Movement {
                kind,
                quantity,
                cause: "R".into(),
                at: jiff::Timestamp::now(),
            };
            changes.add(SKU, "hamburg", movement);
        }
        let commit = Commit {
            changes: changes.into_vec(),
            ..Commit::default()
        };
        let written = shop.store.transact(commit).await.unwrap();
        matches!(written, Transacted::Done(_))
    };
    let counted = async || {
        let level = &shop.get(&format!("/stock/{SKU}")).await["levels"][0];
        ["on_hand", "allocated", "reserved", "available"].map(|name| level[name].as_i64().unwrap())
    };
    assert_eq!(counted().await, [5, 0, 0, 5], "of before reservations");
    assert!(!moves(&[(Reserve, 6)]).await);
    assert!(moves(&[(Reserve, 3)]).await);
    assert_eq!(counted().await, [5, 0, 3, 2]);
    assert!(!moves(&[(Reserve, 3)]).await);
    assert!(!moves(&[(Allocate, 3)]).await);
    assert!(moves(&[(Allocate, 2)]).await);
    // Nothing is available, but what is taken up was kept.
    assert!(!moves(&[(TakenUp, 2), (Allocate, 3)]).await);
    assert!(moves(&[(TakenUp, 2), (Allocate, 2)]).await);
    assert!(moves(&[(Expire, 1)]).await);
    assert_eq!(counted().await, [5, 4, 0, 1]);
    let story = whole_story(&shop, SKU, "hamburg").await;
    let reserved = story.iter().rev().map(|e| e["reserved"].as_i64().unwrap());
    assert_eq!(reserved.collect::<Vec<_>>(), [0, 3, 3, 1, 1, 0]);
    // No order has what was set aside here.
    assert!(moves(&[(Release, 4)]).await);
    shop.close().await;
}

/// Orders, reports, cancellations, returns, receipts and counts as they come, four at a time. What each of them
/// answers is its own business; the books are held to their rules at the end.
async fn a_day(seed: u64, operations: usize) {
    let shop = Shop::open().await;
    let skus = ["GRD-HAND-40", SKU, "ESP-LEVER-01"];
    let mut dice = Dice(seed);
    let mut ids: Vec<String> = Vec::new();
    let mut requests: Vec<(String, String, String)> = Vec::new();
    for n in 0..operations {
        let sku = skus[dice.roll(3) as usize];
        let location = ["hamburg", "newark"][dice.roll(2) as usize];
        let units = dice.roll(4) as u32 + 1;
        let name = format!("request-{n}");
        let some = json!({"lines": [{"line": "L1", "quantity": units}]}).to_string();
        let what = if ids.len() < 4 { 0 } else { dice.roll(14) };
        let id = ids
            .get(dice.roll(ids.len().max(1) as u64) as usize)
            .cloned()
            .unwrap_or_default();
        let n = dice.roll(2) + 1;
        let fulfillment = |report: &str| format!("/fulfillments/{id}-{n}/{report}");
        let stock = |kind: &str, quantity: i64| {
            let body = json!({"location": location, "kind": kind, "quantity": quantity, "reason": "counted"});
            (format!("/stock/{sku}/adjustments"), body.to_string())
        };
        let (path, body) = match what {
            0..=2 => {
                let other = skus[dice.roll(3) as usize];
                let body = document(&[(sku, units), (other, 1)]).to_string();
                let (status, receipt) = shop.try_post("/orders", &name, body).await;
                assert_eq!(status, 201);
                ids.push(receipt["id"].as_str().unwrap().to_owned());
                continue;
            }
            3 => stock("receive", i64::from(units)),
            4 => stock("adjust", i64::from(units) - 3),
            5 => (fulfillment("accepted"), String::new()),
            6 | 7 => (fulfillment("packed"), String::new()),
            8 => (fulfillment("packed"), some),
            9 => (fulfillment("rejected"), json!({"reason": "no"}).to_string()),
            10 => (fulfillment("delivered"), String::new()),
            11 => (format!("/orders/{id}/cancel"), String::new()),
            12 => (format!("/orders/{id}/returns"), some),
            _ => (format!("/returns/{id}-R1/received"), String::new()),
        };
        requests.push((path, name, body));
        if requests.len() == 4 {
            let sent = requests
                .iter()
                .map(|(path, name, body)| shop.try_post(path, name, body.clone()));
            for (status, answer) in join_all(sent).await {
                assert!(status < 500, "seed {seed}: {answer}");
            }
            requests.clear();
        }
    }
    shop.settle().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_books_balance_after_a_day_of_everything() {
    for seed in [1, 2] {
        a_day(seed, 150).await;
    }
}

/// Up to eight levels are read by their keys, more by reading all that there are of the SKU.
#[tokio::test]
async fn few_levels_are_found_and_many() {
    let shop = shop().await;
    let warehouses = shop.get("/warehouses").await["warehouses"].clone();
    let mut warehouses = warehouses.as_array().unwrap().iter();
    let pattern = warehouses
        .find(|warehouse| warehouse["id"] == "hamburg")
        .unwrap();
    let ids: Vec<String> = (10..22).map(|n| format!("shed-{n}")).collect();
    let shed = |id: &String| {
        let mut shed = pattern.clone();
        shed["id"] = json!(id);
        shed
    };
    let sheds: Vec<_> = ids.iter().map(shed).collect();
    shop.put("/warehouses", json!(sheds)).await;
    for (n, id) in (1..).zip(&ids) {
        shop.adjust(SKU, id, id, "receive", n).await;
    }
    for count in [1, 8, 9, 12] {
        let keys = ids.iter().take(count).map(|id| (SKU, id.as_str(), 0));
        let keys: Vec<_> = keys.chain([("NEVER-SEEN", "shed-10", 0)]).collect();
        let mut found = shop.store.load_levels(&keys).await.unwrap();
        found.sort_by(|a, b| a.location.cmp(&b.location));
        let found: Vec<_> = found.iter().map(|l| (&l.location, l.on_hand)).collect();
        let expected: Vec<_> = ids.iter().zip(1..).take(count).collect();
        assert_eq!(found, expected);
    }
    let id = &shop.place("from-one-shed", &document(&[(SKU, 12)])).await;
    let order = shop.order(id).await;
    assert_eq!(order["fulfillments"][0]["location"], "shed-21", "{order}");
    shop.close().await;
}
