//! Which locations share an order: the best set of them, found by branch and bound.
//!
//! Every set of locations that can send all that can be had at all is allowed; of these the one
//! whose [`Score`]s add up to the least wins. That is weighted set multicover, which is NP-hard, so the
//! search counts its nodes and stops at [`MAX_ROUTING_NODES`]. It visits no set twice: with up to
//! [`EXACT_SOURCES`] locations it always ends by itself, and what it gives is proved to be best. With
//! more it mostly is; [`Choice::bound`] says what no set can be better than.
//!
//! Who of the chosen sends which unit does not change the sum, and is not decided here.

use std::cmp::Reverse;

use crate::limits::MAX_ROUTING_NODES;

/// Locations up to which the search always ends by itself: so many sets are looked at.
pub const EXACT_SOURCES: u32 = MAX_ROUTING_NODES.ilog2();

/// What a shipment from a location counts, the most important first: sums are compared in this
/// order. The first is at least 1, so that no shipment is for nothing.
pub type Score = [u64; 3];

/// A location that may send something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Units that it has of each wanted SKU, in the order of the wanted.
    pub units: Vec<u32>,
    /// What a shipment from it counts.
    pub score: Score,
}

/// The locations that were chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Their places among the sources, in ascending order. None of them can be left out.
    pub sources: Vec<usize>,
    /// What they count together.
    pub score: Score,
    /// No choice counts less than this.
    pub bound: Score,
    /// Nodes of the search.
    pub nodes: u32,
}

impl Choice {
    /// Whether it is proved that none is better.
    pub fn is_best(&self) -> bool {
        self.score == self.bound
    }
}

/// Chooses the sources that together send all that they have between them of what is `wanted` (units
/// by SKU), and count the least.
pub fn choose(wanted: &[u32], sources: &[Source]) -> Choice {
    let mut search = Search::new(wanted, sources);
    let greedy = search.greedy();
    search.best = (search.total(greedy.iter()), greedy);
    search.visit();
    let (score, mut chosen) = search.best;
    chosen.sort_unstable();
    Choice {
        sources: chosen,
        score,
        bound: search.unseen.min(score),
        nodes: search.nodes,
    }
}

fn add(a: Score, b: Score) -> Score {
    std::array::from_fn(|n| a[n].saturating_add(b[n]))
}

/// A set of sources.
#[derive(Debug, Clone)]
struct Places(Vec<u64>);

impl Places {
    fn none(sources: usize) -> Self {
        Self(vec![0; sources.div_ceil(64)])
    }

    fn flip(&mut self, place: usize) {
        self.0[place / 64] ^= 1 << (place % 64);
    }

    fn has(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }
}

/// One SKU in the search.
#[derive(Debug)]
struct Wanted {
    /// Who has any: the most units first.
    by_units: Vec<usize>,
    /// The same, the least score first.
    by_score: Vec<usize>,
    /// The same, as a set.
    places: Places,
}

struct Search<'a> {
    sources: &'a [Source],
    wanted: Vec<Wanted>,
    /// Units of each SKU that the chosen do not cover.
    missing: Vec<u32>,
    /// Units of each SKU that those have who are neither chosen nor left out.
    left: Vec<u64>,
    /// All sources, the least score first.
    by_score: Vec<usize>,
    /// Those neither chosen nor left out.
    free: Places,
    chosen: Vec<usize>,
    score: Score,
    best: (Score, Vec<usize>),
    nodes: u32,
    /// What nothing counts less than that was not looked into.
    unseen: Score,
}

impl<'a> Search<'a> {
    fn new(wanted: &[u32], sources: &'a [Source]) -> Self {
        let mut free = Places::none(sources.len());
        (0..sources.len()).for_each(|place| free.flip(place));
        let of = |sku: usize| {
            let has = |place: &usize| sources[*place].units[sku] > 0;
            let by_place: Vec<usize> = (0..sources.len()).filter(has).collect();
            let mut places = Places::none(sources.len());
            by_place.iter().for_each(|place| places.flip(*place));
            let (mut by_units, mut by_score) = (by_place.clone(), by_place);
            by_units.sort_by_key(|place| std::cmp::Reverse(sources[*place].units[sku]));
            by_score.sort_by_key(|place| sources[*place].score);
            Wanted {
                by_units,
                by_score,
                places,
            }
        };
        let left = |sku: usize| sources.iter().map(|s| u64::from(s.units[sku])).sum();
        let left: Vec<u64> = (0..wanted.len()).map(left).collect();
        let missing = wanted.iter().zip(&left).map(|(wanted, left)| {
            let all = u32::try_from(*left).unwrap_or(u32::MAX);
            all.min(*wanted)
        });
        let mut by_score: Vec<usize> = (0..sources.len()).collect();
        by_score.sort_by_key(|place| sources[*place].score);
        Self {
            sources,
            wanted: (0..wanted.len()).map(of).collect(),
            missing: missing.collect(),
            left,
            by_score,
            free,
            chosen: Vec::new(),
            score: Score::default(),
            best: (Score::default(), Vec::new()),
            nodes: 0,
            unseen: [u64::MAX; 3],
        }
    }

