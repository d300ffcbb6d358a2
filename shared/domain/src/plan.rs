//! The best plan for one order, and why it is that.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::allocation::View;
use crate::candidates::{Candidate, Exclusion, Network, margin_milli, weight_of_one_g};
use crate::catalog::{Location, Product};
use crate::decision::{Considered, Decision, Loss, RunnerUp, Verdict};
use crate::limits::{MAX_CONSIDERED, MAX_COST_MILLI, MAX_TAKES_PER_COMMIT};
use crate::order::{FulfillmentStatus, Order, Units};
use crate::quantity::ten_to;
use crate::routing::{CRITERIA, Choice, EXACT_SOURCES, Score, Selection, Source, choose, share};
use crate::rules::{Criterion, Rules};
use crate::to_the_second;

/// What is to be sent, and by whom.
pub(crate) struct Plan<'a> {
    /// The lines that were looked at, and how many units of each.
    pub wanted: Vec<Units>,
    /// Who sends which units, the nearest first.
    pub sends: Vec<(&'a Location, Vec<Units>)>,
    /// Why they.
    pub decision: Option<Decision>,
}

impl Plan<'_> {
    /// A plan that sends nothing, because there is nothing to choose.
    pub fn nothing(wanted: Vec<Units>) -> Self {
        Self {
            wanted,
            sends: Vec::new(),
            decision: None,
        }
    }
}

/// Those who may send something of an order, and those who may not.
pub(crate) type Candidates<'a> = (Vec<Candidate<'a>>, Vec<(&'a Location, Exclusion)>);

/// Chooses among the candidates.
pub(crate) fn plan<'a>(
    wanted: Vec<Units>,
    (candidates, excluded): Candidates<'a>,
    network: &Network,
    products: &[Product],
    view: &View,
    now: Timestamp,
) -> Plan<'a> {
    let order = view.order;
    let rules = Rules::of(&network.rules, &order.source.channel);
    let objective = rules.criteria();
    // Goods of different measures are compared in the smallest step of all.
    let decimals = wanted.iter().map(|u| order.line(u.0).decimals).max();
    let decimals = decimals.unwrap_or_default();
    let steps = |place: u16| ten_to(decimals - order.line(place).decimals).unsigned_abs();
    let mut units_of: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for &(place, units) in &wanted {
        if let Some(sku) = &order.line(place).sku {
            let known = units_of.entry(sku).or_insert((0, steps(place)));
            known.0 += u64::from(units) * known.1;
        }
    }
    let skus: Vec<&str> = units_of.keys().copied().collect();
    let (units, scales): (Vec<u64>, Vec<u64>) = units_of.into_values().unzip();
    let weights: Vec<u32> = skus
        .iter()
        .map(|sku| weight_of_one_g(products, sku))
        .collect();
    let whole = ten_to(decimals).unsigned_abs();
    let mut by_id: Vec<&str> = candidates.iter().map(|c| c.location.id.as_str()).collect();
    by_id.sort_unstable();
    let source = |candidate: &Candidate| {
        let id = candidate.location.id.as_str();
        let rank = by_id.partition_point(|other| *other < id);
        Source {
            units: skus
                .iter()
                .zip(&scales)
                .map(|(sku, scale)| u64::from(view.units(sku, id)) * scale)
                .collect(),
            score: score(candidate, objective, rank as u64),
            unit_score: weights
                .iter()
                .map(|g| candidate.unit_cost_milli(*g, whole))
                .collect(),
        }
    };
    let sources: Vec<Source> = candidates.iter().map(source).collect();
    let most = most_shipments(order, network, products, rules);
    let cost = objective.iter().position(|c| *c == Criterion::Cost);
    let selection = Selection {
        wanted: &units,
        sources: &sources,
        unit_place: 2 + cost.unwrap_or_default(),
        most: most.unwrap_or(usize::MAX),
    };
    let choice = choose(&selection);
    let goods = Goods {
        wanted: &wanted,
        skus: &skus,
        scales: &scales,
    };
    let sends = sends(order, goods, &selection, &choice, &candidates);
    let sent = |units: &[Units]| -> u64 {
        let each = units.iter().map(|u| u64::from(u.1) * steps(u.0));
        each.sum()
    };
    let record = Record {
        selection: &selection,
        choice: &choice,
        candidates: &candidates,
        sent: candidates
            .iter()
            .map(|candidate| {
                let mut own = sends.iter().filter(|s| s.0.id == candidate.location.id);
                own.next().map_or(0, |(_, units)| sent(units))
            })
            .collect(),
        objective,
    };
    let has_any = |location: &Location| skus.iter().any(|sku| view.units(sku, &location.id) > 0);
    let excluded = excluded
        .into_iter()
        .filter(|(location, _)| has_any(location));
    let (considered, others) = record.considered(excluded.collect());
    let decision = Decision {
        of_version: order.version + 1,
        first_fulfillment: order.fulfillments.len() as u32 + 1,
        at: to_the_second(now),
        objective,
        currency: network.currency(rules),
        decimals,
        wanted: sent(&wanted),
        sent: sends.iter().map(|(_, units)| sent(units)).sum(),
        withheld: choice.score[0],
        most: most.and_then(|most| u32::try_from(most).ok()),
        considered,
        others,
        runner_up: record.runner_up(),
        gap: record
            .loss(choice.score, choice.bound)
            .filter(|_| !choice.is_best()),
    };
    Plan {
        wanted,
        sends,
        decision: Some(decision),
    }
}

