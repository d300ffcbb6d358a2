//! Every document of every channel's payloads sent to the real accept-order, signed as its channel signs, or
//! fetched by the real fetch-order from where the channel's API is: what becomes of each, in a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use end_to_end::Shop;
use http::Method;
use local::seed::{DEMO_KEY, add_access, add_account};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::channels::folder;
use crate::corpus::{json_files, name, say};
use crate::senders::{Sender, sender};

/// The channels of vendors.
const CHANNELS: [&str; 12] = [
    "adobe-commerce",
    "amazon",
    "bigcommerce",
    "ebay",
    "etsy",
    "meta",
    "shopify",
    "square",
    "tiktok",
    "walmart",
    "wix",
    "woocommerce",
];
/// The account of each.
const ACCOUNT: &str = "corpus";

/// What Shopify says in a header of what the file's name says.
fn topic(file: &str) -> Option<String> {
    let file = file.trim_end_matches(".json");
    let of = |resource: &str| {
        let event = file.strip_prefix(resource)?.strip_prefix('_')?;
        Some(format!("{resource}/{event}"))
    };
    // The longer before the shorter.
    [
        "fulfillment_orders",
        "order_transactions",
        "inventory_levels",
        "fulfillments",
        "disputes",
        "refunds",
        "returns",
        "orders",
    ]
    .into_iter()
    .find_map(of)
}

/// An order in a document of a channel: the channel's own id of it, its SKUs, and itself; or why it is no order.
type Found = Result<(String, BTreeSet<String>, Value), String>;

fn orders_in(channel: &str, raw_body: &[u8]) -> Vec<Found> {
    let channel = ::channels::by_name(channel).unwrap();
    let orders = channel.orders(raw_body).unwrap_or_default().into_iter();
    let read = orders.map(|order| {
        let new = channel
            .parse(order, ACCOUNT)
            .map_err(|why| why.to_string())?;
        let skus = new.skus().into_iter().map(str::to_owned).collect();
        let document = serde_json::from_slice(order).unwrap();
        Ok((new.source.external_id, skus, document))
    });
    read.collect()
}

/// All that has a bearing on what becomes of an order but not on whether it is understood: its goods are known.
async fn know(shop: &Shop, skus: &BTreeSet<String>) {
    let product = |sku: &String| {
        let (weight_g, edge_mm) = (100, 50);
        json!({
            "sku": sku, "title": sku, "weight_g": weight_g,
            "length_mm": edge_mm, "width_mm": edge_mm, "height_mm": edge_mm,
        })
    };
    let products: Vec<Value> = skus.iter().map(product).collect();
    if !products.is_empty() {
        shop.put("/products", products.into()).await;
    }
}

