//! Any request to the HTTP API of a whole shop, with all that follows from it. Without an `authorization` of its own it
//! is an operator's; a webhook without a signature is signed.
#![no_main]

use std::sync::Mutex;
use std::time::Duration;

use end_to_end::{Shop, WITHOUT_BODY, document, sign};
use fuzz::{Wire, World};
use libfuzzer_sys::fuzz_target;
use local::seed::{DEMO_ACCOUNT, DEMO_KEY};
use serde_json::Value;

/// Requests to one shop.
const USES: u32 = 300;
/// How long what follows from a request is waited for: not for messages that are held back.
const FOLLOWS: Duration = Duration::from_millis(50);

static WORLD: Mutex<Option<World<Shop>>> = Mutex::new(None);

fuzz_target!(|bytes: &[u8]| {
    let Some(wire) = Wire::read(bytes) else {
        return;
    };
    let mut world = WORLD.lock().unwrap();
    let world = world.get_or_insert_with(|| World::new(false));
    world.run(
        USES,
        open,
        async |shop| shop.cloud.stop().await,
        async |shop| {
            let (status, answer) = send(shop, &wire).await;
            assert!(status < 500, "{status} {answer} to {wire:?}");
            if status >= 400 && !answer.is_null() {
                check_problem(status, &answer);
            }
            tokio::time::timeout(FOLLOWS, shop.cloud.idle()).await.ok();
        },
    );
});

/// A shop with an order that was delivered and is on its way back, and one that waits to be packed. `seeds` knows
/// what they are called.
async fn open() -> Shop {
    let shop = Shop::open().await;
    let lines = [("GRD-HAND-40", 2)];
    let delivered = shop.place("fuzz-delivered", &document(&lines)).await;
    shop.deliver(&delivered, 1).await;
    let wish = r#"{"lines":[{"line":"L1","quantity":1}]}"#;
    shop.post(&format!("/orders/{delivered}/returns"), "r1", wish)
        .await;
    let waiting = shop.place("fuzz-waiting", &document(&lines)).await;
    shop.report(&waiting, 1, "accepted", WITHOUT_BODY).await;
    shop
}

async fn send(shop: &Shop, wire: &Wire<'_>) -> (u16, Value) {
    let bearer = format!("Bearer {DEMO_KEY}");
    let signature = sign(DEMO_ACCOUNT.2, wire.body);
    let mut headers = wire.headers.clone();
    if !wire.has("authorization") {
        headers.push(("authorization", &bearer));
    }
    if !wire.has("x-shopify-hmac-sha256") {
        headers.push(("x-shopify-hmac-sha256", &signature));
    }
    shop.send(wire.method.clone(), wire.path, &headers, wire.body)
        .await
}

/// RFC 9457.
fn check_problem(status: u16, problem: &Value) {
    let text = |name: &str| problem[name].as_str().is_some_and(|text| !text.is_empty());
    assert!(text("type") && text("title"), "{problem}");
    assert_eq!(problem["status"], status);
    for error in problem["errors"].as_array().into_iter().flatten() {
        assert!(
            error["pointer"].is_string() && error["detail"].is_string(),
            "{problem}"
        );
    }
}
