//! What may be reported, and what is wrong with it.

use domain::limits::{MAX_COUNTED, MAX_QUANTITY, MAX_TEXT_CHARS};
use domain::stock::MovementKind;
use domain::{Problem, Quantity};
use jiff::civil::Date;
use serde::Deserialize;

/// Goods that came in, or that were found to be more or fewer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adjustment {
    pub location: String,
    pub kind: AdjustmentKind,
    pub quantity: Quantity,
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
    pub quantity: Quantity,
    pub expected_on: Date,
}

/// What a shelf was counted to hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub location: String,
    pub found: Quantity,
    /// What the counter said when the person began; if not given, what it says now.
    pub expected: Option<Quantity>,
    #[serde(default)]
    pub reason: String,
}

/// Goods that left for another warehouse.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    pub from: String,
    pub to: String,
    pub quantity: Quantity,
    pub expected_on: Option<Date>,
    #[serde(default)]
    pub reason: String,
}

/// What arrived of a transfer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrived {
    pub quantity: Quantity,
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
    /// To how many units of an article of so many decimals it happened; or what is wrong with it.
    pub fn units(&self, decimals: u8) -> Result<i64, Vec<Problem>> {
        let most = i64::from(MAX_QUANTITY);
        let mut problems = Vec::new();
        let units = match self.kind {
            AdjustmentKind::Receive => Range(1, most),
            AdjustmentKind::Adjust => Range(-most, most),
        };
        let units = units.read("/quantity", self.quantity, decimals, &mut problems);
        if matches!(self.kind, AdjustmentKind::Adjust) && self.quantity.is_zero() {
            let most = Quantity::new(most, decimals);
            let expected = format!("expected -{most} to {most}, and not 0, found 0");
            problems.push(Problem::at("/quantity", expected));
        }
        if matches!(self.kind, AdjustmentKind::Adjust) && self.reason.trim().is_empty() {
            problems.push(Problem::at("/reason", "expected why the count differs"));
        }
        if matches!(self.kind, AdjustmentKind::Adjust) && self.inbound.is_some() {
            let detail = "expected a purchase line only of goods that are received";
            problems.push(Problem::at("/inbound", detail));
        }
        problems.extend(too_long("/reason", &self.reason));
        sound(units, problems)
    }
}

impl Expected {
    /// As [`Adjustment::units`].
    pub fn units(&self, decimals: u8) -> Result<i64, Vec<Problem>> {
        let mut problems = Vec::new();
        let range = Range(0, MAX_QUANTITY.into());
        let units = range.read("/quantity", self.quantity, decimals, &mut problems);
        sound(units, problems)
    }
}

impl Counted {
    /// The units that were found, and those that were expected, if that is said.
    pub fn units(&self, decimals: u8) -> Result<(i64, Option<i64>), Vec<Problem>> {
        let mut problems = Vec::new();
        let found = Range(0, MAX_COUNTED).read("/found", self.found, decimals, &mut problems);
        let range = Range(-MAX_COUNTED, MAX_COUNTED);
        let expected = self
            .expected
            .map(|expected| range.read("/expected", expected, decimals, &mut problems));
        problems.extend(too_long("/reason", &self.reason));
        sound((found, expected), problems)
    }
}

impl Sent {
    /// As [`Adjustment::units`].
    pub fn units(&self, decimals: u8) -> Result<i64, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.from == self.to {
            let detail = format!("expected another warehouse than {:?}", self.from);
            problems.push(Problem::at("/to", detail));
        }
        let range = Range(1, MAX_QUANTITY.into());
        let units = range.read("/quantity", self.quantity, decimals, &mut problems);
        problems.extend(too_long("/reason", &self.reason));
        sound(units, problems)
    }
}

impl Arrived {
    /// As [`Adjustment::units`].
    pub fn units(&self, decimals: u8) -> Result<i64, Vec<Problem>> {
        let mut problems = Vec::new();
        let range = Range(0, MAX_QUANTITY.into());
        let units = range.read("/quantity", self.quantity, decimals, &mut problems);
        sound(units, problems)
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

/// The fewest units and the most.
struct Range(i64, i64);

impl Range {
    /// Units of an article of so many decimals; 0 with a problem if they are out of range.
    fn read(
        self,
        pointer: &str,
        quantity: Quantity,
        decimals: u8,
        problems: &mut Vec<Problem>,
    ) -> i64 {
        let units = quantity.units_within(decimals, self.0, self.1);
        units.unwrap_or_else(|detail| {
            problems.push(Problem::at(pointer, detail));
            0
        })
    }
}

fn sound<T>(read: T, problems: Vec<Problem>) -> Result<T, Vec<Problem>> {
    match problems.is_empty() {
        true => Ok(read),
        false => Err(problems),
    }
}

fn too_long(pointer: &str, text: &str) -> Option<Problem> {
    (text.chars().count() > MAX_TEXT_CHARS).then(|| {
        Problem::at(
            pointer,
            format!("expected at most {MAX_TEXT_CHARS} characters"),
        )
    })
}
