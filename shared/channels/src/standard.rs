//! Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, several signatures
//! at a time while a secret is being changed, and a time that is signed along.

use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::signature::{hmac_sha256_matches, with_any};
use crate::{Delivery, Secret};

/// How far the signed time may be from ours, either way: what is older is a replay.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Signatures of one delivery that are looked at.
const MAX_SIGNATURES: usize = 8;

/// The time that was signed, if the delivery gives one.
pub(crate) fn sent_at(delivery: &Delivery<'_>) -> Option<Timestamp> {
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
        let key = secret.key()?;
        let key = BASE64.decode(key.strip_prefix("whsec_").unwrap_or(key).as_bytes());
        let key = key.ok()?;
        Some(signatures.iter().fold(false, |passed, signature| {
            hmac_sha256_matches(&key, &message, signature) | passed
        }))
    });
    signed && now.duration_since(sent_at).abs() <= TOLERANCE
}
