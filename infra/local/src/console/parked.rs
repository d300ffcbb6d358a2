//! What the machine gave up on and a person has to look at, and the buttons that send it back.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use domain::OrderId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Console, Page, Shared, is_own_form, query};
use crate::cloud::Cloud;
use crate::http_client::HttpClient;
use crate::seed::DEMO_KEY;
use crate::services::sqs::{Peeked, Queue};

/// Messages of one queue that are shown.
const SHOWN: usize = 100;

/// What a step gave up on.
#[derive(Serialize)]
struct OfStep {
    step: String,
    count: usize,
    messages: Vec<Parked>,
}

/// A message in a dead-letter queue.
#[derive(Serialize)]
struct Parked {
    id: String,
    sent_at: Timestamp,
    /// Why the step gave up on it, or what SQS knows of that.
    reason: String,
    attempt: String,
    /// The order that it is about, if it can be read.
    order: Option<OrderId>,
    body: String,
}

/// The steps, each with the queue that its own gives messages up to.
fn dead_letter_queues(cloud: &Cloud) -> Vec<(&str, Arc<Queue>)> {
    let sqs = &cloud.services().sqs;
    let mappings = cloud.template().mappings.iter();
    let queues = mappings.filter_map(|mapping| {
        let arn = sqs.queue(&mapping.queue)?.redrive()?.dead_letter_arn;
        let queue = sqs.queue(arn.rsplit(':').next()?)?;
        Some((mapping.function.as_str(), queue))
    });
    queues.collect()
}

/// How many messages were given up on.
pub(super) fn count(cloud: &Cloud) -> usize {
    let queues = dead_letter_queues(cloud);
    queues.iter().map(|(_, queue)| queue.depth().total()).sum()
}

pub(super) async fn list(State(console): Shared, uri: Uri) -> Response {
    let page = page(&console, &uri).await;
    console.show(page)
}

async fn page(console: &Console, uri: &Uri) -> Result<Page> {
    let queues = dead_letter_queues(&console.cloud).into_iter();
    let parked = queues.filter_map(|(step, queue)| {
        let mut messages: Vec<Parked> = queue.peek(SHOWN).into_iter().map(Parked::of).collect();
        messages.sort_by_key(|parked| std::cmp::Reverse(parked.sent_at));
        (!messages.is_empty()).then(|| OfStep {
            step: step.to_owned(),
            count: queue.depth().total(),
            messages,
        })
    });
    let parked: Vec<OfStep> = parked.collect();
    let told = |name| query(uri, name).and_then(|count| count.parse::<u32>().ok());
    let mut found = console.scans.orders().await?;
    found.unreadable.sort_by(|a, b| b.at.cmp(&a.at));
    let facts = json!({
        "title": "Dead letters",
        "parked": parked,
        "sent": told("sent"),
        "not_found": told("not_found"),
        "failed": told("failed"),
        "unreadable": found.unreadable,
        "broken": found.broken,
    });
    Ok(Page::new("dead-letters.html", facts))
}

/// Sends back what a button of the page names, and shows the page with what came of it.
pub(super) async fn redrive(State(console): Shared, headers: HeaderMap, form: Bytes) -> Response {
    if !is_own_form(&headers) {
        let why = "Only the console's own buttons may do this.\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    match send_back(&console.cloud, wish(&form)).await {
        Ok(told) => Redirect::to(&format!("/console/dead-letters?{told}")).into_response(),
        Err(error) => console.show(Err(error)),
    }
}

/// What a form asks the API for.
fn wish(form: &[u8]) -> Value {
    let mut fields = form_urlencoded::parse(form);
    match fields.next().as_ref().map(|(name, value)| (&**name, value)) {
        Some(("id", id)) => json!({"ids": [id]}),
        Some(("step", step)) => json!({"step": step}),
        Some(("all", _)) => json!({"all": true}),
        _ => json!({}),
    }
}

/// Asks the API, as any operator would; every local cloud has the key of the sample retailer's.
async fn send_back(cloud: &Cloud, wish: Value) -> Result<String> {
    let address = cloud.http_address().context("there is no HTTP API")?;
    let bearer = format!("Bearer {DEMO_KEY}");
    let headers = [("authorization", bearer.as_str())];
    let asked = HttpClient::new(address)
        .send(Method::POST, "/parked/redrive", &headers, wish.to_string())
        .await;
    let (status, told) = asked?;
    let Some(messages) = told["messages"].as_array().filter(|_| status == 200) else {
        bail!("the API answered {status}: {}", told["detail"]);
    };
    let counts = ["sent", "not_found", "failed"].map(|outcome| {
        let count = messages.iter().filter(|m| m["outcome"] == outcome).count();
        format!("{outcome}={count}")
    });
    Ok(counts.join("&"))
}

impl Parked {
    fn of(peeked: Peeked) -> Self {
        let Peeked { message, receives } = peeked;
        let attribute = |name: &str| message.attributes.get(name)?.string_value.clone();
        let given_up = format!("it was taken {receives} times and never finished");
        let order = serde_json::from_str::<Value>(&message.body).ok();
        let order = order.and_then(|body| OrderId::parse(body["order"].as_str()?));
        Self {
            id: message.id.clone(),
            sent_at: message.sent_at,
            reason: attribute("reason").unwrap_or(given_up),
            attempt: attribute("attempt").unwrap_or_else(|| receives.to_string()),
            order,
            body: message.body.clone(),
        }
    }
}
