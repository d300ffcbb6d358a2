//! Each vendor's API as its documents describe it, and everything that can be wrong with an answer.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use channels::vendor::Page;
use common::*;
use domain::limits::{MAX_ANSWER_BYTES, MAX_ANSWER_S, MAX_RETRY_AFTER_S};
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{
    basic_auth, body_json, body_string_contains, header, method, path, query_param,
    query_param_contains,
};
use wiremock::{Mock, ResponseTemplate};

fn woo(world: &World) {
    world.access(
        "woocommerce",
        &json!({"url": "@/", "key": "ck", "secret": "cs"}),
    );
}

const WOO: &str = "/wp-json/wc/v3/orders/9301";

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

#[tokio::test]
async fn a_vendor_that_does_not_answer_now_is_asked_later() {
    let world = World::new().await;
    woo(&world);
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "7");
    let weary = ResponseTemplate::new(429).insert_header("retry-after", "999999");
    for (answer, seconds) in [
        (busy, 7),
        (weary, MAX_RETRY_AFTER_S),
        (ResponseTemplate::new(503), 0),
        (ResponseTemplate::new(500).set_body_string("<html>oh"), 0),
    ] {
        world.on(get(WOO), answer, 1).await;
        match world.order("woocommerce", "9301").await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    // Broken off, or a page of something in between.
    let whole = sample("woocommerce").to_string();
    for broken in [&whole[..whole.len() / 2], "<html>", ""] {
        world
            .on(
                get(WOO),
                ResponseTemplate::new(200).set_body_string(broken),
                1,
            )
            .await;
        let document = world.order("woocommerce", "9301").await.unwrap();
        let woo = channels::by_name("woocommerce").unwrap();
        let failure = Failure::from(woo.parse(&document, "main").unwrap_err());
        assert!(matches!(failure, Failure::Again(0, _)), "{failure:?}");
    }
    let late = Duration::from_secs(MAX_ANSWER_S + 1);
    world
        .on(get(WOO), json_of(json!({})).set_delay(late), 1)
        .await;
    let failure = world.order("woocommerce", "9301").await.unwrap_err();
    assert!(failure.to_string().contains("within 10 s"), "{failure}");
    let gone = json!({"url": "http://127.0.0.1:9", "key": "k", "secret": "s"});
    world.passed.store(600, Ordering::SeqCst);
    world.access("woocommerce", &gone);
    let failure = world.order("woocommerce", "9301").await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
}

#[tokio::test]
async fn a_refusal_says_why_without_quoting() {
    let world = World::new().await;
    woo(&world);
    let refused =
        json!({"code": "woocommerce_rest_cannot_view", "message": "Sorry, ada@example.com"});
    for (status, body, why) in [
        (403, refused, "status 403, woocommerce_rest_cannot_view"),
        (400, json!({}), "status 400"),
        // A redirect could lead anywhere.
        (301, json!({}), "status 301"),
    ] {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let answer = answer.insert_header("location", "http://169.254.169.254/");
        world.on(get(WOO), answer, 1).await;
        let failure = world.order("woocommerce", "9301").await;
        let expected = match status {
            403 => Failure::Locked(why.into()),
            _ => Failure::Refused(why.into()),
        };
        assert_eq!(failure, Err(expected));
    }
    world.on(get(WOO), ResponseTemplate::new(404), 1).await;
    assert_eq!(
        world.order("woocommerce", "9301").await,
        Err(Failure::Missing)
    );
    for access in [
        json!({"url": "@", "key": "ck"}),
        json!({"url": "http://shop.example", "key": "k", "secret": "s"}),
        json!({"url": "@", "key": "a\nb", "secret": "s"}),
        json!({"url": "nowhere", "key": "k", "secret": "s"}),
    ] {
        world.passed.fetch_add(600, Ordering::SeqCst);
        world.access("woocommerce", &access);
        let failure = world.order("woocommerce", "9302").await;
        match access["key"] == "a\nb" {
            // It is encoded, and not known there.
            true => assert_eq!(failure, Err(Failure::Missing)),
            false => assert!(
                matches!(failure, Err(Failure::Refused(_) | Failure::Locked(_))),
                "{failure:?}"
            ),
        }
    }
}

#[tokio::test]
async fn an_answer_has_a_size() {
    let world = World::new().await;
    woo(&world);
    let full = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES]);
    world.on(get(WOO), full, 1).await;
    let document = world.order("woocommerce", "9301").await.unwrap();
    assert_eq!(document.len(), MAX_ANSWER_BYTES);
    let over = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES + 1]);
    world.on(get(WOO), over, 1).await;
    let failure = world.order("woocommerce", "9301").await.unwrap_err();
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
}

