//! Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, several signatures
//! at a time while a secret is being changed, and a time that is signed along.

use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::signature::{hmac_sha256, hmac_sha256_matches, with_any};
use crate::{Delivery, Secret};

/// How far the signed time may be from ours, either way: what is older is a replay.
pub(crate) const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Signatures of one delivery that are looked at, or made.
pub(crate) const MAX_SIGNATURES: usize = 8;

/// The key that is in the text of a secret, if it is one.
fn key(secret: &Secret) -> Option<Vec<u8>> {
    let key = secret.key()?;
    let key = key.strip_prefix("whsec_").unwrap_or(key);
    BASE64.decode(key.as_bytes()).ok()
}

/// The value of `webhook-signature` for what we send: signed with each of the secrets, so that one can be changed
/// while others still check with the old one. `None`: there is none to sign with.
pub fn sign(secrets: &[Secret], id: &str, at: Timestamp, raw_body: &[u8]) -> Option<String> {
    let timestamp = at.as_second().to_string();
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", raw_body];
    let signatures = secrets.iter().filter_map(|secret| {
        let signature = hmac_sha256(&key(secret)?, &message)?;
        Some(format!("v1,{}", BASE64.encode(&signature)))
    });
    let signatures: Vec<String> = signatures.take(MAX_SIGNATURES).collect();
    (!signatures.is_empty()).then(|| signatures.join(" "))
}

/// The time that was signed, if the delivery gives one.
fn sent_at(delivery: &Delivery<'_>) -> Option<Timestamp> {
    let seconds = delivery.header("webhook-timestamp")?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Whether the delivery is signed with one of the secrets, and of now.
pub(crate) fn verify(delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
    let parts = (
        delivery.header("webhook-id"),
        delivery.header("webhook-timestamp"),
        delivery.header("webhook-signature"),
        sent_at(delivery),
    );
    let (Some(id), Some(timestamp), Some(signatures), Some(sent_at)) = parts else {
        return false;
    };
    let message = [
        id.as_bytes(),
        b".",
        timestamp.as_bytes(),
        b".",
        delivery.raw_body,
    ];
    let signatures: Vec<Vec<u8>> = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .filter_map(|signature| BASE64.decode(signature.as_bytes()).ok())
        .collect();
    let signed = with_any(secrets, |secret| {
        let key = key(secret)?;
        Some(signatures.iter().fold(false, |passed, signature| {
            hmac_sha256_matches(&key, &message, signature) | passed
        }))
    });
    signed && now.duration_since(sent_at).abs() <= TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_sign_we_would_take() {
        let at = Timestamp::from_second(1_764_000_000).unwrap();
        let secrets = ["whsec_bmV3ZXI=", "whsec_b2xkZXI="].map(Secret::read);
        let signed = sign(&secrets, "X-E1", at, b"{}").unwrap();
        assert_eq!(signed.split(' ').count(), 2);
        let headers = |name: &str| match name {
            "webhook-id" => Some("X-E1"),
            "webhook-timestamp" => Some("1764000000"),
            "webhook-signature" => Some(signed.as_str()),
            _ => None,
        };
        let delivery = Delivery {
            method: "POST",
            url: "",
            headers: &headers,
            query: &|_| None,
            raw_body: b"{}",
        };
        for secret in &secrets {
            assert!(verify(&delivery, std::slice::from_ref(secret), at));
        }
        assert!(!verify(&delivery, &[Secret::read("whsec_b3RoZXI=")], at));
        for none in [
            vec![],
            vec![Secret::read("whsec_%")],
            vec![Secret::read("whsec_")],
        ] {
            assert_eq!(sign(&none, "X-E1", at, b"{}"), None);
        }
    }
}