/// What a shipment counts, units apart: whether it is late, the retailer's criteria, and its place among
/// the ids, so that equals have an order.
fn score(candidate: &Candidate, objective: [Criterion; 4], rank: u64) -> Score {
    let mut score = Score::default();
    score[1] = u64::from(candidate.late);
    for (place, criterion) in objective.iter().enumerate() {
        score[2 + place] = match criterion {
            Criterion::Shipments => 1,
            Criterion::Cost => candidate.cost_milli,
            Criterion::Distance => candidate.metres,
            Criterion::Priority => u64::from(candidate.location.priority),
        };
    }
    score[CRITERIA - 1] = rank;
    score
}

/// Shipments that an order's margin pays for, besides those under way; `None` if that is not limited, or
/// nothing is known of its margin.
fn most_shipments(
    order: &Order,
    network: &Network,
    products: &[Product],
    rules: &Rules,
) -> Option<usize> {
    let shipment_milli = rules
        .shipment_cost?
        .checked_mul(1_000)
        .filter(|cost| *cost > 0)?;
    let currency = network.currency(rules)?;
    let margin_milli = margin_milli(order, products, rules, currency)?;
    let paid_for = usize::try_from(margin_milli.max(0) / shipment_milli).ok()?;
    let under_way = |f: &&crate::FulfillmentOrder| {
        use FulfillmentStatus::*;
        !matches!(f.status, Rejected | Cancelled)
    };
    let under_way = order.fulfillments.iter().filter(under_way).count();
    // The first shipment is what was sold.
    Some(paid_for.max(1).saturating_sub(under_way))
}

/// What a choice is made of.
#[derive(Clone, Copy)]
struct Goods<'a> {
    /// Lines, and how many units of each.
    wanted: &'a [Units],
    /// The SKUs of them.
    skus: &'a [&'a str],
    /// How much a unit of each SKU counts.
    scales: &'a [u64],
}

/// What each of the chosen sends of each line, in the order of the lines.
fn sends<'a>(
    order: &Order,
    goods: Goods,
    selection: &Selection,
    choice: &Choice,
    candidates: &[Candidate<'a>],
) -> Vec<(&'a Location, Vec<Units>)> {
    let skus = goods.skus;
    let mut rest = goods.wanted.to_vec();
    let mut room = MAX_TAKES_PER_COMMIT;
    let mut sends = Vec::new();
    for (place, mut share) in choice.sources.iter().zip(share(selection, &choice.sources)) {
        let mut units = Vec::new();
        for (line, open) in rest.iter_mut().filter(|(_, open)| *open > 0) {
            let sku = order.line(*line).sku.as_deref();
            let Some(sku) = skus.iter().position(|known| Some(*known) == sku) else {
                continue;
            };
            let scale = goods.scales[sku];
            let has = u32::try_from(share[sku] / scale).unwrap_or(u32::MAX);
            let taken = has.min(*open);
            if taken > 0 && units.len() < room {
                share[sku] -= u64::from(taken) * scale;
                *open -= taken;
                units.push((*line, taken));
            }
        }
        room -= units.len();
        if !units.is_empty() {
            sends.push((candidates[*place].location, units));
        }
    }
    sends
}

/// What a decision is recorded from.
struct Record<'a> {
    selection: &'a Selection<'a>,
    choice: &'a Choice,
    candidates: &'a [Candidate<'a>],
    /// Units that each of the candidates sends.
    sent: Vec<u64>,
    objective: [Criterion; 4],
}

