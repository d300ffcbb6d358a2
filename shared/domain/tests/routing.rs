//! The chosen locations against every choice there is.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

use domain::limits::MAX_ROUTING_NODES;
use domain::routing::{CRITERIA, Choice, EXACT_SOURCES, Score, Selection, Source, choose, share};

/// The place at which units count in these tests, and the one of the number of shipments.
const COST: usize = 3;
const SHIPMENTS: usize = 2;
/// No limit.
const ANY: usize = usize::MAX;

fn selection<'a>(wanted: &'a [u64], sources: &'a [Source], most: usize) -> Selection<'a> {
    Selection {
        wanted,
        sources,
        unit_place: COST,
        most,
    }
}

/// What sending as much as can be of one SKU from a set counts at least, and how much that is: every
/// way to share the units out, source by source. Independent of the order that the router fills in.
fn every_share(wanted: u64, sku: usize, sources: &[&Source]) -> (u64, u64) {
    let mut least: Vec<Option<u64>> = vec![None; wanted as usize + 1];
    least[0] = Some(0);
    for source in sources {
        for sum in (1..least.len()).rev() {
            let most = (source.units[sku] as usize).min(sum);
            let ways = (0..=most)
                .filter_map(|sent| Some(least[sum - sent]? + sent as u64 * source.unit_score[sku]));
            least[sum] = ways.min();
        }
    }
    let sent = (0..least.len()).rev().find(|sum| least[*sum].is_some());
    let sent = sent.unwrap_or(0);
    (sent as u64, least[sent].unwrap_or(0))
}

/// The least score of all sets, and of all ways to share the units out in each.
fn brute_force(wanted: &[u64], sources: &[Source], most: usize) -> Option<Score> {
    let all: Vec<&Source> = sources.iter().collect();
    let obtainable: Vec<u64> = (0..wanted.len())
        .map(|sku| every_share(wanted[sku], sku, &all).0)
        .collect();
    let sets = (0..1_u32 << sources.len()).filter(|set| set.count_ones() as usize <= most);
    let score = |set: u32| {
        let chosen: Vec<&Source> = (0..sources.len())
            .filter(|n| set >> n & 1 == 1)
            .map(|n| &sources[n])
            .collect();
        let mut sum = Score::default();
        for source in &chosen {
            for (sum, part) in sum.iter_mut().zip(source.score) {
                *sum += part;
            }
        }
        for (sku, obtainable) in obtainable.iter().enumerate() {
            let (sent, counts) = every_share(wanted[sku], sku, &chosen);
            sum[COST] += counts;
            sum[0] += obtainable - sent;
        }
        sum
    };
    sets.map(score).min()
}

/// What sources count: late or not, then one criterion before the other.
fn score(random: &mut fastrand::Rng, place: usize, cost_first: bool) -> Score {
    let mut score = Score::default();
    score[1] = u64::from(random.u32(0..8) == 0);
    let (shipment, cost) = (1, random.u64(0..30));
    // Where cost comes first it is at its own place, and shipments come after it.
    match cost_first {
        true => (score[COST], score[COST + 1]) = (cost, shipment),
        false => (score[SHIPMENTS], score[COST]) = (shipment, cost),
    }
    score[CRITERIA - 1] = place as u64;
    score
}

fn draw(
    random: &mut fastrand::Rng,
    lines: usize,
    locations: usize,
    stocked: u32,
    cost_first: bool,
) -> (Vec<u64>, Vec<Source>) {
    let wanted: Vec<u64> = (0..lines).map(|_| random.u32(1..=3).into()).collect();
    let sources = (0..locations).map(|place| Source {
        units: (0..lines)
            .map(|_| match random.u32(0..100) < stocked {
                true => random.u32(1..=4).into(),
                false => 0,
            })
            .collect(),
        score: score(random, place, cost_first),
        unit_score: (0..lines).map(|_| random.u64(0..20)).collect(),
    });
    let sources = sources.collect();
    (wanted, sources)
}

/// The chosen send between them what the score says that they do.
fn sends(choice: &Choice, wanted: &[u64], sources: &[Source]) {
    let shares = share(&selection(wanted, sources, ANY), &choice.sources);
    assert!(shares.iter().all(|units| units.iter().sum::<u64>() > 0));
    let mut unsent = 0;
    for (sku, wanted) in wanted.iter().enumerate() {
        let obtainable: u64 = sources.iter().map(|source| source.units[sku]).sum();
        let sent: u64 = shares.iter().map(|units| units[sku]).sum();
        unsent += obtainable.min(*wanted) - sent;
        let fits = |(place, units): (&usize, &Vec<u64>)| units[sku] <= sources[*place].units[sku];
        assert!(choice.sources.iter().zip(&shares).all(fits));
    }
    assert_eq!(unsent, choice.score[0]);
    let counts = shares
        .iter()
        .zip(&choice.sources)
        .flat_map(|(units, place)| {
            let each = units.iter().zip(&sources[*place].unit_score);
            each.map(|(units, counts)| units * counts)
        });
    let fixed: u64 = choice.sources.iter().map(|n| sources[*n].score[COST]).sum();
    assert_eq!(counts.sum::<u64>() + fixed, choice.score[COST]);
}

