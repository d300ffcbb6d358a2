//! Ids of orders and of their parts, and codes of countries.
#![no_main]

use domain::{OrderId, geo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(id) = OrderId::parse(text) {
        assert_eq!(id.as_str(), text);
    }
    for kind in ["", "R", "F"] {
        if let Some((order, n)) = OrderId::parse_part(text, kind) {
            let again = format!("{order}-{kind}{n}");
            assert_eq!(OrderId::parse_part(&again, kind), Some((order, n)));
        }
    }
    if geo::is_country(text) {
        assert_ne!(geo::country_name(text), text);
    }
});
