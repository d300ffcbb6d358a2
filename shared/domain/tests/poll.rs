//! A shop whose orders change while they are looked for: none is left out.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use domain::limits::OVERLAP_S;
use domain::poll::{Poll, Walk};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

/// Orders of a page.
const PAGE: usize = 3;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// An order's changes: when, and when they can be seen.
type Changes = Vec<(i64, i64)>;

/// A shop, by its own clock, and what is known of its orders: of each the newest that was handed on.
struct World {
    sorted: bool,
    now: i64,
    /// Seconds that our clock is ahead of the shop's.
    skew: i64,
    orders: Vec<Changes>,
    known: BTreeMap<usize, i64>,
    poll: Poll,
    requests: usize,
}

impl World {
    fn new(sorted: bool, skew: i64) -> Self {
        Self {
            sorted,
            now: 0,
            skew,
            orders: Vec::new(),
            known: BTreeMap::new(),
            poll: Poll::new("woocommerce", "main", at(0)),
            requests: 0,
        }
    }

    fn ours(&self) -> Timestamp {
        at(self.now + self.skew)
    }

    /// What can be seen of the orders that have changed since, as the shop lists them.
    fn listed(&self, from: Timestamp) -> Vec<(i64, usize)> {
        let seen = |changes: &Changes| {
            let seen = changes.iter().filter(|change| change.1 <= self.now);
            seen.map(|change| change.0).max()
        };
        let orders = self.orders.iter().enumerate();
        let mut listed: Vec<(i64, usize)> = orders
            .filter_map(|(id, changes)| Some((seen(changes)?, id)))
            .filter(|(changed, _)| at(*changed) >= from)
            .collect();
        match self.sorted {
            true => listed.sort_unstable(),
            false => listed.sort_unstable_by_key(|(_, id)| *id),
        }
        listed
    }

    /// Asks for a page, and hands its orders on.
    fn ask(&mut self) {
        self.requests += 1;
        let walk: Walk = self.poll.walk(self.ours());
        let listed = self.listed(walk.from);
        let (page, next): (Vec<(i64, usize)>, Option<String>) = match self.sorted {
            true => {
                let number: usize = walk.page.parse().unwrap_or(1);
                let rest = listed.get((number - 1) * PAGE..).unwrap_or_default();
                let page = rest[..rest.len().min(PAGE)].to_vec();
                let next = (page.len() == PAGE).then(|| (number + 1).to_string());
                (page, next)
            }
            false => {
                let after: Option<usize> = walk.page.parse().ok();
                let rest = listed.iter().filter(|(_, id)| Some(*id) > after);
                let page: Vec<_> = rest.take(PAGE).copied().collect();
                let next = page.last().filter(|_| page.len() == PAGE);
                let next = next.map(|(_, id)| id.to_string());
                (page, next)
            }
        };
        for (changed, id) in &page {
            let known = self.known.entry(*id).or_insert(*changed);
            *known = (*known).max(*changed);
        }
        let times: Vec<Timestamp> = page.iter().map(|(changed, _)| at(*changed)).collect();
        let next = next.as_deref();
        self.poll = self
            .poll
            .after(&walk, self.sorted, &times, next, self.ours());
    }

    /// Asks until the walk is at its end.
    fn run(&mut self) {
        for _ in 0..500 {
            self.ask();
            if self.poll.walk.is_none() {
                return;
            }
        }
        panic!("no end: {:?}", self.poll);
    }

    /// Something happens in the shop.
    fn happen(&mut self, what: u8, which: u8, late: i64) {
        let count = self.orders.len();
        let change = (self.now, self.now + late);
        match what % 8 {
            0 | 1 => self.orders.push(vec![change]),
            2 | 3 if count > 0 => self.orders[usize::from(which) % count].push(change),
            // All that end alike change in one second.
            4 => {
                let every = 1 + usize::from(which % 3);
                for order in self.orders.iter_mut().step_by(every) {
                    order.push(change);
                }
            }
            5 => self.now += i64::from(which % 4),
            6 => self.now += i64::from(which),
            _ => {}
        }
    }

    fn check(&self) {
        for (id, changes) in self.orders.iter().enumerate() {
            let newest = changes.iter().map(|change| change.0).max();
            let known = self.known.get(&id).copied();
            assert_eq!(known, newest, "order {id}: {:?}", self.poll);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_change_is_left_out(
        sorted: bool,
        skew in -100_i64..100,
        happens in prop::collection::vec((any::<u8>(), any::<u8>(), 0_i64..120, any::<bool>()), 1..120),
    ) {
        let mut world = World::new(sorted, skew);
        for (what, which, late, asks) in happens {
            world.happen(what, which, late);
            if asks {
                world.ask();
            }
        }
        for _ in 0..4 {
            world.now += OVERLAP_S / 2;
            world.run();
        }
        world.check();
    }
}

#[test]
fn a_quiet_shop_is_asked_for_nothing_that_is_known() {
    let mut world = World::new(true, 0);
    world.orders = vec![vec![(10, 10)]; 7];
    world.now = 20;
    world.run();
    assert_eq!(world.known.len(), 7, "all of one second");
    for _ in 0..3 {
        world.now += OVERLAP_S;
        world.run();
    }
    assert!(world.poll.settled);
    assert_eq!(world.listed(world.poll.walk(world.ours()).from), []);
    let before = world.requests;
    world.now += OVERLAP_S;
    world.run();
    assert_eq!(world.requests - before, 1);
    // What changes now is found by the next one.
    let change = (world.now, world.now);
    world.orders[3].push(change);
    world.run();
    world.check();
}

#[test]
fn a_walk_goes_on_where_a_run_has_left_it_and_begins_anew_when_its_page_is_gone() {
    let mut world = World::new(false, 0);
    world.orders = (0..10).map(|n| vec![(n, n)]).collect();
    world.now = 20;
    world.ask();
    let walk = world.poll.walk.clone().unwrap();
    assert_eq!((walk.page.as_str(), world.poll.turn), ("2", 1));
    let again = world.poll.begin_again();
    assert_eq!((again.walk, again.turn), (None, 2));
    world.run();
    world.check();
    assert_eq!(world.poll.polled_at, Some(at(20)));
}

#[test]
fn the_overlap_is_as_long_as_it_says() {
    let poll = Poll::new("meta", "main", at(1_000));
    assert_eq!(poll.walk(at(2_000)).from, at(1_000 - OVERLAP_S));
    // Settled only by a walk that began so long after the newest change was seen.
    let end = |poll: &Poll, now: i64| {
        let walk = poll.walk(at(now));
        poll.after(&walk, true, &[], None, at(now))
    };
    let first = end(&poll, 2_000);
    assert!(!first.settled);
    assert!(!end(&first, 2_000 + OVERLAP_S - 1).settled);
    let settled = end(&first, 2_000 + OVERLAP_S);
    assert!(settled.settled);
    let since = at(1_000).saturating_add(1.second()).unwrap();
    assert_eq!(settled.walk(at(9_000)).from, since);
}

#[test]
fn what_is_known_goes_round_as_it_is_stored() {
    let stored = r#"{"channel":"amazon","account":"main","since":"2026-11-26T12:00:00Z","turn":0}"#;
    let poll: Poll = serde_json::from_str(stored).unwrap();
    assert_eq!(serde_json::to_string(&poll).unwrap(), stored);
    let poll = poll.after(&poll.walk(at(0)), false, &[at(1)], Some("x"), at(2));
    let text = serde_json::to_string(&poll).unwrap();
    assert_eq!(serde_json::from_str::<Poll>(&text).unwrap(), poll);
}
