//! BigCommerce's API.

use channels::vendor::Page;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;
use wiremock::matchers::{header, query_param};

use crate::common::*;

#[tokio::test]
async fn bigcommerce_orders_are_put_together_from_several_answers() {
    let world = World::new().await;
    world.access("bigcommerce", &json!({"url": "@/stores/h", "token": "xyz"}));
    let mut order = sample("bigcommerce");
    let expected = total("bigcommerce", order.to_string().as_bytes());
    let (products, addresses) = (order["products"].take(), order["shipping_addresses"].take());
    // What it says in their places is where to find them.
    order["products"] =
        json!({"url": "https://elsewhere.example/", "resource": "/orders/1/products"});
    let at = format!("/stores/h/v2/orders/{}", expected.1);
    let asked = |rest: &str| get(&format!("{at}{rest}")).and(header("x-auth-token", "xyz"));
    world.on(asked(""), json_of(order.clone()), 1).await;
    let all = asked("/products")
        .and(query_param("limit", "250"))
        .and(query_param("page", "1"));
    world.on(all, json_of(products.clone()), 1).await;
    world
        .on(asked("/shipping_addresses"), json_of(addresses), 1)
        .await;
    let document = world.order("bigcommerce", &expected.1).await.unwrap();
    assert_eq!(total("bigcommerce", &document), expected);
    // A full page may have another one; nothing to tell is an empty answer.
    world.on(asked(""), json_of(order), 1).await;
    let full = json_of(json!(vec![products[0].clone(); 250]));
    let page = |n: &str| asked("/products").and(query_param("page", n.to_owned()));
    world.on(page("1"), full.clone(), 1).await;
    world.on(page("2"), ResponseTemplate::new(204), 1).await;
    world
        .on(asked("/shipping_addresses"), ResponseTemplate::new(204), 1)
        .await;
    let document = world.order("bigcommerce", &expected.1).await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["products"].as_array().unwrap().len(), 250);
    assert_eq!(document["shipping_addresses"], json!([]));
    let list = |page: &str| {
        get("/stores/h/v2/orders")
            .and(query_param(
                "min_date_modified",
                "2026-11-26T16:00:59+00:00",
            ))
            .and(query_param("sort", "date_modified:asc"))
            .and(query_param("limit", "250"))
            .and(query_param("page", page.to_owned()))
    };
    let entry =
        json!({"id": 118, "date_modified": "Thu, 26 Nov 2026 16:01:05 +0000", "status": "x"});
    world.on(list("1"), json_of(json!([entry])), 1).await;
    world.on(list("2"), ResponseTemplate::new(204), 1).await;
    let page = world.page("bigcommerce", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint("118", "2026-11-26T16:01:05Z")]);
    assert_eq!(
        world.page("bigcommerce", 60, "2").await,
        Ok(Page::default())
    );
}
