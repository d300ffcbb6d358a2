//! Past orders against other rules, stock and warehouses.

use end_to_end::{Shop, document};
use serde_json::{Value, json};

async fn rehearse(shop: &Shop, body: Value) -> Value {
    shop.post("/routing/rehearsals", "", body.to_string()).await
}

#[tokio::test]
async fn what_would_have_been_is_told_and_nothing_is_touched() {
    let shop = Shop::open().await;
    for n in 0..3 {
        let order = document(&[("GRD-HAND-40", 2)]);
        shop.place(&format!("order-{n}"), &order).await;
    }
    let cancelled = shop.place("gone", &document(&[("GRD-HAND-40", 1)])).await;
    let path = format!("/orders/{cancelled}/cancel");
    shop.post(&path, "", r#"{"reason": "no"}"#).await;
    let level = shop.level("GRD-HAND-40", "hamburg").await;

    let same = rehearse(&shop, json!({})).await;
    assert_eq!(
        (&same["orders"], &same["sent_otherwise"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(same["before"], same["after"]);
    assert_eq!(same["before"]["shipments_per_order"], 1.0);
    assert_eq!(same["before"]["promises_kept_percent"], 100.0);

    let closed = rehearse(&shop, json!({"without": ["hamburg"]})).await;
    assert_eq!(closed["sent_otherwise"], 3);
    let first = &closed["differences"][0];
    assert_eq!(
        (&first["before"], &first["after"]),
        (&json!(["hamburg"]), &json!(["newark"]))
    );
    let km = |side: &str| closed[side]["distance_km_per_order"].as_f64().unwrap();
    assert!(km("before") < 300.0 && km("after") > 6_000.0, "{closed}");
    let cost = |side: &str| closed[side]["cost_per_order"].as_str().unwrap().to_owned();
    assert_eq!(cost("before"), "5.90");
    assert!(cost("after").parse::<f64>().unwrap() > 20.0, "{closed}");

    // A new warehouse round the corner, with a little of it.
    let warehouses = shop.get("/warehouses").await;
    let mut berlin = warehouses["warehouses"][1].clone();
    for (name, value) in [
        ("id", json!("berlin")),
        ("latitude", json!(52.5)),
        ("longitude", json!(13.4)),
    ] {
        berlin[name] = value;
    }
    let new = json!({
        "warehouses": [berlin],
        "rules": [{"channel": "*", "objective": ["shipments", "distance"]}],
        "stock": [{"sku": "GRD-HAND-40", "location": "berlin", "available": 4}],
    });
    let opened = rehearse(&shop, new).await;
    assert_eq!(
        opened["sent_otherwise"], 2,
        "four are enough for two orders of two: {opened}"
    );

    let ample = rehearse(&shop, json!({"ample_stock": true, "channel": "shopify"})).await;
    assert_eq!(ample["orders"], 0, "of this channel there are none");
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await, level);
    shop.close().await;
}

#[tokio::test]
async fn a_rehearsal_can_be_looked_at_and_a_mistaken_one_is_refused() {
    let shop = Shop::open().await;
    shop.place("one", &document(&[("GRD-HAND-40", 2)])).await;
    let picture = shop.picture("/routing/rehearsals", "{}").await;
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>"));
    assert!(picture.contains("1 orders, before and after") && picture.contains("5.9 EUR"));
    for (body, pointer) in [
        (json!({"orders": 0}), "/orders"),
        (json!({"orders": 1001}), "/orders"),
        (
            json!({"rules": [{"channel": "*", "exchange": {"XXX": "1"}}]}),
            "/rules/0/exchange",
        ),
        (json!({"without": vec!["x"; 301]}), "/without"),
    ] {
        let (status, answer) = shop
            .try_post("/routing/rehearsals", "", body.to_string())
            .await;
        assert_eq!(
            (status, &answer["errors"][0]["pointer"]),
            (422, &json!(pointer))
        );
    }
    shop.close().await;
}
