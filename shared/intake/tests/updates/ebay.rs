//! eBay is told what has left.

use serde_json::json;
use wiremock::matchers::{basic_auth, body_json, header};

use crate::common::*;

#[tokio::test]
async fn ebay_is_told_a_number_of_letters_and_digits() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = || post("/identity/v1/oauth2/token").and(basic_auth("c", "s"));
    world.on(tokens(), token("old"), 1).await;
    const AT: &str = "/sell/fulfillment/v1/order/12-1/shipping_fulfillment";
    // A token that is over is replaced, once.
    let with = |token: &str| header("authorization", format!("Bearer {token}"));
    world.on(get(AT).and(with("old")), status(401), 1).await;
    world.on(tokens(), token("new"), 1).await;
    let asked = |known: bool| {
        let of = |number: &str| json!({"shipmentTrackingNumber": number, "lineItems": [{"lineItemId": "12"}]});
        let known = if known {
            vec![of("X"), of("NP77")]
        } else {
            vec![of("X")]
        };
        let asked = get(AT).and(header("authorization", "Bearer new"));
        vec![(asked, json!({"fulfillments": known, "total": 1}))]
    };
    let said = json!({
        "lineItems": [{"lineItemId": "11", "quantity": 2}, {"lineItemId": "12", "quantity": 1}],
        "shippedDate": "2026-11-26T16:00:00.000Z",
        "shippingCarrierCode": "Night Post", "trackingNumber": "NP77",
    });
    let ship = || post(AT).and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "ebay",
        update: sent("12-1"),
        asks: &asked,
        says: &ship,
        taken: status(201),
    }
    .is_told()
    .await;
}
