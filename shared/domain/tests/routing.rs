//! The chosen locations against every choice there is.

use domain::limits::MAX_ROUTING_NODES;
use domain::routing::{Choice, EXACT_SOURCES, Score, Source, choose};

/// The least score of all sets that send as much as all together could.
fn brute_force(wanted: &[u32], sources: &[Source]) -> Option<Score> {
    let sent = |set: u32, sku: usize| -> u64 {
        let chosen = (0..sources.len()).filter(|n| set >> n & 1 == 1);
        let units = chosen.map(|n| u64::from(sources[n].units[sku]));
        units.sum::<u64>().min(u64::from(wanted[sku]))
    };
    let all = (1_u32 << sources.len()) - 1;
    let sends_all = |set: u32| (0..wanted.len()).all(|sku| sent(set, sku) == sent(all, sku));
    let score = |set: u32| {
        let mut sum = Score::default();
        for source in (0..sources.len()).filter(|n| set >> n & 1 == 1) {
            for (sum, part) in sum.iter_mut().zip(sources[source].score) {
                *sum += part;
            }
        }
        sum
    };
    let sets = (0..=all).filter(|set| sends_all(*set));
    sets.map(score).min()
}

fn draw(
    random: &mut fastrand::Rng,
    lines: usize,
    locations: usize,
    stocked: u32,
) -> (Vec<u32>, Vec<Source>) {
    let wanted: Vec<u32> = (0..lines).map(|_| random.u32(1..=5)).collect();
    let sources = (0..locations).map(|n| Source {
        units: (0..lines)
            .map(|_| match random.u32(0..100) < stocked {
                true => random.u32(1..=6),
                false => 0,
            })
            .collect(),
        score: [1, random.u64(0..20), n as u64],
    });
    let sources = sources.collect();
    (wanted, sources)
}

fn sends_all(choice: &Choice, wanted: &[u32], sources: &[Source]) {
    for (sku, wanted) in wanted.iter().enumerate() {
        let sum = |places: &mut dyn Iterator<Item = usize>| -> u64 {
            places.map(|n| u64::from(sources[n].units[sku])).sum()
        };
        let all = sum(&mut (0..sources.len())).min(u64::from(*wanted));
        assert!(sum(&mut choice.sources.iter().copied()) >= all);
    }
}

#[test]
fn no_choice_is_better() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut split = 0;
    for case in 0..20_000 {
        let (lines, locations) = (random.usize(2..=5), random.usize(3..=8));
        let stocked = random.u32(20..=80);
        let (wanted, sources) = draw(&mut random, lines, locations, stocked);
        let choice = choose(&wanted, &sources);
        assert!(choice.is_best(), "case {case}");
        assert_eq!(
            Some(choice.score),
            brute_force(&wanted, &sources),
            "case {case}"
        );
        sends_all(&choice, &wanted, &sources);
        split += usize::from(choice.sources.len() > 1);
    }
    assert!(
        (4_000..19_000).contains(&split),
        "{split} of 20,000 are split"
    );
}

#[test]
fn up_to_the_limit_the_best_is_proved() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut most = 0;
    for _ in 0..300 {
        let (wanted, sources) = draw(&mut random, 20, EXACT_SOURCES as usize, 30);
        let choice = choose(&wanted, &sources);
        assert!(choice.is_best() && choice.nodes <= MAX_ROUTING_NODES);
        assert_eq!(Some(choice.score), brute_force(&wanted, &sources));
        most = most.max(choice.nodes);
    }
    assert!(most > 20, "the search never has to look far: {most}");
}
