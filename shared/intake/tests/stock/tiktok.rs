//! TikTok Shop is told what there is.

use channels::stock::Available;
use serde_json::{Value, json};
use wiremock::MockBuilder;
use wiremock::matchers::{body_json, header, query_param};

use crate::common::*;

const SEARCH: &str = "/product/202502/products/search";

#[tokio::test]
async fn tiktok_is_told_by_product_with_all_warehouses_of_a_sku() {
    let world = World::new().await;
    tiktok(&world, Some("W1")).await;
    let cup = [("W1", 2), ("W2", 7)];
    let products = json!([
        {"id": "P1", "skus": [
            tiktok_sku("11", "CUP", &cup), tiktok_sku("12", "SAME", &[("W1", 9)]),
            tiktok_sku("13", "AWAY", &[("W2", 9)]),
        ]},
        {"id": "P2", "skus": [
            tiktok_sku("21", "POT", &[("W1", 0)]), tiktok_sku("22", "BAD", &[("W1", 0)]),
            tiktok_sku("23", "TWICE", &[("W1", 0)]),
        ]},
        {"id": "P3", "skus": [tiktok_sku("31", "TWICE", &[("W1", 0)])]},
    ]);
    let skus = ["CUP", "SAME", "AWAY", "POT", "BAD", "TWICE", "GONE"];
    let asked = said("POST", SEARCH)
        .and(header("x-tts-access-token", "t"))
        .and(query_param("page_size", "100"))
        .and(body_json(
            json!({"status": "ACTIVATE", "seller_skus": skus}),
        ));
    world.on(asked, json_of(tiktok_finds(products)), 1).await;
    let of_each = |of: &[(&str, i64)]| tiktok_sku("", "", of)["inventory"].clone();
    let first = json!([{"id": "11", "inventory": of_each(&[("W1", 3), ("W2", 7)])}]);
    let done = json_of(json!({"code": 0, "message": "Success"}));
    world.on(tiktok_update("P1", first), done, 1).await;
    // More than it shows, and one that it does not take.
    let second = json!([
        {"id": "21", "inventory": of_each(&[("W1", 99_999)])},
        {"id": "22", "inventory": of_each(&[("W1", 1)])},
    ]);
    let within = json!([{"warehouse_id": "W1", "code": 12_052_531, "message": "m"}]);
    let error = json!({
        "code": 12_052_990, "message": "m", "detail": {"sku_id": "22", "extra_errors": within},
    });
    let partly = json_of(json!({"code": 0, "data": {"errors": [error]}}));
    world.on(tiktok_update("P2", second), partly, 1).await;
    let all: Vec<Available> = skus
        .iter()
        .zip([3, 9, 1, 100_000, 1, 1, 1])
        .map(|(sku, n)| of(sku, n))
        .collect();
    let expected = vec![
        refused("AWAY", "it is not in the warehouse that the access names"),
        refused("TWICE", "it has several products of this SKU"),
        refused("GONE", "it has no product of this SKU"),
        refused("BAD", "it refuses it: 12052531"),
    ];
    assert_eq!(world.set("tiktok", "7", &all).await, Ok(expected));
    world.server.verify().await;
}

#[tokio::test]
async fn tiktok_has_its_bad_days() {
    let world = World::new().await;
    let products = json!([{"id": "P1", "skus": [tiktok_sku("11", "CUP", &[("W1", 2)])]}]);
    let update = || {
        tiktok_update(
            "P1",
            json!([{"id": "11", "inventory": [{"warehouse_id": "W1", "quantity": 3}]}]),
        )
    };
    let told = Told {
        world: &world,
        channel: "tiktok",
        available: &[of("CUP", 3)],
        asks: &|| vec![(said("POST", SEARCH), tiktok_finds(products.clone()))],
        says: &update,
        taken: json!({"code": 0, "message": "Success", "data": {}}),
    };
    tiktok(&world, None).await;
    told.is_told().await;
    tiktok(&world, None).await;
    told.is_read_whole().await;
    tiktok(&world, None).await;
    // Several warehouses, and none is named.
    let two = json!([{"id": "P1", "skus": [tiktok_sku("11", "CUP", &[("W1", 2), ("W2", 2)])]}]);
    world
        .on(said("POST", SEARCH), json_of(tiktok_finds(two)), 1)
        .await;
    let why = "it is in several warehouses, and the access has no \"warehouse\"";
    let refusal = world.set("tiktok", "7", &[of("CUP", 3)]).await;
    assert_eq!(refusal, Ok(vec![refused("CUP", why)]));
}

async fn tiktok(world: &World, warehouse: Option<&str>) {
    let mut access = json!({
        "url": "@", "token_url": "@/token", "app_key": "k", "app_secret": "s",
        "refresh_token": "r", "shop_cipher": "c",
    });
    if let Some(warehouse) = warehouse {
        access["warehouse"] = warehouse.into();
    }
    world.access("tiktok", &access);
    let until = at(604_800).as_second();
    let token = json!({"access_token": "t", "access_token_expire_in": until});
    let token = json_of(json!({"code": 0, "data": token}));
    let tokens = get("/token").respond_with(token);
    tokens.mount(&world.server).await;
}

fn tiktok_sku(id: &str, sku: &str, shown: &[(&str, i64)]) -> Value {
    let shown = shown
        .iter()
        .map(|(id, n)| json!({"warehouse_id": id, "quantity": n}));
    json!({"id": id, "seller_sku": sku, "inventory": shown.collect::<Value>()})
}

fn tiktok_finds(products: Value) -> Value {
    json!({"code": 0, "data": {"total_count": 1, "products": products}})
}

fn tiktok_update(product: &str, skus: Value) -> MockBuilder {
    let at = format!("/product/202309/products/{product}/inventory/update");
    said("POST", &at).and(body_json(json!({"skus": skus})))
}
