//! The public keys that eBay signs with: each notification names its own.

use super::{EBAY, signature};
use crate::document;
use crate::faults::Faults;
use crate::signature::is_p256_key;
use crate::vendor::{self, Header, Keys, Request, Vendor};
use crate::{Delivery, Secret, Unreadable};

/// Characters of a key's id that is asked for: eBay's have 36.
const MAX_KEY_ID: usize = 64;

/// `getPublicKey` of the Notification API, opened by a token of the application itself, which opens nothing of any seller: the
/// secret of the account's webhooks has `client_id` and `client_secret`, and `api` for another address than eBay's own. Of the digest
/// the notification's own word counts.
#[derive(Debug)]
pub struct PublicKeys;

impl Vendor for PublicKeys {
    fn parts(&self) -> &'static [&'static str] {
        &["client_id", "client_secret"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "https://api.ebay.com/oauth/api_scope"),
        ];
        let at = format!("{}/identity/v1/oauth2/token", api(access));
        let mut request = Request::form(at, &fields);
        let (id, secret) = (access.text("client_id"), access.text("client_secret"));
        request.headers.push(vendor::basic(id, secret));
        Some(request)
    }

    fn open(&self, _: &Secret, token: &str) -> Vec<Header> {
        vec![vendor::bearer(token)]
    }
}

impl Keys for PublicKeys {
    fn named(&self, delivery: &Delivery<'_>) -> Option<String> {
        let id = signature(delivery)?.key_id;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        ((1..=MAX_KEY_ID).contains(&id.len()) && id.bytes().all(plain)).then_some(id)
    }

    fn key(&self, access: &Secret, id: &str) -> Request {
        let at = "commerce/notification/v1/public_key";
        Request::get(format!("{}/{at}/{}", api(access), vendor::encode(id)))
    }

    fn key_in(&self, id: &str, answer: &[u8]) -> Result<Secret, Unreadable> {
        let faults = Faults::default();
        let mut answer = document::object(answer, &faults)?;
        if !answer.words("algorithm").eq_ignore_ascii_case("ECDSA") {
            faults.add("/algorithm", "expected ECDSA");
        }
        let key = answer.words("key");
        if !is_p256_key(&key) {
            faults.add("/key", "expected a public key on the curve P-256");
        }
        match faults.found() {
            Some(why) => Err(why),
            None => Ok(Secret::of(id, key)),
        }
    }
}

/// The address of the API without its last slash. `url` of this secret is where notifications go to.
fn api(access: &Secret) -> &str {
    access.part("api").unwrap_or(EBAY).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::json;

    use super::*;
    use crate::ebay::Ebay;
    use crate::testing::sent;

    const EC: &str = include_str!("../../../../events/channels/ec-public-key.pem");
    const RSA: &str = include_str!("../../../../events/channels/rsa-public-key.pem");

    fn named(header: &str) -> Option<String> {
        let delivery = sent("{}").header("x-ebay-signature", header);
        delivery.named(&PublicKeys)
    }

    fn header(kid: &str, digest: &str) -> String {
        let document = json!({"alg": "ecdsa", "kid": kid, "digest": digest, "signature": "AAAA"});
        BASE64.encode(document.to_string().as_bytes())
    }

    #[test]
    fn only_what_may_be_the_id_of_a_key_is_asked_for() {
        let longest = "k".repeat(MAX_KEY_ID);
        for id in ["9936261a-7d7b-4621-a0f1-96ccb428af49", "K_1", &longest] {
            assert_eq!(named(&header(id, "SHA1")).as_deref(), Some(id));
        }
        let longer = "k".repeat(MAX_KEY_ID + 1);
        for id in ["", "..", "a/b", "a b", "a?b", "a%2Fb", "é", &longer] {
            assert_eq!(named(&header(id, "SHA256")), None, "{id}");
        }
        assert_eq!(named(&header("k", "MD5")), None);
        let numbered = BASE64.encode(br#"{"kid":7,"digest":"SHA1","signature":"AAAA"}"#);
        let unsigned = BASE64.encode(br#"{"kid":"k","digest":"SHA1","signature":"?"}"#);
        for header in ["", "{}", "e30=", &numbered, &unsigned] {
            assert_eq!(named(header), None, "{header}");
        }
        assert_eq!(sent("{}").named(&PublicKeys), None);
    }

    #[test]
    fn a_key_is_asked_for_at_the_api_and_not_at_the_endpoint() {
        let secret = |api: &str| {
            let secret = json!({"client_id": "c", "client_secret": "s", "url": "https://x.example/", "api": api});
            Secret::read(&secret.to_string())
        };
        let own = PublicKeys.key(&secret(""), "k-1").url;
        assert_eq!(
            own,
            "https://api.ebay.com/commerce/notification/v1/public_key/k-1"
        );
        let sandbox = secret("https://api.sandbox.ebay.com/");
        let token = PublicKeys.token(&sandbox).unwrap();
        assert_eq!(
            token.url,
            "https://api.sandbox.ebay.com/identity/v1/oauth2/token"
        );
        assert_eq!(
            token.body,
            "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope"
        );
        let basic = ("authorization", "Basic Yzpz".to_owned());
        assert!(token.headers.contains(&basic));
    }

    #[test]
    fn a_key_that_is_no_key_of_this_kind_is_none() {
        let answer = |key: &str, algorithm: &str| {
            let answer = json!({"key": key, "algorithm": algorithm, "digest": "SHA1"});
            PublicKeys.key_in("k", answer.to_string().as_bytes())
        };
        let one_line = EC.replace('\n', "");
        for (key, algorithm) in [(EC, "ECDSA"), (&one_line, "ecdsa")] {
            assert_eq!(answer(key, algorithm).unwrap().part("k"), Some(key));
        }
        for (key, algorithm) in [(RSA, "ECDSA"), ("", "ECDSA"), (EC, "RSA"), (EC, "")] {
            assert!(answer(key, algorithm).is_err(), "{algorithm}");
        }
        for answer in ["", "{", "[]", "{}", r#"{"key":7,"algorithm":7}"#] {
            assert!(
                PublicKeys.key_in("k", answer.as_bytes()).is_err(),
                "{answer}"
            );
        }
    }

    #[test]
    fn what_was_fetched_verifies_as_what_was_typed_in() {
        let event = include_str!("../../../../events/accept-order-ebay.json");
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let header = event["headers"]["x-ebay-signature"].as_str().unwrap();
        let body = event["body"].as_str().unwrap();
        let delivery = sent(body).header("x-ebay-signature", header);
        let id = delivery.named(&PublicKeys).unwrap();
        let answer = json!({"key": EC.replace('\n', ""), "algorithm": "ECDSA", "digest": "SHA1"});
        let key = |id: &str| {
            let key = PublicKeys.key_in(id, answer.to_string().as_bytes());
            json!({id: key.unwrap().part(id)}).to_string()
        };
        assert!(delivery.passes(&Ebay, &[&key(&id)]));
        assert!(!delivery.passes(&Ebay, &[&key("another")]));
    }
}
