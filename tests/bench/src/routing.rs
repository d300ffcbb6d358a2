//! How long the router takes for one order, how often it proves its choice, and what a greedy choice would
//! have cost instead.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Result, ensure};
use domain::routing::{CRITERIA, Choice, EXACT_SOURCES, Score, Selection, Source, choose};
use serde::Serialize;
use serde_json::json;

use crate::spread::Spread;
use crate::{Arguments, Figures};

/// Cases of each kind, if not told how many.
const CASES: u32 = 51;
/// What per cent of the lines each location has on its shelves.
const STOCKED: [u32; 6] = [5, 10, 30, 50, 70, 90];
/// The places of a score at which shipments and cost count.
const SHIPMENTS: usize = 2;
const COST: usize = 3;
/// Metres from one end of a continent to the other.
const CONTINENT_M: u64 = 4_000_000;

/// One kind of order, and how the router did.
#[derive(Debug, Serialize)]
struct Kind {
    lines: usize,
    locations: usize,
    stocked_percent: u32,
    ms: Spread,
    cases: u32,
    /// Cases whose choice is proved to be best in everything.
    optimal: u32,
    /// Cases of which it is proved that fewer shipments are not enough.
    fewest_shipments: u32,
    shipments: Spread,
    /// What no choice can be under.
    shipments_bound: Spread,
    /// What always taking who has most comes to.
    shipments_greedy: Spread,
    /// Cases in which that happens to take fewer: it takes another of those who have as much.
    more_than_greedy: u32,
}

/// Runs the cases, one after the other on one thread.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let cases = arguments.orders.unwrap_or(CASES);
    let exact = EXACT_SOURCES as usize;
    let mut kinds = Vec::new();
    for stocked in STOCKED {
        kinds.push(measure(20, exact, stocked, cases)?);
    }
    for stocked in STOCKED {
        kinds.push(measure(100, 200, stocked, cases)?);
    }
    let (small, large) = kinds.split_at(STOCKED.len());
    let sum = |kinds: &[Kind]| -> (u32, u32) {
        let optimal = kinds.iter().map(|kind| kind.optimal).sum();
        (optimal, kinds.iter().map(|kind| kind.cases).sum())
    };
    let (proved, all) = sum(small);
    ensure!(proved == all, "{proved} of {all} small cases are proved");
    let medians = large.iter().map(|kind| kind.ms.median);
    let (optimal, cases) = sum(&kinds);
    Ok(Figures {
        table: table(&kinds)?,
        json: json!({
            "median_ms_100x200": Spread::of(medians).max,
            "optimal": optimal,
            "cases": cases,
            "kinds": kinds,
        }),
    })
}

fn measure(lines: usize, locations: usize, stocked: u32, cases: u32) -> Result<Kind> {
    let mut random = fastrand::Rng::with_seed(u64::from(stocked));
    let (mut ms, mut greedy, mut choices) = (Vec::new(), Vec::new(), Vec::new());
    let mut more_than_greedy = 0;
    for _ in 0..cases {
        let (wanted, sources) = draw(&mut random, lines, locations, stocked);
        let began = Instant::now();
        let choice = choose(&Selection {
            wanted: &wanted,
            sources: &sources,
            unit_place: COST,
            most: usize::MAX,
        });
        ms.push(began.elapsed().as_secs_f64() * 1_000.0);
        greedy.push(by_most(&wanted, &sources));
        let more = choice.score[SHIPMENTS] > greedy[greedy.len() - 1] as u64;
        ensure!(!(more && choice.is_best()), "a proved choice is beaten");
        more_than_greedy += u32::from(more);
        choices.push(choice);
    }
    let count = |holds: fn(&Choice) -> bool| choices.iter().filter(|c| holds(c)).count() as u32;
    Ok(Kind {
        lines,
        locations,
        stocked_percent: stocked,
        ms: Spread::of(ms),
        cases,
        optimal: count(Choice::is_best),
        fewest_shipments: count(|choice| choice.bound[SHIPMENTS] == choice.score[SHIPMENTS]),
        shipments: Spread::of(choices.iter().map(|c| c.score[SHIPMENTS] as f64)),
        shipments_bound: Spread::of(choices.iter().map(|c| c.bound[SHIPMENTS] as f64)),
        shipments_greedy: Spread::of(greedy.into_iter().map(|n| n as f64)),
        more_than_greedy,
    })
}

