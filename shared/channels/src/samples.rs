//! The sample events of the channels, as they came: each is genuine, says what it says, and the order
//! that it is about adds up.

mod faults;
mod orders;
mod said;
mod signed;

use std::fs;

use domain::intake::NewOrder;
use serde_json::json;

use crate::by_name;

/// The key of the samples by Standard Webhooks.
const STANDARD: &str = "whsec_ZGVtby1zZWNyZXQtb2YtYS1zdGFuZGFyZC13ZWJob29r";
const RSA: &str = include_str!("../../../events/channels/rsa-public-key.pem");
const EC: &str = include_str!("../../../events/channels/ec-public-key.pem");

/// The order of a sample.
fn order(channel: &str) -> NewOrder {
    let channel = by_name(channel).unwrap();
    let document = file(&format!("channels/{}", channel.name()));
    match channel.parse(document.as_bytes(), "demo") {
        Ok(order) => order,
        Err(why) => panic!("{}: {why}", channel.name()),
    }
}

fn file(name: &str) -> String {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An account's secret, as the samples are made with it.
fn secret(channel: &str) -> String {
    let key = format!("demo-{channel}-secret");
    match channel {
        "etsy" | "generic" => STANDARD.into(),
        "wix" => RSA.into(),
        "ebay" => json!({"token": "demo-token", "demo-key": EC}).to_string(),
        "adobe-commerce" => {
            json!({"client_id": "demo-client", "/prod/keys/demo.pem": RSA}).to_string()
        }
        "meta" => json!({"key": key, "verify_token": "demo-token"}).to_string(),
        "tiktok" => json!({"key": key, "app_key": "demo-app-key"}).to_string(),
        _ => key,
    }
}
