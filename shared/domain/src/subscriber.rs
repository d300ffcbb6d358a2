//! Other systems that hear of what happens to orders.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::event::Event;
use crate::limits::{MAX_NAME_CHARS, MAX_SUBSCRIBED_TYPES, MAX_URL_CHARS};

/// Another system that hears of what happens to orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// Its name in our paths.
    #[serde(default)]
    pub id: String,
    /// Where events are sent to: over HTTPS, or on this machine. Empty where they go to a bus.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Whether events are put on the event bus of the stack in place of a URL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub event_bus: bool,
    /// The types of event that it wants; empty: all, those of later releases included.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whether it hears who bought, and what people wrote.
    #[serde(default)]
    pub personal_data: bool,
    /// Whether anything is sent to it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it answered that it is gone, and was therefore switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

impl Subscriber {
    /// Whether it hears of events like this one.
    pub fn wants(&self, event: &Event) -> bool {
        self.types.is_empty() || self.types.iter().any(|kind| kind == event.name())
    }
}

/// Whether something can be the name of a subscriber: it is part of paths, keys and the name of a secret.
pub fn is_subscriber_id(id: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_NAME_CHARS).contains(&id.len()) && id.bytes().all(sound)
}

/// What is wrong with a subscriber. Whether its URL is one that may be asked is for those to say who ask.
pub fn subscriber_problems(subscriber: &Subscriber) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !is_subscriber_id(&subscriber.id) {
        let detail = format!(
            "expected 1 to {MAX_NAME_CHARS} of letters, digits, \"-\", \"_\" and \".\", found {:?}",
            subscriber.id
        );
        problems.push(Problem::at("/id", detail));
    }
    if subscriber.event_bus && !subscriber.url.is_empty() {
        let detail = "expected either a URL or \"event_bus\": true, found both";
        problems.push(Problem::at("/url", detail));
    }
    let length = subscriber.url.len();
    if length > MAX_URL_CHARS {
        let detail = format!("expected at most {MAX_URL_CHARS} characters, found {length}");
        problems.push(Problem::at("/url", detail));
    }
    let count = subscriber.types.len();
    if count > MAX_SUBSCRIBED_TYPES {
        let detail = format!("expected at most {MAX_SUBSCRIBED_TYPES} types, found {count}");
        problems.push(Problem::at("/types", detail));
        return problems;
    }
    for (n, kind) in subscriber.types.iter().enumerate() {
        if !Event::NAMES.contains(&kind.as_str()) {
            let names = Event::NAMES.join(", ");
            let detail = format!("expected one of {names}, found {kind:?}");
            problems.push(Problem::at(format!("/types/{n}"), detail));
        }
    }
    problems
}