/// An order, and what the locations have of it.
fn draw(
    random: &mut fastrand::Rng,
    lines: usize,
    locations: usize,
    stocked: u32,
) -> (Vec<u64>, Vec<Source>) {
    let wanted = (0..lines).map(|_| random.u64(1..=5)).collect();
    let weights: Vec<u64> = (0..lines).map(|_| random.u64(50..5_000)).collect();
    let sources = (0..locations).map(|place| {
        // The usual objective: shipments, cost, distance, priority, id.
        let mut score = Score::default();
        score[SHIPMENTS] = 1;
        score[COST] = random.u64(300_000..900_000);
        score[COST + 1] = random.u64(0..CONTINENT_M);
        score[CRITERIA - 1] = place as u64;
        let per_gram = random.u64(5..60);
        let units = (0..lines).map(|_| match random.u32(0..100) < stocked {
            true => random.u64(1..=6),
            false => 0,
        });
        Source {
            units: units.collect(),
            score,
            unit_score: weights.iter().map(|grams| grams * per_gram).collect(),
        }
    });
    let sources = sources.collect();
    (wanted, sources)
}

/// How many shipments it takes to always take who has most of what is missing.
fn by_most(wanted: &[u64], sources: &[Source]) -> usize {
    let mut missing = wanted.to_vec();
    let mut left: Vec<&Source> = sources.iter().collect();
    loop {
        let covers = |source: &Source| -> u64 {
            let each = missing.iter().zip(&source.units);
            each.map(|(missing, units)| missing.min(units)).sum()
        };
        let most = (0..left.len()).max_by_key(|n| covers(left[*n]));
        let Some(most) = most.filter(|most| covers(left[*most]) > 0) else {
            return sources.len() - left.len();
        };
        // Who has sent all that it has is not asked again.
        let taken = left.swap_remove(most);
        for (missing, units) in missing.iter_mut().zip(&taken.units) {
            *missing = missing.saturating_sub(*units);
        }
    }
}

fn table(kinds: &[Kind]) -> Result<String> {
    let mut table = String::from(
        "lines x locations, stocked   ms: median (min to max)          proved   fewest   shipments   bound   greedy   beaten by it\n",
    );
    for kind in kinds {
        let name = format!(
            "{} x {}, {} %",
            kind.lines, kind.locations, kind.stocked_percent
        );
        let proved = format!("{}/{}", kind.optimal, kind.cases);
        let fewest = format!("{}/{}", kind.fewest_shipments, kind.cases);
        let medians = [kind.shipments, kind.shipments_bound, kind.shipments_greedy];
        let [shipments, bound, greedy] = medians.map(|spread| spread.median);
        writeln!(
            table,
            "{name:<28} {:<32} {proved:>6} {fewest:>8} {shipments:>11} {bound:>7} {greedy:>8} {:>14}",
            kind.ms.to_string(),
            kind.more_than_greedy,
        )?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_sent_all_that_it_has_is_not_asked_again() {
        let source = |units: Vec<u64>| Source {
            unit_score: vec![0; units.len()],
            units,
            score: Score::default(),
        };
        let sources = [source(vec![3, 4]), source(vec![2, 0]), source(vec![1, 0])];
        assert_eq!(by_most(&[6, 4], &sources), 3);
    }

    #[test]
    fn a_proved_choice_takes_no_more_than_always_taking_who_has_most() {
        for stocked in STOCKED {
            let kind = measure(20, EXACT_SOURCES as usize, stocked, 4).unwrap();
            assert_eq!((kind.optimal, kind.more_than_greedy), (4, 0), "{stocked} %");
        }
    }
}
