//! Goods that are kept for a cart or a quote.

use std::time::Duration;

use end_to_end::{Shop, WITHOUT_BODY, document};
use futures::future::join_all;
use serde_json::{Value, json};

const SKU: &str = "KTL-COPPER-12";

/// A shop with so many of a product that there is nothing else of, in one warehouse.
async fn shop_with(units: i64) -> Shop {
    let shop = Shop::open().await;
    shop.adjust(SKU, "pallet", "hamburg", "receive", units)
        .await;
    shop
}

fn cart(units: u32, seconds: i64) -> String {
    json!({
        "lines": [{"sku": SKU, "quantity": units}],
        "country": "DE",
        "expires_in_s": seconds,
    })
    .to_string()
}

fn order_of(reservation: &str, units: u32) -> Value {
    let mut order = document(&[(SKU, units)]);
    order["reservation"] = json!(reservation);
    order
}

/// On hand, allocated, reserved, available in Hamburg.
async fn counters(shop: &Shop) -> [i64; 4] {
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    let level = &stock["levels"][0];
    ["on_hand", "allocated", "reserved", "available"].map(|name| level[name].as_i64().unwrap())
}

async fn reserve(shop: &Shop, name: &str, body: String) -> String {
    let kept = shop.post("/reservations", name, body).await;
    assert_eq!(kept["status"], "held");
    kept["id"].as_str().unwrap().to_owned()
}

async fn status(shop: &Shop, id: &str) -> String {
    let known = shop.get(&format!("/reservations/{id}")).await;
    known["status"].as_str().unwrap().to_owned()
}

async fn expire(shop: &Shop) {
    let run = shop.cloud.invoke("expire-reservations", json!({}));
    run.await.unwrap();
    shop.settle().await;
}

