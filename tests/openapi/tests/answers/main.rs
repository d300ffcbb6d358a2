//! The document against the running API: its examples go the whole way of an order, every answer that it describes is
//! given, none is given that it does not describe, and at every edge both say the same.
#![allow(clippy::unwrap_used, clippy::panic)]

mod edges;
mod journey;
mod refusals;

use openapi_tests::Api;

#[tokio::test]
async fn the_document_and_the_api_say_the_same() {
    let api = Api::open().await;
    journey::run(&api).await;
    edges::run(&api).await;
    refusals::run(&api).await;
    let none: [&str; 0] = [];
    assert_eq!(api.never_taken(), none, "examples that never worked");
    assert_eq!(api.never_given(), none, "answers that are never given");
    api.cloud.stop().await;
}
