//! WooCommerce's API.

use std::sync::atomic::Ordering;

use channels::vendor::Page;
use intake::Failure;
use serde_json::json;
use wiremock::matchers::{basic_auth, query_param};

use crate::common::*;

#[tokio::test]
async fn woocommerce_gives_an_order_and_what_has_changed() {
    let world = World::new().await;
    assert_eq!(
        world.order("woocommerce", "9301").await,
        Err(Failure::NoAccess)
    );
    world.passed.store(600, Ordering::SeqCst);
    woo(&world);
    let order = get(WOO).and(basic_auth("ck", "cs"));
    world.on(order, json_of(sample("woocommerce")), 1).await;
    let document = world.order("woocommerce", "9301").await.unwrap();
    assert_eq!(total("woocommerce", &document), (8629, "9301".into()));
    let list = |page: &str| {
        get("/wp-json/wc/v3/orders")
            .and(basic_auth("ck", "cs"))
            .and(query_param("modified_after", "2026-11-26T16:00:59"))
            .and(query_param("dates_are_gmt", "true"))
            .and(query_param("orderby", "modified"))
            .and(query_param("order", "asc"))
            .and(query_param("per_page", "100"))
            .and(query_param("page", page.to_owned()))
    };
    let one = json!({"id": 9301, "date_modified_gmt": "2026-11-26T16:01:05"});
    world
        .on(list("1"), json_of(json!(vec![one.clone(); 100])), 1)
        .await;
    world.on(list("2"), json_of(json!([one])), 1).await;
    let known = hint("9301", "2026-11-26T16:01:05Z");
    let first = world.page("woocommerce", 60, "").await.unwrap();
    assert_eq!(
        (&first.orders[0], first.next.as_deref()),
        (&known, Some("2"))
    );
    let second = world.page("woocommerce", 60, "2").await.unwrap();
    let orders = vec![known];
    assert_eq!(second, Page { orders, next: None });
    // An entry that cannot be read would be a gap.
    let odd = json!([{"id": 9301, "date_modified_gmt": null}]);
    world.on(list("3"), json_of(odd), 1).await;
    let odd = world.page("woocommerce", 60, "3").await;
    assert!(matches!(odd, Err(Failure::Unreadable(_))), "{odd:?}");
}

pub(super) fn woo(world: &World) {
    world.access(
        "woocommerce",
        &json!({"url": "@/", "key": "ck", "secret": "cs"}),
    );
}

pub(super) const WOO: &str = "/wp-json/wc/v3/orders/9301";
