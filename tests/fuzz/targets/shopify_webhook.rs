//! A Shopify webhook: the first line is its signature and its topic, the rest its body.
#![no_main]

use channels::shopify::Shopify;
use channels::{Channel, Unreadable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let (signature, topic) = head.split_once(' ').unwrap_or((head, ""));
    let body = &bytes[end..];
    let headers = |name: &str| match name {
        "x-shopify-hmac-sha256" => Some(signature),
        "shopify-topic" => Some(topic),
        _ => None,
    };
    assert!(!Shopify.verify(&headers, body, &[]), "no secret, no trust");
    Shopify.verify(&headers, body, &["one", "two"]);
    assert_eq!(Shopify.topic(&headers), topic);
    match Shopify.parse(body, "main") {
        Ok(new) => fuzz::check_order(new),
        Err(Unreadable::Problems(problems)) => fuzz::check_problems(&problems),
        Err(Unreadable::Syntax { line, .. }) => assert!(line > 0),
    }
});
