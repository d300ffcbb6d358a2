//! Why these locations send an order and not others: the record of a routing decision, and the same in
//! words.
//!
//! Its serialised names are short: it is written for every order, and has to fit one write unit.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::candidates::Exclusion;
use crate::event::Timeline;
use crate::id::sha256_hex;
use crate::is_default;
use crate::limits::MAX_COST_MILLI;
use crate::rules::Criterion;
use crate::{Currency, Event, Order, Quantity};

/// What made one choice better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ground {
    /// It sends more units.
    #[serde(rename = "u")]
    Units,
    /// Fewer of its shipments are late.
    #[serde(rename = "p")]
    Promise,
    /// It counts less by one of the retailer's criteria.
    #[serde(rename = "c")]
    Criterion(Criterion),
    /// Nothing did: the ids of its locations come first.
    #[serde(rename = "i")]
    Id,
}

/// A choice that lost, and what it lost by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What it lost by.
    #[serde(rename = "g")]
    pub ground: Ground,
    /// What it counts there.
    #[serde(rename = "l")]
    pub counts: u64,
    /// What the winner counts there.
    #[serde(rename = "w")]
    pub winner: u64,
}

/// What became of a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It sends so many units.
    #[serde(rename = "s")]
    Sends(u64),
    /// It may not.
    #[serde(rename = "x")]
    Excluded(Exclusion),
    /// It has nothing of what is wanted.
    #[serde(rename = "n")]
    Nothing,
    /// It has so many of the wanted units, and others do without it.
    #[serde(rename = "h")]
    Has(u64),
    /// It could have sent all that is sent.
    #[serde(rename = "a")]
    All(Loss),
}

/// A location that was considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Its id.
    #[serde(rename = "l")]
    pub location: String,
    /// How far it is.
    #[serde(rename = "m", default, skip_serializing_if = "is_default")]
    pub metres: u64,
    /// What sending everything from there would cost, in minor units of the decision's currency, if
    /// that is known.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// When it would arrive from there, if a tariff says.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<Date>,
    /// Whether that is later than promised.
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    pub late: bool,
    /// What became of it.
    #[serde(rename = "v")]
    pub verdict: Verdict,
}

/// The best choice without one of the chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerUp {
    /// Its locations; none if all the others have nothing.
    #[serde(rename = "l")]
    pub locations: Vec<String>,
    /// What it lost by.
    #[serde(rename = "b")]
    pub loss: Loss,
}

/// The record of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The order's version that it led to.
    #[serde(rename = "n")]
    pub of_version: u64,
    /// The number of the first fulfillment order that it led to.
    #[serde(rename = "f")]
    pub first_fulfillment: u32,
    /// When.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// What counted, the most important first.
    #[serde(rename = "o")]
    pub objective: [Criterion; 4],
    /// The currency that costs were compared in.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Decimals that all its units are counted in: the most that one of its goods has.
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    pub decimals: u8,
    /// Units that were wanted.
    #[serde(rename = "u")]
    pub wanted: u64,
    /// Units that are sent.
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub sent: u64,
    /// Units that could be had, and would take more shipments than the order's margin pays for.
    #[serde(rename = "k", default, skip_serializing_if = "is_default")]
    pub withheld: u64,
    /// Shipments that the margin pays for, if that is limited.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Those who were considered, the chosen first, then the nearest.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
    /// How many more there were.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub others: u32,
    /// The best choice without one of the chosen, where there are few enough to look.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
    /// What is not proved: no choice counts less than the second by this ground, and the chosen count
    /// the first. `None`: it is proved that none is better.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Loss>,
}

/// Those of an order's records that were carried out, the oldest first. `decisions` are all there are, the
/// oldest first: of two processes that decide at once each leaves one, and only one of them commits.
///
/// Each record was made from the order as it was, so that the next one tells how many fulfillment orders
/// there were by then: between the two are those that this version led to. A short pick since may have left
/// fewer units in them, never more.
pub fn carried_out(decisions: Vec<Decision>, order: &Order, timeline: &Timeline) -> Vec<Decision> {
    let firsts: Vec<(u64, u32)> = decisions
        .iter()
        .map(|decision| (decision.of_version, decision.first_fulfillment))
        .collect();
    let mut done: Vec<Decision> = Vec::new();
    for decision in decisions {
        let version = decision.of_version;
        let mut later = firsts.iter().filter(|(other, _)| *other > version);
        let end = later.next().map_or(u32::MAX, |(_, first)| *first);
        let led_to = decision.first_fulfillment..end;
        let made = order.fulfillments.iter().filter(|f| led_to.contains(&f.n));
        let sends: Vec<(&str, u64)> = decision.sends().collect();
        let fits = made.clone().count() == sends.len()
            && made.zip(&sends).all(|(f, (location, units))| {
                f.location == *location && order.sum_of(&f.units) <= decision.quantity(*units)
            });
        let place = version.checked_sub(timeline.first);
        let entry = place.and_then(|place| timeline.entries.get(usize::try_from(place).ok()?));
        let found = match entry.map(|entry| &entry.event) {
            Some(Event::Allocated(found, _) | Event::AllocatedReserved(found, ..)) => *found,
            _ => Quantity::default(),
        };
        let known = done.last().is_some_and(|last| last.of_version == version);
        let sent = decision.quantity(decision.sent);
        if fits && decision.sent > 0 && found == sent && !known {
            done.push(decision);
        }
    }
    done
}