#[tokio::test]
async fn an_access_that_was_replaced_is_looked_up_once() {
    let world = World::new().await;
    woo(&world);
    let old = get(WOO).and(basic_auth("ck", "cs"));
    world.on(old, ResponseTemplate::new(401), 2).await;
    // It is believed for ten seconds, whatever it does not open.
    let failure = world.order("woocommerce", "9301").await;
    assert_eq!(failure, Err(Failure::Locked("status 401".into())));
    world.passed.store(60, Ordering::SeqCst);
    let next = json!({"url": "@", "key": "ck2", "secret": "cs2"});
    world.access("woocommerce", &next);
    let new = get(WOO).and(basic_auth("ck2", "cs2"));
    world.on(new, json_of(sample("woocommerce")), 1).await;
    let old = get(WOO).and(basic_auth("ck", "cs"));
    world.on(old, ResponseTemplate::new(401), 1).await;
    assert!(world.order("woocommerce", "9301").await.is_ok());
}

fn amazon(world: &World) {
    let access = json!({
        "url": "@", "token_url": "@/auth/o2/token", "client_id": "app", "client_secret": "hush",
        "refresh_token": "Atzr|1",
    });
    world.access("amazon", &access);
}

#[tokio::test]
async fn a_token_is_used_until_it_is_over_and_one_that_is_refused_is_replaced_once() {
    let world = World::new().await;
    amazon(&world);
    const ORDER: &str = "/orders/2026-01-01/orders/701-1";
    let tokens = || {
        Mock::given(method("POST"))
            .and(path("/auth/o2/token"))
            .and(body_string_contains("grant_type=refresh_token"))
            .and(body_string_contains("refresh_token=Atzr%7C1"))
            .and(body_string_contains("client_id=app&client_secret=hush"))
    };
    let with = |token: &str| get(ORDER).and(header("x-amz-access-token", token.to_owned()));
    let order = json_of(json!({"order": sample("amazon")}));
    world.on(tokens(), token("t-1"), 1).await;
    world.on(with("t-1"), order.clone(), 2).await;
    let document = world.order("amazon", "701-1").await.unwrap();
    let known = total("amazon", &document);
    world.passed.store(3_000, Ordering::SeqCst);
    assert_eq!(
        world.order("amazon", "701-1").await.unwrap(),
        document,
        "still good"
    );
    // Over before its time.
    let over = json!({"errors": [{"code": "Unauthorized", "message": "expired", "details": ""}]});
    world
        .on(
            with("t-1"),
            ResponseTemplate::new(403).set_body_json(over.clone()),
            1,
        )
        .await;
    world.on(tokens(), token("t-2"), 1).await;
    world.on(with("t-2"), order.clone(), 1).await;
    assert_eq!(
        total("amazon", &world.order("amazon", "701-1").await.unwrap()),
        known
    );
    // Over by its own word.
    world.passed.store(7_000, Ordering::SeqCst);
    world.on(tokens(), token("t-3"), 1).await;
    world
        .on(
            with("t-3"),
            ResponseTemplate::new(403).set_body_json(over.clone()),
            1,
        )
        .await;
    world.on(tokens(), token("t-4"), 1).await;
    world
        .on(
            with("t-4"),
            ResponseTemplate::new(403).set_body_json(over),
            1,
        )
        .await;
    let failure = world.order("amazon", "701-1").await;
    let why = "status 403, Unauthorized";
    assert_eq!(
        failure,
        Err(Failure::Locked(why.into())),
        "once, and not for ever"
    );
    // Nobody gives a token any more.
    world.passed.store(20_000, Ordering::SeqCst);
    let refused = ResponseTemplate::new(400).set_body_json(json!({"error": "invalid_grant"}));
    world.on(tokens(), refused, 1).await;
    let failure = world.order("amazon", "701-1").await;
    let why = "status 400, invalid_grant";
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    world.on(tokens(), ResponseTemplate::new(503), 1).await;
    let failure = world.order("amazon", "701-1").await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
}

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

/// A token of TikTok Shop's, which says until when it is good.
fn tiktok_token(token: &str, until: i64) -> ResponseTemplate {
    let until = at(until).as_second();
    json_of(json!({"code": 0, "data": {"access_token": token, "access_token_expire_in": until}}))
}

