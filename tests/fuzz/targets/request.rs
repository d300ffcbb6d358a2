//! An event of API Gateway.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::http::Request;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(request) = Request::parse(event) else {
        return;
    };
    for name in ["id", "sku", "authorization", "idempotency-key", "after"] {
        request.path(name);
        request.query(name);
        request.header(name);
    }
    let refused = [request.json::<Value>().err(), request.too_large()];
    for answer in refused.into_iter().flatten() {
        assert!((400..500).contains(&answer.status()));
        answer.into_event().unwrap();
    }
});
