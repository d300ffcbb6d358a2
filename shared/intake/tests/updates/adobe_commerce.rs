//! Magento, which Adobe Commerce is too, is told what has left.

use intake::Failure;
use serde_json::json;
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

#[tokio::test]
async fn magento_makes_a_shipment_of_an_order_that_it_finds_by_its_number() {
    let world = World::new().await;
    world.access("adobe-commerce", &json!({"url": "@", "token": "bearer-me"}));
    let asked = |known: bool| {
        let field = |n: &str| format!("searchCriteria[filter_groups][0][filters][0][{n}]");
        let order = get("/rest/V1/orders")
            .and(header("authorization", "Bearer bearer-me"))
            .and(query_param(field("value"), "000000009"));
        let found = json!({"items": [{"entity_id": 9, "increment_id": "000000009"}]});
        let shipments = get("/rest/V1/shipments")
            .and(query_param(field("field"), "order_id"))
            .and(query_param(field("value"), "9"));
        let of = |number: &str, item: u32| json!({"items": [{"order_item_id": item}], "tracks": [{"track_number": number}]});
        // Another number, and this number with another line: somebody else's parcel of the same van.
        let mut there = vec![of("NP-78", 11), of("NP-77", 99)];
        if known {
            there.push(of("NP-77", 12));
        }
        let there = json!({"total_count": there.len(), "items": there});
        vec![(order, found), (shipments, there)]
    };
    let said = json!({
        "items": [{"order_item_id": "11", "qty": 2}, {"order_item_id": "12", "qty": 1}],
        "notify": false,
        "tracks": [{"track_number": "NP-77", "title": "Night Post", "carrier_code": "custom"}],
    });
    let ship = || post("/rest/V1/order/9/ship").and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "adobe-commerce",
        update: sent("000000009"),
        asks: &asked,
        says: &ship,
        taken: status(200).set_body_string("\"3\""),
    }
    .is_told()
    .await;
    let nothing = json!({"items": [], "total_count": 0});
    world.on(get("/rest/V1/orders"), json_of(nothing), 1).await;
    let gone = world.tell("adobe-commerce", &sent("7")).await;
    assert_eq!(gone, Err(Failure::Refused("there is no such order".into())));
}
