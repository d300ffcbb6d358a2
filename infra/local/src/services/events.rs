//! EventBridge: putting events on buses. There are no rules here; what came is kept to be read.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Failure, parse, success_as};
use super::lock;

/// Entries of a request.
const MAX_ENTRIES: usize = 10;
/// Bytes of all entries of a request.
const MAX_BYTES: usize = 256 * 1024;
/// Bytes that a time counts for.
const TIME_BYTES: usize = 14;
/// Newest events that are kept.
const KEPT: usize = 1_000;

/// An event that is on a bus.
#[derive(Debug, Clone, Serialize)]
pub struct BusEvent {
    /// The id that EventBridge gives it.
    pub id: String,
    /// When it came.
    pub put_at: Timestamp,
    /// The bus, as its sender named it.
    pub bus: String,
    /// Who sent it.
    pub source: String,
    /// What has happened.
    pub detail_type: String,
    /// When that did, if its sender said so.
    pub time: Option<Timestamp>,
    /// What there is to say of it.
    pub detail: Value,
}

/// All buses of the account, in memory. Each that is named is taken to exist.
#[derive(Default)]
pub struct EventBuses {
    events: Mutex<VecDeque<BusEvent>>,
    next: AtomicU64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_bus_name: Option<String>,
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    /// Seconds, and parts of one, since 1970.
    time: Option<f64>,
}

impl EventBuses {
    /// The newest events of all buses, oldest first.
    pub fn events(&self) -> Vec<BusEvent> {
        lock(&self.events).iter().cloned().collect()
    }

    /// Throws all events away, and hands them over, oldest first.
    pub fn take(&self) -> Vec<BusEvent> {
        lock(&self.events).drain(..).collect()
    }

    pub(super) fn answer(
        &self,
        operation: &str,
        body: &[u8],
    ) -> (&'static str, Result<Response<Bytes>, Failure>) {
        match operation {
            "PutEvents" => ("PutEvents", self.put_events(body)),
            _ => {
                let why = format!("EventBridge here does not offer {operation}");
                let failure = Failure::bad("UnknownOperationException", why);
                ("unknown", Err(failure))
            }
        }
    }

    fn put_events(&self, body: &[u8]) -> Result<Response<Bytes>, Failure> {
        let request: PutEvents = parse(body)?;
        let count = request.entries.len();
        if !(1..=MAX_ENTRIES).contains(&count) {
            let why = format!("{count} entries: expected 1 to {MAX_ENTRIES}");
            return Err(Failure::bad("ValidationException", why));
        }
        let bytes: usize = request.entries.iter().map(Entry::bytes).sum();
        if bytes > MAX_BYTES {
            let why =
                format!("Total size of the entries in the request is over the limit: {bytes}");
            return Err(Failure::bad("ValidationException", why));
        }
        let entries = request.entries.into_iter().map(|entry| self.put(entry));
        let entries: Vec<Result<String, (&str, &str)>> = entries.collect();
        let failed = entries.iter().filter(|entry| entry.is_err()).count();
        let entries = entries.into_iter().map(|entry| match entry {
            Ok(id) => json!({"EventId": id}),
            Err((code, why)) => json!({"ErrorCode": code, "ErrorMessage": why}),
        });
        success_as(
            "application/x-amz-json-1.1",
            &json!({"FailedEntryCount": failed, "Entries": entries.collect::<Value>()}),
        )
    }

    /// Puts one entry on its bus, or says what is wrong with it: its neighbours are put all the same.
    fn put(&self, entry: Entry) -> Result<String, (&'static str, &'static str)> {
        const INVALID: &str = "InvalidArgument";
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let detail = entry.detail.unwrap_or_default();
        let detail = serde_json::from_str(&detail).ok().filter(Value::is_object);
        let put_at = Timestamp::now();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let event = BusEvent {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            put_at,
            bus: filled(entry.event_bus_name).unwrap_or_else(|| "default".into()),
            source: filled(entry.source).ok_or((
                INVALID,
                "Parameter Source is not valid. Reason: it is required.",
            ))?,
            detail_type: filled(entry.detail_type).ok_or((
                INVALID,
                "Parameter DetailType is not valid. Reason: it is required.",
            ))?,
            time: entry
                .time
                .map(|seconds| seconds as i64)
                .and_then(|s| Timestamp::from_second(s).ok()),
            detail: detail.ok_or(("MalformedDetail", "Detail is malformed."))?,
        };
        let id = event.id.clone();
        let events = &mut *lock(&self.events);
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(event);
        Ok(id)
    }
}

impl Entry {
    /// As EventBridge counts them.
    fn bytes(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        texts + self.time.map_or(0, |_| TIME_BYTES)
    }
}
