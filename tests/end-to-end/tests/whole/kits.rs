//! Kits: sold as one article, kept as several.

use end_to_end::{Shop, document};
use http::Method;
use local::seed::DEMO_KEY;
use serde_json::json;

#[tokio::test]
async fn a_kit_is_picked_as_its_components_and_comes_back_as_a_kit() {
    let shop = Shop::open().await;
    let filters = shop.level("FLT-PAPER-100", "hamburg").await;
    let kit = document(&[("SET-POUROVER", 2), ("FLT-PAPER-100", 1)]);
    let id = &shop.place("kit", &kit).await;
    let order = shop.order(id).await;
    let lines = order["lines"].as_array().unwrap();
    let skus: Vec<_> = lines.iter().map(|line| &line["sku"]).collect();
    assert_eq!(
        skus,
        [
            "DRP-CERAM-02",
            "SRV-GLASS-06",
            "FLT-PAPER-100",
            "FLT-PAPER-100"
        ]
    );
    assert_eq!(
        lines[2]["kit"],
        json!({"line": "L1", "sku": "SET-POUROVER", "per_kit": 2})
    );
    assert_eq!(order["total"], "30.00");
    // Two lines share the filters: their level changes once, by the sum.
    let after = shop.level("FLT-PAPER-100", "hamburg").await;
    assert_eq!(after.available, filters.available - 5);
    shop.deliver(id, 1).await;
    let back = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    shop.post(&format!("/orders/{id}/returns"), "back", back)
        .await;
    shop.post(&format!("/returns/{id}-R1/received"), "", "{}")
        .await;
    shop.settle().await;
    let order = shop.order(id).await;
    let returned = order["lines"].as_array().unwrap().iter();
    let returned = returned.map(|line| &line["units"]["returned"]);
    assert_eq!(returned.collect::<Vec<_>>(), [1, 1, 2, 0]);
    shop.close().await;
}

#[tokio::test]
async fn what_can_be_no_kit_is_refused_whole() {
    let shop = Shop::open().await;
    let kit = |sku: &str, components: serde_json::Value| {
        json!({
            "sku": sku, "title": "a kit", "weight_g": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1,
            "components": components,
        })
    };
    let grinder = json!({"sku": "GRD-HAND-40", "quantity": 1});
    let bearer = format!("Bearer {DEMO_KEY}");
    let of = |sku: &str| json!([{"sku": sku, "quantity": 1}]);
    for (documents, pointer) in [
        (json!([kit("K", of("K"))]), "/0/components/0/sku"),
        (json!([kit("K", of("NONE"))]), "/0/components/0/sku"),
        (json!([kit("K", of("SET-POUROVER"))]), "/0/components/0/sku"),
        (
            json!([kit("K", of("L")), kit("L", json!([grinder]))]),
            "/0/components/0/sku",
        ),
        (
            json!([kit("K", json!([grinder, grinder]))]),
            "/0/components/1/sku",
        ),
        (
            json!([kit("K", json!([{"sku": "GRD-HAND-40", "quantity": 0}]))]),
            "/0/components/0/quantity",
        ),
        (
            json!([
                kit("FINE", json!([grinder])),
                kit("K", json!(vec![grinder.clone(); 51]))
            ]),
            "/1/components",
        ),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let body = documents.to_string();
        let (status, answer) = shop.send(Method::PUT, "/products", &headers, body).await;
        assert_eq!(status, 422, "{documents}");
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{answer}");
    }
    assert_eq!(
        shop.get_as(DEMO_KEY, "/stock/FINE").await.0,
        404,
        "nothing half done"
    );
    shop.close().await;
}