    fn total<'p>(&self, places: impl Iterator<Item = &'p usize>) -> Score {
        let scores = places.map(|place| self.sources[*place].score);
        scores.fold(Score::default(), add)
    }

    /// Units that a source could send of what is missing.
    fn covers(&self, missing: &[u32], place: usize) -> u64 {
        let each = missing.iter().zip(&self.sources[place].units);
        each.map(|(missing, units)| u64::from(*missing.min(units)))
            .sum()
    }

    /// Always the source that can send most, and at the end without those that the others make up for.
    fn greedy(&self) -> Vec<usize> {
        let mut missing = self.missing.clone();
        let mut taken: Vec<usize> = Vec::new();
        while missing.iter().any(|missing| *missing > 0) {
            let free = self.by_score.iter().filter(|place| !taken.contains(place));
            // The first of the greatest: the least score of equals.
            let most = free
                .rev()
                .max_by_key(|place| self.covers(&missing, **place));
            let Some(&most) = most else {
                break;
            };
            for (missing, units) in missing.iter_mut().zip(&self.sources[most].units) {
                *missing = missing.saturating_sub(*units);
            }
            taken.push(most);
        }
        for n in (0..taken.len()).rev() {
            let others = || taken.iter().enumerate().filter(|(other, _)| *other != n);
            let suffice = self.missing.iter().enumerate().all(|(sku, missing)| {
                let units = others().map(|(_, place)| u64::from(self.sources[*place].units[sku]));
                units.sum::<u64>() >= u64::from(*missing)
            });
            if suffice {
                taken.remove(n);
            }
        }
        taken
    }

    /// What the choices still to be made count at least. Each SKU by itself needs so many sources,
    /// counted by those that have most, and they count no less than as many of the least score; SKUs
    /// that no source has in common need sources of their own.
    fn bound(&self) -> Score {
        let mut open: Vec<usize> = self.open_skus().collect();
        open.sort_by_cached_key(|sku| self.suppliers(*sku));
        let mut used = Places::none(self.sources.len());
        let (mut sum, mut most) = (Score::default(), Score::default());
        for sku in open {
            let least = self.least(sku);
            most = most.max(least);
            let places = &self.wanted[sku].places.0;
            let shared = |n: usize| used.0[n] & places[n] & self.free.0[n] != 0;
            if !(0..places.len()).any(shared) {
                sum = add(sum, least);
                for (used, places) in used.0.iter_mut().zip(places) {
                    *used |= places;
                }
            }
        }
        most.max(sum)
    }

    /// The same, by what all SKUs need together: so many sources as those that have most of what is
    /// missing would need.
    fn bound_by_units(&self) -> Score {
        let free = || self.by_score.iter().filter(|place| self.free.has(**place));
        let covers = free().map(|place| self.covers(&self.missing, *place));
        let mut covers: Vec<u64> = covers.collect();
        covers.sort_unstable_by(|a, b| b.cmp(a));
        let missing: u64 = self.missing.iter().map(|missing| u64::from(*missing)).sum();
        let (mut covered, mut needed) = (0, 0);
        while covered < missing && needed < covers.len() {
            covered += covers[needed];
            needed += 1;
        }
        self.total(free().take(needed))
    }

    /// SKUs of which units are missing.
    fn open_skus(&self) -> impl Iterator<Item = usize> {
        (0..self.missing.len()).filter(|sku| self.missing[*sku] > 0)
    }

    /// How many of those that are free have any of a SKU.
    fn suppliers(&self, sku: usize) -> u32 {
        let free = self.wanted[sku].places.0.iter().zip(&self.free.0);
        free.map(|(has, free)| (has & free).count_ones()).sum()
    }

    /// What covering one SKU counts at least.
    fn least(&self, sku: usize) -> Score {
        let Wanted {
            by_units, by_score, ..
        } = &self.wanted[sku];
        let (mut covered, mut needed) = (0, 0);
        for place in by_units.iter().filter(|place| self.free.has(**place)) {
            if covered >= u64::from(self.missing[sku]) {
                break;
            }
            covered += u64::from(self.sources[*place].units[sku]);
            needed += 1;
        }
        let free = by_score.iter().filter(|place| self.free.has(**place));
        self.total(free.take(needed))
    }

    /// Tries everything that could be better than the best so far, from the present choices on.
    fn visit(&mut self) {
        self.nodes += 1;
        if self.missing.iter().all(|missing| *missing == 0) {
            if self.score < self.best.0 {
                self.best = (self.score, self.chosen.clone());
            }
            return;
        }
        let mut bound = add(self.score, self.bound());
        if bound < self.best.0 {
            bound = bound.max(add(self.score, self.bound_by_units()));
        }
        if bound >= self.best.0 {
            return;
        }
        if self.nodes > MAX_ROUTING_NODES {
            self.unseen = self.unseen.min(bound);
            return;
        }
        // The SKU that leaves least choice: some of its sources has to be taken.
        let Some(scarcest) = self.open_skus().min_by_key(|sku| self.suppliers(*sku)) else {
            return;
        };
        let places = self.wanted[scarcest].by_score.iter().copied();
        let mut branches: Vec<usize> = places.filter(|place| self.free.has(*place)).collect();
        branches.sort_by_cached_key(|place| Reverse(self.covers(&self.missing, *place)));
        let (missing, score) = (self.missing.clone(), self.score);
        let mut left_out = Vec::new();
        for place in branches {
            let units = &self.sources[place].units;
            self.free.flip(place);
            for (sku, units) in units.iter().enumerate() {
                self.left[sku] -= u64::from(*units);
                self.missing[sku] = self.missing[sku].saturating_sub(*units);
            }
            self.chosen.push(place);
            self.score = add(score, self.sources[place].score);
            self.visit();
            self.score = score;
            self.chosen.pop();
            self.missing.copy_from_slice(&missing);
            // From here on without it: no set comes twice.
            left_out.push(place);
            let short = |(left, missing): (&u64, &u32)| *left < u64::from(*missing);
            if self.left.iter().zip(&self.missing).any(short) {
                break;
            }
        }
        for place in left_out {
            self.free.flip(place);
            for (left, units) in self.left.iter_mut().zip(&self.sources[place].units) {
                *left += u64::from(*units);
            }
        }
    }
}
