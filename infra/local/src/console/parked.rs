//! What the machine gave up on and a person has to look at.

use std::collections::BTreeSet;

use anyhow::Result;
use axum::extract::State;
use axum::response::Response;
use domain::OrderId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{Console, Page, Shared};
use crate::cloud::Cloud;
use crate::services::sqs::{Peeked, Queue};

/// Messages of one queue that are shown.
const SHOWN: usize = 100;

/// A message in a dead-letter queue.
#[derive(Serialize)]
struct Parked {
    queue: String,
    message: String,
    sent_at: Timestamp,
    /// The step that gave up on it, if it said so itself.
    step: Option<String>,
    /// Why.
    reason: String,
    attempt: String,
    /// The order that it is about, if it can be read.
    order: Option<OrderId>,
    body: String,
}

/// The queues that others give messages up to.
fn dead_letter_queues(cloud: &Cloud) -> Vec<std::sync::Arc<Queue>> {
    let queues = cloud.services().sqs.queues();
    let targets: BTreeSet<String> = queues
        .iter()
        .filter_map(|queue| queue.redrive())
        .map(|redrive| redrive.dead_letter_arn)
        .collect();
    let mut queues = queues;
    queues.retain(|queue| targets.contains(&**queue.arn()));
    queues
}

/// How many messages were given up on.
pub(super) fn count(cloud: &Cloud) -> usize {
    let queues = dead_letter_queues(cloud);
    queues.iter().map(|queue| queue.depth().total()).sum()
}

pub(super) async fn list(State(console): Shared) -> Response {
    let page = page(&console).await;
    console.show(page)
}

async fn page(console: &Console) -> Result<Page> {
    let queues = dead_letter_queues(&console.cloud);
    let mut parked: Vec<Parked> = queues
        .iter()
        .flat_map(|queue| {
            let peeked = queue.peek(SHOWN);
            peeked
                .into_iter()
                .map(|peeked| Parked::new(queue.name(), peeked))
        })
        .collect();
    parked.sort_by_key(|parked| std::cmp::Reverse(parked.sent_at));
    let mut found = console.scans.orders().await?;
    found.unreadable.sort_by(|a, b| b.at.cmp(&a.at));
    let facts = json!({
        "title": "Dead letters",
        "parked": parked,
        "unreadable": found.unreadable,
        "broken": found.broken,
    });
    Ok(Page::new("dead-letters.html", facts))
}

impl Parked {
    fn new(queue: &str, peeked: Peeked) -> Self {
        let Peeked { message, receives } = peeked;
        let attribute = |name: &str| message.attributes.get(name)?.string_value.clone();
        let given_up = format!("it was taken {receives} times and never finished");
        let order = serde_json::from_str::<serde_json::Value>(&message.body).ok();
        let order = order.and_then(|body| OrderId::parse(body["order"].as_str()?));
        Self {
            queue: queue.to_owned(),
            message: message.id.clone(),
            sent_at: message.sent_at,
            step: attribute("step"),
            reason: attribute("reason").unwrap_or(given_up),
            attempt: attribute("attempt").unwrap_or_else(|| receives.to_string()),
            order,
            body: message.body.clone(),
        }
    }
}
