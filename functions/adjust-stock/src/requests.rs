//! What may be reported, and what is wrong with it.

use domain::Problem;
use domain::limits::{MAX_COUNTED, MAX_QUANTITY, MAX_TEXT_CHARS};
use domain::stock::MovementKind;
use jiff::civil::Date;
use serde::Deserialize;

/// Goods that came in, or that were found to be more or fewer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adjustment {
    pub location: String,
    pub kind: AdjustmentKind,
    pub quantity: i64,
    #[serde(default)]
    pub reason: String,
    /// The purchase line that received goods are of.
    pub inbound: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdjustmentKind {
    Receive,
    Adjust,
}

/// What a supplier sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub location: String,
    pub quantity: i64,
    pub expected_on: Date,
}

/// What a shelf was counted to hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub location: String,
    pub found: i64,
    /// What the counter said when the person began; if not given, what it says now.
    pub expected: Option<i64>,
    #[serde(default)]
    pub reason: String,
}

/// Goods that left for another warehouse.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    pub from: String,
    pub to: String,
    pub quantity: i64,
    pub expected_on: Option<Date>,
    #[serde(default)]
    pub reason: String,
}

/// What arrived of a transfer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrived {
    pub quantity: i64,
}

/// What came of a discrepancy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolved {
    pub note: String,
}

impl AdjustmentKind {
    pub fn movement(self) -> MovementKind {
        match self {
            Self::Receive => MovementKind::Receive,
            Self::Adjust => MovementKind::Adjust,
        }
    }
}

impl Adjustment {
    pub fn problems(&self) -> Vec<Problem> {
        let most = i64::from(MAX_QUANTITY);
        let mut problems: Vec<Problem> = match self.kind {
            AdjustmentKind::Receive => between("/quantity", self.quantity, 1, most),
            AdjustmentKind::Adjust if self.quantity == 0 => {
                let expected = format!("expected -{most} to {most}, and not 0, found 0");
                Some(Problem::at("/quantity", expected))
            }
            AdjustmentKind::Adjust => between("/quantity", self.quantity, -most, most),
        }
        .into_iter()
        .collect();
        if matches!(self.kind, AdjustmentKind::Adjust) && self.reason.trim().is_empty() {
            problems.push(Problem::at("/reason", "expected why the count differs"));
        }
        if matches!(self.kind, AdjustmentKind::Adjust) && self.inbound.is_some() {
            let detail = "expected a purchase line only of goods that are received";
            problems.push(Problem::at("/inbound", detail));
        }
        problems.extend(too_long("/reason", &self.reason));
        problems
    }
}

impl Expected {
    pub fn problems(&self) -> Vec<Problem> {
        between("/quantity", self.quantity, 0, i64::from(MAX_QUANTITY))
            .into_iter()
            .collect()
    }
}

impl Counted {
    pub fn problems(&self) -> Vec<Problem> {
        let expected = self.expected.unwrap_or_default();
        [
            between("/found", self.found, 0, MAX_COUNTED),
            between("/expected", expected, -MAX_COUNTED, MAX_COUNTED),
            too_long("/reason", &self.reason),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Sent {
    pub fn problems(&self) -> Vec<Problem> {
        let to_itself = (self.from == self.to).then(|| {
            let detail = format!("expected another warehouse than {:?}", self.from);
            Problem::at("/to", detail)
        });
        [
            to_itself,
            between("/quantity", self.quantity, 1, i64::from(MAX_QUANTITY)),
            too_long("/reason", &self.reason),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Arrived {
    pub fn problems(&self) -> Vec<Problem> {
        between("/quantity", self.quantity, 0, i64::from(MAX_QUANTITY))
            .into_iter()
            .collect()
    }
}

impl Resolved {
    pub fn problems(&self) -> Vec<Problem> {
        let nothing = self.note.trim().is_empty();
        let nothing = nothing.then(|| Problem::at("/note", "expected what came of it"));
        nothing
            .into_iter()
            .chain(too_long("/note", &self.note))
            .collect()
    }
}

fn between(pointer: &str, units: i64, least: i64, most: i64) -> Option<Problem> {
    (!(least..=most).contains(&units)).then(|| {
        Problem::at(
            pointer,
            format!("expected {least} to {most}, found {units}"),
        )
    })
}

fn too_long(pointer: &str, text: &str) -> Option<Problem> {
    (text.chars().count() > MAX_TEXT_CHARS).then(|| {
        Problem::at(
            pointer,
            format!("expected at most {MAX_TEXT_CHARS} characters"),
        )
    })
}
