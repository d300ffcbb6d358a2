//! A deployment template.
#![no_main]

use libfuzzer_sys::fuzz_target;
use local::template::{Setting, Template};

fuzz_target!(|text: &str| {
    if let Err(error) = Template::read(text, &Setting::default()) {
        let error = error.to_string();
        assert!(!error.is_empty() && !error.contains('\n'), "{error:?}");
    }
});
