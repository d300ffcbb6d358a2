//! What a retailer does not promise of what is there, and what becomes of what is not.

use domain::Product;
use end_to_end::{Shop, WITHOUT_BODY, document};
use serde_json::{Value, json};

const SKU: &str = "MUG-ENAMEL";

/// A product that there are so many of in Newark.
async fn shop(units: i64, policy: Value) -> Shop {
    let shop = Shop::open().await;
    let mut product = json!({
        "sku": SKU, "title": "Enamel mug", "weight_g": 200, "length_mm": 90, "width_mm": 90, "height_mm": 90,
    });
    let fields = policy.as_object().unwrap().clone();
    product.as_object_mut().unwrap().extend(fields);
    shop.put("/products", product).await;
    shop.adjust(SKU, "first", "newark", "receive", units).await;
    shop
}

/// Units of the first line that are set aside, and that wait.
async fn units(shop: &Shop, id: &str) -> (u64, u64) {
    let order = shop.order(id).await;
    let units = &order["lines"][0]["units"];
    let count = |name: &str| units[name].as_u64().unwrap();
    (count("allocated"), count("backordered"))
}

#[tokio::test]
async fn safety_stock_stays_on_the_shelf() {
    let shop = shop(3, json!({"safety_stock": {"newark": 2, "*": 1}})).await;
    let id = &shop.place("two", &document(&[(SKU, 2)])).await;
    assert_eq!(units(&shop, id).await, (1, 1));
    let level = shop.level(SKU, "newark").await;
    assert_eq!((level.on_hand, level.available), (3, 2));
    // The sweeper does not wake who waits for goods that nobody is promised.
    assert_eq!(shop.sweep().await["waiting"], 0);
    shop.adjust(SKU, "second", "hamburg", "receive", 1).await;
    assert_eq!(units(&shop, id).await, (1, 1), "one is kept back there too");
    shop.adjust(SKU, "third", "hamburg", "receive", 1).await;
    assert_eq!(units(&shop, id).await, (2, 0));
    shop.close().await;
}

#[tokio::test]
async fn a_preorder_waits_with_the_goods_on_the_shelf() {
    let shop = shop(5, json!({"available_on": "2999-01-01"})).await;
    let id = &shop.place("early", &document(&[(SKU, 1)])).await;
    assert_eq!(units(&shop, id).await, (0, 1));
    assert_eq!(shop.sweep().await["waiting"], 0, "its day has not come");
    assert_eq!(shop.status(id).await, "backordered");
    // When its day comes, the sweeper finds who waits for it.
    let product = shop.store.products(&[SKU]).await.unwrap().remove(0);
    let on = |day| Product {
        available_on: day,
        ..product.clone()
    };
    let put = async |product| {
        shop.put("/products", serde_json::to_value(product).unwrap())
            .await
    };
    put(on(None)).await;
    assert_eq!(shop.sweep().await["waiting"], 1);
    // The step that was told believes what it has read of a product for a while, and leaves it waiting.
    put(on(product.available_on)).await;
    shop.close().await;
}

#[tokio::test]
async fn a_person_is_asked_whether_an_order_may_wait() {
    let shop = shop(1, json!({"backorders": "ask"})).await;
    let id = &shop.place("two", &document(&[(SKU, 2)])).await;
    let order = shop.order(id).await;
    assert_eq!(
        (&order["status"], &order["holds"][0]["name"]),
        (&json!("held"), &json!("out-of-stock")),
        "{order}"
    );
    assert_eq!(units(&shop, id).await, (1, 0), "what is there goes");
    shop.adjust(SKU, "second", "newark", "receive", 1).await;
    assert_eq!(units(&shop, id).await, (1, 0), "nobody has said so yet");
    shop.place("quicker", &document(&[(SKU, 1)])).await;
    let release = format!("/orders/{id}/holds/out-of-stock/release");
    shop.post(&release, "", WITHOUT_BODY).await;
    assert_eq!(units(&shop, id).await, (1, 1));
    shop.adjust(SKU, "third", "newark", "receive", 1).await;
    assert_eq!(units(&shop, id).await, (2, 0));
    shop.close().await;
}
