//! Amazon EventBridge: events for other systems, which rules take from there.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;

/// What all our events name as their source: rules choose by it.
const SOURCE: &str = "waybill";

/// An event bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Puts an event of a kind on it: when it happened, and what there is to say of it, a JSON object of at most 256 KB.
    /// An error says why it is not known to be there.
    async fn put(&self, kind: &str, at: Timestamp, detail: &str) -> Result<(), String>;
}

/// A bus of EventBridge.
pub(crate) struct EventBridge {
    client: Client,
    name: String,
}

impl EventBridge {
    /// The bus of this name.
    pub(crate) fn new(aws: &aws_types::SdkConfig, name: String) -> Self {
        Self {
            client: Client::new(aws),
            name,
        }
    }
}

#[async_trait]
impl Bus for EventBridge {
    async fn put(&self, kind: &str, at: Timestamp, detail: &str) -> Result<(), String> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(kind)
            .time(DateTime::from_secs(at.as_second()))
            .detail(detail)
            .build();
        let put = self.client.put_events().entries(entry).send().await;
        let put = put.map_err(|error| DisplayErrorContext(&error).to_string())?;
        // That the request is taken does not say that what is in it is.
        let mut entries = put.entries().iter();
        let refused = entries.find_map(|entry| Some((entry.error_code()?, entry.error_message())));
        match refused {
            None if put.failed_entry_count() == 0 => Ok(()),
            None => Err("EventBridge has not taken it, and does not say why".into()),
            Some((code, why)) => Err(format!("{code}: {}", why.unwrap_or_default())),
        }
    }
}
