//! Published vectors of HMAC-SHA256 signatures. Senders differ in what they sign and how they write
//! the signature; the check underneath is the same.

use std::fs;

use channels::signature::hmac_sha256_base64_matches;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

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
            let matches =
                hmac_sha256_base64_matches(signed.as_bytes(), &signature, &["another", &secret]);
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