/// What the newest event of an order that was looked at says.
async fn allocated(shop: &Shop, id: &str) -> String {
    let events = shop.get(&format!("/orders/{id}/events")).await;
    let events = events["events"].as_array().unwrap();
    let looked = events.iter().rev().find(|e| e["type"] == "order.allocated");
    looked.unwrap()["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_many_who_want_the_last_ones_as_many_get_them_as_there_are() {
    let shop = shop_with(10).await;
    let want = |n: usize| {
        let shop = &shop;
        async move {
            let name = format!("cart-{n}");
            loop {
                let (status, answer) = shop.try_post("/reservations", &name, cart(1, 8)).await;
                // So many at once may have to come again.
                if status != 503 {
                    return (status, answer);
                }
            }
        }
    };
    let answers = join_all((0..64).map(want)).await;
    let won = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(won, 10);
    for (_, answer) in answers.iter().filter(|(status, _)| *status != 201) {
        assert_eq!(answer["type"], "urn:waybill:problem:too-much");
        let error = &answer["errors"][0];
        assert_eq!(error["pointer"], "/lines/0");
        assert_eq!(
            error["detail"],
            format!("expected 1 available of {SKU}, found 0")
        );
    }
    assert_eq!(counters(&shop).await, [10, 0, 10, 0]);
    // Nobody else gets any of them, until their time is over.
    let id = &shop.place("late", &document(&[(SKU, 10)])).await;
    assert_eq!(shop.status(id).await, "backordered");
    tokio::time::sleep(Duration::from_secs(9)).await;
    expire(&shop).await;
    assert_eq!(shop.status(id).await, "allocated");
    assert_eq!(counters(&shop).await, [10, 10, 0, 0]);
    shop.close().await;
}

#[tokio::test]
async fn an_order_gets_what_was_kept_for_it_and_gives_back_the_rest() {
    let shop = shop_with(3).await;
    let kept = &reserve(&shop, "cart", cart(3, 600)).await;
    let waits = &shop.place("waits", &document(&[(SKU, 1)])).await;
    assert_eq!(shop.status(waits).await, "backordered");
    let id = &shop.place("bought", &order_of(kept, 2)).await;
    let order = shop.order(id).await;
    assert_eq!(
        (&order["status"], &order["reservation"]),
        (&json!("allocated"), &json!(kept))
    );
    assert_eq!(
        allocated(&shop, id).await,
        "allocated: 2 units; its reservation is taken up: 3 units were kept"
    );
    let known = shop.get(&format!("/reservations/{kept}")).await;
    assert_eq!(
        (&known["status"], &known["order"]),
        (&json!("committed"), &json!(id))
    );
    // Who waited has the third.
    assert_eq!(shop.status(waits).await, "allocated");
    assert_eq!(counters(&shop).await, [3, 3, 0, 0]);
    // It is taken up: another order that names it gets what is available.
    let late = &shop.place("late", &order_of(kept, 1)).await;
    assert_eq!(shop.status(late).await, "backordered");
    let text = "allocated: 0 units, 1 backordered; its reservation was held no more";
    assert_eq!(allocated(&shop, late).await, text);
    for report in ["extended", "released"] {
        let path = format!("/reservations/{kept}/{report}");
        let (status, answer) = shop.try_post(&path, "", r#"{"expires_in_s":60}"#).await;
        assert_eq!(
            (status, &answer["type"]),
            (409, &json!("urn:waybill:problem:wrong-state"))
        );
    }
    let why = shop.get(&format!("/stock/{SKU}/why")).await;
    let told = why["levels"][0]["entries"].as_array().unwrap().iter();
    let told: Vec<&str> = told.map(|entry| entry["text"].as_str().unwrap()).collect();
    let expected = [
        format!("1 set aside for order {waits}"),
        format!("2 set aside for order {id}"),
        format!("3 of a reservation taken up by order {id}"),
        format!("3 kept for reservation {kept}"),
        "3 came in: counted".to_owned(),
    ];
    assert_eq!(told, expected);
    shop.close().await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_looked_at_gives_all_back() {
    let shop = shop_with(3).await;
    let kept = &reserve(&shop, "cart", cart(3, 600)).await;
    let waits = &shop.place("waits", &document(&[(SKU, 2)])).await;
    let mut unpaid = order_of(kept, 3);
    unpaid["payment"]["status"] = json!("pending");
    let id = &shop.place("unpaid", &unpaid).await;
    assert_eq!(shop.status(id).await, "held");
    assert_eq!(counters(&shop).await, [3, 0, 3, 0]);
    let path = format!("/orders/{id}/cancel");
    shop.post(&path, "", r#"{"reason":"no money came"}"#).await;
    shop.settle().await;
    assert_eq!(
        allocated(&shop, id).await,
        "its reservation is given back: 3 units were kept"
    );
    assert_eq!(shop.status(id).await, "cancelled");
    assert_eq!(status(&shop, kept).await, "committed");
    // Who waited has two of them.
    assert_eq!(shop.status(waits).await, "allocated");
    assert_eq!(counters(&shop).await, [3, 2, 0, 1]);
    shop.close().await;
}

#[tokio::test]
async fn a_reservation_ends_once_and_an_extension_goes_before_its_end() {
    let shop = shop_with(5).await;
    let short = &reserve(&shop, "short", cart(1, 1)).await;
    let long = &reserve(&shop, "long", cart(2, 1)).await;
    let given_up = &reserve(&shop, "given-up", cart(1, 1)).await;
    // The same again is the same; something else needs another name.
    assert_eq!(reserve(&shop, "long", cart(2, 1)).await, *long);
    let (code, answer) = shop.try_post("/reservations", "long", cart(1, 1)).await;
    let reused = json!("urn:waybill:problem:idempotency-key-reused");
    assert_eq!((code, &answer["type"]), (422, &reused));
    assert_eq!(counters(&shop).await, [5, 0, 4, 1]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let path = format!("/reservations/{long}/extended");
    shop.post(&path, "", r#"{"expires_in_s":600}"#).await;
    for _ in 0..2 {
        let path = format!("/reservations/{given_up}/released");
        let known = shop.post(&path, "", WITHOUT_BODY).await;
        assert_eq!(known["status"], "released");
    }
    for _ in 0..2 {
        expire(&shop).await;
        assert_eq!(status(&shop, short).await, "expired");
        assert_eq!(status(&shop, long).await, "held");
        assert_eq!(counters(&shop).await, [5, 0, 2, 3]);
    }
    // What is over and not taken note of is held: an order can still have it.
    let over = &reserve(&shop, "over", cart(3, 1)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let id = &shop.place("bought", &order_of(over, 3)).await;
    assert_eq!(shop.status(id).await, "allocated");
    expire(&shop).await;
    assert_eq!(status(&shop, over).await, "committed");
    assert_eq!(counters(&shop).await, [5, 3, 2, 0]);
    // An order that names nothing of ours is an order.
    let stray = &shop.place("stray", &order_of("nobody's", 1)).await;
    assert_eq!(shop.status(stray).await, "backordered");
    shop.close().await;
}

#[tokio::test]
async fn kits_are_kept_in_their_parts_and_lines_where_they_say() {
    let shop = shop_with(4).await;
    let kit = json!({
        "sku": "SET", "title": "Set", "weight_g": 0, "length_mm": 0, "width_mm": 0, "height_mm": 0,
        "components": [{"sku": SKU, "quantity": 2}, {"sku": "GRD-HAND-40", "quantity": 1}],
    });
    shop.put("/products", kit).await;
    let two = json!({
        "lines": [{"sku": "SET", "quantity": 1}, {"sku": SKU, "quantity": 1, "location": "hamburg"}],
        "country": "DE",
        "expires_in_s": 600,
    });
    let kept = shop.post("/reservations", "set", two.to_string()).await;
    let line =
        |sku: &str, quantity: i64| json!({"sku": sku, "location": "hamburg", "quantity": quantity});
    assert_eq!(kept["lines"], json!([line("GRD-HAND-40", 1), line(SKU, 3)]));
    assert_eq!(counters(&shop).await, [4, 0, 3, 1]);
    shop.close().await;
}

#[tokio::test]
async fn what_cannot_be_reserved_is_told_and_nothing_is_kept() {
    let shop = shop_with(5).await;
    let before = shop.items("stock").await.len();
    let line = |sku: &str, quantity: i64| json!({"sku": sku, "quantity": quantity});
    let there = |location: &str| json!({"sku": SKU, "quantity": 1, "location": location});
    let asked = |lines: Value, country: Option<&str>, seconds: i64| json!({"lines": lines, "country": country, "expires_in_s": seconds});
    let invalid = "invalid";
    for (n, (body, code, kind, pointer)) in [
        (
            asked(json!([line(SKU, 1), line(SKU, 5)]), Some("DE"), 60),
            409,
            "too-much",
            "/lines/1",
        ),
        (
            asked(json!([line(SKU, 1), line("NONE", 1)]), Some("DE"), 60),
            422,
            invalid,
            "/lines/1/sku",
        ),
        (
            asked(json!([there("nowhere")]), None, 60),
            422,
            invalid,
            "/lines/0/location",
        ),
        (
            asked(json!([there("newark")]), None, 60),
            409,
            "too-much",
            "/lines/0",
        ),
        (
            asked(json!([line(SKU, 1)]), None, 60),
            422,
            invalid,
            "/country",
        ),
        (
            asked(json!([line(SKU, 1)]), Some("XX"), 60),
            422,
            invalid,
            "/country",
        ),
        (
            asked(json!([line(SKU, 0)]), Some("DE"), 60),
            422,
            invalid,
            "/lines/0/quantity",
        ),
        (
            asked(json!([line(SKU, 1)]), Some("DE"), 2_592_001),
            422,
            invalid,
            "/expires_in_s",
        ),
        (
            asked(json!([line(SKU, 1)]), Some("DE"), 0),
            422,
            invalid,
            "/expires_in_s",
        ),
        (asked(json!([]), Some("DE"), 60), 422, invalid, "/lines"),
        (
            asked(json!(vec![line(SKU, 1); 21]), Some("DE"), 60),
            422,
            invalid,
            "/lines",
        ),
        (json!({"lines": []}), 422, invalid, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("bad-{n}");
        let (status, answer) = shop
            .try_post("/reservations", &name, body.to_string())
            .await;
        let kind = json!(format!("urn:waybill:problem:{kind}"));
        assert_eq!((status, &answer["type"]), (code, &kind), "{body}");
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{body}");
    }
    for path in ["extended", "released"] {
        let body = r#"{"expires_in_s":60}"#;
        for id in ["AAAAAAAAAAAAAAAA", &"A".repeat(3_000)] {
            let path = format!("/reservations/{id}/{path}");
            assert_eq!(shop.try_post(&path, "", body).await.0, 404);
        }
    }
    assert_eq!(shop.items("stock").await.len(), before);
    assert_eq!(counters(&shop).await, [5, 0, 0, 5]);
    shop.close().await;
}
