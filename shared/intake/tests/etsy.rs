//! Etsy's API as its documents describe it: asked, told what has left, and told what there is.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use channels::stock::Available;
use channels::vendor::Page;
use common::*;
use domain::limits::MAX_SETTINGS;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_string, body_string_contains, header, method, path, query_param};
use wiremock::{Mock, MockBuilder, ResponseTemplate};

#[tokio::test]
async fn etsy_is_asked_with_the_secret_of_the_app_and_sorts_by_change() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "client_id": "key", "client_secret": "hush", "refresh_token": "9.r", "shop_id": "42",
    });
    world.access("etsy", &access);
    let form = "grant_type=refresh_token&client_id=key&refresh_token=9.r";
    let tokens = || {
        Mock::given(method("POST"))
            .and(path("/v3/public/oauth/token"))
            .and(body_string(form))
    };
    let with = |token: &str| header("authorization", format!("Bearer {token}"));
    let order = sample("etsy");
    let id = order["receipt_id"].to_string();
    const SHOP: &str = "/v3/application/shops/42";
    let place = format!("{SHOP}/receipts/{id}");
    let over = json!({"error": "invalid_token", "error_description": "access token is expired"});
    let over = ResponseTemplate::new(401).set_body_json(over);
    world.on(tokens(), token("9.old"), 1).await;
    world.on(get(&place).and(with("9.old")), over, 1).await;
    world.on(tokens(), token("9.new"), 1).await;
    let asked = get(&place)
        .and(with("9.new"))
        .and(header("x-api-key", "key:hush"));
    world.on(asked, json_of(order), 1).await;
    let document = world.order("etsy", &id).await.unwrap();
    assert_eq!(total("etsy", &document), (5625, id));
    let list = |offset: &str| {
        get(&format!("{SHOP}/receipts"))
            .and(query_param(
                "min_last_modified",
                at(59).as_second().to_string(),
            ))
            .and(query_param("sort_on", "updated"))
            .and(query_param("sort_order", "asc"))
            .and(query_param("limit", "100"))
            .and(query_param("offset", offset.to_owned()))
    };
    let entry = json!({"receipt_id": 2_900_000_001_u64, "updated_timestamp": at(65).as_second()});
    let full = json!({"count": 101, "results": vec![entry.clone(); 100]});
    world.on(list("0"), json_of(full), 1).await;
    let rest = json!({"count": 101, "results": [entry]});
    world.on(list("100"), json_of(rest), 1).await;
    let page = world.page("etsy", 60, "").await.unwrap();
    assert_eq!(page.orders[0], hint("2900000001", "2026-11-26T16:01:05Z"));
    assert_eq!((page.orders.len(), page.next.as_deref()), (100, Some("2")));
    let page = world.page("etsy", 60, "2").await.unwrap();
    assert_eq!((page.orders.len(), page.next), (1, None));
    let none = json!({"count": 0, "results": []});
    world.on(list("0"), json_of(none), 1).await;
    assert_eq!(world.page("etsy", 60, "").await, Ok(Page::default()));
    world.server.verify().await;
}

#[tokio::test]
async fn etsy_is_told_when_the_last_of_a_receipt_has_left() {
    let world = World::new().await;
    let mut access = json!({
        "url": "@", "client_id": "key", "client_secret": "hush", "refresh_token": "r", "shop_id": "42",
    });
    world.access("etsy", &access);
    world
        .on(post("/v3/public/oauth/token"), token("t"), 1)
        .await;
    const AT: &str = "/v3/application/shops/42/receipts/29";
    let asked = |known: bool| {
        let of = |code: &str| json!({"receipt_shipping_id": 1, "tracking_code": code});
        let known = if known {
            vec![of("X"), of("NP-77")]
        } else {
            vec![of("X")]
        };
        let receipt = json!({"receipt_id": 29, "is_shipped": false, "shipments": known});
        vec![(get(AT).and(header("x-api-key", "key:hush")), receipt)]
    };
    let tracked = |carrier: &str| {
        let form = format!("tracking_code=NP-77&carrier_name={carrier}");
        post(&format!("{AT}/tracking")).and(body_string(form))
    };
    Asked {
        world: &world,
        channel: "etsy",
        update: sent("29"),
        asks: &asked,
        says: &|| tracked("other"),
        taken: json_of(json!({"receipt_id": 29, "is_shipped": true})),
    }
    .is_told()
    .await;
    access["carrier:Night Post"] = "night-post".into();
    world.passed.store(600, std::sync::atomic::Ordering::SeqCst);
    world.access("etsy", &access);
    let (looks, receipt) = asked(false).remove(0);
    world.on(looks, json_of(receipt), 1).await;
    world.on(tracked("night-post"), json_of(json!({})), 1).await;
    assert_eq!(world.tell("etsy", &sent("29")).await, Ok(()));
    // Some of it is still here.
    let mut first = sent("29");
    shipment(&mut first).completes = false;
    let (looks, receipt) = asked(false).remove(0);
    world.on(looks, json_of(receipt), 1).await;
    let part = world.tell("etsy", &first).await;
    assert!(matches!(part, Err(Failure::Refused(_))), "{part:?}");
    world.server.verify().await;
}

