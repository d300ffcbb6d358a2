//! A key of RSA that signs so fast that it does not count: its modulus is the product of many small primes, each of which is
//! asked for its own part of a signature. It keeps no secret, and who checks a signature cannot tell.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Primes of 32 bits that make a modulus of 2,048.
const PRIMES: usize = 64;
/// The public exponent: with primes that leave 2 by it, cube roots are there and are easy.
const EXPONENT: u64 = 3;
/// What stands before the hash that is signed (RFC 8017, section 9.2).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The key that every simulated channel has that signs by RSA.
pub(super) struct Key {
    primes: Vec<Prime>,
    /// The lowest 32 bits first, as all large numbers here.
    modulus: Vec<u32>,
}

struct Prime {
    p: u64,
    /// The product of all others.
    others: Vec<u32>,
    /// What that product has to be taken times to leave 1.
    inverse: u64,
}

/// The key.
pub(super) fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(Key::new)
}

impl Key {
    fn new() -> Self {
        let candidates = (0..=u64::from(u32::MAX)).rev();
        let suited = candidates.filter(|p| p % EXPONENT == 2 && is_prime(*p));
        let primes: Vec<u64> = suited.take(PRIMES).collect();
        let product = |without: Option<u64>| {
            let mut product = vec![0; PRIMES];
            product[0] = 1;
            for p in primes.iter().filter(|p| Some(**p) != without) {
                add_times(&mut product, *p);
            }
            product
        };
        let part = |p: &u64| {
            let others = product(Some(*p));
            Prime {
                p: *p,
                inverse: power(rest(&others, *p), p - 2, *p),
                others,
            }
        };
        Self {
            modulus: product(None),
            primes: primes.iter().map(part).collect(),
        }
    }

    /// The public key in PEM (PKCS #1).
    pub(super) fn public(&self) -> String {
        let mut der = vec![0x30, 0x82, 0x01, 0x08, 0x02, 0x82, 0x01, 0x01, 0x00];
        der.extend(bytes(&self.modulus));
        der.extend([0x02, 0x01, EXPONENT as u8]);
        let der = STANDARD.encode(der);
        format!("-----BEGIN RSA PUBLIC KEY-----{der}-----END RSA PUBLIC KEY-----")
    }

    /// The signature of a message: PKCS #1 v1.5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(message);
        let mut padded = vec![0xff; PRIMES * 4];
        (padded[0], padded[1]) = (0, 1);
        let end = padded.len() - hash.len() - SHA256_INFO.len();
        padded[end - 1] = 0;
        padded[end..end + SHA256_INFO.len()].copy_from_slice(&SHA256_INFO);
        padded[end + SHA256_INFO.len()..].copy_from_slice(&hash);
        let number = |word: &[u8]| word.iter().fold(0, |n, b| n << 8 | u32::from(*b));
        let message: Vec<u32> = padded.chunks(4).rev().map(number).collect();
        // Room for the sum of all parts.
        let mut signature = vec![0; PRIMES + 1];
        for Prime { p, others, inverse } in &self.primes {
            // A power of p - 1 leaves 1: of 2 (p - 1) + 1, which 3 divides, what was there.
            let root = power(rest(&message, *p), (2 * p - 1) / EXPONENT, *p);
            let times = root * inverse % p;
            let mut carry = 0;
            for (word, other) in signature.iter_mut().zip(others.iter().chain([&0])) {
                carry += u64::from(*word) + times * u64::from(*other);
                (*word, carry) = (carry as u32, carry >> 32);
            }
        }
        while let Some(less) = less(&signature, &self.modulus) {
            signature = less;
        }
        bytes(&signature[..PRIMES])
    }
}

fn is_prime(n: u64) -> bool {
    n % 2 == 1
        && (3..)
            .step_by(2)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

/// A number times a small one.
fn add_times(number: &mut [u32], times: u64) {
    let mut carry = 0;
    for word in number {
        carry += u64::from(*word) * times;
        (*word, carry) = (carry as u32, carry >> 32);
    }
}

/// What is left of a number by a small one.
fn rest(number: &[u32], by: u64) -> u64 {
    let words = number.iter().rev();
    words.fold(0, |rest, word| (rest << 32 | u64::from(*word)) % by)
}

fn power(base: u64, exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut base, mut left) = (1, base, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        left /= 2;
    }
    result
}

/// A number without another one; `None` if that is larger.
fn less(number: &[u32], by: &[u32]) -> Option<Vec<u32>> {
    let mut borrowed = 0;
    let words = number.iter().zip(by.iter().chain([&0]));
    let less = words.map(|(word, by)| {
        let left = i64::from(*word) - i64::from(*by) - borrowed;
        borrowed = i64::from(left < 0);
        left as u32
    });
    let less = less.collect();
    (borrowed == 0).then_some(less)
}

/// A number, the highest byte first.
fn bytes(number: &[u32]) -> Vec<u8> {
    let words = number.iter().rev();
    words.flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn what_it_signs_others_believe() {
        let pem = key().public();
        let inner = pem.split("-----").nth(2).unwrap();
        let der = STANDARD.decode(inner).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
        for message in ["", "one", "another"] {
            let signature = key().sign(message.as_bytes());
            assert!(public.verify(message.as_bytes(), &signature).is_ok());
            assert!(public.verify(b"a third", &signature).is_err());
        }
    }
}