impl Record<'_> {
    /// What each location's part was, the most telling first, and how many were left out.
    fn considered(&self, excluded: Vec<(&Location, Exclusion)>) -> (Vec<Considered>, u32) {
        let all: u64 = self.obtainable().iter().sum();
        let mut ranked: Vec<(u8, Considered)> = Vec::new();
        for (place, candidate) in self.candidates.iter().enumerate() {
            let source = &self.selection.sources[place];
            let each = source.units.iter().zip(self.obtainable());
            let has: u64 = each.map(|(units, most)| *units.min(&most)).sum();
            let (rank, verdict) = match self.sent[place] {
                0 if has == 0 => (2, Verdict::Nothing),
                0 if has == all => {
                    let alone = self.alone(source);
                    let loss = self.loss(alone, self.choice.score);
                    (1, loss.map_or(Verdict::Has(has), Verdict::All))
                }
                0 => (1, Verdict::Has(has)),
                sent => (0, Verdict::Sends(sent)),
            };
            let cost_milli = self.alone(source)[self.selection.unit_place];
            ranked.push((
                rank,
                Considered {
                    location: candidate.location.id.clone(),
                    metres: candidate.metres,
                    cost: (cost_milli < MAX_COST_MILLI).then_some((cost_milli + 500) / 1_000),
                    arrives: candidate.arrives,
                    late: candidate.late,
                    verdict,
                },
            ));
        }
        for (location, exclusion) in excluded {
            ranked.push((
                match exclusion {
                    Exclusion::NotServed => 2,
                    Exclusion::Rejected | Exclusion::Full | Exclusion::Closed => 1,
                },
                Considered {
                    location: location.id.clone(),
                    metres: 0,
                    cost: None,
                    arrives: None,
                    late: false,
                    verdict: Verdict::Excluded(exclusion),
                },
            ));
        }
        // Candidates come nearest first, and stay so among equals.
        ranked.sort_by_key(|(rank, _)| *rank);
        let chosen = ranked.iter().filter(|(rank, _)| *rank == 0).count();
        let kept = chosen.max(MAX_CONSIDERED).min(ranked.len());
        let others = u32::try_from(ranked.len() - kept).unwrap_or(u32::MAX);
        let considered = ranked.into_iter().take(kept).map(|(_, c)| c);
        (considered.collect(), others)
    }

    /// Units of each SKU that can be had at all, and are wanted.
    fn obtainable(&self) -> Vec<u64> {
        let Selection {
            wanted, sources, ..
        } = self.selection;
        let of = |(sku, wanted): (usize, &u64)| {
            let all: u64 = sources.iter().map(|s| s.units[sku]).sum();
            all.min(*wanted)
        };
        wanted.iter().enumerate().map(of).collect()
    }

    /// What sending all that can be had from one source counts.
    fn alone(&self, source: &Source) -> Score {
        let mut score = source.score;
        let each = source.unit_score.iter().zip(self.obtainable());
        let units = each.map(|(count, units)| count.saturating_mul(units));
        let place = self.selection.unit_place;
        score[place] = units.fold(score[place], u64::saturating_add);
        score
    }

    /// What a score lost by; `None` if it did not.
    fn loss(&self, loser: Score, winner: Score) -> Option<Loss> {
        let place = (0..CRITERIA).find(|place| loser[*place] != winner[*place])?;
        Some(Loss {
            ground: Decision::ground_at(self.objective, place),
            counts: loser[place],
            winner: winner[place],
        })
    }

    /// The best choice without one of the chosen; not looked for among very many.
    fn runner_up(&self) -> Option<RunnerUp> {
        let Selection { sources, .. } = *self.selection;
        if self.choice.sources.is_empty() || sources.len() > EXACT_SOURCES as usize {
            return None;
        }
        let all: u64 = self.obtainable().iter().sum();
        let without = |place: &usize| {
            let mut others = sources.to_vec();
            others[*place].units.fill(0);
            let selection = Selection {
                sources: &others,
                ..*self.selection
            };
            let choice = choose(&selection);
            let sent: u64 = share(&selection, &choice.sources).iter().flatten().sum();
            let mut score = choice.score;
            score[0] = all - sent;
            (score, choice.sources)
        };
        let (score, sources) = self.choice.sources.iter().map(without).min()?;
        let name = |place: usize| self.candidates[place].location.id.clone();
        Some(RunnerUp {
            locations: sources.into_iter().map(name).collect(),
            loss: self.loss(score, self.choice.score)?,
        })
    }
}
