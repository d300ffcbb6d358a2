//! Which locations share an order: the best set of them, found by branch and bound.
//!
//! Every set of locations that can send all that can be had at all is allowed; of these the one
//! with the least [`Score`] wins: what its shipments count, and what sending each unit from where it
//! is cheapest among them counts. That is weighted set multicover with a transport problem inside;
//! the former is NP-hard, so the search counts its nodes and stops at [`MAX_ROUTING_NODES`]. It visits
//! no set twice: with up to [`EXACT_SOURCES`] locations it always ends by itself, and what it gives is
//! proved to be best. With more it mostly is; [`Choice::bound`] says what no set can be better than.
//!
//! With a limit on shipments the set that leaves least unsent comes first; the same proof holds.

use std::cmp::Reverse;

use crate::limits::MAX_ROUTING_NODES;

/// Locations up to which the search always ends by itself: so many sets are looked at.
pub const EXACT_SOURCES: u32 = MAX_ROUTING_NODES.ilog2();
/// Places of a [`Score`].
pub const CRITERIA: usize = 7;

/// What a choice counts, the most important first: compared in this order. The first place is for
/// the units that a limit on shipments leaves unsent, and 0 in what a source counts.
pub type Score = [u64; CRITERIA];

/// A location that may send something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Units that it has of each wanted SKU, in the order of the wanted.
    pub units: Vec<u64>,
    /// What a shipment from it counts. Not all zero: no shipment is for nothing.
    pub score: Score,
    /// What each unit of each wanted SKU counts besides, at [`Selection::unit_place`].
    pub unit_score: Vec<u64>,
}

/// What is to be chosen.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Units of each SKU.
    pub wanted: &'a [u64],
    /// Who may send them.
    pub sources: &'a [Source],
    /// The place of a score that units count at.
    pub unit_place: usize,
    /// Shipments at most.
    pub most: usize,
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

/// Chooses the sources that together send as much as they may of what is wanted, and count the least.
pub fn choose(selection: &Selection) -> Choice {
    let mut search = Search::new(selection);
    // Which of those who can send as much is taken makes a difference where the search cannot end by itself: it begins
    // with the best of several rules, and is never worse than any of them.
    let by_place: Vec<usize> = (0..selection.sources.len()).collect();
    let from_last: Vec<usize> = by_place.iter().rev().copied().collect();
    let orders = [&search.by_score, &by_place, &from_last];
    let scored = orders.map(|order| search.greedy(order));
    search.best = scored.into_iter().min().unwrap_or_default();
    search.visit();
    if search.best.1.len() > selection.most {
        // All of it takes more shipments than there may be: as much as there can be, then.
        search.unseen = [u64::MAX; CRITERIA];
        search.best = (search.score_of(&[]), Vec::new());
        search.visit_limited(selection.most);
    }
    // A search that did not end by itself may not have come to the same set without one that sends nothing.
    let chosen = std::mem::take(&mut search.best.1);
    let (score, mut chosen) = search.without_needless(chosen);
    chosen.sort_unstable();
    Choice {
        sources: chosen,
        score,
        bound: search.unseen.min(score),
        nodes: search.nodes,
    }
}

/// Who of the chosen sends how many units of each wanted SKU: each from where it counts least, and of
/// equals from the first. In the order of the chosen.
pub fn share(selection: &Selection, chosen: &[usize]) -> Vec<Vec<u64>> {
    let mut shares = vec![vec![0; selection.wanted.len()]; chosen.len()];
    for (sku, wanted) in selection.wanted.iter().enumerate() {
        let mut order: Vec<usize> = (0..chosen.len()).collect();
        order.sort_by_key(|n| selection.sources[chosen[*n]].unit_score[sku]);
        let mut missing = *wanted;
        for n in order {
            let sent = missing.min(selection.sources[chosen[n]].units[sku]);
            shares[n][sku] = sent;
            missing -= sent;
        }
    }
    shares
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
    /// The same, those first whose units count least; empty if they all count the same.
    by_unit_score: Vec<usize>,
    /// The same, as a set.
    places: Places,
}