#[test]
fn no_choice_is_better() {
    let mut random = fastrand::Rng::with_seed(4);
    let (mut split, mut limited) = (0, 0);
    for case in 0..20_000 {
        let (lines, locations) = (random.usize(2..=5), random.usize(3..=8));
        let stocked = random.u32(20..=80);
        let (wanted, sources) = draw(&mut random, lines, locations, stocked, case % 4 == 3);
        let most = match case % 3 {
            0 => random.usize(1..=3),
            _ => ANY,
        };
        let choice = choose(&selection(&wanted, &sources, most));
        assert!(choice.is_best(), "case {case}");
        assert_eq!(
            Some(choice.score),
            brute_force(&wanted, &sources, most),
            "case {case}"
        );
        assert!(choice.sources.len() <= most, "case {case}");
        sends(&choice, &wanted, &sources);
        split += usize::from(choice.sources.len() > 1);
        limited += usize::from(choice.score[0] > 0);
    }
    assert!(
        (4_000..19_000).contains(&split) && limited > 500,
        "{split} of 20,000 are split, {limited} limited"
    );
}

#[test]
fn up_to_the_limit_the_best_is_proved() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut most = 0;
    for case in 0..60 {
        let cost_first = case % 2 == 0;
        let (wanted, sources) = draw(&mut random, 20, EXACT_SOURCES as usize, 30, cost_first);
        let choice = choose(&selection(&wanted, &sources, ANY));
        assert!(choice.is_best() && choice.nodes <= MAX_ROUTING_NODES);
        assert_eq!(Some(choice.score), brute_force(&wanted, &sources, ANY));
        most = most.max(choice.nodes);
    }
    assert!(most > 20, "the search never has to look far: {most}");
}

/// Always who has most of what is missing, of equals the first in an order.
fn who_has_most(wanted: &[u64], sources: &[Source], order: &[usize]) -> Vec<usize> {
    let (mut missing, mut taken) = (wanted.to_vec(), Vec::new());
    loop {
        let sends = |place: usize| -> u64 {
            let each = missing.iter().zip(&sources[place].units);
            each.map(|(missing, units)| missing.min(units)).sum()
        };
        let free = order.iter().filter(|place| !taken.contains(*place));
        let most = free.rev().max_by_key(|place| sends(**place));
        let Some(most) = most.copied().filter(|most| sends(*most) > 0) else {
            return taken;
        };
        for (missing, units) in missing.iter_mut().zip(&sources[most].units) {
            *missing = missing.saturating_sub(*units);
        }
        taken.push(most);
    }
}

/// What a set counts that sends all that there is.
fn counts(wanted: &[u64], sources: &[Source], places: &[usize]) -> Score {
    let chosen: Vec<&Source> = places.iter().map(|place| &sources[*place]).collect();
    let mut sum = Score::default();
    for source in &chosen {
        for (sum, part) in sum.iter_mut().zip(source.score) {
            *sum += part;
        }
    }
    for (sku, wanted) in wanted.iter().enumerate() {
        sum[COST] += every_share(*wanted, sku, &chosen).1;
    }
    sum
}

#[test]
fn no_greedy_rule_is_better_where_nothing_is_proved() {
    let mut random = fastrand::Rng::with_seed(6);
    let (mut unproved, mut differ) = (0, 0);
    for case in 0..40 {
        let stocked = [10, 30, 50, 70][case % 4];
        let (wanted, sources) = draw(&mut random, 30, 60, stocked, case % 8 < 4);
        let choice = choose(&selection(&wanted, &sources, ANY));
        sends(&choice, &wanted, &sources);
        unproved += usize::from(!choice.is_best());
        let first: Vec<usize> = (0..sources.len()).collect();
        let last: Vec<usize> = first.iter().rev().copied().collect();
        let mut least = first.clone();
        least.sort_by_key(|place| sources[*place].score);
        let rules = [first, last, least].map(|order| who_has_most(&wanted, &sources, &order));
        let scores = rules.map(|places| counts(&wanted, &sources, &places));
        for score in scores {
            assert!(
                choice.score <= score,
                "case {case}: {choice:?} against {score:?}"
            );
        }
        differ += usize::from(scores[0] != scores[1] && scores[1] != scores[2]);
    }
    assert!(
        unproved > 20 && differ > 20,
        "{unproved} unproved, {differ} differ"
    );
}

/// Magento's documentation of its source selection: of SKU-1 eu-1 has 5.5, eu-2 has 3, and eu-3 has 10 and
/// is out of stock, so that it is no source; by priority. In tenths, as fractional units are stored.
#[test]
fn the_published_case_of_magento() {
    let source = |units, priority| {
        let mut score = Score::default();
        (score[2], score[3]) = (priority, 1);
        Source {
            units: vec![units],
            score,
            unit_score: vec![0],
        }
    };
    let sources = [source(55, 1), source(30, 2)];
    let wanted = [70];
    let of_70 = choose(&selection(&wanted, &sources, ANY));
    assert_eq!(of_70.sources, [0, 1]);
    let shares = share(&selection(&wanted, &sources, ANY), &of_70.sources);
    assert_eq!(shares, [[55], [15]]);
    // 15 are not shippable: all that there is is 8.5.
    let wanted = [150];
    let of_150 = choose(&selection(&wanted, &sources, ANY));
    let shares = share(&selection(&wanted, &sources, ANY), &of_150.sources);
    assert_eq!(shares.iter().map(|units| units[0]).sum::<u64>(), 85);
}
