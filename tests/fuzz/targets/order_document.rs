//! The order document of our own API.
#![no_main]

use channels::Unreadable;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match channels::api::parse(bytes, "default", "fuzz", Timestamp::UNIX_EPOCH) {
        Ok(new) => fuzz::check_order(new),
        Err(Unreadable::Problems(problems)) => fuzz::check_problems(&problems),
        Err(Unreadable::Syntax { line, .. }) => assert!(line > 0),
    }
});
