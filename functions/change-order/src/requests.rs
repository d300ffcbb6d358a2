//! The documents that requests come with.

use domain::change::{Disposition, LineUnits};
use domain::limits::{MAX_LINES_PER_COMMIT, MAX_TEXT_CHARS};
use domain::order::Order;
use domain::{Problem, Quantity, refund};
use runtime::http::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cancel {
    reason: Option<String>,
}

impl Cancel {
    pub fn reason(self) -> Result<String, Answer> {
        let reason = self.reason.unwrap_or_else(|| "no reason given".into());
        match reason.chars().count() {
            1..=MAX_TEXT_CHARS => Ok(reason),
            n => {
                let detail = format!("expected 1 to {MAX_TEXT_CHARS} characters, found {n}");
                Err(Answer::invalid(&[Problem::at("/reason", detail)]))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineWish {
    line: String,
    quantity: Quantity,
}

fn units(lines: &[LineWish]) -> Result<Vec<LineUnits>, Answer> {
    bounded(lines.len())?;
    Ok(lines.iter().map(|l| (l.line.clone(), l.quantity)).collect())
}

/// What comes back in one parcel is moved in one transaction, which is bounded.
fn bounded(lines: usize) -> Result<(), Answer> {
    if lines <= MAX_LINES_PER_COMMIT {
        return Ok(());
    }
    let detail = format!("expected at most {MAX_LINES_PER_COMMIT} lines, found {lines}");
    Err(Answer::invalid(&[Problem::at("/lines", detail)]))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnWish {
    lines: Vec<LineWish>,
}

impl ReturnWish {
    pub fn lines(self) -> Result<Vec<LineUnits>, Answer> {
        units(&self.lines)
    }
}

/// Without lines: all that was announced, fit to be sold again. Without a location: where it was
/// sent from.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Received {
    location: Option<String>,
    lines: Option<Vec<ReceivedLine>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivedLine {
    line: String,
    quantity: Quantity,
    disposition: Disposition,
}

type Arrived = Vec<(String, Quantity, Disposition)>;

impl Received {
    pub fn of(&self, order: &Order, n: u32) -> Result<(String, Arrived), Answer> {
        let announced = order.returns.iter().find(|r| r.n == n);
        let unknown = || Answer::not_found(&format!("return {}-R{n}", order.id));
        let announced = &announced.ok_or_else(unknown)?.units;
        let sent_from = order.fulfillments.iter().find(|f| f.shipped_at.is_some());
        let location = self
            .location
            .clone()
            .or_else(|| sent_from.map(|f| f.location.clone()));
        let location = location.ok_or_else(|| {
            Answer::invalid(&[Problem::at(
                "/location",
                "expected the location where the goods are",
            )])
        })?;
        if let Some(lines) = &self.lines {
            bounded(lines.len())?;
            let arrived = |l: &ReceivedLine| (l.line.clone(), l.quantity, l.disposition);
            return Ok((location, lines.iter().map(arrived).collect()));
        }
        let arrived = |&(place, units): &(u16, u32)| {
            let line = order.line(place);
            (line.id.clone(), line.quantity(units), Disposition::Restock)
        };
        Ok((location, announced.iter().map(arrived).collect()))
    }
}

/// Either lines, or an amount: decimal text or a number, in the order's currency.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundWish {
    #[serde(default)]
    lines: Option<Vec<LineWish>>,
    #[serde(default)]
    amount: Option<Box<RawValue>>,
}

impl RefundWish {
    pub fn of(&self, order: &Order) -> Result<refund::Request, Answer> {
        match (&self.lines, &self.amount) {
            (Some(lines), None) => Ok(refund::Request::Units(units(lines)?)),
            (None, Some(amount)) => {
                // The text as it came: an amount never passes through a float.
                let text = amount.get().trim_matches('"');
                let minor = order.currency.parse_minor(text);
                let minor = minor.map_err(|why| Answer::invalid(&[Problem::at("/amount", why)]))?;
                Ok(refund::Request::Amount(minor))
            }
            _ => {
                let detail = "expected either lines or an amount";
                Err(Answer::invalid(&[Problem::at("", detail)]))
            }
        }
    }
}
