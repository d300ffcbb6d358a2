//! eBay is told what there is.

use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header};

use crate::common::*;

#[tokio::test]
async fn ebay_says_of_each_what_became_of_it() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "i", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = "/identity/v1/oauth2/token";
    world.on(said("POST", tokens), token("t"), 1).await;
    let body = json!({"requests": [
        {"sku": "CUP", "shipToLocationAvailability": {"quantity": 3}},
        {"sku": "POT", "shipToLocationAvailability": {"quantity": 0}},
    ]});
    let says = || {
        let said = said("POST", "/sell/inventory/v1/bulk_update_price_quantity");
        said.and(header("authorization", "Bearer t"))
            .and(body_json(body.clone()))
    };
    let two = [of("CUP", 3), of("POT", 0)];
    let answer = |of_pot: Value| json!({"responses": [{"sku": "CUP", "statusCode": 200, "errors": []}, of_pot]});
    Told {
        world: &world,
        channel: "ebay",
        available: &two,
        asks: &Vec::new,
        says: &says,
        taken: answer(json!({"sku": "POT", "statusCode": 200})),
    }
    .is_told()
    .await;
    let errors = json!([{"errorId": 25702, "message": "Ada"}]);
    let bad = json!({"sku": "POT", "statusCode": 404, "errors": errors});
    world.on(says(), json_of(answer(bad)), 1).await;
    let told = world.set("ebay", "7", &two).await;
    assert_eq!(told, Ok(vec![refused("POT", "it refuses it: 25702")]));
    let busy = json!({"sku": "POT", "statusCode": 500, "errors": []});
    world.on(says(), json_of(answer(busy)), 1).await;
    let told = world.set("ebay", "7", &two).await;
    assert!(matches!(told, Err(Failure::Again(0, _))), "{told:?}");
    // Of one it says nothing.
    world
        .on(
            says(),
            json_of(answer(json!({"sku": "ELSE", "statusCode": 200}))),
            1,
        )
        .await;
    let told = world.set("ebay", "7", &two).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
}