struct Search<'a> {
    sources: &'a [Source],
    unit_place: usize,
    wanted: Vec<Wanted>,
    /// Units of each SKU that can be had at all.
    obtainable: Vec<u64>,
    /// Units of each SKU that the chosen do not cover.
    missing: Vec<u64>,
    /// Units of each SKU that those have who are neither chosen nor left out.
    left: Vec<u64>,
    /// All sources, the least score first.
    by_score: Vec<usize>,
    /// Those neither chosen nor left out.
    free: Places,
    /// Those not left out.
    usable: Places,
    chosen: Vec<usize>,
    /// What the chosen count, their units apart.
    score: Score,
    /// Whether one more source can count less: by what its units count before shipments do.
    more_may_be_less: bool,
    best: (Score, Vec<usize>),
    nodes: u32,
    /// What nothing counts less than that was not looked into.
    unseen: Score,
}

impl<'a> Search<'a> {
    fn new(selection: &Selection<'a>) -> Self {
        let sources = selection.sources;
        let mut free = Places::none(sources.len());
        (0..sources.len()).for_each(|place| free.flip(place));
        let of = |sku: usize| {
            let has = |place: &usize| sources[*place].units[sku] > 0;
            let by_place: Vec<usize> = (0..sources.len()).filter(has).collect();
            let mut places = Places::none(sources.len());
            by_place.iter().for_each(|place| places.flip(*place));
            let unit_score = |place: &usize| sources[*place].unit_score[sku];
            let mut by_unit_score = by_place.clone();
            by_unit_score.sort_by_key(unit_score);
            let same = |pair: &[usize]| unit_score(&pair[0]) == unit_score(&pair[1]);
            if by_unit_score.windows(2).all(same) {
                by_unit_score.clear();
            }
            let (mut by_units, mut by_score) = (by_place.clone(), by_place);
            by_units.sort_by_key(|place| Reverse(sources[*place].units[sku]));
            by_score.sort_by_key(|place| sources[*place].score);
            Wanted {
                by_units,
                by_score,
                by_unit_score,
                places,
            }
        };
        let wanted: Vec<Wanted> = (0..selection.wanted.len()).map(of).collect();
        let left = |sku: usize| sources.iter().map(|s| s.units[sku]).sum();
        let left: Vec<u64> = (0..selection.wanted.len()).map(left).collect();
        let obtainable = selection
            .wanted
            .iter()
            .zip(&left)
            .map(|(wanted, left)| *left.min(wanted));
        let obtainable: Vec<u64> = obtainable.collect();
        let mut by_score: Vec<usize> = (0..sources.len()).collect();
        by_score.sort_by_key(|place| sources[*place].score);
        let first = |source: &Source| source.score.iter().position(|part| *part > 0);
        let first = sources.iter().filter_map(first).max();
        let differ = wanted.iter().any(|wanted| !wanted.by_unit_score.is_empty());
        Self {
            sources,
            unit_place: selection.unit_place,
            more_may_be_less: differ && first.is_some_and(|first| selection.unit_place <= first),
            wanted,
            missing: obtainable.clone(),
            obtainable,
            left,
            by_score,
            usable: free.clone(),
            free,
            chosen: Vec::new(),
            score: Score::default(),
            best: (Score::default(), Vec::new()),
            nodes: 0,
            unseen: [u64::MAX; CRITERIA],
        }
    }

