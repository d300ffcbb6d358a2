//! Channels as they sign what they send.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use sha2::Sha256;

const KEY: &str = "the channel's secret";
/// Where Square is told that it sends to.
const URL: &str = "https://shop.example/hook";
/// What comes before the point of a public key on the curve P-256, for it to be a `SubjectPublicKeyInfo`
/// (RFC 5480).
const SPKI_P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// The headers of a delivery.
pub type Headers = Vec<(&'static str, String)>;
/// Signs a body.
type Sign = Box<dyn Fn(&[u8]) -> Headers>;

/// What an account needs to know, and how its channel signs.
pub struct Sender {
    pub secret: String,
    pub sign: Sign,
}

/// The channel's sender; `None` if it sends nothing, or by a signature that cannot be made here.
pub fn sender(channel: &str) -> Option<Sender> {
    let plain = |secret: &str, sign: fn(&[u8]) -> Headers| Sender {
        secret: secret.into(),
        sign: Box::new(sign),
    };
    Some(match channel {
        "shopify" => plain(KEY, |body| vec![("x-shopify-hmac-sha256", base64(&[body]))]),
        "woocommerce" => plain(KEY, |body| {
            let topic = ("x-wc-webhook-topic", "order.updated".into());
            vec![topic, ("x-wc-webhook-signature", base64(&[body]))]
        }),
        "meta" => plain(
            &json!({"key": KEY, "verify_token": "t"}).to_string(),
            |body| {
                let signature = format!("sha256={}", HEXLOWER.encode(&mac(KEY, &[body])));
                vec![("x-hub-signature-256", signature)]
            },
        ),
        "tiktok" => plain(&json!({"key": KEY, "app_key": "app"}).to_string(), |body| {
            let signature = HEXLOWER.encode(&mac(KEY, &[b"app", body]));
            vec![("authorization", signature)]
        }),
        "square" => plain(&json!({"key": KEY, "url": URL}).to_string(), |body| {
            let signature = base64(&[URL.as_bytes(), body]);
            vec![("x-square-hmacsha256-signature", signature)]
        }),
        "etsy" => plain(
            &format!("whsec_{}", BASE64.encode(KEY.as_bytes())),
            |body| {
                let at = Timestamp::now().as_second().to_string();
                let signed = format!("msg_1.{at}.");
                let signature = base64(&[signed.as_bytes(), body]);
                vec![
                    ("webhook-id", "msg_1".into()),
                    ("webhook-timestamp", at),
                    ("webhook-signature", format!("v1,{signature}")),
                ]
            },
        ),
        "ebay" => ebay(),
        _ => return None,
    })
}

fn ebay() -> Sender {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
    let mut public = HEXLOWER.decode(SPKI_P256.as_bytes()).unwrap();
    public.extend(pair.public_key().as_ref());
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        BASE64.encode(&public)
    );
    Sender {
        secret: json!({"token": "t", "kid-1": pem}).to_string(),
        sign: Box::new(move |body| {
            let signature = pair.sign(&random, body).unwrap();
            let signature = BASE64.encode(signature.as_ref());
            let header =
                json!({"alg": "ECDSA", "kid": "kid-1", "digest": "SHA256", "signature": signature});
            vec![(
                "x-ebay-signature",
                BASE64.encode(header.to_string().as_bytes()),
            )]
        }),
    }
}

fn mac(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn base64(parts: &[&[u8]]) -> String {
    BASE64.encode(&mac(KEY, parts))
}
