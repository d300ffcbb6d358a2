//! Wix's API.

use std::sync::atomic::Ordering;

use channels::vendor::Page;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::common::*;

#[tokio::test]
async fn wix_is_asked_with_a_token_of_the_site() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "client_id": "app", "client_secret": "hush", "instance_id": "site",
    });
    world.access("wix", &access);
    let asked = json!({
        "grant_type": "client_credentials", "client_id": "app", "client_secret": "hush",
        "instance_id": "site",
    });
    let tokens = || {
        Mock::given(method("POST"))
            .and(path("/oauth2/token"))
            .and(body_json(asked.clone()))
    };
    let order = sample("wix");
    let id = order["id"].as_str().unwrap().to_owned();
    let with = |token: &str| {
        get(&format!("/ecom/v1/orders/{id}")).and(header("authorization", token.to_owned()))
    };
    world.on(tokens(), token("old"), 1).await;
    world.on(with("old"), ResponseTemplate::new(401), 1).await;
    world.on(tokens(), token("new"), 1).await;
    let answer = json_of(json!({"order": order}));
    world.on(with("new"), answer, 1).await;
    let document = world.order("wix", &id).await.unwrap();
    assert_eq!(total("wix", &document), (8140, id.clone()));
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "7");
    for (answer, seconds) in [(busy, 7), (ResponseTemplate::new(500), 0)] {
        world.on(with("new"), answer, 1).await;
        match world.order("wix", &id).await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    world.on(with("new"), ResponseTemplate::new(404), 1).await;
    assert_eq!(world.order("wix", &id).await, Err(Failure::Missing));
    let list = |search: Value| {
        Mock::given(method("POST"))
            .and(path("/ecom/v1/orders/search"))
            .and(body_json(json!({"search": search})))
    };
    let first = json!({
        "filter": {"updatedDate": {"$gte": "2026-11-26T16:01:00.000Z"}},
        "sort": [{"fieldName": "updatedDate", "order": "ASC"}],
        "cursorPaging": {"limit": 100},
    });
    let next = json!({"cursorPaging": {"limit": 100, "cursor": "c/1"}});
    let entry = json!({"id": id, "updatedDate": "2026-11-26T16:01:05.663Z"});
    let pages = json!({"count": 1, "cursors": {"next": "c/1"}, "hasNext": true});
    let answer = json!({"orders": [entry], "metadata": pages});
    world.on(list(first), json_of(answer), 1).await;
    let last = json!({"metadata": {"count": 0, "cursors": {"next": "c/2"}, "hasNext": false}});
    world.on(list(next), json_of(last), 1).await;
    let page = world.page("wix", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint(&id, "2026-11-26T16:01:05.663Z")]);
    assert_eq!(page.next.as_deref(), Some("c/1"));
    assert_eq!(world.page("wix", 60, "c/1").await, Ok(Page::default()));
    // The app is not on the site any more.
    world.passed.store(20_000, Ordering::SeqCst);
    let refused = ResponseTemplate::new(403).set_body_json(json!({"error": "invalid_client"}));
    world.on(tokens(), refused, 1).await;
    let why = "status 403, invalid_client";
    let failure = world.order("wix", &id).await;
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    world.server.verify().await;
}