const SHOP: &str = "/v3/application/shops/42";

async fn etsy(world: &World) {
    let access = json!({
        "url": "@", "client_id": "key", "client_secret": "hush", "refresh_token": "r", "shop_id": "42",
    });
    world.access("etsy", &access);
    let tokens = said("POST", "/v3/public/oauth/token");
    world.on(tokens, token("t"), 1).await;
}

fn listings(offset: &str) -> MockBuilder {
    let looks = get(&format!("{SHOP}/listings")).and(header("x-api-key", "key:hush"));
    let looks = looks.and(query_param("state", "active"));
    looks.and(query_param("offset", offset.to_owned()))
}

fn listing(id: u64, skus: &[&str]) -> Value {
    json!({"listing_id": id, "state": "active", "skus": skus})
}

fn inventory_of(id: u64) -> String {
    format!("/v3/application/listings/{id}/inventory")
}

/// A product of Etsy's as it is read, of this colour.
fn coloured(sku: &str, colour: &str, quantity: i64) -> Value {
    json!({
        "product_id": 1, "sku": sku, "is_deleted": false,
        "offerings": [{
            "offering_id": 2, "quantity": quantity, "is_enabled": true, "is_deleted": false,
            "readiness_state_id": 7,
            "price": {"amount": 2205, "divisor": 100, "currency_code": "USD"},
        }],
        "property_values": [{
            "property_id": 200, "property_name": "Colour", "scale_id": null, "scale_name": null,
            "value_ids": [9_007_199_254_740_993_u64], "values": [colour],
        }],
    })
}

/// An inventory as it is read, whose quantities depend on these properties.
fn inventory(products: &[Value], on: &Value) -> Value {
    json!({
        "products": products, "price_on_property": [], "quantity_on_property": on,
        "sku_on_property": [200], "readiness_state_on_property": [], "listing": null,
    })
}

