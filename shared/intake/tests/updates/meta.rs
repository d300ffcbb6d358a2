//! Meta is told what has left; and, as it, Amazon: both know a shipment by our name of it.

use std::time::Duration;

use domain::limits::MAX_ANSWER_S;
use intake::Failure;
use serde_json::json;
use wiremock::matchers::{body_json, body_string_contains, header};

use crate::common::*;

#[tokio::test]
async fn meta_waits_for_its_orders_to_be_acknowledged() {
    let world = World::new().await;
    world.access("meta", &json!({"url": "@", "cms_id": "77", "token": "sys"}));
    let channel = channels::by_name("meta").unwrap();
    assert!(channel.updates().unwrap().waits());
    let state = |state: &str| json_of(json!({"id": "64", "order_status": {"state": state}}));
    let asked = || get("/64").and(header("authorization", "Bearer sys"));
    let told = || {
        post("/64/acknowledge_order")
            .and(body_string_contains(
                "idempotency_key=AD4OVS4KRET6JAPB-acknowledged",
            ))
            .and(body_string_contains(
                "merchant_order_reference=AD4OVS4KRET6JAPB",
            ))
    };
    world.on(asked(), state("CREATED"), 1).await;
    world.on(told(), json_of(json!({"success": true})), 1).await;
    assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    for known in ["IN_PROGRESS", "COMPLETED"] {
        world.on(asked(), state(known), 1).await;
        assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    }
    world.on(asked(), state("FB_PROCESSING"), 1).await;
    let early = world.tell("meta", &accepted("64")).await;
    assert!(matches!(early, Err(Failure::Again(0, _))), "{early:?}");
    world.on(asked(), state("CANCELLED"), 1).await;
    let gone = world.tell("meta", &accepted("64")).await;
    assert!(matches!(gone, Err(Failure::Refused(_))), "{gone:?}");
    // Too late an answer: acknowledged all the same, it is in progress the next time.
    world.on(asked(), state("CREATED"), 1).await;
    let late = json_of(json!({"success": true})).set_delay(Duration::from_secs(MAX_ANSWER_S + 1));
    world.on(told(), late, 1).await;
    let failure = world.tell("meta", &accepted("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world.on(asked(), state("IN_PROGRESS"), 1).await;
    assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    world
        .on(asked(), status(200).set_body_string("{\"id\":"), 1)
        .await;
    let broken = world.tell("meta", &accepted("64")).await;
    assert!(matches!(broken, Err(Failure::Again(0, _))), "{broken:?}");
    world.server.verify().await;
}

#[tokio::test]
async fn meta_and_amazon_know_a_shipment_by_our_name_of_it() {
    let world = World::new().await;
    world.access("meta", &json!({"url": "@", "cms_id": "77", "token": "sys"}));
    let items = "items=%5B%7B%22item_id%22%3A%2211%22%2C%22quantity%22%3A2%7D%2C";
    let shipped = || {
        post("/64/shipments")
            .and(header("authorization", "Bearer sys"))
            .and(body_string_contains(
                "external_shipment_id=AD4OVS4KRET6JAPB_1",
            ))
            .and(body_string_contains(
                "idempotency_key=AD4OVS4KRET6JAPB-sent-1",
            ))
            .and(body_string_contains(items))
            .and(body_string_contains("%22carrier%22%3A%22NIGHT_POST%22"))
    };
    let error = |code: u32| json!({"error": {"code": code, "message": "Ada"}});
    world
        .on(shipped(), status(400).set_body_json(error(4)), 1)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world
        .on(shipped(), status(400).set_body_json(error(2361067)), 1)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert_eq!(failure, Err(Failure::Refused("status 400, 2361067".into())));
    // A right that is missing is asked for once more, in case it was given just now.
    world
        .on(shipped(), status(403).set_body_json(error(200)), 2)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert_eq!(failure, Err(Failure::Locked("status 403, 200".into())));
    let slow = json_of(json!({"success": true})).set_delay(Duration::from_secs(MAX_ANSWER_S + 1));
    world.on(shipped(), slow, 1).await;
    let failure = world.tell("meta", &sent("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world
        .on(shipped(), json_of(json!({"success": true})), 1)
        .await;
    assert_eq!(
        world.tell("meta", &sent("64")).await,
        Ok(()),
        "by the same name"
    );

    let mut access = json!({
        "url": "@", "token_url": "@/token", "client_id": "app", "client_secret": "hush",
        "refresh_token": "r",
    });
    world.access("amazon", &access);
    let failure = world.tell("amazon", &sent("701-1")).await;
    assert!(matches!(failure, Err(Failure::Locked(_))), "{failure:?}");
    access["marketplace_ids"] = "A1, A2".into();
    world.passed.store(600, std::sync::atomic::Ordering::SeqCst);
    world.access("amazon", &access);
    world.on(post("/token"), token("t-1"), 1).await;
    let said = |code: &str| {
        let mut package = json!({
            "packageReferenceId": "1", "carrierCode": code, "trackingNumber": "NP-77",
            "shipDate": "2026-11-26T16:00:00Z",
            "orderItems":
                [{"orderItemId": "11", "quantity": 2}, {"orderItemId": "12", "quantity": 1}],
        });
        if code == "Other" {
            package["carrierName"] = "Night Post".into();
        }
        let body = json!({"marketplaceId": "A1", "packageDetail": package});
        post("/orders/v0/orders/701-1/shipmentConfirmation").and(body_json(body))
    };
    let busy = status(429).insert_header("retry-after", "2");
    world.on(said("Other"), busy, 1).await;
    let failure = world.tell("amazon", &sent("701-1")).await;
    assert!(matches!(failure, Err(Failure::Again(2, _))), "{failure:?}");
    // Over before its time.
    let over = json!({"errors": [{"code": "Unauthorized", "message": "expired"}]});
    let with = |token: &str| header("x-amz-access-token", token.to_owned());
    let refused = status(403).set_body_json(over);
    world.on(said("Other").and(with("t-1")), refused, 1).await;
    world.on(post("/token"), token("t-2"), 1).await;
    world
        .on(said("Other").and(with("t-2")), status(204), 1)
        .await;
    assert_eq!(world.tell("amazon", &sent("701-1")).await, Ok(()));
    let invalid = json!({"errors": [{"code": "InvalidInput", "message": "Ada"}]});
    let invalid = status(400).set_body_json(invalid);
    world.on(said("Other"), invalid, 1).await;
    let failure = world.tell("amazon", &sent("701-1")).await;
    let why = "status 400, InvalidInput";
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    access["carrier:Night Post"] = "NP".into();
    world
        .passed
        .store(1_200, std::sync::atomic::Ordering::SeqCst);
    world.access("amazon", &access);
    world.on(said("NP"), status(204), 1).await;
    assert_eq!(world.tell("amazon", &sent("701-1")).await, Ok(()));
    world.server.verify().await;
}
