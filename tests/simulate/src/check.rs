//! The invariants, written from the specification: no code of the steps is used here. What a line
//! costs, what a movement does, what is owed, who may send what: all of it is derived again.

mod channel;
mod crossing;
mod deeds;
mod events;
mod history;
mod ledger;
mod life;
mod listings;
mod mail;
mod money;
mod orders;
mod repaid;
mod reservations;
mod rest;
mod routing;
#[cfg(test)]
mod sample;
mod stock;
#[cfg(test)]
mod tests;
mod told;
mod transit;

use std::fmt::Display;

use domain::Order;
use domain::stock::Level;

pub use listings::shown_as_noted;

use crate::observed::Observed;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise: a stable name.
    pub rule: &'static str,
    /// The order, or `SKU in LOCATION`.
    pub subject: String,
    /// What was found, for a person.
    pub detail: String,
}

/// What must hold of every single write of an order.
pub fn order_written(before: Option<&Order>, after: &Order) -> Option<Violation> {
    let hold = || {
        match before {
            None => orders::begins(after)?,
            Some(before) => orders::keeps(before, after)?,
        }
        orders::stands(after)?;
        money::stands(after)?;
        match before {
            None => Ok(()),
            Some(before) => {
                life::follows(before, after)?;
                money::follows(before, after)
            }
        }
    };
    hold().err()
}

/// What must hold of a write that notes that more of an order is handed over to subscribers: nothing else changes.
pub fn order_published(before: &Order, after: &Order) -> Option<Violation> {
    let same = Order {
        published: after.published,
        open_at: after.open_at,
        ..before.clone()
    };
    let more = before.published < after.published && after.published <= Some(after.version);
    (same != *after || !more).then(|| Violation {
        rule: "published-changes-an-order",
        subject: after.id.to_string(),
        detail: format!("expected no more than that of {before:?}, found {after:?}"),
    })
}

/// Where a write gives an order goods that it had waited for, and nothing else in the order called for it, a hint at
/// it is on its way beforehand (`told`): what follows could else be forgotten by all.
pub fn goods_given(before: &Order, after: &Order, told: bool) -> Option<Violation> {
    let given = after.fulfillments.len() > before.fulfillments.len();
    let called_for = before.lines.iter().any(|line| line.units.open > 0);
    (given && !called_for && !told).then(|| Violation {
        rule: "goods-given-unhinted",
        subject: after.id.to_string(),
        detail: "expected a hint at it to be on its way before it got what it waited for".into(),
    })
}

/// What must hold of every single write of a level.
pub fn level_written(before: Option<&Level>, after: &Level) -> Option<Violation> {
    let hold = || {
        stock::follows(before, after)?;
        stock::stands(after)
    };
    hold().err()
}

/// What must hold once nothing moves any more. If what is stored contradicts itself, only that is
/// reported: the rest would follow from it.
pub fn at_rest(observed: &Observed) -> Vec<Violation> {
    let mut found = Findings::default();
    for stored in &observed.orders {
        let hold = || {
            orders::stands(&stored.order)?;
            money::stands(&stored.order)?;
            history::has_no_gap(stored)
        };
        found.note(hold());
    }
    for stored in &observed.levels {
        let hold = || {
            stock::stands(&stored.level)?;
            ledger::adds_up(stored)
        };
        found.note(hold());
    }
    found.note(ledger::shares_add_up(observed));
    found.note(ledger::breaks_down(observed));
    if found.0.is_empty() {
        rest::check(observed, &mut found);
        ledger::check(observed, &mut found);
        reservations::check(observed, &mut found);
        routing::check(observed, &mut found);
        deeds::check(observed, &mut found);
        channel::check(observed, &mut found);
        repaid::check(observed, &mut found);
        told::check(observed, &mut found);
        listings::check(observed, &mut found);
        mail::check(observed, &mut found);
        events::check(observed, &mut found);
    }
    found.0
}

type Hold = Result<(), Violation>;

/// Everything that was found to be broken.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn note(&mut self, hold: Hold) {
        self.0.extend(hold.err());
    }

    /// Notes a violation unless `holds`.
    fn expect(
        &mut self,
        holds: bool,
        rule: &'static str,
        subject: impl Display,
        detail: impl FnOnce() -> String,
    ) {
        self.note(ensure(holds, rule, subject, detail));
    }
}

/// A violation unless `holds`; nothing is written down, or even formatted, while it does.
#[inline]
fn ensure(
    holds: bool,
    rule: &'static str,
    subject: impl Display,
    detail: impl FnOnce() -> String,
) -> Hold {
    match holds {
        true => Ok(()),
        false => Err(Violation {
            rule,
            subject: subject.to_string(),
            detail: detail(),
        }),
    }
}
