//! eBay's API.

use serde_json::json;
use wiremock::Mock;
use wiremock::matchers::{basic_auth, body_string_contains, header, method, path};

use crate::common::*;

#[tokio::test]
async fn ebay_gives_single_orders() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = Mock::given(method("POST"))
        .and(path("/identity/v1/oauth2/token"))
        .and(basic_auth("c", "s"))
        .and(body_string_contains(
            "grant_type=refresh_token&refresh_token=r",
        ));
    world.on(tokens, token("t"), 1).await;
    let order = sample("ebay");
    let id = order["orderId"].as_str().unwrap().to_owned();
    let asked =
        get(&format!("/sell/fulfillment/v1/order/{id}")).and(header("authorization", "Bearer t"));
    world.on(asked, json_of(order), 1).await;
    let document = world.order("ebay", &id).await.unwrap();
    assert_eq!(total("ebay", &document).1, id);
    let api = channels::by_name("ebay").unwrap().api().unwrap();
    assert!(api.changes().is_none());
}
