//! A message to a queue function: the first line is the function's name, the rest the message's body, or the whole
//! event if it has records.
#![no_main]

use std::sync::Mutex;

use fuzz::World;
use libfuzzer_sys::fuzz_target;
use local::built_in;
use local::cloud::{Cloud, Options};
use local::seed::sample_retailer;
use runtime::Hint;
use serde_json::{Value, json};

/// Messages to one cloud.
const USES: u32 = 500;
/// Functions that take messages.
const FUNCTIONS: [&str; 6] = [
    "allocate-warehouse",
    "notify-customer",
    "notify-warehouse",
    "refund-order",
    "ship-order",
    "update-stock",
];

static WORLD: Mutex<Option<World<Cloud>>> = Mutex::new(None);

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Some((name, body)) = text.split_once('\n') else {
        return;
    };
    let Some(function) = FUNCTIONS.into_iter().find(|function| *function == name) else {
        return;
    };
    let event = serde_json::from_str::<Value>(body).ok();
    let event = event.filter(|event| event.get("Records").is_some());
    let record = json!({
        "messageId": "m-1",
        "receiptHandle": "AQEB0000000000000000-1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:waybill-{function}"),
    });
    let bodies = event
        .iter()
        .flat_map(|event| event["Records"].as_array())
        .flatten();
    let bodies = bodies
        .filter_map(|record| record["body"].as_str())
        .chain([body]);
    if bodies.into_iter().any(has_state) {
        return;
    }
    let whole = event.is_some();
    let event = event.unwrap_or_else(|| json!({"Records": [record]}));
    let mut world = WORLD.lock().unwrap();
    let world = world.get_or_insert_with(|| World::new(true));
    world.run(
        USES,
        open,
        async |cloud| cloud.stop().await,
        async |cloud| {
            // One message by itself always has an outcome; an event of another form fails as a whole.
            match cloud.invoke(function, event).await {
                Ok(answer) => assert!(answer["batchItemFailures"].is_array(), "{answer}"),
                Err(error) => assert!(whole, "{error}"),
            }
        },
    );
});

/// The state that a hint takes along was written by a function of ours, as the items of the tables were: only reading
/// it is the matter of the target `hint`.
fn has_state(body: &str) -> bool {
    matches!(Hint::parse(body), Ok(Hint::Order(_, Some(_))))
}

/// The sample retailer, without anything that takes messages or runs by the clock.
async fn open() -> Cloud {
    let template = include_str!("../../../infra/template.yaml");
    let template = template.replace("AWS::Lambda::EventSourceMapping", "None");
    let template = template.replace("AWS::Scheduler::Schedule", "None");
    let cloud = Cloud::start(Options::new(template, built_in::functions())).await;
    let cloud = cloud.unwrap();
    sample_retailer(&cloud).await.unwrap();
    cloud
}
