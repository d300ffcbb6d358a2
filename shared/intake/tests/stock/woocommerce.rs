//! WooCommerce is told what there is; and what holds for every vendor that takes many requests, or breaks off.

use channels::stock::{Available, Refusals};
use domain::limits::{LISTINGS_AT_ONCE, MAX_SETTINGS};
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, body_json, query_param, query_param_contains};

use crate::common::*;

const PRODUCTS: &str = "/wp-json/wc/v3/products";

#[tokio::test]
async fn woocommerce_is_told_by_product_and_by_the_variations_of_each() {
    let world = World::new().await;
    woo(&world);
    let found = json!([
        product(11, "CUP", 0, &json!(true), &json!(2)),
        product(12, "POT", 0, &json!(false), &json!(4)),
        product(13, "SAME", 0, &json!(true), &json!(9)),
        product(21, "TEE-S", 20, &json!("parent"), &json!(null)),
    ]);
    let asked = || {
        let asked = get(PRODUCTS).and(basic_auth("ck", "cs"));
        let asked = asked.and(query_param("sku", "CUP,POT,SAME,TEE-S,GONE"));
        let asked = asked.and(query_param("per_page", "100"));
        asked.and(query_param_contains("_fields", "stock_quantity"))
    };
    let update = |id: u64, n: i64| json!({"id": id, "manage_stock": true, "stock_quantity": n});
    let plain = json!({"update": [update(11, 3), update(12, 4)]});
    let variations = json!({"update": [update(21, 5)]});
    let error = json!({"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."});
    let of_plain = json!({"update": [{"id": 11}, {"id": 12, "error": error}]});
    let of_tee = json!({"update": [{"id": 21, "stock_quantity": 5}]});
    let batch = format!("{PRODUCTS}/batch");
    let tees = format!("{PRODUCTS}/20/variations/batch");
    world.on(asked(), json_of(found), 1).await;
    let plain = said("POST", &batch).and(body_json(plain));
    world.on(plain, json_of(of_plain), 1).await;
    let tees = said("POST", &tees).and(body_json(variations));
    world.on(tees, json_of(of_tee), 1).await;
    let all = [
        of("CUP", 3),
        of("POT", 4),
        of("SAME", 9),
        of("TEE-S", 5),
        of("GONE", 1),
    ];
    let told = world.set("woocommerce", "7", &all).await;
    let why = "it refuses it: woocommerce_rest_product_invalid_id";
    let gone = refused("GONE", "it has no product of this SKU");
    assert_eq!(told, Ok(vec![gone, refused("POT", why)]));
    world.server.verify().await;
}

#[tokio::test]
async fn woocommerce_has_its_bad_days() {
    let world = World::new().await;
    woo(&world);
    let found = json!([product(11, "CUP", 0, &json!(true), &json!(2))]);
    Told {
        world: &world,
        channel: "woocommerce",
        available: &[of("CUP", 3)],
        asks: &|| vec![(get(PRODUCTS), found.clone())],
        says: &|| said("POST", &format!("{PRODUCTS}/batch")),
        taken: json!({"update": [{"id": 11, "stock_quantity": 3}]}),
    }
    .is_told()
    .await;
    // A batch of which it does not say what became of each is not taken for told.
    world.on(get(PRODUCTS), json_of(found), 1).await;
    let batch = said("POST", &format!("{PRODUCTS}/batch"));
    world.on(batch, json_of(json!({"update": []})), 1).await;
    let told = world.set("woocommerce", "7", &[of("CUP", 3)]).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
    world.server.verify().await;
    // With nothing to ask for it would tell of everything.
    let comma = refused("A,B", "it cannot be asked for a SKU with a comma");
    let told = world.set("woocommerce", "7", &[of("A,B", 3)]).await;
    assert_eq!(told, Ok(vec![comma]));
}

#[tokio::test]
async fn so_many_requests_are_made_at_once_and_no_more() {
    assert_eq!(variations(MAX_SETTINGS - 1).await, Ok(NOTHING));
    let why = format!("it takes more than {MAX_SETTINGS} answers to tell it");
    assert_eq!(variations(MAX_SETTINGS).await, Err(Failure::Refused(why)));
    // Nobody is asked for as many.
    for channel in channels::CHANNELS {
        let Some(stock) = channel.stock() else {
            continue;
        };
        let most = LISTINGS_AT_ONCE.min(stock.at_once());
        assert!(most > 0);
        let many = ["woocommerce", "adobe-commerce", "amazon", "tiktok"];
        if many.contains(&channel.name()) {
            assert!(most + 2 <= MAX_SETTINGS, "{}", channel.name());
        }
    }
}

#[tokio::test]
async fn what_a_vendor_breaks_off_is_said_again() {
    let world = World::new().await;
    woo(&world);
    let found = json!([product(11, "CUP", 0, &json!(true), &json!(2))]);
    Told {
        world: &world,
        channel: "woocommerce",
        available: &[of("CUP", 3)],
        asks: &|| vec![(get(PRODUCTS), found.clone())],
        says: &|| said("POST", &format!("{PRODUCTS}/batch")),
        taken: json!({"update": [{"id": 11, "stock_quantity": 3}]}),
    }
    .is_read_whole()
    .await;
}

fn woo(world: &World) {
    let access = json!({"url": "@", "key": "ck", "secret": "cs"});
    world.access("woocommerce", &access);
}

fn product(id: u64, sku: &str, parent: u64, managed: &Value, shown: &Value) -> Value {
    json!({
        "id": id, "sku": sku, "parent_id": parent, "manage_stock": managed, "stock_quantity": shown,
    })
}

/// A shop that has so many articles, each a variation of a product of its own: as many requests, and one to find them.
async fn variations(many: usize) -> Result<Refusals, Failure> {
    let world = World::new().await;
    woo(&world);
    let numbers = 1..=u64::try_from(many).unwrap();
    let of_number = |n: u64| product(n, &format!("V-{n}"), 1_000 + n, &json!(true), &json!(0));
    let found: Value = numbers.clone().map(of_number).collect();
    world.on(get(PRODUCTS), json_of(found), 1).await;
    for n in numbers.clone() {
        let at = format!("{PRODUCTS}/{}/variations/batch", 1_000 + n);
        let answer = json_of(json!({"update": [{"id": n}]}));
        let said = said("POST", &at).respond_with(answer);
        said.mount(&world.server).await;
    }
    let all: Vec<Available> = numbers.map(|n| of(&format!("V-{n}"), 1)).collect();
    world.set("woocommerce", "7", &all).await
}