#[tokio::test]
async fn etsy_has_the_whole_inventory_of_a_listing_written_back() {
    let world = World::new().await;
    etsy(&world).await;
    let mut full: Vec<Value> = (1_000..1_098).map(|id| listing(id, &[])).collect();
    full.extend([
        listing(11, &["RED", "BLUE", "RED"]),
        listing(12, &["TWICE"]),
    ]);
    let page = |all: &[Value]| json_of(json!({"count": 103, "results": all}));
    world.on(listings("0"), page(&full), 1).await;
    let rest = [
        listing(13, &["TWICE"]),
        listing(14, &["FONT"]),
        listing(15, &["MANY"]),
    ];
    world.on(listings("100"), page(&rest), 1).await;
    // What was deleted is not written; and everything else as it was read.
    let mut gone = coloured("RED", "Pink", 9);
    gone["is_deleted"] = true.into();
    let read = [coloured("RED", "Red", 2), gone, coloured("BLUE", "Blue", 4)];
    let read = json_of(inventory(&read, &json!([200])));
    world.on(get(&inventory_of(11)), read, 1).await;
    let written = |sku: &str, colour: &str, quantity: i64| {
        format!(
            r#"{{"sku":"{sku}","property_values":[{{"property_id":200,"property_name":"Colour","scale_id":null,"value_ids":[9007199254740993],"values":["{colour}"]}}],"offerings":[{{"price":22.05,"quantity":{quantity},"is_enabled":true,"readiness_state_id":7}}]}}"#
        )
    };
    let on = r#""price_on_property":[],"quantity_on_property":[200],"sku_on_property":[200],"readiness_state_on_property":[]"#;
    let body = format!(
        r#"{{"products":[{},{}],{on}}}"#,
        written("RED", "Red", 0),
        written("BLUE", "Blue", 4)
    );
    let put = said("PUT", &inventory_of(11)).and(query_param("max_variations_supported", "3"));
    world
        .on(put.and(body_string(body)), json_of(json!({})), 1)
        .await;
    // One quantity of all of them, and as many as Etsy takes.
    let fonts = [coloured("FONT", "Arial", 5), coloured("FONT", "Times", 5)];
    let fonts = json_of(inventory(&fonts, &json!([])));
    world.on(get(&inventory_of(14)), fonts, 1).await;
    let put = said("PUT", &inventory_of(14));
    let put = put.and(body_string_contains(r#""quantity":999"#));
    world.on(put, json_of(json!({})), 1).await;
    // Two of them are counted apart, under one name.
    let many = [coloured("MANY", "Red", 1), coloured("MANY", "Blue", 1)];
    let many = json_of(inventory(&many, &json!([200])));
    world.on(get(&inventory_of(15)), many, 1).await;
    let all = [
        of("RED", 0),
        of("TWICE", 1),
        of("FONT", 1_000),
        of("MANY", 3),
        of("GONE", 1),
        of("NONE", 0),
    ];
    let why = "no listing of this SKU is for sale there: publish it, or renew it";
    let several = "it has several products of this SKU";
    let expected = vec![
        refused("TWICE", several),
        refused("GONE", why),
        refused("MANY", several),
    ];
    assert_eq!(world.set("etsy", "7", &all).await, Ok(expected));
    world.server.verify().await;
}

#[tokio::test]
async fn etsy_has_its_bad_days() {
    let world = World::new().await;
    etsy(&world).await;
    let page = json!({"count": 1, "results": [listing(11, &["CUP"])]});
    let shows = |quantity: i64| inventory(&[coloured("CUP", "Red", quantity)], &json!([]));
    let told = Told {
        world: &world,
        channel: "etsy",
        available: &[of("CUP", 3)],
        asks: &|| {
            let looks = (listings("0"), page.clone());
            vec![looks, (get(&inventory_of(11)), shows(2))]
        },
        says: &|| said("PUT", &inventory_of(11)),
        taken: shows(3),
    };
    told.is_told().await;
    told.is_read_whole().await;
    // What there is nothing of is taken off.
    Told {
        available: &[of("CUP", 0)],
        says: &|| {
            let off = said("PATCH", &format!("{SHOP}/listings/11"));
            off.and(body_string("state=inactive"))
        },
        taken: json!({"listing_id": 11, "state": "inactive"}),
        ..told
    }
    .is_told()
    .await;
    // It shows that already.
    world.on(listings("0"), json_of(page), 1).await;
    let read = json_of(shows(3));
    world.on(get(&inventory_of(11)), read, 1).await;
    let told = world.set("etsy", "7", &[of("CUP", 3)]).await;
    assert_eq!(told, Ok(NOTHING));
    world.server.verify().await;
}

/// A shop of so many full pages of listings and a last one, of which each of five is told of.
async fn shop_of(pages: usize) -> Result<channels::stock::Refusals, Failure> {
    let world = World::new().await;
    etsy(&world).await;
    let full: Value = (0..100).map(|id| listing(1_000 + id, &[])).collect();
    let full = get(&format!("{SHOP}/listings")).respond_with(json_of(json!({"results": full})));
    let told: Vec<Available> = (1..=5).map(|n| of(&format!("S-{n}"), 3)).collect();
    let own = told.iter().zip(11..);
    let own: Value = own.map(|(of, id)| listing(id, &[&of.sku])).collect();
    let last = json_of(json!({"results": own}));
    world.on(listings(&format!("{}00", pages)), last, 1).await;
    full.with_priority(9).mount(&world.server).await;
    for (of, id) in told.iter().zip(11..) {
        let shows = inventory(&[coloured(&of.sku, "Red", 2)], &json!([]));
        world.on(get(&inventory_of(id)), json_of(shows), 1).await;
        let put = said("PUT", &inventory_of(id));
        put.respond_with(json_of(json!({})))
            .mount(&world.server)
            .await;
    }
    world.set("etsy", "7", &told).await
}

#[tokio::test]
async fn etsy_is_told_of_shops_of_some_two_thousand_listings() {
    let etsy = channels::by_name("etsy").unwrap();
    assert_eq!(etsy.stock().unwrap().at_once(), 5);
    assert_eq!(shop_of(MAX_SETTINGS - 11).await, Ok(NOTHING));
    let why = format!("it takes more than {MAX_SETTINGS} answers to tell it");
    let more = shop_of(MAX_SETTINGS - 10).await;
    assert_eq!(more, Err(Failure::Refused(why)));
}
