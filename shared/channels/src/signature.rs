//! Signatures over the bytes of a body.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether `header` is the base64 of the body's HMAC-SHA256 under one of the secrets: while a secret
/// is being changed, the old one and the new one count. Takes as long whichever it was, and as
/// long for a wrong signature as for a right one.
pub fn hmac_sha256_base64_matches(raw_body: &[u8], header: &str, secrets: &[&str]) -> bool {
    let Ok(signature) = BASE64.decode(header.as_bytes()) else {
        return false;
    };
    let signed_with = |secret: &str| {
        Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .is_ok_and(|mac| mac.chain_update(raw_body).verify_slice(&signature).is_ok())
    };
    // An account without a secret would otherwise trust what anybody can compute.
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(false, |matched, secret| signed_with(secret) | matched)
}

#[cfg(test)]
mod tests {
    use super::hmac_sha256_base64_matches as matches;

    // printf '%s' BODY | openssl dgst -sha256 -hmac SECRET -binary | base64
    const BODY: &[u8] = "{\"id\": 7, \"note\": \"Grüße\"}\n".as_bytes();
    const BY_OLD: &str = "ef6Qolmhp/7uY5I3lws4AnvqH3pUY3fnBGQvatAcjRM=";
    const BY_NEW: &str = "xt3mCsvDCC6pC0qLA+fOTxfd/41RYVs2atK6lg45OvI=";
    const BY_NOTHING: &str = "3sHM7tMl+jpRN+j8/qd/D2b437RAzhd7mNBTSr3Fd68=";

    #[test]
    fn what_openssl_signs_is_right() {
        assert!(matches(BODY, BY_OLD, &["old-secret"]));
        assert!(matches(BODY, BY_NEW, &["new-sécret"]));
    }

    #[test]
    fn while_secrets_change_old_and_new_count() {
        let both = ["new-sécret", "old-secret"];
        assert!(matches(BODY, BY_OLD, &both) && matches(BODY, BY_NEW, &both));
        assert!(!matches(BODY, BY_OLD, &["new-sécret"]), "change is over");
    }

    #[test]
    fn anything_else_is_wrong() {
        let secret = ["old-secret"];
        assert!(!matches(BODY, BY_OLD, &["old-secret "]));
        assert!(!matches(BODY, BY_OLD, &[]));
        assert!(!matches(BODY, BY_NOTHING, &[""]), "no secret, no trust");
        assert!(!matches(&BODY[..BODY.len() - 1], BY_OLD, &secret));
        let truncated = data_encoding::BASE64.decode(BY_OLD.as_bytes()).unwrap();
        let truncated = data_encoding::BASE64.encode(&truncated[..16]);
        let hex = "b4".repeat(32);
        for header in ["", &BY_OLD[..40], &truncated, "not base64!", &hex, "é"] {
            assert!(!matches(BODY, header, &secret), "{header:?}");
        }
    }
}
