//! Who hears of what happens to orders, and what came of telling them.

use anyhow::Result;
use axum::extract::State;
use axum::response::Response;
use domain::delivery::Attempt;
use domain::subscriber::Subscriber;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Console, Page, Shared};

/// Newest attempts of each subscriber that are listed.
const ATTEMPTS: i32 = 10;
/// Newest events of the event bus that are listed.
const EVENTS: usize = 50;

#[derive(Serialize)]
struct Row {
    subscriber: Subscriber,
    /// When it asked to hear again, last.
    asked_at: Option<Timestamp>,
    /// Whether that has come to its end.
    replayed: bool,
    attempts: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    attempt: Attempt,
    /// The order that the event is of.
    order: String,
}

pub(super) async fn list(State(console): Shared) -> Response {
    let page = page(&console).await;
    console.show(page)
}

async fn page(console: &Console) -> Result<Page> {
    let replays = console.store.replays().await?;
    let mut rows = Vec::new();
    for subscriber in console.store.subscribers().await? {
        let attempts = console
            .store
            .attempts(&subscriber.id, None, ATTEMPTS)
            .await?;
        let told = |(_, attempt): (String, Attempt)| Told {
            order: attempt
                .event
                .split('-')
                .next()
                .unwrap_or_default()
                .to_owned(),
            attempt,
        };
        let mut replays = replays.iter();
        let replay = replays.find(|replay| replay.subscriber == subscriber.id);
        rows.push(Row {
            asked_at: replay.map(|replay| replay.asked_at),
            replayed: replay.is_some_and(|replay| replay.done_at.is_some()),
            attempts: attempts.into_iter().map(told).collect(),
            subscriber,
        });
    }
    let mut events = console.cloud.services().events.events();
    events.reverse();
    events.truncate(EVENTS);
    let events = events.into_iter().map(|event| {
        let detail = format!("{:#}", event.detail);
        json!({"id": event.id, "kind": event.detail_type, "bus": event.bus, "at": event.put_at, "detail": detail})
    });
    let events: Value = events.collect();
    let facts = json!({"title": "Subscribers", "subscribers": rows, "events": events});
    Ok(Page::new("subscribers.html", facts))
}
