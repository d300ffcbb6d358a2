//! BigCommerce is told what has left.

use domain::Quantity;
use intake::Failure;
use serde_json::json;
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

#[tokio::test]
async fn bigcommerce_is_told_which_address_the_products_go_to() {
    let world = World::new().await;
    let access = json!({"url": "@/stores/h", "token": "xyz", "carrier:Night Post": "night-post"});
    world.access("bigcommerce", &access);
    const AT: &str = "/stores/h/v2/orders/118";
    let asked = |known: bool| {
        let shipments = get(&format!("{AT}/shipments")).and(header("x-auth-token", "xyz"));
        let of = |number: &str, item: u32| json!({"tracking_number": number, "items": [{"order_product_id": item, "quantity": 1}]});
        if known {
            return vec![(shipments, json!([of("NP-77", 12)]))];
        }
        let products = get(&format!("{AT}/products")).and(query_param("page", "1"));
        let product = |id: u32| json!({"id": id, "order_address_id": 20, "quantity": 3});
        let products = (products, json!([product(11), product(12), product(13)]));
        vec![
            (shipments, json!([of("NP-78", 11), of("NP-77", 13)])),
            products,
        ]
    };
    let said = json!({
        "order_address_id": 20, "tracking_number": "NP-77", "shipping_method": "Night Post",
        "shipping_provider": "", "tracking_carrier": "night-post",
        "items": [
            {"order_product_id": 11, "quantity": 2}, {"order_product_id": 12, "quantity": 1},
        ],
    });
    let ship = || post(&format!("{AT}/shipments")).and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "bigcommerce",
        update: sent("118"),
        asks: &asked,
        says: &ship,
        taken: status(201).set_body_json(json!({"id": 1})),
    }
    .is_told()
    .await;
    // Nothing has been shipped yet: an empty answer. And two addresses, which one shipment cannot have.
    let at = "/stores/h/v2/orders/119";
    world
        .on(get(&format!("{at}/shipments")), status(204), 1)
        .await;
    let products = json!([{"id": 11, "order_address_id": 20}, {"id": 12, "order_address_id": 21}]);
    world
        .on(get(&format!("{at}/products")), json_of(products), 1)
        .await;
    let failure = world.tell("bigcommerce", &sent("119")).await;
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
    // Two parcels with one number: that one is there says nothing of the other.
    let mut second = sent("118");
    shipment(&mut second).alike = 1;
    for (asked, answer) in asked(true) {
        world.on(asked, json_of(answer), 1).await;
    }
    for (asked, answer) in asked(false).into_iter().skip(1) {
        world.on(asked, json_of(answer), 1).await;
    }
    world.on(ship(), status(201), 1).await;
    assert_eq!(world.tell("bigcommerce", &second).await, Ok(()));
    // A part of a piece.
    let mut half = sent("118");
    shipment(&mut half).lines[0].1 = Quantity::new(15, 1);
    for (asked, answer) in asked(false).into_iter().take(1) {
        world.on(asked, json_of(answer), 1).await;
    }
    let why = "line 11: expected a whole number, found 1.5";
    let failure = world.tell("bigcommerce", &half).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
}
