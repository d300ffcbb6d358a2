//! The fast world is a model and not believed: a schedule goes the same way in the full world, call
//! by call, and leaves the same behind.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use serde_json::{Value, json};
use simulate::fast::Fast;
use simulate::full::Full;
use simulate::observed::Observed;
use simulate::run::{Outcome, Plan, run};
use simulate::sim::Sim;
use simulate::tape::Tape;

/// Seeds that are compared; as many as a test has time for.
const SEEDS: u64 = if cfg!(debug_assertions) { 60 } else { 600 };

fn plan() -> Plan {
    Plan {
        trace: true,
        ..Plan::default()
    }
}

fn fast(seed: u64) -> Outcome {
    run(&Fast(Sim::new(Tape::of_seed(seed), None)), &plan())
}

fn full(seed: u64) -> Outcome {
    run(&Full::new(Tape::of_seed(seed)).unwrap(), &plan())
}

/// In an order that says nothing.
fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values
}

/// What a run left behind, as documents.
fn left(observed: &Observed) -> Value {
    let orders = observed.orders.iter().map(|stored| {
        json!([
            stored.order,
            stored.contact,
            stored.pages,
            stored.deliveries
        ])
    });
    let levels = observed
        .levels
        .iter()
        .map(|stored| json!([stored.level, stored.pages]));
    let waiting = observed.waiting.iter().map(|w| json!(w));
    json!({
        "orders": sorted(orders),
        "levels": sorted(levels),
        "breakdowns": sorted(observed.breakdowns.iter().map(|b| json!(b))),
        "facts": sorted(observed.facts.iter().map(|fact| json!(fact))),
        "transfers": sorted(observed.transfers.iter().map(|transfer| json!(transfer))),
        "reservations": sorted(observed.reservations.iter().map(|known| json!(known))),
        "discrepancies": sorted(observed.discrepancies.iter().map(|found| json!(found))),
        "waiting": sorted(waiting),
        "parked": format!("{:?}", observed.parked),
        "queued": observed.queued,
        "mails": format!("{:?}", observed.mails),
        "deeds": format!("{:?}", observed.deeds),
        "subscribers": sorted(observed.subscribers.iter().map(|known| json!(known))),
        "replays": sorted(observed.replays.iter().map(|known| json!(known))),
        "heard": format!("{:?}", observed.heard),
        "listings": sorted(observed.listings.iter().map(|listing| json!(listing))),
        "repaid": format!("{:?}", observed.repaid),
        "shown": format!("{:?}", observed.shown),
    })
}

/// Where two traces part: the lines before, and what each says then.
fn parting(one: &[String], other: &[String]) -> String {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let before = one[same.saturating_sub(12)..same].join("\n");
    let next = |trace: &[String]| trace.get(same).cloned().unwrap_or_default();
    format!("{before}\nfast: {}\nfull: {}", next(one), next(other))
}

fn compare(seed: u64, fast: &Outcome, full: &Outcome) -> Result<(), String> {
    if fast.trace != full.trace {
        let parting = parting(&fast.trace, &full.trace);
        let (one, other) = (&fast.violations, &full.violations);
        return Err(format!("seed {seed}: {one:?} {other:?}\n{parting}"));
    }
    let (one, other) = (left(&fast.observed), left(&full.observed));
    for (name, value) in one.as_object().unwrap() {
        if *value != other[name] {
            return Err(format!("seed {seed}, {name}:\n{value}\n{}", other[name]));
        }
    }
    match fast.violations == full.violations {
        true => Ok(()),
        false => Err(format!(
            "seed {seed}: {:?} {:?}",
            fast.violations, full.violations
        )),
    }
}

#[test]
fn both_worlds_go_the_same_way() {
    let compared = (0..SEEDS).map(|seed| compare(seed, &fast(seed), &full(seed)));
    let apart: Vec<String> = compared.filter_map(Result::err).collect();
    assert!(
        apart.is_empty(),
        "{} of {SEEDS} part:\n{}",
        apart.len(),
        apart[..apart.len().min(3)].join("\n\n")
    );
}

#[test]
fn a_seed_is_a_schedule() {
    for seed in 100..105 {
        assert_eq!(fast(seed).trace, fast(seed).trace);
        assert_eq!(full(seed).trace, full(seed).trace);
    }
}
