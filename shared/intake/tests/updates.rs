//! What each vendor is told, as its documents describe it: once, whatever is wrong with its answers.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::*;
use domain::Quantity;
use domain::limits::MAX_ANSWER_S;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{
    basic_auth, body_json, body_string_contains, header, method, path, query_param,
};
use wiremock::{Mock, MockBuilder};

#[tokio::test]
async fn woocommerce_has_a_field_for_each_shipment() {
    let world = World::new().await;
    world.access(
        "woocommerce",
        &json!({"url": "@/", "key": "ck", "secret": "cs"}),
    );
    const AT: &str = "/wp-json/wc/v3/orders/9301";
    let asked = |known: bool| {
        let field = json!({"id": 5, "key": "waybill_shipment_1", "value": "x"});
        let other = json!({"id": 4, "key": "_utm", "value": {"a": [1]}});
        let fields = if known {
            vec![other, field]
        } else {
            vec![other]
        };
        let order = json!({"id": 9301, "status": "processing", "meta_data": fields});
        let asked = get(AT).and(basic_auth("ck", "cs"));
        vec![(
            asked.and(query_param("_fields", "id,status,meta_data")),
            order,
        )]
    };
    let says = "Night Post NP-77 (line 11: 2, line 12: 1)";
    let said = json!({
        "meta_data": [{"key": "waybill_shipment_1", "value": says}], "status": "completed",
    });
    let put = || {
        Mock::given(method("PUT"))
            .and(path(AT))
            .and(body_json(said.clone()))
    };
    Asked {
        world: &world,
        channel: "woocommerce",
        update: sent("9301"),
        asks: &asked,
        says: &put,
        taken: json_of(json!({"id": 9301})),
    }
    .is_told()
    .await;
    // Not the last of it, or not being processed: its status is not ours to set.
    for (completes, status) in [(false, "processing"), (true, "on-hold"), (true, "refunded")] {
        let mut update = sent("9302");
        shipment(&mut update).completes = completes;
        let order = json!({"id": 9302, "status": status, "meta_data": []});
        let at = "/wp-json/wc/v3/orders/9302";
        world.on(get(at), json_of(order), 1).await;
        let body = json!({"meta_data": [{"key": "waybill_shipment_1", "value": says}]});
        let put = Mock::given(method("PUT"))
            .and(path(at))
            .and(body_json(body));
        world.on(put, json_of(json!({})), 1).await;
        assert_eq!(world.tell("woocommerce", &update).await, Ok(()));
    }
    world
        .on(get("/wp-json/wc/v3/orders/9303"), status(404), 1)
        .await;
    let gone = world.tell("woocommerce", &sent("9303")).await;
    assert_eq!(gone, Err(Failure::Missing));
}

#[tokio::test]
async fn magento_makes_a_shipment_of_an_order_that_it_finds_by_its_number() {
    let world = World::new().await;
    world.access("adobe-commerce", &json!({"url": "@", "token": "bearer-me"}));
    let asked = |known: bool| {
        let field = |n: &str| format!("searchCriteria[filter_groups][0][filters][0][{n}]");
        let order = get("/rest/V1/orders")
            .and(header("authorization", "Bearer bearer-me"))
            .and(query_param(field("value"), "000000009"));
        let found = json!({"items": [{"entity_id": 9, "increment_id": "000000009"}]});
        let shipments = get("/rest/V1/shipments")
            .and(query_param(field("field"), "order_id"))
            .and(query_param(field("value"), "9"));
        let of = |number: &str, item: u32| json!({"items": [{"order_item_id": item}], "tracks": [{"track_number": number}]});
        // Another number, and this number with another line: somebody else's parcel of the same van.
        let mut there = vec![of("NP-78", 11), of("NP-77", 99)];
        if known {
            there.push(of("NP-77", 12));
        }
        let there = json!({"total_count": there.len(), "items": there});
        vec![(order, found), (shipments, there)]
    };
    let said = json!({
        "items": [{"order_item_id": "11", "qty": 2}, {"order_item_id": "12", "qty": 1}],
        "notify": false,
        "tracks": [{"track_number": "NP-77", "title": "Night Post", "carrier_code": "custom"}],
    });
    let ship = || post("/rest/V1/order/9/ship").and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "adobe-commerce",
        update: sent("000000009"),
        asks: &asked,
        says: &ship,
        taken: status(200).set_body_string("\"3\""),
    }
    .is_told()
    .await;
    let nothing = json!({"items": [], "total_count": 0});
    world.on(get("/rest/V1/orders"), json_of(nothing), 1).await;
    let gone = world.tell("adobe-commerce", &sent("7")).await;
    assert_eq!(gone, Err(Failure::Refused("there is no such order".into())));
}

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

