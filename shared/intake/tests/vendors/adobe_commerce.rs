//! Magento's API, which Adobe Commerce has too.

use channels::vendor::Page;
use intake::Failure;
use serde_json::json;
use wiremock::matchers::{header, query_param};

use crate::common::*;

#[tokio::test]
async fn magento_is_asked_by_number_and_its_last_page_is_not_read_for_ever() {
    let world = World::new().await;
    world.access("adobe-commerce", &json!({"url": "@", "token": "bearer-me"}));
    let find = |id: &str| {
        get("/rest/V1/orders")
            .and(header("authorization", "Bearer bearer-me"))
            .and(query_param(
                "searchCriteria[filter_groups][0][filters][0][field]",
                "increment_id",
            ))
            .and(query_param(
                "searchCriteria[filter_groups][0][filters][0][value]",
                id.to_owned(),
            ))
    };
    let order = sample("adobe-commerce");
    let order = order["event"]["data"]["value"]
        .as_object()
        .map_or(order.clone(), |o| json!(o));
    let id = order["increment_id"].as_str().unwrap().to_owned();
    let found = json!({"items": [order], "search_criteria": {}, "total_count": 1});
    world.on(find(&id), json_of(found), 1).await;
    let document = world.order("adobe-commerce", &id).await.unwrap();
    assert_eq!(total("adobe-commerce", &document).1, id);
    let none = json!({"items": [], "total_count": 0});
    world.on(find("1"), json_of(none), 1).await;
    assert_eq!(
        world.order("adobe-commerce", "1").await,
        Err(Failure::Missing)
    );
    let two = json!({"items": [order, order], "total_count": 2});
    world.on(find("2"), json_of(two), 1).await;
    let failure = world.order("adobe-commerce", "2").await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
    let list = |page: &str| {
        get("/rest/V1/orders")
            .and(query_param(
                "searchCriteria[filter_groups][0][filters][0][field]",
                "updated_at",
            ))
            .and(query_param(
                "searchCriteria[filter_groups][0][filters][0][value]",
                "2026-11-26 16:01:00",
            ))
            .and(query_param(
                "searchCriteria[filter_groups][0][filters][0][condition_type]",
                "gteq",
            ))
            .and(query_param(
                "searchCriteria[sortOrders][0][field]",
                "updated_at",
            ))
            .and(query_param(
                "searchCriteria[sortOrders][0][direction]",
                "ASC",
            ))
            .and(query_param("searchCriteria[currentPage]", page.to_owned()))
    };
    let entry = json!({"increment_id": "000000009", "updated_at": "2026-11-26 16:01:02"});
    let full = json!({"items": vec![entry; 100], "total_count": 100});
    world.on(list("1"), json_of(full.clone()), 1).await;
    world.on(list("2"), json_of(full), 1).await;
    let page = world.page("adobe-commerce", 60, "").await.unwrap();
    assert_eq!(page.orders[0], hint("000000009", "2026-11-26T16:01:02Z"));
    assert_eq!((page.orders.len(), page.next.as_deref()), (100, Some("2")));
    assert_eq!(
        world.page("adobe-commerce", 60, "2").await,
        Ok(Page::default())
    );
}
