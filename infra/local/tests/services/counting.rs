//! Counting calls.

use super::seams;

#[tokio::test]
async fn calls_are_counted_by_caller() {
    let [(services, config), (remote, over_tcp)]: [_; 2] = seams().await.try_into().ok().unwrap();
    let named = aws_types::app_name::AppName::new("waybill-ship-order").unwrap();
    let named = over_tcp.to_builder().app_name(named).build();
    for config in [&config, &over_tcp, &named] {
        let client = aws_sdk_sqs::Client::new(config);
        client
            .create_queue()
            .queue_name("steps")
            .send()
            .await
            .unwrap();
    }
    let calls = services.counters.snapshot();
    assert_eq!(calls.len(), 1);
    assert_eq!(&*calls[0].0.caller, "accept-order");
    assert_eq!(calls[0].0.operation, "CreateQueue");
    assert_eq!(calls[0].1.calls, 1);
    assert_eq!(services.counters.connections(), 0);
    let remote_calls = remote.counters.snapshot();
    let callers: Vec<_> = remote_calls.iter().map(|(call, _)| &*call.caller).collect();
    assert_eq!(callers, ["outside", "ship-order"]);
    assert_eq!(remote.counters.connections(), 1);
}