impl Decision {
    /// Who sends how many units, the nearest first.
    pub fn sends(&self) -> impl Iterator<Item = (&str, u64)> {
        self.considered.iter().filter_map(|c| match c.verdict {
            Verdict::Sends(units) => Some((c.location.as_str(), units)),
            _ => None,
        })
    }

    /// So many of its units as people write it.
    pub fn quantity(&self, units: u64) -> Quantity {
        Quantity::new(i64::try_from(units).unwrap_or(i64::MAX), self.decimals)
    }

    /// What tells it from another decision for the same version: two processes may decide at once, and
    /// only one of them carries it out.
    pub fn outcome(&self) -> String {
        let sends = self
            .sends()
            .map(|(location, units)| format!("{location}:{}", self.quantity(units)));
        let sends: Vec<String> = sends.collect();
        sha256_hex(sends.join(",").as_bytes())[..8].to_owned()
    }

    /// The ground at a place of a [`Score`](crate::routing::Score).
    pub fn ground_at(objective: [Criterion; 4], place: usize) -> Ground {
        match place {
            0 => Ground::Units,
            1 => Ground::Promise,
            place => match objective.get(place - 2) {
                Some(criterion) => Ground::Criterion(*criterion),
                None => Ground::Id,
            },
        }
    }

    /// What one location's part in it was, for people.
    pub fn tell(&self, considered: &Considered) -> String {
        match &considered.verdict {
            Verdict::Sends(units) => {
                let (sent, wanted) = (self.quantity(*units), self.quantity(self.wanted));
                format!("sends {sent} of {wanted} units")
            }
            Verdict::Excluded(Exclusion::Closed) => "is closed".into(),
            Verdict::Excluded(Exclusion::NotServed) => "does not ship to this country".into(),
            Verdict::Excluded(Exclusion::Rejected) => "has rejected this order".into(),
            Verdict::Excluded(Exclusion::Full) => "can take no more orders today".into(),
            Verdict::Nothing => "has nothing of it that it may send".into(),
            Verdict::Has(units) => {
                let (has, wanted) = (self.quantity(*units), self.quantity(self.wanted));
                format!("has {has} of {wanted} units, and the chosen do without it")
            }
            Verdict::All(loss) => format!("could send all of it, but {}", self.lost(loss)),
        }
    }

    /// The decision as a whole, for people, sentence by sentence.
    pub fn summary(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let missing = self.wanted.saturating_sub(self.sent + self.withheld);
        sentences.push(match (self.sent, self.wanted) {
            (sent, wanted) if sent == wanted => "all of it is sent".into(),
            (sent, wanted) => {
                let (sent, wanted) = (self.quantity(sent), self.quantity(wanted));
                format!("{sent} of {wanted} units are sent")
            }
        });
        if missing > 0 {
            let missing = self.quantity(missing);
            sentences.push(format!("{missing} are nowhere to be had"));
        }
        if self.withheld > 0 {
            let most = self.most.unwrap_or_default();
            sentences.push(format!(
                "{} could be had, but would take more than the {most} shipments that the margin pays for",
                self.quantity(self.withheld)
            ));
        }
        if let Some(runner_up) = &self.runner_up {
            let names = runner_up.locations.join(" and ");
            let lost = self.lost(&runner_up.loss);
            sentences.push(match names.is_empty() {
                true => "there is no other choice".into(),
                false => format!("the next best would have been {names}, but {lost}"),
            });
        }
        match &self.gap {
            None => sentences.push("it is proved that no choice is better".into()),
            Some(gap) => sentences.push(format!(
                "the search was ended early: a better choice may exist; {}",
                self.lost(gap)
            )),
        }
        sentences
    }

    fn lost(&self, loss: &Loss) -> String {
        let Loss {
            ground,
            counts,
            winner,
        } = loss;
        let compared = |unit: &str| format!("{unit}: {counts} against {winner}");
        match ground {
            Ground::Units => format!(
                "more units stay unsent: {} against {}",
                self.quantity(*counts),
                self.quantity(*winner)
            ),
            Ground::Promise => compared("more shipments are late"),
            Ground::Id => "by nothing more than the order of ids".into(),
            Ground::Criterion(Criterion::Shipments) => compared("it takes more shipments"),
            Ground::Criterion(Criterion::Priority) => {
                compared("it comes later by the locations' priorities")
            }
            Ground::Criterion(Criterion::Distance) => {
                let km = |metres: u64| metres.div_ceil(1_000);
                format!(
                    "it is farther: {} km against {} km",
                    km(*counts),
                    km(*winner)
                )
            }
            Ground::Criterion(Criterion::Cost) => match self.currency {
                Some(currency) if *counts < MAX_COST_MILLI => {
                    let exact = |milli: u64| {
                        let minor = i64::try_from((milli + 500) / 1_000);
                        currency.display(minor.unwrap_or(i64::MAX))
                    };
                    format!(
                        "it is dearer: {} against {}",
                        exact(*counts),
                        exact(*winner)
                    )
                }
                _ => "no tariff says what it costs".into(),
            },
        }
    }
}