#[tokio::test]
async fn tiktok_is_asked_with_a_signature_and_says_by_codes_what_is_wrong() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "token_url": "@/api/v2/token/refresh", "app_key": "29a39d",
        "app_secret": "hush", "refresh_token": "TTP_r", "shop_cipher": "ROW_c",
    });
    world.access("tiktok", &access);
    let tokens = || {
        get("/api/v2/token/refresh")
            .and(query_param("app_key", "29a39d"))
            .and(query_param("app_secret", "hush"))
            .and(query_param("refresh_token", "TTP_r"))
            .and(query_param("grant_type", "refresh_token"))
    };
    let order = sample("tiktok");
    let id = order["id"].as_str().unwrap().to_owned();
    let with = |token: &str| {
        get("/order/202309/orders")
            .and(query_param("ids", id.as_str()))
            .and(query_param("shop_cipher", "ROW_c"))
            .and(query_param("app_key", "29a39d"))
            .and(header("content-type", "application/json"))
            .and(header("x-tts-access-token", token.to_owned()))
            .and(query_param_contains("sign", ""))
    };
    let said = |data: Value| json_of(json!({"code": 0, "message": "Success", "data": data}));
    let code = |status: u16, code: i64| {
        let body = json!({"code": code, "message": "Ada wrote", "request_id": "1"});
        ResponseTemplate::new(status).set_body_json(body)
    };
    world.on(tokens(), tiktok_token("t-1", 604_800), 1).await;
    let signed = with("t-1").and(query_param("timestamp", at(0).as_second().to_string()));
    world.on(signed, said(json!({"orders": [order]})), 1).await;
    let document = world.order("tiktok", &id).await.unwrap();
    assert_eq!(total("tiktok", &document), (7549, id.clone()));
    // Over before its time, as it says with success.
    world.on(with("t-1"), code(200, 105_002), 1).await;
    world.on(tokens(), tiktok_token("t-2", 604_800), 1).await;
    let none = said(json!({"orders": []}));
    world.on(with("t-2"), none, 1).await;
    assert_eq!(world.order("tiktok", &id).await, Err(Failure::Missing));
    let mut tiktoks = order.clone();
    tiktoks["fulfillment_type"] = "FULFILLMENT_BY_TIKTOK".into();
    let answer = said(json!({"orders": [tiktoks]}));
    world.on(with("t-2"), answer, 1).await;
    let why = Failure::NotOurs("TikTok ships it itself");
    assert_eq!(world.order("tiktok", &id).await, Err(why));
    let busy = code(429, 36_009_002).insert_header("retry-after", "7");
    for (answer, seconds) in [(busy, 7), (code(200, 36_009_003), 0), (code(503, 1), 0)] {
        world.on(with("t-2"), answer, 1).await;
        match world.order("tiktok", &id).await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    world.on(with("t-2"), code(200, 21_008_111), 1).await;
    assert_eq!(world.order("tiktok", &id).await, Err(Failure::Missing));
    world.on(with("t-2"), code(200, 11_050_001), 1).await;
    let why = "status 200, 11050001";
    let failure = world.order("tiktok", &id).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    // The seller has taken the grant back.
    world.on(with("t-2"), code(401, 105_005), 1).await;
    world.on(tokens(), code(200, 36_004_004), 1).await;
    let why = "status 200, 36004004";
    let failure = world.order("tiktok", &id).await;
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    world.server.verify().await;
    // A list names its pages, and may have no orders to show.
    world.passed.store(700_000, Ordering::SeqCst);
    world.on(tokens(), tiktok_token("t-3", 1_400_000), 1).await;
    let list = || {
        Mock::given(method("POST"))
            .and(path("/order/202309/orders/search"))
            .and(header("x-tts-access-token", "t-3"))
            .and(query_param("sort_field", "update_time"))
            .and(query_param("page_size", "100"))
            .and(body_json(json!({"update_time_ge": at(60).as_second()})))
    };
    let next = list().and(query_param("page_token", "6As/8p="));
    world.on(next, said(json!({"total_count": 1})), 1).await;
    let entry = json!({"id": id, "update_time": at(65).as_second()});
    let first = json!({"orders": [entry], "next_page_token": "6As/8p=", "total_count": 1});
    world.on(list(), said(first), 1).await;
    let page = world.page("tiktok", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint(&id, "2026-11-26T16:01:05Z")]);
    assert_eq!(page.next.as_deref(), Some("6As/8p="));
    let page = world.page("tiktok", 60, "6As/8p=").await;
    assert_eq!(page, Ok(Page::default()));
    let odd = json!({"orders": [{"id": id, "update_time": null}]});
    world.on(list(), said(odd), 1).await;
    let odd = world.page("tiktok", 60, "").await;
    assert!(matches!(odd, Err(Failure::Unreadable(_))), "{odd:?}");
    world.server.verify().await;
}

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

#[tokio::test]
async fn ebay_gives_single_orders() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = Mock::given(method("POST"))
        .and(path("/identity/v1/oauth2/token"))
        .and(basic_auth("c", "s"))
        .and(body_string_contains(
            "grant_type=refresh_token&refresh_token=r",
        ));
    world.on(tokens, token("t"), 1).await;
    let order = sample("ebay");
    let id = order["orderId"].as_str().unwrap().to_owned();
    let asked =
        get(&format!("/sell/fulfillment/v1/order/{id}")).and(header("authorization", "Bearer t"));
    world.on(asked, json_of(order), 1).await;
    let document = world.order("ebay", &id).await.unwrap();
    assert_eq!(total("ebay", &document).1, id);
    let api = channels::by_name("ebay").unwrap().api().unwrap();
    assert!(api.changes().is_none());
}
