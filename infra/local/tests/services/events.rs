use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::json;

use crate::seams;

fn entry(detail: &str) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .event_bus_name("waybill")
        .source("waybill")
        .detail_type("order.accepted")
        .time(DateTime::from_secs(1_795_422_600))
        .detail(detail)
        .build()
}

#[tokio::test]
async fn events_are_put_on_buses_and_what_is_wrong_is_named_by_entry() {
    for (services, config) in seams().await {
        let client = Client::new(&config);
        let put = client.put_events().entries(entry(r#"{"order": "A"}"#));
        let put = put.entries(entry("no JSON")).entries(entry("[]"));
        let nothing = PutEventsRequestEntry::builder().detail("{}").build();
        let put = put.entries(nothing).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 3);
        let codes = put.entries().iter().map(|entry| entry.error_code());
        let codes: Vec<Option<&str>> = codes.collect();
        let malformed = Some("MalformedDetail");
        assert_eq!(codes, [None, malformed, malformed, Some("InvalidArgument")]);
        assert!(put.entries()[0].event_id().is_some());
        let events = services.events.take();
        assert_eq!(events.len(), 1);
        let event = &events[0];
        assert_eq!((&*event.bus, &*event.source), ("waybill", "waybill"));
        assert_eq!(event.detail_type, "order.accepted");
        assert_eq!(event.time.unwrap().as_second(), 1_795_422_600);
        assert_eq!(event.detail, json!({"order": "A"}));
        assert!(services.events.events().is_empty());
    }
}

#[tokio::test]
async fn a_request_has_its_limits() {
    for (services, config) in seams().await {
        let client = Client::new(&config);
        // 14 bytes for the time, 7 and 14 for the source and the type.
        let detail = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 35 - 8));
        for (entries, taken) in [
            (vec![entry("{}"); 10], true),
            (vec![entry("{}"); 11], false),
            (vec![entry(&detail(262_144))], true),
            (vec![entry(&detail(262_145))], false),
        ] {
            let count = entries.len();
            let put = client.put_events().set_entries(Some(entries)).send().await;
            assert_eq!(put.is_ok(), taken, "{count}");
        }
        assert_eq!(services.events.events().len(), 11);
    }
}
