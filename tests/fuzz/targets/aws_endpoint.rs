//! Requests of AWS clients to the local services: the first line is what `X-Amz-Target` says, or a path.
#![no_main]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fuzz::World;
use http::Request;
use libfuzzer_sys::fuzz_target;
use local::services::Services;

/// Requests to the same services.
const USES: u32 = 1000;
/// What there is at the start.
const TABLE: &str = r#"{"TableName":"items","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}]}"#;
const QUEUE: &str = r#"{"QueueName":"queue"}"#;

static WORLD: Mutex<Option<World<Arc<Services>>>> = Mutex::new(None);

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let Some(request) = request(head, &bytes[end..]) else {
        return;
    };
    let mut world = WORLD.lock().unwrap();
    let world = world.get_or_insert_with(|| World::new(true));
    world.run(
        USES,
        open,
        async |_| (),
        async |services| {
            let target = format!("{request:?}");
            let answer = services.handle(&"fuzz".into(), request).await;
            let status = answer.status();
            assert!(
                !status.is_server_error(),
                "{status} {:?} to {target}",
                answer.body()
            );
        },
    );
});

async fn open() -> Arc<Services> {
    let services = Services::in_memory().unwrap();
    for (target, body) in [
        ("DynamoDB_20120810.CreateTable", TABLE),
        ("AmazonSQS.CreateQueue", QUEUE),
    ] {
        let made = services
            .handle(&"fuzz".into(), request(target, body.as_bytes()).unwrap())
            .await;
        assert!(made.status().is_success(), "{:?}", made.body());
    }
    services
}

fn request(head: &str, body: &[u8]) -> Option<Request<Bytes>> {
    let request = match head.starts_with('/') {
        true => Request::post(head),
        false => Request::post("/").header("x-amz-target", head),
    };
    request.body(Bytes::copy_from_slice(body)).ok()
}
