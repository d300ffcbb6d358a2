//! Wix is told what has left.

use intake::Failure;
use serde_json::json;
use wiremock::matchers::{body_json, header};

use crate::common::*;

#[tokio::test]
async fn wix_makes_a_fulfillment_of_an_order() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "client_id": "app", "client_secret": "s", "instance_id": "i",
        "carrier:Night Post": "dhl",
    });
    world.access("wix", &access);
    world.on(post("/oauth2/token"), token("t"), 1).await;
    const AT: &str = "/ecom/v1/fulfillments/orders/6766";
    let asked = |known: bool| {
        let of = |number: &str, line: &str| {
            json!({
                "id": "f", "lineItems": [{"id": line, "quantity": 1}],
                "trackingInfo": {"trackingNumber": number, "shippingProvider": "dhl"},
            })
        };
        let mut there = vec![of("NP-78", "11"), of("NP-77", "13")];
        if known {
            there.push(of("NP-77", "12"));
        }
        let order = json!({"orderId": "6766", "fulfillments": there});
        let asked = get(AT).and(header("authorization", "t"));
        vec![(asked, json!({"orderWithFulfillments": order}))]
    };
    let said = json!({"fulfillment": {
        "lineItems": [{"id": "11", "quantity": 2}, {"id": "12", "quantity": 1}],
        "trackingInfo": {"trackingNumber": "NP-77", "shippingProvider": "dhl"},
    }});
    let create = || post(&format!("{AT}/create-fulfillment")).and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "wix",
        update: sent("6766"),
        asks: &asked,
        says: &create,
        taken: json_of(json!({"fulfillmentId": "f-2"})),
    }
    .is_told()
    .await;
    // None yet, and it does not take it.
    let none = json!({"orderWithFulfillments": {"orderId": "6766"}});
    world.on(get(AT), json_of(none), 1).await;
    let error = json!({"code": "ORDER_NOT_APPROVED", "description": "Ada wrote"});
    let error = json!({"message": "m", "details": {"applicationError": error}});
    let answer = status(400).set_body_json(error);
    world.on(create(), answer, 1).await;
    let why = "status 400, ORDER_NOT_APPROVED";
    let failure = world.tell("wix", &sent("6766")).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    world.on(get(AT), json_of(json!({})), 1).await;
    let failure = world.tell("wix", &sent("6766")).await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
}