#[tokio::test]
async fn ebay_is_told_a_number_of_letters_and_digits() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = || post("/identity/v1/oauth2/token").and(basic_auth("c", "s"));
    world.on(tokens(), token("old"), 1).await;
    const AT: &str = "/sell/fulfillment/v1/order/12-1/shipping_fulfillment";
    // A token that is over is replaced, once.
    let with = |token: &str| header("authorization", format!("Bearer {token}"));
    world.on(get(AT).and(with("old")), status(401), 1).await;
    world.on(tokens(), token("new"), 1).await;
    let asked = |known: bool| {
        let of = |number: &str| json!({"shipmentTrackingNumber": number, "lineItems": [{"lineItemId": "12"}]});
        let known = if known {
            vec![of("X"), of("NP77")]
        } else {
            vec![of("X")]
        };
        let asked = get(AT).and(header("authorization", "Bearer new"));
        vec![(asked, json!({"fulfillments": known, "total": 1}))]
    };
    let said = json!({
        "lineItems": [{"lineItemId": "11", "quantity": 2}, {"lineItemId": "12", "quantity": 1}],
        "shippedDate": "2026-11-26T16:00:00.000Z",
        "shippingCarrierCode": "Night Post", "trackingNumber": "NP77",
    });
    let ship = || post(AT).and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "ebay",
        update: sent("12-1"),
        asks: &asked,
        says: &ship,
        taken: status(201),
    }
    .is_told()
    .await;
}

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
    let failure = world.tell("tiktok", &accepted("5764")).await;
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
}

#[tokio::test]
async fn wix_makes_a_fulfillment_of_an_order() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "client_id": "app", "client_secret": "s", "instance_id": "i",
        "carrier:Night Post": "dhl",
    });
    world.access("wix", &access);
    world.on(post("/oauth2/token"), token("t"), 1).await;
    const AT: &str = "/ecom/v1/fulfillments/orders/6766";
    let asked = |known: bool| {
        let of = |number: &str, line: &str| {
            json!({
                "id": "f", "lineItems": [{"id": line, "quantity": 1}],
                "trackingInfo": {"trackingNumber": number, "shippingProvider": "dhl"},
            })
        };
        let mut there = vec![of("NP-78", "11"), of("NP-77", "13")];
        if known {
            there.push(of("NP-77", "12"));
        }
        let order = json!({"orderId": "6766", "fulfillments": there});
        let asked = get(AT).and(header("authorization", "t"));
        vec![(asked, json!({"orderWithFulfillments": order}))]
    };
    let said = json!({"fulfillment": {
        "lineItems": [{"id": "11", "quantity": 2}, {"id": "12", "quantity": 1}],
        "trackingInfo": {"trackingNumber": "NP-77", "shippingProvider": "dhl"},
    }});
    let create = || post(&format!("{AT}/create-fulfillment")).and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "wix",
        update: sent("6766"),
        asks: &asked,
        says: &create,
        taken: json_of(json!({"fulfillmentId": "f-2"})),
    }
    .is_told()
    .await;
    // None yet, and it does not take it.
    let none = json!({"orderWithFulfillments": {"orderId": "6766"}});
    world.on(get(AT), json_of(none), 1).await;
    let error = json!({"code": "ORDER_NOT_APPROVED", "description": "Ada wrote"});
    let error = json!({"message": "m", "details": {"applicationError": error}});
    let answer = status(400).set_body_json(error);
    world.on(create(), answer, 1).await;
    let why = "status 400, ORDER_NOT_APPROVED";
    let failure = world.tell("wix", &sent("6766")).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    world.on(get(AT), json_of(json!({})), 1).await;
    let failure = world.tell("wix", &sent("6766")).await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
}

fn shopify(world: &World) {
    world.access("shopify", &json!({"url": "@", "token": "shpat"}));
}

const GRAPHQL: &str = "/admin/api/2026-10/graphql.json";

fn graphql(part: &str) -> MockBuilder {
    let asked = post(GRAPHQL).and(header("x-shopify-access-token", "shpat"));
    asked.and(body_string_contains(part))
}

