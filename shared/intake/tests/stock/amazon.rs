//! Amazon is told what there is.

use serde_json::json;
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

const ITEMS: &str = "/listings/2021-08-01/items/A1SELLER";

#[tokio::test]
async fn amazon_is_told_of_one_listing_after_the_other() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "token_url": "@/token", "client_id": "i", "client_secret": "s",
        "refresh_token": "r", "seller_id": "A1SELLER", "marketplace_ids": "M1, M2",
    });
    world.access("amazon", &access);
    world.on(said("POST", "/token"), token("t"), 1).await;
    let of_cup = || {
        let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]);
        let patch = json!({
            "op": "merge", "path": "/attributes/fulfillment_availability", "value": value,
        });
        let said = said("PATCH", &format!("{ITEMS}/CUP")).and(query_param("marketplaceIds", "M1"));
        let said = said.and(header("x-amz-access-token", "t"));
        said.and(body_json(
            json!({"productType": "PRODUCT", "patches": [patch]}),
        ))
    };
    let accepted = json!({"sku": "CUP", "status": "ACCEPTED", "submissionId": "1", "issues": []});
    Told {
        world: &world,
        channel: "amazon",
        available: &[of("CUP", 3)],
        asks: &Vec::new,
        says: &of_cup,
        taken: accepted.clone(),
    }
    .is_told()
    .await;
    world.on(of_cup(), json_of(accepted), 1).await;
    let invalid = json!({
        "sku": "A B", "status": "INVALID", "submissionId": "2",
        "issues": [{"code": "4000003", "message": "Ada", "severity": "ERROR"}],
    });
    let other = said("PATCH", &format!("{ITEMS}/A%20B"));
    world.on(other, json_of(invalid), 1).await;
    let told = world
        .set("amazon", "7", &[of("CUP", 3), of("A B", 1)])
        .await;
    assert_eq!(told, Ok(vec![refused("A B", "it refuses it: 4000003")]));
    world.server.verify().await;
}
