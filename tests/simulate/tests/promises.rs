//! What the simulator has to find, and what it must not find.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Order;
use simulate::check::Violation;
use simulate::mutant::Mutant;
use simulate::run::Plan;
use simulate::search::{Where, exhaust, fast, fast_seed, find, search, smallest_with};
use simulate::tape::Tape;
use simulate::vendor::VENDORS;

/// Schedules of one test run; the command line runs as many as one likes.
const SEEDS: u64 = 3_000;
/// Schedules of one test run in the full world.
const FULL_SEEDS: u64 = 100;
/// Schedules in which a safeguard that is switched off has to be noticed.
const MOST: u64 = 10_000;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn no_schedule_breaks_a_promise() {
    let tally = search(Where::Fast, 0, SEEDS, threads(), true, |_| {});
    println!(
        "{} schedules, {} faults, {:.0} schedules a minute",
        tally.schedules,
        tally.faults,
        tally.schedules as f64 / tally.seconds * 60.0
    );
    assert!(
        tally.broken.is_empty(),
        "by rule: times, first seed: {:?}",
        tally.broken
    );
    assert_eq!(tally.schedules, SEEDS);
    assert!(tally.faults > SEEDS * 5, "only {} faults", tally.faults);
}

/// No channel drops out of the load in silence, and none is added without joining it.
#[test]
fn every_channel_sells() {
    let tally = search(Where::Fast, 0, 400, threads(), true, |_| {});
    println!("{:?}", tally.orders);
    let all = channels::CHANNELS.iter().map(|channel| channel.name());
    for name in all.chain(["api"]) {
        let orders = tally.orders.get(name).copied().unwrap_or(0);
        assert!(orders > 3, "{name}: {orders} orders");
    }
}

/// Whatever can be told is told: what has left, how much there is, and who waits for it that an order has come in.
#[test]
fn every_channel_that_is_fetched_from_is_told() {
    let mut told: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for seed in 0..600 {
        let seen = fast_seed(seed, None).observed;
        let accepted = seen.accepted.map_or(0, |accepted| accepted.len());
        let counts = [seen.shipments.len(), seen.shown.len(), accepted];
        let all = told.entry(seen.fetched).or_default();
        (0..3).for_each(|n| all[n] += counts[n]);
    }
    println!("{told:?}");
    for vendor in VENDORS {
        let [sent, shown, accepted] = told[vendor.name()];
        assert!(sent > 0 && shown > 0, "{}", vendor.name());
        assert_eq!(accepted > 0, vendor.waits(), "{}", vendor.name());
    }
}

#[test]
fn a_seed_is_the_same_run_to_the_byte() {
    let plan = Plan {
        trace: true,
        ..Plan::default()
    };
    for seed in 0..40 {
        let trace = || fast(Tape::of_seed(seed), &plan, None).trace.join("\n");
        let first = trace();
        assert_eq!(first, trace(), "seed {seed}");
        assert!(first.len() > 100);
    }
    let recorded = fast(Tape::of_seed(7).recorded(), &plan, None);
    let replayed = fast(Tape::of_choices(recorded.choices), &plan, None);
    assert_eq!(recorded.trace, replayed.trace);
}

/// The same on AWS's own clients and the local cloud: few, because each takes so much longer.
#[test]
fn no_schedule_breaks_a_promise_in_the_full_world() {
    let tally = search(Where::Full, 0, FULL_SEEDS, threads(), true, |_| {});
    assert!(
        tally.broken.is_empty(),
        "by rule: times, first seed: {:?}",
        tally.broken
    );
    assert_eq!(tally.schedules, FULL_SEEDS);
}

/// With any one of the safeguards switched off, a promise is seen broken.
#[test]
fn every_safeguard_is_missed_when_it_is_off() {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(mutant) = Mutant::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let seen = find(*mutant, MOST);
                    found.lock().unwrap().push((*mutant, seen));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert_eq!(found.len(), Mutant::ALL.len());
    let mut needed: Vec<u64> = Vec::new();
    for (mutant, seen) in &found {
        let Some((schedules, Violation { rule, .. })) = seen else {
            panic!("{mutant:?} is off, and nothing was noticed in {MOST} schedules");
        };
        println!("{mutant:?}: {schedules} schedules, {rule}");
        needed.push(*schedules);
    }
    needed.sort_unstable();
    println!(
        "median {}, most {:?}",
        needed[needed.len() / 2],
        needed.last()
    );
    assert!(needed[needed.len() / 2] <= 50, "the median: {needed:?}");
}

/// One order from its purchase to its last refund: its processes die at every point, and at some of
/// all two points (the command line takes all), with every message once and twice.
#[test]
fn an_order_survives_every_death() {
    for (twice, stride) in [(false, 113), (true, 401)] {
        let exhausted = exhaust(twice, threads(), stride, |_| {});
        assert!(exhausted.points > 80, "only {} points", exhausted.points);
        assert_eq!(exhausted.singles, u64::from(exhausted.points));
        assert!(exhausted.pairs > 100, "only {} pairs", exhausted.pairs);
        assert!(
            exhausted.broken.is_empty(),
            "twice {twice}: {:?}",
            exhausted.broken
        );
    }
}

/// The undisturbed life is a whole one: goods sent, brought back, money refunded.
#[test]
fn the_scripted_order_lives_its_whole_life() {
    let plan = Plan {
        scripted: true,
        ..Plan::default()
    };
    let lived = fast(Tape::of_choices(Vec::new()), &plan, None);
    assert_eq!(lived.violations, []);
    let of = |channel: &str| {
        let mut orders = lived.observed.orders.iter().map(|stored| &stored.order);
        let order = orders.find(|order| order.source.channel == channel);
        order.unwrap()
    };
    let order = of("api");
    assert_eq!(order.lines.len(), 2);
    assert_eq!(
        (order.status(), order.payment_status()),
        ("returned", "refunded")
    );
    assert!(order.refunds.len() >= 2, "{:?}", order.refunds);
    let [told] = lived.observed.shipments.as_slice() else {
        panic!("expected the shop to be told of one shipment");
    };
    assert_eq!(told.order, of("bigcommerce").id);
    let heard = |order: &Order| {
        let heard = lived.observed.heard.iter();
        let first = format!("{}-E", order.id);
        heard.filter(|heard| heard.id.starts_with(&first)).count()
    };
    assert_eq!(heard(order) as u64, order.version);
}

/// What fails is cut to what a person can read.
#[test]
fn a_failing_schedule_is_made_small() {
    let mutant = Some(Mutant::StockIsThere);
    let fails = |seed: &u64| !fast_seed(*seed, mutant).violations.is_empty();
    // What is left of one depends on the load that it drew: the best of a few is looked at.
    let few = (0..MOST).filter(fails).take(4);
    let shrunk = few.map(|seed| (fast_seed(seed, mutant), smallest_with(seed, mutant)));
    let (whole, small) = shrunk.min_by_key(|(_, small)| small.trace.len()).unwrap();
    assert_eq!(small.violations[0].rule, whole.violations[0].rule);
    assert!(
        small.turns < whole.turns,
        "{} of {}",
        small.turns,
        whole.turns
    );
    assert!(small.trace.len() < 80, "{} lines", small.trace.len());
}
