//! Signatures over the bytes of a body. Each check takes as long for a wrong signature as for a right
//! one, and for each of an account's secrets: while one is being changed, the old one and the new one
//! count, and nobody learns which it was.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::{DecodePublicKey, SubjectPublicKeyInfoRef};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Secret;

/// Whether the check passes with one of the secrets; it is made with all of them.
pub fn with_any(secrets: &[Secret], check: impl Fn(&Secret) -> Option<bool>) -> bool {
    let passes = |secret| check(secret) == Some(true);
    secrets
        .iter()
        .fold(false, |passed, secret| passes(secret) | passed)
}

/// Whether the signature is the HMAC-SHA256 of the message, given in parts. Nothing is signed with an
/// empty key: anybody could.
pub fn hmac_sha256_matches(key: &[u8], message: &[&[u8]], signature: &[u8]) -> bool {
    let signed = Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mac| {
        let mac = message.iter().fold(mac, |mac, part| mac.chain_update(part));
        mac.verify_slice(signature).is_ok()
    });
    signed && !key.is_empty()
}

/// The HMAC-SHA256 of the message, given in parts. Nothing is signed with an empty key.
pub fn hmac_sha256(key: &[u8], message: &[&[u8]]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok();
    let mac = mac.filter(|_| !key.is_empty())?;
    let mac = message.iter().fold(mac, |mac, part| mac.chain_update(part));
    Some(mac.finalize().into_bytes().to_vec())
}

/// Whether `header` is the base64 of the body's HMAC-SHA256 under one of the secrets.
pub fn hmac_sha256_base64_matches(raw_body: &[u8], header: &str, secrets: &[Secret]) -> bool {
    let Ok(signature) = BASE64.decode(header.as_bytes()) else {
        return false;
    };
    with_any(secrets, |secret| {
        let key = secret.key()?.as_bytes();
        Some(hmac_sha256_matches(key, &[raw_body], &signature))
    })
}

/// Whether two texts are the same.
pub fn same(one: &str, other: &str) -> bool {
    // Of one length, so that the time tells nothing of it.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(one).ct_eq(&digest(other)).into()
}

