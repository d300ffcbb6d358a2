//! What may be asked for, and what is wrong with it.

use domain::intake::{NewLine, NewOrder};
use domain::limits::{MAX_RESERVATION_S, MAX_RESERVED_LEVELS};
use domain::order::{Address, Contact, Source};
use domain::{Currency, Problem, Quantity};
use jiff::Timestamp;
use serde::Deserialize;

/// Goods to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub lines: Vec<AskedLine>,
    /// Where they are to go: who keeps them is chosen as for an order there.
    pub country: Option<String>,
    pub expires_in_s: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedLine {
    pub sku: String,
    pub quantity: Quantity,
    /// The warehouse that is to keep all of them.
    pub location: Option<String>,
}

/// A reservation that is to be held for longer, or shorter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extended {
    pub expires_in_s: i64,
}

impl Asked {
    /// What is wrong with it, apart from what [`as_order`](Self::as_order) is.
    pub fn problems(&self) -> Vec<Problem> {
        let count = self.lines.len();
        let lines = (!(1..=MAX_RESERVED_LEVELS).contains(&count)).then(|| {
            let detail = format!("expected 1 to {MAX_RESERVED_LEVELS} lines, found {count}");
            Problem::at("/lines", detail)
        });
        let anywhere = self.lines.iter().any(|line| line.location.is_none());
        let country = (anywhere && self.country.is_none()).then(|| {
            let detail = "expected where the goods go, or a location on every line";
            Problem::at("/country", detail)
        });
        let time = time(self.expires_in_s);
        [lines, country, time].into_iter().flatten().collect()
    }

    /// What would be ordered. The lines are called after their places.
    pub fn as_order(&self, id: &str, now: Timestamp) -> Option<NewOrder> {
        let line = |(n, line): (usize, &AskedLine)| NewLine {
            id: n.to_string(),
            sku: Some(line.sku.clone()),
            quantity: line.quantity,
            ..NewLine::default()
        };
        let address = self.country.clone().map(|country| Address {
            country,
            ..Address::default()
        });
        Some(NewOrder {
            source: Source {
                // The rules are those of orders that can name a reservation.
                channel: channels::api::CHANNEL.into(),
                account: String::new(),
                external_id: id.into(),
            },
            number: id.into(),
            placed_at: now,
            as_of: None,
            // It has no amounts.
            currency: Currency::from_code("EUR")?,
            presentment: None,
            taxes_included: true,
            reservation: None,
            lines: self.lines.iter().enumerate().map(line).collect(),
            lines_pointer: "/lines",
            discount: 0,
            tax: 0,
            extras: 0,
            stated_total: None,
            payments: Vec::new(),
            paid_through: None,
            refunds: Vec::new(),
            contact: Contact {
                address,
                ..Contact::default()
            },
            address_pointer: "",
            point: None,
            located: None,
            mailed: false,
            told: false,
            awaited: false,
            deliver_by: None,
            test: false,
            cancelled: false,
            shipped: false,
        })
    }
}

impl Extended {
    pub fn problems(&self) -> Vec<Problem> {
        time(self.expires_in_s).into_iter().collect()
    }
}

fn time(seconds: i64) -> Option<Problem> {
    (!(1..=MAX_RESERVATION_S).contains(&seconds)).then(|| {
        let detail = format!("expected 1 to {MAX_RESERVATION_S} seconds, found {seconds}");
        Problem::at("/expires_in_s", detail)
    })
}
