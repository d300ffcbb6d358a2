//! Shopify is told what has left.

use intake::Failure;
use serde_json::{Value, json};
use wiremock::MockBuilder;
use wiremock::matchers::{body_string_contains, header};

use crate::common::*;

const GRAPHQL: &str = "/admin/api/2026-10/graphql.json";

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

pub(super) fn shopify(world: &World) {
    world.access("shopify", &json!({"url": "@", "token": "shpat"}));
}

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