    fn total<'p>(&self, places: impl Iterator<Item = &'p usize>) -> Score {
        let scores = places.map(|place| self.sources[*place].score);
        scores.fold(Score::default(), add)
    }

    /// What a set counts: its shipments, its units, and the units that it leaves.
    fn score_of(&self, places: &[usize]) -> Score {
        let mut score = self.total(places.iter());
        let among = |place: usize| places.contains(&place);
        score[self.unit_place] = score[self.unit_place].saturating_add(self.units_count(among));
        for (sku, obtainable) in self.obtainable.iter().enumerate() {
            let units = places.iter().map(|p| self.sources[*p].units[sku]);
            score[0] += obtainable.saturating_sub(units.sum());
        }
        score
    }

    /// What the units of all SKUs count at least, sent by some sources.
    fn units_count(&self, among: impl Fn(usize) -> bool) -> u64 {
        let mut sum = 0_u64;
        for (sku, wanted) in self.wanted.iter().enumerate() {
            let mut missing = self.obtainable[sku];
            let order = match wanted.by_unit_score.is_empty() {
                true => &wanted.by_units,
                false => &wanted.by_unit_score,
            };
            for place in order.iter().filter(|place| among(**place)) {
                if missing == 0 {
                    break;
                }
                let source = &self.sources[*place];
                let sent = missing.min(source.units[sku]);
                sum = sum.saturating_add(source.unit_score[sku].saturating_mul(sent));
                missing -= sent;
            }
        }
        sum
    }

    /// Units that a source could send of what is missing.
    fn covers(&self, missing: &[u64], place: usize) -> u64 {
        let each = missing.iter().zip(&self.sources[place].units);
        each.map(|(missing, units)| missing.min(units)).sum()
    }

    /// Always the source that can send most, of equals the first in this order, and at the end without those that are
    /// not needed. And what it counts.
    fn greedy(&self, order: &[usize]) -> (Score, Vec<usize>) {
        let mut missing = self.missing.clone();
        let mut taken: Vec<usize> = Vec::new();
        while missing.iter().any(|missing| *missing > 0) {
            let free = order.iter().filter(|place| !taken.contains(place));
            // The first of the greatest.
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
        self.without_needless(taken)
    }

    /// A set without those that count less left out, as long as the others send as much; and what it counts.
    fn without_needless(&self, mut places: Vec<usize>) -> (Score, Vec<usize>) {
        let mut score = self.score_of(&places);
        for n in (0..places.len()).rev() {
            let place = places.remove(n);
            let as_much = self.obtainable.iter().enumerate().all(|(sku, obtainable)| {
                let units = places.iter().map(|place| self.sources[*place].units[sku]);
                let others = units.sum::<u64>();
                let all = others + self.sources[place].units[sku];
                others.min(*obtainable) == all.min(*obtainable)
            });
            // Units may count more without it than its shipment does.
            let without = as_much.then(|| self.score_of(&places));
            match without.filter(|without| *without < score) {
                Some(less) => score = less,
                None => places.insert(n, place),
            }
        }
        (score, places)
    }

    /// What the choices still to be made count at least, units apart. Each SKU by itself needs so many
    /// sources, counted by those that have most, and they count no less than as many of the least
    /// score; SKUs that no source has in common need sources of their own.
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
        let missing: u64 = self.missing.iter().sum();
        let (mut covered, mut needed) = (0, 0);
        for covers in self.free_covers() {
            if covered >= missing {
                break;
            }
            covered += covers;
            needed += 1;
        }
        let free = self.by_score.iter().filter(|place| self.free.has(**place));
        self.total(free.take(needed))
    }

    /// What each of the free could send of what is missing, the most first.
    fn free_covers(&self) -> Vec<u64> {
        let free = self.by_score.iter().filter(|place| self.free.has(**place));
        let covers = free.map(|place| self.covers(&self.missing, *place));
        let mut covers: Vec<u64> = covers.collect();
        covers.sort_unstable_by_key(|covers| Reverse(*covers));
        covers
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
            if covered >= self.missing[sku] {
                break;
            }
            covered += self.sources[*place].units[sku];
            needed += 1;
        }
        let free = by_score.iter().filter(|place| self.free.has(**place));
        self.total(free.take(needed))
    }

    /// A score, and what the units count at least, sent by the chosen and the free.
    fn with_units(&self, mut score: Score) -> Score {
        let count = self.units_count(|place| self.usable.has(place));
        score[self.unit_place] = score[self.unit_place].saturating_add(count);
        score
    }

    /// Notes the chosen, if they are the best so far.
    fn note(&mut self) {
        let score = self.score_of(&self.chosen);
        if score < self.best.0 {
            self.best = (score, self.chosen.clone());
        }
    }

    /// Tries everything that could be better than the best so far, from the present choices on.
    fn visit(&mut self) {
        self.nodes += 1;
        let covered = self.missing.iter().all(|missing| *missing == 0);
        if covered {
            self.note();
            if !self.more_may_be_less {
                return;
            }
        }
        let mut bound = add(self.score, self.bound());
        if bound < self.best.0 {
            bound = bound.max(add(self.score, self.bound_by_units()));
        }
        if bound < self.best.0 {
            bound = self.with_units(bound);
        }
        if bound >= self.best.0 {
            return;
        }
        if self.nodes > MAX_ROUTING_NODES {
            self.unseen = self.unseen.min(bound);
            return;
        }
        // The SKU that leaves least choice: some of its sources has to be taken.
        let scarcest = self.open_skus().min_by_key(|sku| self.suppliers(*sku));
        let places = match scarcest {
            Some(scarcest) => &self.wanted[scarcest].by_score,
            None => &self.by_score,
        };
        let free = places.iter().copied().filter(|place| self.free.has(*place));
        let mut branches: Vec<usize> = free.collect();
        branches.sort_by_cached_key(|place| Reverse(self.covers(&self.missing, *place)));
        self.branch(&branches, Self::visit, |search| {
            // Without those left out there has to be enough.
            let suffices = |(left, missing): (&u64, &u64)| left >= missing;
            search.left.iter().zip(&search.missing).all(suffices)
        });
    }

    /// The same with a limit on the shipments, so that what is missing may stay so.
    fn visit_limited(&mut self, most: usize) {
        self.nodes += 1;
        self.note();
        let room = most.saturating_sub(self.chosen.len());
        let missing: u64 = self.missing.iter().sum();
        let covers: u64 = self.free_covers().into_iter().take(room).sum();
        let mut bound = self.score;
        bound[0] = missing.saturating_sub(covers);
        if room == 0 || covers == 0 && !self.more_may_be_less || bound >= self.best.0 {
            return;
        }
        if self.nodes > MAX_ROUTING_NODES {
            self.unseen = self.unseen.min(bound);
            return;
        }
        let free = self.by_score.iter().copied();
        let useful = |place: &usize| {
            self.free.has(*place)
                && (self.more_may_be_less || self.covers(&self.missing, *place) > 0)
        };
        let mut branches: Vec<usize> = free.filter(useful).collect();
        branches.sort_by_cached_key(|place| Reverse(self.covers(&self.missing, *place)));
        self.branch(&branches, |search| search.visit_limited(most), |_| true);
    }

    /// Takes each of the branches in turn, and goes on without those taken before, as long as that can
    /// come to something: no set comes twice.
    fn branch(
        &mut self,
        branches: &[usize],
        visit: impl Fn(&mut Self),
        worth: impl Fn(&Self) -> bool,
    ) {
        let (missing, score) = (self.missing.clone(), self.score);
        let mut left_out = Vec::new();
        for &place in branches {
            let units = &self.sources[place].units;
            self.free.flip(place);
            for (sku, units) in units.iter().enumerate() {
                self.left[sku] -= *units;
                self.missing[sku] = self.missing[sku].saturating_sub(*units);
            }
            self.chosen.push(place);
            self.score = add(score, self.sources[place].score);
            visit(self);
            self.score = score;
            self.chosen.pop();
            self.missing.copy_from_slice(&missing);
            self.usable.flip(place);
            left_out.push(place);
            if !worth(self) {
                break;
            }
        }
        for place in left_out {
            self.free.flip(place);
            self.usable.flip(place);
            for (left, units) in self.left.iter_mut().zip(&self.sources[place].units) {
                *left += *units;
            }
        }
    }
}
