//! Every parser is handed every payload, whoever it is meant for.

use std::fs;

use crate::corpus::{json_files, name};

#[test]
fn documents_of_others_are_refused_and_never_a_panic() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    for path in json_files("") {
        let raw_body = fs::read(&path).unwrap();
        let file = name(&path);
        let ours = channels::api::parse(&raw_body, "main", "key", now);
        assert!(ours.is_err(), "{file} is no document of our API");
        let of_shopify = path
            .parent()
            .is_some_and(|folder| folder.ends_with("shopify"));
        for channel in channels::CHANNELS {
            let parsed = channel.parse(&raw_body, "main");
            assert!(of_shopify || parsed.is_err(), "{file}: {parsed:?}");
        }
    }
}
