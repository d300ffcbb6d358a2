//! Many schedules: by seed, by safeguard switched off, by point of death.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::check::Violation;
use crate::fast::Fast;
use crate::full::Full;
use crate::mutant::Mutant;
use crate::run::{Outcome, Plan, run};
use crate::shrink::shrink;
use crate::sim::Sim;
use crate::tape::Tape;

/// Seeds that a thread takes at a time.
const CHUNK: u64 = 64;

/// Runs choices in the fast world.
pub fn fast(tape: Tape, plan: &Plan, mutant: Option<Mutant>) -> Outcome {
    run(&Fast(Sim::new(tape, mutant)), plan)
}

/// Runs a seed in the fast world.
pub fn fast_seed(seed: u64, mutant: Option<Mutant>) -> Outcome {
    fast(Tape::of_seed(seed), &Plan::default(), mutant)
}

/// Where schedules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// On the model.
    Fast,
    /// On AWS's own clients and the local cloud.
    Full,
}

impl Where {
    /// Runs choices there.
    pub fn run(self, tape: Tape, plan: &Plan) -> Outcome {
        match self {
            Self::Fast => fast(tape, plan, None),
            Self::Full => match Full::new(tape) {
                Ok(world) => run(&world, plan),
                Err(error) => Outcome::failed(error.to_string()),
            },
        }
    }
}

/// What many schedules came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Schedules run.
    pub schedules: u64,
    /// Faults in them.
    pub faults: u64,
    /// Turns of the scheduler in them.
    pub turns: u64,
    /// Seconds that they took.
    pub seconds: f64,
    /// Orders in them, by their channel.
    pub orders: BTreeMap<String, u64>,
    /// The broken rules: how often, and the first seed.
    pub broken: BTreeMap<&'static str, (u64, u64)>,
}

/// Runs seeds on some threads; `progress` is called by one of them with the number of schedules so
/// far. Ends at the first violation, unless `all` are wanted.
pub fn search(
    world: Where,
    first: u64,
    seeds: u64,
    threads: usize,
    all: bool,
    progress: impl Fn(u64) + Sync,
) -> Tally {
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= first + seeds {
                return;
            }
            let mut own = Tally::default();
            for seed in from..(from + CHUNK).min(first + seeds) {
                let outcome = world.run(Tape::of_seed(seed), &Plan::default());
                own.schedules += 1;
                own.faults += u64::from(outcome.faults);
                own.turns += u64::from(outcome.turns);
                for stored in &outcome.observed.orders {
                    let channel = stored.order.source.channel.clone();
                    *own.orders.entry(channel).or_default() += 1;
                }
                if let Some(violation) = outcome.violations.first() {
                    let known = own.broken.entry(violation.rule).or_insert((0, seed));
                    known.0 += 1;
                    if !all {
                        stop.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.schedules += own.schedules;
            tally.faults += own.faults;
            tally.turns += own.turns;
            for (channel, orders) in own.orders {
                *tally.orders.entry(channel).or_default() += orders;
            }
            for (rule, (times, seed)) in own.broken {
                let known = tally.broken.entry(rule).or_insert((0, seed));
                known.0 += times;
                known.1 = known.1.min(seed);
            }
            progress(tally.schedules);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.seconds = began.elapsed().as_secs_f64();
    tally
}

/// The smallest schedule that breaks the same rule as a seed does, with its trace.
pub fn smallest(world: Where, seed: u64) -> Outcome {
    smallest_of(seed, |tape, plan| world.run(tape, plan))
}

/// The same with a safeguard switched off.
pub fn smallest_with(seed: u64, mutant: Option<Mutant>) -> Outcome {
    smallest_of(seed, |tape, plan| fast(tape, plan, mutant))
}

fn smallest_of(seed: u64, run: impl Fn(Tape, &Plan) -> Outcome) -> Outcome {
    let whole = run(Tape::of_seed(seed).recorded(), &Plan::default());
    let Some(rule) = whole.violations.first().map(|violation| violation.rule) else {
        return whole;
    };
    let fails = |choices: &[u32]| {
        let tape = Tape::of_choices(choices.to_vec());
        let outcome = run(tape, &Plan::default());
        outcome.violations.iter().any(|found| found.rule == rule)
    };
    let choices = shrink(whole.choices, fails);
    let plan = Plan {
        trace: true,
        ..Plan::default()
    };
    let mut outcome = run(Tape::of_choices(choices.clone()), &plan);
    outcome.choices = choices;
    outcome
}

/// Schedules until a safeguard that is switched off is noticed, and by which rule; `None` if it is not.
pub fn find(mutant: Mutant, most: u64) -> Option<(u64, Violation)> {
    (0..most).find_map(|seed| {
        let outcome = fast_seed(seed, Some(mutant));
        let violation = outcome.violations.into_iter().next()?;
        Some((seed + 1, violation))
    })
}

/// What dying at every point, and at every two points, came to.
#[derive(Debug, Default)]
pub struct Exhausted {
    /// Points of the undisturbed life.
    pub points: u32,
    /// Lives with one death.
    pub singles: u64,
    /// Lives with two deaths.
    pub pairs: u64,
    /// Lives that did not come to rest as promised: where the process died, and what was broken.
    pub broken: Vec<(Vec<u32>, Violation)>,
}

/// Lets the scripted order's processes die at every point, and at every two, with every message once
/// or `twice`. `stride`: of the pairs, every so manieth.
pub fn exhaust(
    twice: bool,
    threads: usize,
    stride: u32,
    progress: impl Fn(u32) + Sync,
) -> Exhausted {
    let live = |crashes: Vec<u32>| {
        let plan = Plan {
            scripted: true,
            crashes,
            twice,
            trace: false,
        };
        fast(Tape::of_choices(Vec::new()), &plan, None)
    };
    let undisturbed = live(Vec::new());
    let exhausted = Mutex::new(Exhausted {
        points: undisturbed.points,
        ..Exhausted::default()
    });
    let note = |crashes: Vec<u32>, outcome: Outcome| {
        let mut exhausted = exhausted.lock().unwrap_or_else(PoisonError::into_inner);
        match crashes.len() {
            0 => {}
            1 => exhausted.singles += 1,
            _ => exhausted.pairs += 1,
        }
        let violation = outcome.violations.into_iter().next();
        exhausted
            .broken
            .extend(violation.map(|found| (crashes, found)));
    };
    let points = undisturbed.points;
    note(Vec::new(), undisturbed);
    let next = AtomicU64::new(1);
    let work = || loop {
        let first = next.fetch_add(1, Ordering::Relaxed) as u32;
        if first > points {
            return;
        }
        let single = live(vec![first]);
        let longer = single.points;
        note(vec![first], single);
        for second in (first + 1..=longer).filter(|second| (first + second).is_multiple_of(stride))
        {
            note(vec![first, second], live(vec![first, second]));
        }
        progress(first);
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    exhausted
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}
