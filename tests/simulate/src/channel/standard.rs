//! Standard Webhooks: they sign the time at which they are sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::hmac;
use crate::ask::Ask;

const MESSAGE: &str = "msg_simulated";

/// The text of a secret.
pub fn secret(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

/// Signs a webhook that is sent at this time.
pub fn sign(key: &[u8], ask: &mut Ask, now: Timestamp) {
    let at = now.as_second().to_string();
    let signed = format!("{MESSAGE}.{at}.{}", ask.body);
    let signature = STANDARD.encode(hmac(key, &[signed.as_bytes()]));
    ask.headers.extend([
        ("webhook-id", MESSAGE.into()),
        ("webhook-timestamp", at),
        ("webhook-signature", format!("v1,{signature}")),
    ]);
}
