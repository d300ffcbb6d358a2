//! How messages and their fate are shown.

use domain::limits::MAX_PARKED;
use jiff::Timestamp;
use runtime::{Hint, Parked};
use serde::Serialize;

/// A parked message.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Shown {
    id: String,
    step: &'static str,
    /// The order that it is about, or else SKU and fact, or else why that cannot be told.
    order: Option<String>,
    sku: Option<String>,
    fact: Option<String>,
    unreadable: Option<String>,
    reason: String,
    attempt: u32,
    pub(crate) since: Timestamp,
}

impl Shown {
    pub(crate) fn of(message: &Parked) -> Self {
        let (mut order, mut sku, mut fact, mut unreadable) = (None, None, None, None);
        match Hint::parse(&message.body) {
            Ok(Hint::Order(id, _)) => order = Some(id.to_string()),
            Ok(Hint::Fact(of, id)) => (sku, fact) = (Some(of), Some(id)),
            Ok(Hint::Changed(changed)) => order = Some(changed.id().to_string()),
            Err(why) => unreadable = Some(why),
        }
        // This look at it is no delivery.
        let received = message.received.saturating_sub(1);
        let given_up =
            || format!("received {received} times without success, looks at it included");
        Self {
            id: message.id.clone(),
            step: message.step.name(),
            order,
            sku,
            fact,
            unreadable,
            reason: message.reason.clone().unwrap_or_else(given_up),
            attempt: message.attempt.unwrap_or(received),
            since: message.since,
        }
    }
}

/// What became of a message that was to go back.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Fate {
    pub(crate) id: String,
    step: Option<&'static str>,
    outcome: &'static str,
    /// The id under which it is in the step's queue.
    sent_as: Option<String>,
    detail: Option<String>,
}

impl Fate {
    /// It is on its way; `deleted` says whether it is no longer parked.
    pub(crate) fn sent(message: &Parked, sent_as: String, deleted: Result<(), String>) -> Self {
        let still = |error| {
            format!("it is still parked too; to send it back once more does no harm: {error}")
        };
        Self {
            id: message.id.clone(),
            step: Some(message.step.name()),
            outcome: "sent",
            sent_as: Some(sent_as),
            detail: deleted.err().map(still),
        }
    }

    /// It stays where it is.
    pub(crate) fn failed(message: &Parked, detail: String) -> Self {
        Self {
            id: message.id.clone(),
            step: Some(message.step.name()),
            outcome: "failed",
            sent_as: None,
            detail: Some(detail),
        }
    }

    /// It was asked for by its id and not there. `more`: there are messages that were not looked at.
    pub(crate) fn not_found(id: &str, more: bool) -> Self {
        let detail = match more {
            true => format!(
                "it is not among the {MAX_PARKED} messages of each step that were looked at; \
                 send back or delete others first"
            ),
            false => "it is not parked: it was sent back or deleted before, or somebody else is \
                      looking at it this moment"
                .to_owned(),
        };
        Self {
            id: id.to_owned(),
            step: None,
            outcome: "not_found",
            sent_as: None,
            detail: Some(detail),
        }
    }
}
