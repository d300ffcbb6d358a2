//! TikTok Shop is told what has left.

use domain::Quantity;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

#[tokio::test]
async fn tiktok_marks_lines_as_shipped_by_a_carrier_that_it_knows() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "token_url": "@/token", "app_key": "k", "app_secret": "s",
        "refresh_token": "r", "shop_cipher": "c", "carrier:Night Post": "Night Post (UK)",
    });
    world.access("tiktok", &access);
    let until = at(604_800).as_second();
    let token = json!({"access_token": "t", "access_token_expire_in": until});
    let said = |data: Value| json!({"code": 0, "message": "Success", "data": data});
    world.on(get("/token"), json_of(said(token)), 1).await;
    let asked = |known: bool| {
        let number = if known { "NP77" } else { "" };
        let line = |id: &str, number: &str| json!({"id": id, "tracking_number": number});
        // Another line under this number is somebody else's parcel of the same van.
        let lines = [line("11", number), line("12", number), line("13", "NP77")];
        let order = json!({"id": "5764", "delivery_option_id": "7091", "line_items": lines});
        let order_asked = get("/order/202309/orders").and(query_param("ids", "5764"));
        let order = (order_asked, said(json!({"orders": [order]})));
        if known {
            return vec![order];
        }
        let at = "/logistics/202309/delivery_options/7091/shipping_providers";
        let providers = json!({"shipping_providers": [
            {"id": "71", "name": "USPS"}, {"id": "72", "name": "Night post (UK)"},
        ]});
        vec![order, (get(at), said(providers))]
    };
    let body = json!({
        "order_line_item_ids": ["11", "12"], "tracking_number": "NP77", "shipping_provider_id": "72",
    });
    let ship = || {
        post("/fulfillment/202309/orders/5764/packages")
            .and(header("x-tts-access-token", "t"))
            .and(body_json(body.clone()))
    };
    Asked {
        world: &world,
        channel: "tiktok",
        update: sent("5764"),
        asks: &asked,
        says: &ship,
        taken: json_of(said(json!({"package_id": "3124"}))),
    }
    .is_told()
    .await;
    // Refused with success: shipped already, under another number.
    for (request, answer) in asked(false) {
        world.on(request, json_of(answer), 1).await;
    }
    let shipped = json!({"code": 21_008_099, "message": "Package has been shipped."});
    world.on(ship(), json_of(shipped), 1).await;
    let why = Failure::Refused("status 200, 21008099".into());
    assert_eq!(world.tell("tiktok", &sent("5764")).await, Err(why));
    let mut other = sent("5764");
    shipment(&mut other).carrier = "Day Post".into();
    for (request, answer) in asked(false) {
        world.on(request, json_of(answer), 1).await;
    }
    let why = "it has no carrier \"Day Post\" for the order";
    let failure = world.tell("tiktok", &other).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    // Of what is sold by measure a part of a piece may leave: there is no package of that.
    let mut part = sent("5764");
    shipment(&mut part).lines[1].1 = Quantity::parse("0.2").unwrap();
    let (request, answer) = asked(false).swap_remove(0);
    world.on(request, json_of(answer), 1).await;
    let why = "line 12: expected a whole number, found 0.2";
    let failure = world.tell("tiktok", &part).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    let failure = world.tell("tiktok", &accepted("5764")).await;
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
}
