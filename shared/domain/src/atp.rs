//! Available to promise (ATP): from which day on how many units can be promised, counting what is there and
//! what is on its way, less what is promised already.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use crate::catalog::{Location, Product};
use crate::fact::Transfer;
use crate::inbound::Inbound;
use crate::limits::DEFAULT_LEAD_DAYS;
use crate::offer::offered;
use crate::shipping::today_in;

/// Units on their way to a location, of a purchase or a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Where they are expected.
    pub location: String,
    /// How many have not arrived yet.
    pub units: i64,
    /// When they are expected, by the location's own calendar.
    pub expected_on: Date,
}

impl Incoming {
    /// Whether it should have come to this location before today.
    pub fn is_overdue(&self, location: &Location, now: Timestamp) -> bool {
        self.location == location.id && self.expected_on < today_in(location, now)
    }
}

/// What of a SKU is on its way. A transfer of which nobody has said when it arrives promises nothing.
pub fn incoming(inbound: Vec<Inbound>, on_the_road: Vec<Transfer>) -> Vec<Incoming> {
    let purchases = inbound.into_iter().map(|line| Incoming {
        units: line.open(),
        location: line.location,
        expected_on: line.expected_on,
    });
    let transfers = on_the_road.into_iter().filter_map(|transfer| {
        Some(Incoming {
            location: transfer.to,
            units: transfer.quantity,
            expected_on: transfer.expected_on?,
        })
    });
    purchases.chain(transfers).collect()
}

/// From this day on, so many units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The day.
    pub on: Date,
    /// How many, all together.
    pub units: i64,
}

/// What of a product may be promised on which day before anybody is promised any: a step for today, and one
/// for each later day on which it changes. Each location's today is by its own calendar, and the step for
/// today bears the earliest of them: what is there now can be promised from all of them. `shelves`: the locations
/// that may send it, and what is available in each, below zero by what was promised there and is missing. What was
/// expected before today and has not come is not counted: nobody knows when it will.
pub fn supply(
    product: Option<&Product>,
    shelves: &[(&Location, i64)],
    incoming: &[Incoming],
    now: Timestamp,
) -> Vec<Promise> {
    let coming = |location: &Location| -> Vec<&Incoming> {
        let here = incoming
            .iter()
            .filter(|coming| coming.location == location.id);
        here.filter(|coming| !coming.is_overdue(location, now))
            .collect()
    };
    let first_day = product.and_then(|product| product.available_on);
    let mut days = BTreeSet::new();
    for (location, _) in shelves {
        let today = today_in(location, now);
        days.insert(today);
        days.extend(coming(location).iter().map(|coming| coming.expected_on));
        days.extend(first_day.filter(|first| *first > today));
    }
    let on_day = |day: Date| {
        let of = |(location, available): &(&Location, i64)| {
            let day = day.max(today_in(location, now));
            let come = coming(location)
                .into_iter()
                .filter(|c| c.expected_on <= day);
            let units = available + come.map(|coming| coming.units).sum::<i64>();
            // The policy of that day, not of this.
            let noon = day.at(12, 0, 0, 0).in_tz(&location.time_zone);
            noon.map_or(0, |noon| {
                offered(units, product, location, noon.timestamp().max(now))
            })
        };
        shelves.iter().map(of).sum()
    };
    let mut steps: Vec<Promise> = Vec::with_capacity(days.len());
    for on in days {
        let units = on_day(on);
        if steps.last().is_none_or(|last| last.units != units) {
            steps.push(Promise { on, units });
        }
    }
    steps
}

/// What is left of a supply for new promises, day by day, when so many units are promised already: they are
/// served first.
pub fn left(supply: &[Promise], promised: i64) -> Vec<Promise> {
    let mut steps: Vec<Promise> = Vec::with_capacity(supply.len());
    for step in supply {
        let units = (step.units - promised).max(0);
        if steps.last().is_none_or(|last| last.units != units) {
            steps.push(Promise { on: step.on, units });
        }
    }
    steps
}

/// What is left of a product's supply for new promises on a channel, when orders wait for so many units of it and the
/// channel is not told of so many whole ones: a buffer is of whole ones, whatever the product is measured in.
pub fn on_channel(
    supply: &[Promise],
    product: &Product,
    waiting: i64,
    buffer: u32,
) -> Vec<Promise> {
    let kept_back = product.units(i64::from(buffer).into()).unwrap_or(u32::MAX);
    left(supply, waiting + i64::from(kept_back))
}

/// What a day rests on, on which goods that somebody waits for are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// They are there, or on their way.
    Supply,
    /// Nothing that would do is on its way: the supplier's lead time, from today.
    LeadTime,
    /// Nor is a supplier known: [`DEFAULT_LEAD_DAYS`].
    Usual,
}

/// When `units` are expected for somebody before whom `ahead` units are promised. `first_day`: that of the
/// product, if it has one.
pub fn expected(
    supply: &[Promise],
    ahead: i64,
    units: i64,
    lead_days: Option<u32>,
    (today, first_day): (Date, Option<Date>),
) -> (Date, Basis) {
    if let Some(on) = covers(supply, ahead + units) {
        return (on, Basis::Supply);
    }
    let basis = match lead_days {
        Some(_) => Basis::LeadTime,
        None => Basis::Usual,
    };
    let days = lead_days.map_or(DEFAULT_LEAD_DAYS, i64::from);
    let on = today.saturating_add(days.days());
    (first_day.map_or(on, |first| first.max(on)), basis)
}

/// The first day on which a supply covers so many units.
pub fn covers(supply: &[Promise], units: i64) -> Option<Date> {
    let first = supply.iter().find(|step| step.units >= units);
    first.map(|step| step.on)
}
