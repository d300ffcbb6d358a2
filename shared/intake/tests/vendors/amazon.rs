//! Amazon's API.

use serde_json::json;
use wiremock::Mock;
use wiremock::matchers::{header, method, query_param};

use crate::common::*;

#[tokio::test]
async fn amazon_names_its_pages() {
    let world = World::new().await;
    amazon(&world);
    world.on(Mock::given(method("POST")), token("t"), 1).await;
    let list = || {
        get("/orders/2026-01-01/orders")
            .and(header("x-amz-access-token", "t"))
            .and(query_param("lastUpdatedAfter", "2026-11-26T16:01:00Z"))
            .and(query_param("fulfilledBy", "MERCHANT"))
    };
    let entry = |id: &str| json!({"orderId": id, "lastUpdatedTime": "2026-11-26T16:01:05.5Z"});
    let next = list().and(query_param("paginationToken", "a/b="));
    world
        .on(next, json_of(json!({"orders": [entry("2")]})), 1)
        .await;
    let first = json!({"orders": [entry("1")], "pagination": {"nextToken": "a/b="}});
    world.on(list(), json_of(first), 1).await;
    let page = world.page("amazon", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint("1", "2026-11-26T16:01:05.5Z")]);
    assert_eq!(page.next.as_deref(), Some("a/b="));
    let page = world.page("amazon", 60, "a/b=").await.unwrap();
    assert_eq!((page.orders.len(), page.next), (1, None));
}

pub(super) fn amazon(world: &World) {
    let access = json!({
        "url": "@", "token_url": "@/auth/o2/token", "client_id": "app", "client_secret": "hush",
        "refresh_token": "Atzr|1",
    });
    world.access("amazon", &access);
}
