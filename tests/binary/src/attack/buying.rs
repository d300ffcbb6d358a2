//! Inventory: more buyers than goods, and one buyer many times.

use serde_json::{Value, json};

use super::{CLIENTS, PLENTY, SCARCE, Site, all_the_same, everybody, statuses};
use crate::Request;

/// 64 buyers, ten units: ten get one, 54 wait, and nothing is promised that is not there.
pub async fn the_last_ten(site: &mut Site) -> Value {
    let document = end_to_end::document(&[(SCARCE, 1)]);
    let buyer = |n| Request::order(&format!("buyer-{n}"), &document);
    let buyers: Vec<Request> = (0..CLIENTS).map(buyer).collect();
    buy(site, buyers, 201).await
}

/// The same by webhooks, each an order of a shop.
pub async fn by_webhook(site: &mut Site) -> Value {
    let buyer = |n: usize| {
        let mut document = end_to_end::shopify();
        document["admin_graphql_api_id"] = json!(format!("gid://shopify/Order/{}", 7_000_000 + n));
        document["name"] = json!(format!("#{n}"));
        document["line_items"][0]["sku"] = json!(SCARCE);
        Request::webhook(&document)
    };
    let buyers: Vec<Request> = (0..CLIENTS).map(buyer).collect();
    buy(site, buyers, 200).await
}

async fn buy(site: &mut Site, buyers: Vec<Request>, taken: u16) -> Value {
    let receipt = Request::stock(SCARCE, "pallet", "hamburg", "receive", 10);
    site.client.ask(&receipt).await;
    site.client
        .wait_for(&format!("/stock/{SCARCE}"), |stock| {
            stock["levels"][0]["available"] == 10
        })
        .await;
    let answers = site.at_once(buyers).await;
    assert_eq!(statuses(&answers), [(taken, CLIENTS)].into());
    site.rest().await;
    let (mut allocated, mut waiting) = (0, 0);
    for (_, receipt) in &answers {
        let id = receipt["id"].as_str().unwrap();
        let units = &site.order(id).await["lines"][0]["units"];
        allocated += units["allocated"].as_u64().unwrap();
        waiting += units["backordered"].as_u64().unwrap();
    }
    assert_eq!((allocated, waiting), (10, 54));
    assert_eq!(site.level(SCARCE).await, (10, 10, 0));
    json!({"allocated": allocated, "backordered": waiting})
}

/// One order, sent 64 times at once under one key.
pub async fn the_same_order(site: &mut Site) -> Value {
    let document = end_to_end::document(&[(PLENTY, 3)]);
    let before = site.level(PLENTY).await;
    let answers = site
        .at_once(everybody(Request::order("mine", &document)))
        .await;
    let (status, receipt) = all_the_same(&answers);
    assert_eq!(*status, 201, "{receipt}");
    assert_eq!(site.rest().await.len(), 1, "orders");
    let after = site.level(PLENTY).await;
    assert_eq!(after, (before.0, before.1 + 3, before.2 - 3));
    // One to the customer, one to the warehouse.
    assert_eq!(site.mails().await, 2);
    let id = receipt["id"].as_str().unwrap();
    let events = site
        .client
        .ask(&Request::get(format!("/orders/{id}/events")))
        .await;
    let events = events["events"].as_array().unwrap();
    let sent = events
        .iter()
        .filter(|event| event["type"] == "notice.sent")
        .count();
    assert_eq!(sent, 2, "{events:?}");
    json!({"orders": 1, "allocated": 3, "mails": 2})
}
