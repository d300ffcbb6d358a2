//! Magento, which Adobe Commerce is too, is told what there is.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

const INVENTORY: &str = "/rest/V1/inventory";

#[tokio::test]
async fn magento_can_sell_as_many_as_there_are_whatever_its_own_orders_wait_for() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "t", "source": "north", "stock": "2"});
    world.access("adobe-commerce", &access);
    let salable = |sku: &str| get(&format!("{INVENTORY}/get-product-salable-quantity/{sku}/2"));
    let looks = || {
        let name = |group: u8, part: &str| {
            format!("searchCriteria[filter_groups][{group}][filters][0][{part}]")
        };
        let looks =
            get(&format!("{INVENTORY}/source-items")).and(header("authorization", "Bearer t"));
        let looks = looks.and(query_param(name(0, "condition_type"), "in"));
        looks.and(query_param(name(1, "value"), "north"))
    };
    let item = |sku: &str, quantity: Value| json!({"sku": sku, "source_code": "north", "quantity": quantity, "status": 1});
    // Seven are there, of which two of its own orders wait for: five can be sold, and three are to be.
    let items = json!([
        item("CUP", json!(7)),
        item("POT", json!("4.0000")),
        item("SAME", json!(9))
    ]);
    world
        .on(
            looks(),
            json_of(json!({"items": items, "total_count": 3})),
            1,
        )
        .await;
    for (sku, can_be_sold) in [("CUP", "5"), ("POT", "4"), ("SAME", "6.0")] {
        let answer = ResponseTemplate::new(200).set_body_string(can_be_sold);
        world.on(salable(sku), answer, 1).await;
    }
    let body = json!({"sourceItems": [item("CUP", json!(5)), json!({
        "sku": "POT", "source_code": "north", "quantity": 0, "status": 0,
    })]});
    let said = said("POST", &format!("{INVENTORY}/source-items")).and(body_json(body));
    world.on(said, json_of(json!([])), 1).await;
    let all = [of("CUP", 3), of("POT", 0), of("SAME", 6), of("GONE", 1)];
    let told = world.set("adobe-commerce", "7", &all).await;
    assert_eq!(
        told,
        Ok(vec![refused("GONE", "it has no product of this SKU")])
    );
    world.server.verify().await;
}

#[tokio::test]
async fn magento_has_its_bad_days() {
    let world = World::new().await;
    world.access("adobe-commerce", &json!({"url": "@", "token": "t"}));
    let at = |path: &str| get(&format!("{INVENTORY}/{path}"));
    let items = json!([{"sku": "CUP", "source_code": "default", "quantity": 2, "status": 1}]);
    Told {
        world: &world,
        channel: "adobe-commerce",
        available: &[of("CUP", 3)],
        asks: &|| {
            let found = json!({"items": items});
            let salable = at("get-product-salable-quantity/CUP/1");
            vec![(at("source-items"), found), (salable, json!(2))]
        },
        says: &|| said("POST", &format!("{INVENTORY}/source-items")),
        taken: json!([]),
    }
    .is_told()
    .await;
}
