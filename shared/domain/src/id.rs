//! Identifiers, derived from what the sender calls the thing, so that a repeat finds the original.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of the hash that are kept: 80 bits, so that even a thousand million orders meet with a
/// chance below one in a million; a meeting is noticed when the order is stored, never merged.
const ID_BYTES: usize = 10;

/// A short, stable, URL-safe name for a sequence of parts; distinct parts give distinct names.
pub fn derived(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    // RFC 4648's base 32 has no 0, 1, 8 or 9: an id can be read out over the telephone.
    data_encoding::BASE32_NOPAD.encode(&hash.finalize()[..ID_BYTES])
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// The identifier of an order: 16 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// The id of the order that a channel's account calls `external_id`.
    pub fn of(channel: &str, account: &str, external_id: &str) -> Self {
        Self(derived(&[channel, account, external_id]))
    }

    /// Reads an id; `None` unless it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let form = text.len() == 16 && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
        form.then(|| Self(text.to_owned()))
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits `{order}-{kind}{n}`, as in `7ZK3M9Q2B4XW1T8R-2` (kind empty: fulfillment order),
    /// `...-R1` (return) and `...-F1` (refund).
    pub fn parse_part(text: &str, kind: &str) -> Option<(Self, u32)> {
        let (order, part) = text.split_once('-')?;
        let n = part.strip_prefix(kind)?;
        if n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some((Self::parse(order)?, n.parse().ok()?))
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_stable_and_depends_on_every_part() {
        let id = OrderId::of("shopify", "main", "450789469");
        assert_eq!(id.as_str(), "AD4OVS4KRET6JAPB", "golden: ids are stored");
        assert_ne!(id, OrderId::of("shopify", "main", "450789460"));
        assert_ne!(derived(&["ab", "c"]), derived(&["a", "bc"]));
        assert_eq!(OrderId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn parts_of_an_order_name_it() {
        let id = OrderId::of("api", "default", "1");
        let parse = |text: String, kind| OrderId::parse_part(&text, kind);
        assert_eq!(parse(format!("{id}-2"), ""), Some((id.clone(), 2)));
        assert_eq!(parse(format!("{id}-R1"), "R"), Some((id.clone(), 1)));
        assert_eq!(parse(format!("{id}-R1"), ""), None);
        assert_eq!(parse(format!("{id}-+1"), ""), None);
        assert_eq!(parse("nonsense".into(), ""), None);
    }
}
