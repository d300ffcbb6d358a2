//! Meta is told what there is.

use intake::Failure;
use serde_json::json;
use wiremock::matchers::{body_json, header};

use crate::common::*;

#[tokio::test]
async fn meta_updates_items_and_makes_none() {
    let world = World::new().await;
    let access = json!({"url": "@", "cms_id": "1", "token": "t", "catalog_id": "88"});
    world.access("meta", &access);
    let body = json!({"item_type": "PRODUCT_ITEM", "allow_upsert": false, "requests": [
        {"method": "UPDATE", "data": {"id": "CUP", "quantity_to_sell_on_facebook": 3}},
        {"method": "UPDATE", "data": {"id": "POT", "quantity_to_sell_on_facebook": 0}},
    ]});
    let says = || {
        let said = said("POST", "/88/items_batch").and(header("authorization", "Bearer t"));
        said.and(body_json(body.clone()))
    };
    let two = [of("CUP", 3), of("POT", 0)];
    Told {
        world: &world,
        channel: "meta",
        available: &two,
        asks: &Vec::new,
        says: &says,
        taken: json!({"handles": ["h1"]}),
    }
    .is_told()
    .await;
    let status = json!([
        {"retailer_id": "CUP", "errors": [], "warnings": [{"message": "m"}]},
        {"retailer_id": "POT", "errors": [{"message": "Ada"}], "warnings": []},
    ]);
    let answer = json!({"handles": [], "validation_status": status});
    world.on(says(), json_of(answer), 1).await;
    let told = world.set("meta", "7", &two).await;
    assert_eq!(told, Ok(vec![refused("POT", "it refuses it")]));
    world.on(says(), json_of(json!({})), 1).await;
    let told = world.set("meta", "7", &two).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
}
