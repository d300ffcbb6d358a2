//! Published vectors of HMAC-SHA256 signatures. Senders differ in what they sign and how they write
//! the signature; the check underneath is the same.

use std::fs;

use ::channels::signature::hmac_sha256_base64_matches;
use ::channels::{Delivery, Greeting, Secret};
use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::corpus::json_files;

fn base64_of(hex: &str) -> String {
    BASE64.encode(&HEXLOWER.decode(hex.as_bytes()).unwrap())
}

/// What a vector signs, its signature in base64 and its secret; `None` for other schemes.
fn vector(vector: &Value) -> Option<(String, String, String)> {
    let text = |field: &str| vector[field].as_str().unwrap().to_owned();
    let header = |name: &str| vector["headers"][name].as_str().unwrap();
    let scheme = vector["scheme"].as_str().unwrap();
    let (signed, signature) = match scheme.split([' ', '=']).next().unwrap() {
        "X-Hub-Signature-256" => {
            let hex = header("X-Hub-Signature-256").strip_prefix("sha256=");
            (text("body"), base64_of(hex.unwrap()))
        }
        "x-square-hmacsha256-signature" => (
            text("notification_url") + &text("body"),
            header("x-square-hmacsha256-signature").into(),
        ),
        "Authorization" => (
            text("app_key") + &text("body"),
            base64_of(header("Authorization")),
        ),
        "Stripe-Signature" => {
            let (time, hex) = header("Stripe-Signature").split_once(",v1=").unwrap();
            let time = time.strip_prefix("t=").unwrap();
            (format!("{time}.{}", text("body")), base64_of(hex))
        }
        "X-Hmac-Signature" => {
            let hex = header("X-Hmac-Signature").strip_prefix("hmac-sha256-hex=");
            (text("body"), base64_of(hex.unwrap()))
        }
        _ => return None,
    };
    let secret = match vector["secret_normalization"].as_str() {
        // The only accented letter of the vectors.
        Some("NFKD") => text("secret").replace('é', "e\u{301}"),
        _ => text("secret"),
    };
    Some((signed, signature, secret))
}

#[test]
fn published_vectors_are_judged_as_published() {
    for path in json_files("signature_vectors") {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let mut judged = 0;
        for published in &vectors {
            let Some((signed, signature, secret)) = vector(published) else {
                continue;
            };
            let secrets = ["another", &secret].map(Secret::read);
            let matches = hmac_sha256_base64_matches(signed.as_bytes(), &signature, &secrets);
            assert_eq!(
                Some(matches),
                published["valid"].as_bool(),
                "{}",
                published["name"]
            );
            judged += 1;
        }
        assert!(judged >= 8, "only {judged} vectors of this kind");
    }
}

/// The channel that a vector is for, and the account's secret there.
fn channel_and_secret(vector: &Value) -> Option<(&'static str, Value)> {
    let secret = &vector["secret"];
    match vector["scheme"].as_str()?.split([' ', '=', ':']).next()? {
        "standard-webhooks" => Some(("generic", json!({"key": secret}))),
        "X-Hub-Signature-256" => Some(("meta", json!({"key": secret}))),
        "x-square-hmacsha256-signature" => {
            let url = &vector["notification_url"];
            Some(("square", json!({"key": secret, "url": url})))
        }
        "Authorization" => {
            let app_key = &vector["app_key"];
            Some(("tiktok", json!({"key": secret, "app_key": app_key})))
        }
        "X-EBAY-SIGNATURE" => {
            let key = &vector["public_key_response"]["key"];
            Some(("ebay", json!({KEY_OF_VECTORS: key})))
        }
        _ => None,
    }
}

/// The id of the key that eBay's vectors are signed with.
const KEY_OF_VECTORS: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";

fn passes(channel: &str, vector: &Value, secret: &Value, now: Timestamp) -> bool {
    let header = |name: &str| {
        let headers = vector["headers"].as_object()?;
        let header = headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        header?.1.as_str()
    };
    let delivery = Delivery {
        method: "POST",
        url: "https://elsewhere.example/",
        headers: &header,
        query: &|_| None,
        raw_body: vector["body"].as_str().unwrap().as_bytes(),
    };
    let secrets = ["{}".to_owned(), secret.to_string()].map(|text| Secret::read(&text));
    ::channels::by_name(channel)
        .unwrap()
        .verify(&delivery, &secrets, now)
}

#[test]
fn channels_judge_the_published_vectors_as_published() {
    let mut judged = 0;
    for path in json_files("signature_vectors") {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for vector in &vectors {
            let Some((channel, secret)) = channel_and_secret(vector) else {
                continue;
            };
            let Some(valid) = vector["valid"].as_bool() else {
                continue;
            };
            // When the one with a time was signed.
            let now = Timestamp::from_second(1_649_367_553).unwrap();
            let name = &vector["name"];
            assert_eq!(passes(channel, vector, &secret, now), valid, "{name}");
            let mut changed = vector.clone();
            changed["body"] = format!("{} ", vector["body"].as_str().unwrap()).into();
            assert!(
                !passes(channel, &changed, &secret, now),
                "{name}: another body"
            );
            let other = json!({"key": "another", "app_key": "x", "url": "https://x.example/"});
            assert!(
                !passes(channel, vector, &other, now),
                "{name}: another secret"
            );
            if channel == "generic" {
                for seconds in [-301, 301] {
                    let later = now + jiff::SignedDuration::from_secs(seconds);
                    assert!(!passes(channel, vector, &secret, later), "a replay");
                }
            }
            judged += 1;
        }
        assert!(judged >= 8, "only {judged} vectors of channels");
    }
}

#[test]
fn a_key_as_ebay_answers_for_it_verifies_as_published() {
    let keys = ::channels::by_name("ebay").unwrap().keys().unwrap();
    let mut judged = 0;
    for path in json_files("signature_vectors") {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for vector in &vectors {
            let answer = &vector["public_key_response"];
            if answer.is_null() {
                continue;
            }
            let key = keys.key_in(KEY_OF_VECTORS, answer.to_string().as_bytes());
            let key = json!({KEY_OF_VECTORS: key.unwrap().part(KEY_OF_VECTORS)});
            let valid = passes("ebay", vector, &key, Timestamp::UNIX_EPOCH);
            assert_eq!(Some(valid), vector["valid"].as_bool(), "{}", vector["name"]);
            judged += 1;
        }
        assert!(judged >= 2, "only {judged} vectors of eBay's");
    }
}

#[test]
fn ebay_gets_the_answer_to_its_challenge() {
    for path in json_files("signature_vectors") {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let vector = vectors
            .iter()
            .find(|v| v["name"].as_str().unwrap().contains("challenge"));
        let vector = vector.unwrap();
        let part = |name: &str| vector[name].as_str().unwrap();
        let secret = json!({"token": part("verification_token"), "url": part("endpoint")});
        let query = |name: &str| (name == "challenge_code").then(|| part("challenge_code"));
        let delivery = Delivery {
            method: "GET",
            url: "",
            headers: &|_| None,
            query: &query,
            raw_body: b"",
        };
        let secrets = [Secret::read(&secret.to_string())];
        let greeting = ::channels::by_name("ebay")
            .unwrap()
            .greet(&delivery, &secrets);
        let response = part("expected");
        let expected = Greeting::Json(json!({"challengeResponse": response}).to_string());
        assert_eq!(greeting, Some(expected));
    }
}
