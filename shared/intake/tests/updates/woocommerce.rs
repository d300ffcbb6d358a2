//! WooCommerce is told what has left.

use intake::Failure;
use serde_json::json;
use wiremock::Mock;
use wiremock::matchers::{basic_auth, body_json, method, path, query_param};

use crate::common::*;

#[tokio::test]
async fn woocommerce_has_a_field_for_each_shipment() {
    let world = World::new().await;
    world.access(
        "woocommerce",
        &json!({"url": "@/", "key": "ck", "secret": "cs"}),
    );
    const AT: &str = "/wp-json/wc/v3/orders/9301";
    let asked = |known: bool| {
        let field = json!({"id": 5, "key": "waybill_shipment_1", "value": "x"});
        let other = json!({"id": 4, "key": "_utm", "value": {"a": [1]}});
        let fields = if known {
            vec![other, field]
        } else {
            vec![other]
        };
        let order = json!({"id": 9301, "status": "processing", "meta_data": fields});
        let asked = get(AT).and(basic_auth("ck", "cs"));
        vec![(
            asked.and(query_param("_fields", "id,status,meta_data")),
            order,
        )]
    };
    let says = "Night Post NP-77 (line 11: 2, line 12: 1)";
    let said = json!({
        "meta_data": [{"key": "waybill_shipment_1", "value": says}], "status": "completed",
    });
    let put = || {
        Mock::given(method("PUT"))
            .and(path(AT))
            .and(body_json(said.clone()))
    };
    Asked {
        world: &world,
        channel: "woocommerce",
        update: sent("9301"),
        asks: &asked,
        says: &put,
        taken: json_of(json!({"id": 9301})),
    }
    .is_told()
    .await;
    // Not the last of it, or not being processed: its status is not ours to set.
    for (completes, status) in [(false, "processing"), (true, "on-hold"), (true, "refunded")] {
        let mut update = sent("9302");
        shipment(&mut update).completes = completes;
        let order = json!({"id": 9302, "status": status, "meta_data": []});
        let at = "/wp-json/wc/v3/orders/9302";
        world.on(get(at), json_of(order), 1).await;
        let body = json!({"meta_data": [{"key": "waybill_shipment_1", "value": says}]});
        let put = Mock::given(method("PUT"))
            .and(path(at))
            .and(body_json(body));
        world.on(put, json_of(json!({})), 1).await;
        assert_eq!(world.tell("woocommerce", &update).await, Ok(()));
    }
    world
        .on(get("/wp-json/wc/v3/orders/9303"), status(404), 1)
        .await;
    let gone = world.tell("woocommerce", &sent("9303")).await;
    assert_eq!(gone, Err(Failure::Missing));
}
