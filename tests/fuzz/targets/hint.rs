//! The body of a queue message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::Hint;

fuzz_target!(|text: &str| {
    match Hint::parse(text) {
        Ok(hint) => {
            // A state too large for a message stays behind; what the hint is about never does.
            let again = Hint::parse(&hint.to_body()).unwrap();
            assert_eq!(again.subject(), hint.subject());
        }
        Err(why) => assert!(!why.is_empty()),
    }
});
