//! Meta's API.

use intake::Failure;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;
use wiremock::matchers::{header, query_param};

use crate::common::*;

#[tokio::test]
async fn meta_says_by_codes_what_others_say_by_status() {
    let world = World::new().await;
    world.access("meta", &json!({"url": "@", "cms_id": "77", "token": "sys"}));
    let order = sample("meta");
    let id = order["id"].as_str().unwrap().to_owned();
    let asked = || get(&format!("/{id}")).and(header("authorization", "Bearer sys"));
    world.on(asked(), json_of(order.clone()), 1).await;
    let document = world.order("meta", &id).await.unwrap();
    assert_eq!(total("meta", &document).1, id);
    let mut long = order;
    long["items"]["paging"] = json!({"next": "https://elsewhere.example/"});
    world.on(asked(), json_of(long), 1).await;
    let failure = world.order("meta", &id).await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
    let error = |status: u16, error: Value| {
        ResponseTemplate::new(status).set_body_json(json!({"error": error}))
    };
    world
        .on(
            asked(),
            error(400, json!({"code": 4, "message": "limit"})),
            1,
        )
        .await;
    let failure = world.order("meta", &id).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world
        .on(
            asked(),
            error(400, json!({"code": 100, "error_subcode": 33})),
            1,
        )
        .await;
    assert_eq!(world.order("meta", &id).await, Err(Failure::Missing));
    world.on(asked(), error(400, json!({"code": 190})), 2).await;
    let failure = world.order("meta", &id).await;
    assert_eq!(failure, Err(Failure::Locked("status 400, 190".into())));
    let list = || {
        get("/77/commerce_orders")
            .and(query_param("updated_after", at(59).as_second().to_string()))
            .and(query_param("state", "CREATED,IN_PROGRESS,COMPLETED"))
    };
    let entry = json!({"id": "368508827392800", "last_updated": "2026-11-26T16:01:05+00:00"});
    let last = json!({"data": [entry], "paging": {"cursors": {"before": "A", "after": "B"}}});
    world
        .on(
            list().and(query_param("after", "B")),
            json_of(last.clone()),
            1,
        )
        .await;
    let mut first = last;
    first["paging"]["next"] = "https://elsewhere.example/?access_token=x".into();
    world.on(list(), json_of(first), 1).await;
    let page = world.page("meta", 60, "").await.unwrap();
    assert_eq!(
        page.orders,
        [hint("368508827392800", "2026-11-26T16:01:05Z")]
    );
    assert_eq!(page.next.as_deref(), Some("B"));
    assert_eq!(world.page("meta", 60, "B").await.unwrap().next, None);
}
