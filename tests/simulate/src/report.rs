//! What the simulator says, for people and for programs.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::check::Violation;
use crate::mutant::Mutant;
use crate::observed::StoredOrder;
use crate::run::{Outcome, Plan};
use crate::search;
use crate::tape::Tape;

/// A search by seed.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where they run.
    pub world: search::Where,
    /// Schedules to run.
    pub seeds: u64,
    /// The first seed.
    pub first: u64,
    /// Threads.
    pub threads: usize,
    /// Whether to go on after a violation.
    pub all: bool,
    /// Whether to end with a JSON object.
    pub json: bool,
}

fn bar(length: u64, what: &str) -> ProgressBar {
    let template = format!("{{bar:32}} {{pos}}/{{len}} {what} {{per_sec}} {{eta}} left");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs seeds; whether no promise was broken.
pub fn search(wanted: &Search) -> bool {
    let progress = bar(wanted.seeds, "schedules");
    let tally = search::search(
        wanted.world,
        wanted.first,
        wanted.seeds,
        wanted.threads,
        wanted.all,
        |done| progress.set_position(done),
    );
    progress.finish_and_clear();
    let per_minute = tally.schedules as f64 / tally.seconds * 60.0;
    let per_schedule = tally.faults as f64 / tally.schedules.max(1) as f64;
    println!(
        "{} schedules in {:.1} s on {} threads: {per_minute:.0} a minute, {per_schedule:.1} faults each",
        tally.schedules, tally.seconds, wanted.threads
    );
    let orders = tally.orders.iter();
    let orders: Vec<String> = orders.map(|(by, count)| format!("{by} {count}")).collect();
    println!("orders by channel: {}", orders.join(", "));
    for (rule, (times, seed)) in &tally.broken {
        println!("BROKEN {rule}: {times} times, first by seed {seed}");
    }
    let first = tally.broken.values().map(|(_, seed)| *seed).min();
    if let Some(seed) = first {
        println!("\nthe smallest schedule that still fails, found from seed {seed}:");
        show(&search::smallest(wanted.world, seed));
    }
    let violations: u64 = tally.broken.values().map(|(times, _)| times).sum();
    if wanted.json {
        let summary = json!({
            "schedules": tally.schedules,
            "schedules_per_minute": per_minute.round(),
            "faults_per_schedule": (per_schedule * 10.0).round() / 10.0,
            "orders": tally.orders,
            "violations": violations,
            "threads": wanted.threads,
            "world": format!("{:?}", wanted.world).to_lowercase(),
            "seed": first,
        });
        println!("{summary}");
    }
    violations == 0
}

/// Runs one seed and says all of it; whether no promise was broken.
pub fn replay(world: search::Where, seed: u64) -> bool {
    let plan = Plan {
        trace: true,
        ..Plan::default()
    };
    let outcome = world.run(Tape::of_seed(seed), &plan);
    show(&outcome);
    outcome.violations.is_empty()
}

/// What happened, what was broken, and the timelines of the orders concerned.
fn show(outcome: &Outcome) {
    for line in &outcome.trace {
        println!("{line}");
    }
    println!("{} faults, {} turns", outcome.faults, outcome.turns);
    for Violation {
        rule,
        subject,
        detail,
    } in &outcome.violations
    {
        println!("BROKEN {rule}: {subject}: {detail}");
    }
    for stored in &outcome.observed.orders {
        let id = stored.order.id.as_str();
        let named = |v: &Violation| v.subject.contains(id) || v.detail.contains(id);
        if outcome.violations.iter().any(named) {
            timeline(stored);
        }
    }
}

fn timeline(stored: &StoredOrder) {
    let StoredOrder { order, pages, .. } = stored;
    println!("\norder {} ({})", order.id, order.status());
    let entries = pages.iter().flat_map(|page| &page.entries);
    for (n, entry) in entries.chain(&order.timeline.entries).enumerate() {
        let what = entry.event.describe(order.currency);
        println!("  {:>3}  {}  {what}", n + 1, entry.at);
    }
    for line in &order.lines {
        println!("  line {}: {:?} {:?}", line.id, line.sku, line.units);
    }
}

/// Switches off one safeguard after the other; whether each was noticed.
pub fn mutants(most: u64, named: &str, json: bool) -> bool {
    let mut needed: Vec<u64> = Vec::new();
    let mut unnoticed = Vec::new();
    let wanted = |mutant: &Mutant| format!("{mutant:?}").contains(named);
    for mutant in Mutant::ALL.into_iter().filter(wanted) {
        match search::find(mutant, most) {
            Some((schedules, violation)) => {
                println!(
                    "{mutant:?}: noticed after {schedules} schedules, by {}",
                    violation.rule
                );
                needed.push(schedules);
            }
            None => {
                println!("{mutant:?}: NOT NOTICED in {most} schedules");
                unnoticed.push(format!("{mutant:?}"));
            }
        }
    }
    needed.sort_unstable();
    let (median, worst) = (needed.get(needed.len() / 2), needed.last());
    let (noticed, all) = (needed.len(), needed.len() + unnoticed.len());
    println!("{noticed} of {all} noticed");
    if let (Some(median), Some(worst)) = (median, worst) {
        println!("schedules needed: median {median}, most {worst}");
    }
    if json {
        let summary = json!({
            "mutants": all,
            "noticed": noticed,
            "median_schedules": median,
            "most_schedules": worst,
            "unnoticed": unnoticed,
        });
        println!("{summary}");
    }
    unnoticed.is_empty()
}

/// Lets one order's processes die everywhere; whether it always came to rest.
pub fn exhaust(threads: usize, json: bool) -> bool {
    let mut well = true;
    let mut summaries = Vec::new();
    for twice in [false, true] {
        let progress = bar(0, "points");
        let exhausted = search::exhaust(twice, threads, 1, |done| {
            progress.set_position(u64::from(done));
        });
        progress.finish_and_clear();
        let messages = if twice { "twice" } else { "once" };
        println!(
            "every message {messages}: {} points, {} lives with one death, {} with two, {} of them broken",
            exhausted.points,
            exhausted.singles,
            exhausted.pairs,
            exhausted.broken.len()
        );
        for (crashes, violation) in exhausted.broken.iter().take(5) {
            println!(
                "BROKEN {} by dying at {crashes:?}: {}",
                violation.rule, violation.detail
            );
        }
        well &= exhausted.broken.is_empty();
        summaries.push(json!({
            "messages": messages,
            "points": exhausted.points,
            "singles": exhausted.singles,
            "pairs": exhausted.pairs,
            "broken": exhausted.broken.len(),
        }));
    }
    if json {
        println!("{}", json!(summaries));
    }
    well
}