fn order(id: u32, status: &str, lines: &[(u32, u32)]) -> Value {
    let line = |(line, left): &(u32, u32)| {
        json!({
            "id": format!("gid://shopify/FulfillmentOrderLineItem/{id}{line}"),
            "remainingQuantity": left,
            "lineItem": {"id": format!("gid://shopify/LineItem/{line}")},
        })
    };
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({
        "id": format!("gid://shopify/FulfillmentOrder/{id}"), "status": status,
        "lineItems": {"nodes": lines},
    })
}

fn page(orders: &[Value], next: Option<&str>) -> Value {
    let info = json!({"hasNextPage": next.is_some(), "endCursor": next});
    json!({"data": {"order": {"fulfillmentOrders": {"pageInfo": info, "nodes": orders}}}})
}

#[tokio::test]
async fn shopify_fulfills_what_is_open_of_its_own_fulfillment_orders() {
    let world = World::new().await;
    shopify(&world);
    let asked = |known: bool| {
        let of = |status: &str, number: &str, line: u32| {
            let line = json!({"lineItem": {"id": format!("gid://shopify/LineItem/{line}")}});
            json!({
                "status": status, "trackingInfo": [{"number": number}],
                "fulfillmentLineItems": {"nodes": [line]},
            })
        };
        // Another number, one that was taken back, and this number with another line.
        let mut there = vec![
            of("SUCCESS", "NP-7", 11),
            of("CANCELLED", "NP-77", 11),
            of("SUCCESS", "NP-77", 9),
        ];
        if known {
            there.push(of("SUCCESS", "NP-77", 11));
        }
        let fulfilled = graphql("fulfillments(first").and(body_string_contains(
            r#""variables":{"id":"gid://shopify/Order/820982911946154508"}"#,
        ));
        let there = json!({"data": {"order": {"fulfillments": there}}});
        if known {
            return vec![(fulfilled, there)];
        }
        let first =
            graphql("fulfillmentOrders(first").and(body_string_contains(r#""variables":{"id":"#));
        let next = graphql("fulfillmentOrders(first").and(body_string_contains(r#""after":"c1""#));
        let closed = order(1, "CLOSED", &[(11, 5)]);
        let some = order(2, "OPEN", &[(11, 1), (13, 4)]);
        let rest = order(3, "IN_PROGRESS", &[(11, 8), (12, 1)]);
        vec![
            (fulfilled, there),
            (next, page(&[rest], None)),
            (first, page(&[closed, some], Some("c1"))),
        ]
    };
    let said = json!({
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/2",
                "fulfillmentOrderLineItems":
                    [{"id": "gid://shopify/FulfillmentOrderLineItem/211", "quantity": 1}],
            },
            {
                "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/3",
                "fulfillmentOrderLineItems": [
                    {"id": "gid://shopify/FulfillmentOrderLineItem/311", "quantity": 1},
                    {"id": "gid://shopify/FulfillmentOrderLineItem/312", "quantity": 1},
                ],
            },
        ],
        "notifyCustomer": false,
        "trackingInfo": {"company": "Night Post", "number": "NP-77"},
    });
    let said = format!(r#""variables":{}"#, json!({"fulfillment": said}));
    let ship = || graphql("fulfillmentCreate(").and(body_string_contains(said.clone()));
    let made = json!({"fulfillment": {"id": "gid://shopify/Fulfillment/1"}, "userErrors": []});
    Asked {
        world: &world,
        channel: "shopify",
        update: sent("820982911946154508"),
        asks: &asked,
        says: &ship,
        taken: json_of(json!({"data": {"fulfillmentCreate": made}})),
    }
    .is_told()
    .await;
}

#[tokio::test]
async fn shopify_says_in_its_answers_what_others_say_by_status() {
    let world = World::new().await;
    shopify(&world);
    let error = |code: &str| json!({"errors": [{"message": "Ada", "extensions": {"code": code}}]});
    let none = json!({"data": {"order": {"fulfillments": []}}});
    for (code, expected) in [
        ("THROTTLED", Failure::Again(0, "THROTTLED".into())),
        ("ACCESS_DENIED", Failure::Locked("ACCESS_DENIED".into())),
        ("BAD", Failure::Refused(r#"an error "BAD""#.into())),
    ] {
        world.on(post(GRAPHQL), json_of(error(code)), 1).await;
        assert_eq!(world.tell("shopify", &sent("1")).await, Err(expected));
    }
    world
        .on(post(GRAPHQL), json_of(json!({"data": {"order": null}})), 1)
        .await;
    let gone = world.tell("shopify", &sent("1")).await;
    assert_eq!(gone, Err(Failure::Refused("there is no such order".into())));
    // Somebody has fulfilled some of it there.
    world.on(post(GRAPHQL), json_of(none.clone()), 1).await;
    let little = page(&[order(1, "OPEN", &[(11, 1)])], None);
    world.on(post(GRAPHQL), json_of(little), 1).await;
    let failure = world.tell("shopify", &sent("1")).await;
    let why = "it has 2 pieces less to fulfil than have left";
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    // It does not take the request, and its words stay there.
    world.on(post(GRAPHQL), json_of(none), 1).await;
    let enough = page(&[order(1, "OPEN", &[(11, 2), (12, 1)])], None);
    world.on(post(GRAPHQL), json_of(enough), 1).await;
    let errors = json!([{"field": ["fulfillment", "trackingInfo"], "message": "Ada's is odd"}]);
    let made = json!({"data": {"fulfillmentCreate": {"fulfillment": null, "userErrors": errors}}});
    world.on(post(GRAPHQL), json_of(made), 1).await;
    let failure = world.tell("shopify", &sent("1")).await;
    let why = r#"it does not take the field "fulfillment.trackingInfo""#;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    world.server.verify().await;
}

#[tokio::test]
async fn shopify_is_opened_by_the_credentials_of_an_app_too() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "app", "client_secret": "hush"});
    world.access("shopify", &access);
    let form = "grant_type=client_credentials&client_id=app&client_secret=hush";
    let tokens = post("/admin/oauth/access_token").and(body_string_contains(form));
    world.on(tokens, token("day"), 1).await;
    let with = post(GRAPHQL).and(header("x-shopify-access-token", "day"));
    let gone = json!({"data": {"order": null}});
    world.on(with, json_of(gone), 2).await;
    for _ in 0..2 {
        let gone = world.tell("shopify", &sent("1")).await;
        assert!(matches!(gone, Err(Failure::Refused(_))), "{gone:?}");
    }
    world.server.verify().await;
}

#[tokio::test]
async fn meta_waits_for_its_orders_to_be_acknowledged() {
    let world = World::new().await;
    world.access("meta", &json!({"url": "@", "cms_id": "77", "token": "sys"}));
    let channel = channels::by_name("meta").unwrap();
    assert!(channel.updates().unwrap().waits());
    let state = |state: &str| json_of(json!({"id": "64", "order_status": {"state": state}}));
    let asked = || get("/64").and(header("authorization", "Bearer sys"));
    let told = || {
        post("/64/acknowledge_order")
            .and(body_string_contains(
                "idempotency_key=AD4OVS4KRET6JAPB-acknowledged",
            ))
            .and(body_string_contains(
                "merchant_order_reference=AD4OVS4KRET6JAPB",
            ))
    };
    world.on(asked(), state("CREATED"), 1).await;
    world.on(told(), json_of(json!({"success": true})), 1).await;
    assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    for known in ["IN_PROGRESS", "COMPLETED"] {
        world.on(asked(), state(known), 1).await;
        assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    }
    world.on(asked(), state("FB_PROCESSING"), 1).await;
    let early = world.tell("meta", &accepted("64")).await;
    assert!(matches!(early, Err(Failure::Again(0, _))), "{early:?}");
    world.on(asked(), state("CANCELLED"), 1).await;
    let gone = world.tell("meta", &accepted("64")).await;
    assert!(matches!(gone, Err(Failure::Refused(_))), "{gone:?}");
    // Too late an answer: acknowledged all the same, it is in progress the next time.
    world.on(asked(), state("CREATED"), 1).await;
    let late = json_of(json!({"success": true})).set_delay(Duration::from_secs(MAX_ANSWER_S + 1));
    world.on(told(), late, 1).await;
    let failure = world.tell("meta", &accepted("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world.on(asked(), state("IN_PROGRESS"), 1).await;
    assert_eq!(world.tell("meta", &accepted("64")).await, Ok(()));
    world
        .on(asked(), status(200).set_body_string("{\"id\":"), 1)
        .await;
    let broken = world.tell("meta", &accepted("64")).await;
    assert!(matches!(broken, Err(Failure::Again(0, _))), "{broken:?}");
    world.server.verify().await;
}

#[tokio::test]
async fn meta_and_amazon_know_a_shipment_by_our_name_of_it() {
    let world = World::new().await;
    world.access("meta", &json!({"url": "@", "cms_id": "77", "token": "sys"}));
    let items = "items=%5B%7B%22item_id%22%3A%2211%22%2C%22quantity%22%3A2%7D%2C";
    let shipped = || {
        post("/64/shipments")
            .and(header("authorization", "Bearer sys"))
            .and(body_string_contains(
                "external_shipment_id=AD4OVS4KRET6JAPB_1",
            ))
            .and(body_string_contains(
                "idempotency_key=AD4OVS4KRET6JAPB-sent-1",
            ))
            .and(body_string_contains(items))
            .and(body_string_contains("%22carrier%22%3A%22NIGHT_POST%22"))
    };
    let error = |code: u32| json!({"error": {"code": code, "message": "Ada"}});
    world
        .on(shipped(), status(400).set_body_json(error(4)), 1)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world
        .on(shipped(), status(400).set_body_json(error(2361067)), 1)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert_eq!(failure, Err(Failure::Refused("status 400, 2361067".into())));
    // A right that is missing is asked for once more, in case it was given just now.
    world
        .on(shipped(), status(403).set_body_json(error(200)), 2)
        .await;
    let failure = world.tell("meta", &sent("64")).await;
    assert_eq!(failure, Err(Failure::Locked("status 403, 200".into())));
    let slow = json_of(json!({"success": true})).set_delay(Duration::from_secs(MAX_ANSWER_S + 1));
    world.on(shipped(), slow, 1).await;
    let failure = world.tell("meta", &sent("64")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world
        .on(shipped(), json_of(json!({"success": true})), 1)
        .await;
    assert_eq!(
        world.tell("meta", &sent("64")).await,
        Ok(()),
        "by the same name"
    );

    let mut access = json!({
        "url": "@", "token_url": "@/token", "client_id": "app", "client_secret": "hush",
        "refresh_token": "r",
    });
    world.access("amazon", &access);
    let failure = world.tell("amazon", &sent("701-1")).await;
    assert!(matches!(failure, Err(Failure::Locked(_))), "{failure:?}");
    access["marketplace_ids"] = "A1, A2".into();
    world.passed.store(600, std::sync::atomic::Ordering::SeqCst);
    world.access("amazon", &access);
    world.on(post("/token"), token("t-1"), 1).await;
    let said = |code: &str| {
        let mut package = json!({
            "packageReferenceId": "1", "carrierCode": code, "trackingNumber": "NP-77",
            "shipDate": "2026-11-26T16:00:00Z",
            "orderItems":
                [{"orderItemId": "11", "quantity": 2}, {"orderItemId": "12", "quantity": 1}],
        });
        if code == "Other" {
            package["carrierName"] = "Night Post".into();
        }
        let body = json!({"marketplaceId": "A1", "packageDetail": package});
        post("/orders/v0/orders/701-1/shipmentConfirmation").and(body_json(body))
    };
    let busy = status(429).insert_header("retry-after", "2");
    world.on(said("Other"), busy, 1).await;
    let failure = world.tell("amazon", &sent("701-1")).await;
    assert!(matches!(failure, Err(Failure::Again(2, _))), "{failure:?}");
    // Over before its time.
    let over = json!({"errors": [{"code": "Unauthorized", "message": "expired"}]});
    let with = |token: &str| header("x-amz-access-token", token.to_owned());
    let refused = status(403).set_body_json(over);
    world.on(said("Other").and(with("t-1")), refused, 1).await;
    world.on(post("/token"), token("t-2"), 1).await;
    world
        .on(said("Other").and(with("t-2")), status(204), 1)
        .await;
    assert_eq!(world.tell("amazon", &sent("701-1")).await, Ok(()));
    let invalid = json!({"errors": [{"code": "InvalidInput", "message": "Ada"}]});
    let invalid = status(400).set_body_json(invalid);
    world.on(said("Other"), invalid, 1).await;
    let failure = world.tell("amazon", &sent("701-1")).await;
    let why = "status 400, InvalidInput";
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    access["carrier:Night Post"] = "NP".into();
    world
        .passed
        .store(1_200, std::sync::atomic::Ordering::SeqCst);
    world.access("amazon", &access);
    world.on(said("NP"), status(204), 1).await;
    assert_eq!(world.tell("amazon", &sent("701-1")).await, Ok(()));
    world.server.verify().await;
}

#[tokio::test]
async fn what_a_channel_has_no_word_for_is_for_a_person() {
    let world = World::new().await;
    shopify(&world);
    let failure = world.tell("shopify", &accepted("1")).await;
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
    let failure = world.tell("generic", &sent("1")).await;
    assert_eq!(failure, Err(Failure::NoAccess));
    let failure = world.tell("ebay", &sent("1")).await;
    assert_eq!(failure, Err(Failure::NoAccess));
}
