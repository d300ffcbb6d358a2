//! BigCommerce is told what there is.

use serde_json::json;
use wiremock::matchers::{body_json, body_string_contains, header};

use crate::common::*;

const ADJUSTMENTS: &str = "/v3/inventory/adjustments/absolute";

#[tokio::test]
async fn bigcommerce_takes_all_or_nothing() {
    let world = World::new().await;
    world.access("bigcommerce", &json!({"url": "@", "token": "t"}));
    let body = json!({
        "reason": "Waybill",
        "items": [
            {"location_id": 1, "sku": "CUP", "quantity": 3},
            {"location_id": 1, "sku": "POT", "quantity": 0},
        ],
    });
    Told {
        world: &world,
        channel: "bigcommerce",
        available: &[of("CUP", 3), of("POT", 0)],
        asks: &Vec::new,
        says: &|| {
            let said = said("PUT", ADJUSTMENTS).and(header("x-auth-token", "t"));
            said.and(body_json(body.clone()))
        },
        taken: json!({"transaction_id": "2c1a"}),
    }
    .is_told()
    .await;
    let elsewhere = json!({"url": "@", "token": "t", "location": "12"});
    world.access("bigcommerce", &elsewhere);
    world
        .passed
        .fetch_add(3_600, std::sync::atomic::Ordering::SeqCst);
    let said = said("PUT", ADJUSTMENTS).and(body_string_contains(r#""location_id":12"#));
    world.on(said, json_of(json!({})), 1).await;
    let told = world.set("bigcommerce", "7", &[of("CUP", 3)]).await;
    assert_eq!(told, Ok(NOTHING));
}