/// Whether the signature of the message is by the holder of an RSA key: PKCS #1 v1.5 with SHA-256. The
/// public key in PEM, its line breaks missing or not.
pub fn rsa_sha256_matches(public_key: &str, message: &[u8], signature: &[u8]) -> bool {
    let Some(der) = der(public_key) else {
        return false;
    };
    // An X.509 public key wraps the RSA key.
    let key = match SubjectPublicKeyInfoRef::try_from(der.as_slice()) {
        Ok(info) => info.subject_public_key.raw_bytes().to_vec(),
        Err(_) => der,
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(message, signature).is_ok()
}

/// What a message is hashed with before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// Whether the signature of the message (ASN.1 DER) is by the holder of a key on the curve P-256. The
/// public key in PEM, its line breaks missing or not.
pub fn ecdsa_p256_matches(public_key: &str, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let signature = p256::ecdsa::DerSignature::from_bytes(signature).ok();
    let (Some(key), Some(signature)) = (p256_key(public_key), signature) else {
        return false;
    };
    let digest = match hash {
        Hash::Sha1 => Sha1::digest(message).to_vec(),
        Hash::Sha256 => Sha256::digest(message).to_vec(),
    };
    let key = p256::ecdsa::VerifyingKey::from(key);
    key.verify_prehash(&digest, &signature).is_ok()
}

/// Whether a text is a public key on the curve P-256, in PEM, its line breaks missing or not.
pub fn is_p256_key(public_key: &str) -> bool {
    p256_key(public_key).is_some()
}

fn p256_key(public_key: &str) -> Option<p256::PublicKey> {
    p256::PublicKey::from_public_key_der(&der(public_key)?).ok()
}

/// The bytes within a PEM text.
fn der(pem: &str) -> Option<Vec<u8>> {
    let begun = pem.split_once("-----BEGIN ")?.1;
    let inner = begun.split_once("-----")?.1.split_once("-----END ")?.0;
    let digits: Vec<u8> = inner.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64.decode(&digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf '%s' BODY | openssl dgst -sha256 -hmac SECRET -binary | base64
    const BODY: &[u8] = "{\"id\": 7, \"note\": \"Grüße\"}\n".as_bytes();
    const BY_OLD: &str = "ef6Qolmhp/7uY5I3lws4AnvqH3pUY3fnBGQvatAcjRM=";
    const BY_NEW: &str = "xt3mCsvDCC6pC0qLA+fOTxfd/41RYVs2atK6lg45OvI=";
    const BY_NOTHING: &str = "3sHM7tMl+jpRN+j8/qd/D2b437RAzhd7mNBTSr3Fd68=";

    // openssl genrsa 2048, openssl dgst -sha256 -sign
    const RSA: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7itrFdFvfnRibCHeKZ+w\n\
        41Y+zA3BEP6/DLbEDuvWY9HEMCcsiqLqJdqzuWqO5CoNLlKTetxANnsgUt5f6Rm3\n\
        eQvF4oSLrlrSu02WntGiU9vXzjVRTV2b9/YSGeeT8FfVVkmdGu29tCAKqHO460G4\n\
        hUulVmMNVCuL0E9YBXZQts3FFRGFqUjhGpX0Sol+ZAN9ChyaYo6Bu8FQSQKkK+1M\n\
        Sr02KOKXbTsrBzePFRQCu4Iy3NxvAeV1CclIMOWcakIsWKkT0LYq5Nhm9/iWk+ZE\n\
        Uf9KGFMNCSkoEE4BTaDDwjm9CH9Sk9zniLmoE58PwH2PuxDuRgTBWoY5IEtq3rkJ\n\
        VwIDAQAB\n\
        -----END PUBLIC KEY-----";
    const BY_RSA: &str = "tWzAwePccQa8jUN3/E2AnKyW10cDFHg4UnqJUJ/jpkX/RDzRRr5rRl4ZGwDEneWKBp1GwT26jK97fVQau7D7QHrej856CFNHVhmC0VPof8xasW7tcVHZC9Jq6qDkzIccQhK77oETq+bnLXP4M+9T0nyQLQgUQkOh7sPc6C3cu76BoaYQBUeidAdvr8YiudbXsk54IBEfxEhkvkWgwKzRlZEYugpeEgM2kZ+fWWBj89T0xUij9yDW0XivqO5LLa1yIcEIsPVDLIQ9OKgTWE2wpw9t52vETn0b0jeIEDuBJJFAEH8rzOwy01469/meXF+1LDUsU44JElw//jNFrWkRDQ==";
    // openssl ecparam -name prime256v1 -genkey, openssl dgst -sha1 (-sha256) -sign
    const EC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5DTVyAj9Mixsg633cLlcvhtkX7Jn\n\
        xZ9WnB2BSEDoUB0It9q9UoiBIUsUHaB1+sxnGq3RWCUhJfy2h4LW/qM4tQ==\n\
        -----END PUBLIC KEY-----";
    // The same with secp384r1.
    const P384: &str = "-----BEGIN PUBLIC KEY-----\n\
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEmCQZO8Uhtze03PvaDHwikzAKM3rZpuwj\n\
        Jo/E/2CIxs2rLiynrfY1KJuW3cGWAG4JooMeX+XfJuR/vjLArtlMWQgaKAJTK9n+\n\
        bo9dqyYcymkMA50bdz/p09DW/ZBEU7TI\n\
        -----END PUBLIC KEY-----";
    const BY_EC_SHA1: &str = "MEUCIQDyoWMJew7RiRLnWKZ1BqDBHl6PmjiWhipK6ryNyMaCmgIgRXt9n4tyQdBfsmhHaLIrd3V5fkph1gS+Muh9faMJ2q8=";
    const BY_EC_SHA256: &str = "MEQCIB9Hb8UmEzwGfKKHwYzKMW9FtHPc0uvqd6GZ9UROXwV/AiAgRxxRHBCxKdUWfkbs+4qDHFrGsk+W6KmXX0r0E0at8Q==";

    fn matches(raw_body: &[u8], header: &str, secrets: &[&str]) -> bool {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
        hmac_sha256_base64_matches(raw_body, header, &secrets)
    }

    #[test]
    fn what_openssl_signs_is_right() {
        assert!(matches(BODY, BY_OLD, &["old-secret"]));
        assert!(matches(BODY, BY_NEW, &["new-sécret"]));
        let part = r#"{"key":"old-secret","client_id":"x"}"#;
        assert!(matches(BODY, BY_OLD, &[part]), "a part of a secret");
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
        assert!(!matches(BODY, BY_NOTHING, &[r#"{"key":""}"#]));
        assert!(!matches(&BODY[..BODY.len() - 1], BY_OLD, &secret));
        let truncated = BASE64.decode(BY_OLD.as_bytes()).unwrap();
        let truncated = BASE64.encode(&truncated[..16]);
        let hex = "b4".repeat(32);
        for header in ["", &BY_OLD[..40], &truncated, "not base64!", &hex, "é"] {
            assert!(!matches(BODY, header, &secret), "{header:?}");
        }
    }

    #[test]
    fn public_keys_tell_who_signed() {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
        let one_line = RSA.replace('\n', "");
        for key in [RSA, &one_line] {
            assert!(rsa_sha256_matches(key, BODY, &bytes(BY_RSA)));
            assert!(!rsa_sha256_matches(key, b"another", &bytes(BY_RSA)));
        }
        for (hash, right, wrong) in [
            (Hash::Sha1, BY_EC_SHA1, BY_EC_SHA256),
            (Hash::Sha256, BY_EC_SHA256, BY_EC_SHA1),
        ] {
            assert!(ecdsa_p256_matches(EC, hash, BODY, &bytes(right)));
            assert!(!ecdsa_p256_matches(EC, hash, BODY, &bytes(wrong)));
            assert!(!ecdsa_p256_matches(EC, hash, b"another", &bytes(right)));
            assert!(!ecdsa_p256_matches(RSA, hash, BODY, &bytes(right)));
        }
        assert!(is_p256_key(EC) && is_p256_key(&EC.replace('\n', "")));
        assert!(!is_p256_key(RSA) && !is_p256_key(P384) && !is_p256_key(""));
        assert!(!rsa_sha256_matches(EC, BODY, &bytes(BY_RSA)));
        for key in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN X-----é-----END X-----",
        ] {
            assert!(!rsa_sha256_matches(key, BODY, &bytes(BY_RSA)), "{key}");
            let signature = bytes(BY_EC_SHA1);
            assert!(
                !ecdsa_p256_matches(key, Hash::Sha1, BODY, &signature),
                "{key}"
            );
        }
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("a secret", "a secret") && !same("a secret", "a secret "));
    }
}