/// What became of an order: accepted, or held and why.
fn fate(order: &Value) -> String {
    let holds = order["holds"].as_array().unwrap().iter();
    let holds: Vec<String> = holds.map(|hold| text(&hold["detail"])).collect();
    let total = format!("{} {}", text(&order["total"]), text(&order["currency"]));
    match (holds.is_empty(), order["status"] == "cancelled") {
        (_, true) => format!("{total}: accepted, and cancelled"),
        (true, false) => format!("{total}: accepted"),
        (false, false) => format!("{total}: held: {}", holds.join(", ")),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the shop keeps for a person, by its reason, beyond what it kept before.
async fn newly_kept(shop: &Shop, before: &mut BTreeMap<String, usize>) -> Vec<String> {
    let mut now = BTreeMap::new();
    for reason in shop.kept().await {
        *now.entry(reason).or_insert(0) += 1;
    }
    let more = now
        .iter()
        .filter(|(reason, n)| before.get(*reason) < Some(n));
    let more = more.map(|(reason, _)| reason.clone()).collect();
    *before = now;
    more
}

async fn deliver(shop: &Shop, channel: &str, sender: &Sender, file: &Path) -> (u16, Value) {
    let raw_body = fs::read(file).unwrap();
    let mut headers = (sender.sign)(&raw_body);
    if channel == "shopify"
        && let Some(topic) = topic(&name(file))
    {
        headers.push(("x-shopify-topic", topic));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let path = format!("/webhooks/{channel}/{ACCOUNT}");
    shop.send(Method::POST, &path, &headers, raw_body).await
}

/// The vendor's API, which has this order; its access.
async fn vendor_with(channel: &str, order: &Value) -> Option<(MockServer, Value)> {
    let vendor = MockServer::start().await;
    let answer = match channel {
        "adobe-commerce" => json!({"items": [order]}),
        "amazon" | "square" | "walmart" => json!({"order": order}),
        "ebay" | "etsy" | "meta" | "wix" | "woocommerce" => order.clone(),
        "tiktok" => json!({"code": 0, "data": {"orders": [order]}}),
        _ => return None,
    };
    // By OAuth, and as TikTok gives it.
    let token = json!({
        "access_token": "t", "token_type": "bearer", "expires_in": 3600,
        "code": 0, "data": {"access_token": "t", "access_token_expire_in": 4_102_444_800_u64},
    });
    let given = |document| ResponseTemplate::new(200).set_body_json(document);
    for (asked, document) in [
        (Mock::given(path("/token")), &token),
        (Mock::given(method("GET")), &answer),
        (Mock::given(method("POST")), &token),
    ] {
        asked.respond_with(given(document)).mount(&vendor).await;
    }
    let access = json!({
        "url": vendor.uri(), "token_url": format!("{}/token", vendor.uri()), "token": "t", "key": "k", "secret": "s",
        "client_id": "c", "client_secret": "s", "refresh_token": "r", "cms_id": "1", "location_ids": "L1",
        "shop_id": "1", "app_key": "a", "app_secret": "s", "shop_cipher": "x", "instance_id": "i",
    });
    Some((vendor, access))
}

#[tokio::test]
async fn every_document_is_accepted_held_kept_or_refused_with_a_reason() {
    let shop = Shop::open().await;
    let (mut table, mut kept) = (String::new(), BTreeMap::new());
    let mut orders = 0;
    for channel in CHANNELS {
        let files = json_files(folder(channel));
        let sender = sender(channel);
        if let Some(sender) = &sender {
            add_account(&shop.cloud, channel, ACCOUNT, &sender.secret)
                .await
                .unwrap();
        }
        let mut note = |file: &Path, way: &str, fate: String| {
            table += &format!("{channel:<15} {:<58} {way:<9} {fate}\n", name(file));
        };
        for file in &files {
            if file.ends_with("signature_test_vectors.json") {
                continue;
            }
            let found = orders_in(channel, &fs::read(file).unwrap());
            for (_, skus, _) in found.iter().flatten() {
                know(&shop, skus).await;
            }
            if let Some(sender) = &sender {
                let (status, answer) = deliver(&shop, channel, sender, file).await;
                shop.settle().await;
                let fate = match answer["url"].as_str() {
                    Some(url) => {
                        orders += 1;
                        fate(&shop.get(url).await)
                    }
                    None => {
                        let kept = newly_kept(&shop, &mut kept).await;
                        let what = answer["status"].as_str().map(str::to_owned);
                        let what = what.unwrap_or_else(|| answer.to_string());
                        format!("{what}: {}", kept.join("; "))
                    }
                };
                // Whoever signs is never refused: a channel that is refused stops sending.
                assert_eq!(status, 200, "{channel}, {}: {answer}", name(file));
                note(file, "sent", fate);
            }
            for order in found {
                let (external_id, _, document) = match order {
                    Ok(order) => order,
                    // What is sent has said so already.
                    Err(_) if sender.is_some() => continue,
                    Err(why) => {
                        note(file, "read", format!("refused: {why}"));
                        continue;
                    }
                };
                let Some((_vendor, access)) = vendor_with(channel, &document).await else {
                    continue;
                };
                // An account of its own, so that it is not known already.
                let account = format!("{ACCOUNT}-{orders}");
                add_access(&shop.cloud, channel, &account, &access.to_string())
                    .await
                    .unwrap();
                let word =
                    json!({"channel": channel, "account": account, "external_id": external_id});
                shop.hint("fetch-order", word.to_string());
                shop.settle().await;
                let id = domain::OrderId::of(channel, &account, &external_id);
                let (status, order) = shop.get_as(DEMO_KEY, &format!("/orders/{id}")).await;
                let fate = match status {
                    200 => {
                        orders += 1;
                        fate(&order)
                    }
                    _ => {
                        let kept = newly_kept(&shop, &mut kept).await;
                        format!("kept: {}", kept.join("; "))
                    }
                };
                note(file, "fetched", fate);
            }
        }
    }
    if !table.is_empty() {
        say(&table);
        assert!(orders >= 19, "only {orders} orders were taken in");
    }
    assert_eq!(shop.parked(), []);
    shop.close().await;
}
