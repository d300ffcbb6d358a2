//! Every parser is handed every payload, whoever it is meant for.

use std::fs;

use crate::corpus::{json_files, name};

#[test]
fn documents_of_others_are_refused_and_never_a_panic() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    for path in json_files("") {
        let raw_body = fs::read(&path).unwrap();
        let file = name(&path);
        let ours = ::channels::api::parse(&raw_body, "main", "key", now);
        assert!(ours.is_err(), "{file} is no document of our API");
        for channel in ::channels::CHANNELS {
            for order in channel.orders(&raw_body).unwrap_or_default() {
                let parsed = channel.parse(order, "main");
                let folder = crate::channels::folder(channel.name());
                let of_channel = path.components().any(|part| part.as_os_str() == folder);
                assert!(of_channel || parsed.is_err(), "{file}: {parsed:?}");
            }
        }
    }
}
