//! Amounts: a currency's code, a space, and decimal text.
#![no_main]

use domain::Currency;
use domain::limits::MAX_MINOR;
use domain::money::split;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (code, amount) = text.split_once(' ').unwrap_or((text, ""));
    let Some(currency) = Currency::from_code(code) else {
        return;
    };
    assert_eq!(currency.code(), code);
    let Ok(minor) = currency.parse_minor(amount) else {
        return;
    };
    assert!(minor.abs() <= MAX_MINOR);
    assert_eq!(currency.parse_minor(&currency.format(minor)), Ok(minor));
    let weights: Vec<i64> = amount.bytes().map(i64::from).collect();
    let parts = split(minor.abs(), &weights);
    assert_eq!(parts.iter().sum::<i64>(), minor.abs());
});
