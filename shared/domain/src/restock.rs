//! When a level runs low, runs out and comes back: each is told of once per crossing.
//!
//! A crossing is noted on the level together with a claim to tell of it, and noted again when it has been
//! told of. A claim that is neither is that of a run that has died: maybe before it told, maybe after.

mod round;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use round::Round;

use crate::stock::Level;

/// After which a claim's holder is taken for dead: longer than a run may take.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// A level's stay at or under a bound: its reorder point, or what nobody is promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Its number among the crossings of this level, from 1. Low and out at once are one crossing.
    pub n: u64,
    /// Whether everybody has been told, of its end if that has come.
    pub told: bool,
    /// Whether the supplier has been asked for more, while the team has not been told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// Whether it has ended, and its end has to be told of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// Since when somebody is about to tell.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub claimed_at: Option<Timestamp>,
}

impl Crossing {
    fn begin(n: u64, now: Timestamp) -> Self {
        Self {
            n,
            told: false,
            asked: false,
            over: false,
            claimed_at: Some(now),
        }
    }

    /// The same, with whoever asks about to tell of it.
    fn claimed(self, now: Timestamp) -> Self {
        Self {
            told: false,
            claimed_at: Some(now),
            ..self
        }
    }

    /// The same, told or not, and nobody about to tell.
    fn ended(self, told: bool) -> Self {
        Self {
            told,
            claimed_at: None,
            ..self
        }
    }

    fn is_held(&self, now: Timestamp) -> bool {
        let held = |at| now.duration_since(at) < LEASE;
        !self.told && self.claimed_at.is_some_and(held)
    }
}

/// What is known of a level's crossings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crossings {
    /// How many there have been.
    pub count: u64,
    /// The one under the reorder point.
    pub low: Option<Crossing>,
    /// The one with nothing left to promise.
    pub outage: Option<Crossing>,
}

/// What has to be said about a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// Nothing is left to promise.
    Out,
    /// It has fallen to its reorder point.
    Low,
    /// There is something to promise again.
    Back,
}

/// What a run finds to do about a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What is known, with a claim on whatever is due: to be noted before anything is said.
    pub claimed: Crossings,
    /// What has to be said once that is noted.
    pub due: Vec<Due>,
    /// Whether somebody else is about to say something: until that is done, nothing is due.
    pub held: bool,
}

impl Crossings {
    /// Those of a level.
    pub fn of(level: &Level) -> Self {
        Self {
            count: level.crossings,
            low: level.low.clone(),
            outage: level.outage.clone(),
        }
    }

    /// What is known once what was due has been said, or not: whether the supplier, if there is one to
    /// ask, was `asked`, and whether the team was `told`. Who was not is told by the next run.
    pub fn noted(mut self, due: &[Due], asked: bool, told: bool) -> Self {
        if due.contains(&Due::Low) {
            self.low = self.low.map(|low| Crossing {
                asked: asked && !told,
                ..low.ended(asked && told)
            });
        }
        if due.contains(&Due::Out) {
            self.outage = self.outage.map(|outage| outage.ended(told));
        }
        if due.contains(&Due::Back) {
            let untold = self.outage.filter(|_| !told);
            self.outage = untold.map(|outage| outage.ended(false));
        }
        self
    }
}

/// Compares a level with its reorder point, if it has one, and with what is kept back in the warehouse, of which
/// nobody is promised any; in units available.
pub fn look(level: &Level, reorder_point: Option<u32>, kept_back: u32, now: Timestamp) -> Look {
    let low = reorder_point.is_some_and(|point| level.available <= i64::from(point));
    let out = level.available <= i64::from(kept_back);
    let mut look = Look {
        claimed: Crossings::of(level),
        due: Vec::new(),
        held: false,
    };
    let claims = [&level.low, &level.outage];
    // Who is about to tell of one of them notes both when that is done.
    if claims.into_iter().flatten().any(|known| known.is_held(now)) {
        look.held = true;
        return look;
    }
    let n = level.crossings + 1;
    look.claimed.outage = look.outage(level.outage.clone(), out, n, now);
    look.claimed.low = look.low(level.low.clone(), low, n, now);
    let numbers = [&look.claimed.low, &look.claimed.outage];
    let newest = numbers.into_iter().flatten().map(|crossing| crossing.n);
    look.claimed.count = newest.fold(level.crossings, u64::max);
    look
}

impl Look {
    fn low(
        &mut self,
        known: Option<Crossing>,
        low: bool,
        n: u64,
        now: Timestamp,
    ) -> Option<Crossing> {
        if !low {
            return None;
        }
        match known {
            Some(known) if known.told => Some(known),
            Some(known) => Some(self.say(Due::Low, known.claimed(now))),
            None => Some(self.say(Due::Low, Crossing::begin(n, now))),
        }
    }

    fn outage(
        &mut self,
        known: Option<Crossing>,
        out: bool,
        n: u64,
        now: Timestamp,
    ) -> Option<Crossing> {
        let Some(known) = known else {
            return out.then(|| self.say(Due::Out, Crossing::begin(n, now)));
        };
        // Who was about to tell and has died may have told.
        let (told, maybe_told) = (known.told, known.told || known.claimed_at.is_some());
        match (known.over, out) {
            (false, true) if told => Some(known),
            (false, true) => Some(self.say(Due::Out, known.claimed(now))),
            (false, false) if maybe_told => {
                let over = true;
                Some(self.say(
                    Due::Back,
                    Crossing {
                        over,
                        ..known.claimed(now)
                    },
                ))
            }
            // Nobody knows that it was out.
            (false, false) => None,
            (true, false) => Some(self.say(Due::Back, known.claimed(now))),
            (true, true) if maybe_told => Some(self.say(Due::Out, Crossing::begin(n, now))),
            // Nobody knows that it was back.
            (true, true) => {
                let over = false;
                Some(Crossing {
                    over,
                    ..known.ended(true)
                })
            }
        }
    }

    fn say(&mut self, due: Due, crossing: Crossing) -> Crossing {
        self.due.push(due);
        crossing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level, the time, and what the team has heard.
    struct Story {
        level: Level,
        now: Timestamp,
    }

    impl Story {
        fn new(available: i64) -> Self {
            let level = Level {
                available,
                ..Level::default()
            };
            Self {
                level,
                now: Timestamp::UNIX_EPOCH,
            }
        }

        fn note(&mut self, after: Crossings) {
            self.level.crossings = after.count;
            self.level.low = after.low;
            self.level.outage = after.outage;
        }

        /// A run that claims, and dies.
        fn claim(&mut self, available: i64) -> Look {
            self.level.available = available;
            self.now += SignedDuration::from_mins(1);
            let look = look(&self.level, Some(10), 0, self.now);
            self.note(look.claimed.clone());
            look
        }

        /// A run that reaches the supplier and the team, or not.
        fn run(&mut self, available: i64, asked: bool, told: bool) -> Vec<Due> {
            let look = self.claim(available);
            assert!(!look.held);
            self.note(look.claimed.noted(&look.due, asked, told));
            look.due
        }

        fn goes(&mut self, available: i64) -> Vec<Due> {
            self.run(available, true, true)
        }
    }

    #[test]
    fn each_crossing_is_told_of_once() {
        let mut story = Story::new(11);
        assert_eq!(story.goes(11), []);
        assert_eq!(story.goes(10), [Due::Low]);
        assert_eq!(story.goes(2), []);
        assert_eq!(story.goes(0), [Due::Out]);
        assert_eq!(story.goes(-3), []);
        assert_eq!(story.goes(1), [Due::Back]);
        assert_eq!(story.goes(2), []);
        assert_eq!(story.level.outage, None);
        assert_eq!(story.goes(40), []);
        assert_eq!(story.level.low, None);
        // Both at once are one crossing.
        assert_eq!(story.goes(0), [Due::Out, Due::Low]);
        let n = story.level.crossings;
        assert_eq!(n, 3);
        assert_eq!(story.level.low.as_ref().map(|low| low.n), Some(n));
        assert_eq!(story.level.outage.as_ref().map(|out| out.n), Some(n));
        assert_eq!(story.goes(11), [Due::Back]);
        assert_eq!(
            Crossings::of(&story.level),
            Crossings {
                count: 3,
                ..Crossings::default()
            }
        );
    }

    #[test]
    fn without_a_reorder_point_only_nothing_is_little() {
        let at = |available, kept_back| {
            let level = Level {
                available,
                ..Level::default()
            };
            look(&level, None, kept_back, Timestamp::UNIX_EPOCH).due
        };
        assert_eq!(at(1, 0), []);
        assert_eq!(at(0, 0), [Due::Out]);
        assert_eq!(at(3, 2), []);
        assert_eq!(at(2, 2), [Due::Out], "nobody is promised what is kept back");
    }

    #[test]
    fn who_could_not_be_told_is_told_later_and_nobody_twice() {
        let mut story = Story::new(0);
        assert_eq!(story.run(0, true, false), [Due::Out, Due::Low]);
        assert!(story.level.low.as_ref().unwrap().asked);
        assert_eq!(story.run(0, false, true), [Due::Out, Due::Low]);
        assert_eq!(story.run(0, true, true), [Due::Low]);
        assert_eq!(story.goes(0), []);
        // That it is back could not be told, and it is out again: nothing has changed for anybody.
        assert_eq!(story.run(4, true, false), [Due::Back]);
        assert_eq!(story.goes(0), []);
        assert_eq!(story.run(4, true, false), [Due::Back]);
        assert_eq!(story.goes(4), [Due::Back]);
        // Nobody could be told that it was out: nobody hears that it is back.
        assert_eq!(story.run(0, true, false), [Due::Out]);
        assert_eq!(story.goes(4), []);
    }

    #[test]
    fn who_is_about_to_tell_is_waited_for_and_taken_for_dead_in_the_end() {
        let mut story = Story::new(0);
        assert_eq!(story.claim(0).due, [Due::Out, Due::Low]);
        let look = story.claim(0);
        assert!(look.held && look.due.is_empty());
        assert_eq!(look.claimed, Crossings::of(&story.level));
        let later = |story: &mut Story| story.now += LEASE;
        later(&mut story);
        assert_eq!(story.claim(0).due, [Due::Out, Due::Low]);
        // It may have been told of.
        later(&mut story);
        assert_eq!(story.claim(11).due, [Due::Back]);
        assert!(story.claim(11).held);
        later(&mut story);
        assert_eq!(story.goes(0), [Due::Out, Due::Low]);
        assert_eq!(story.level.crossings, 2);
    }

    #[test]
    fn what_was_noted_in_the_first_format_is_read_and_written_as_it_was() {
        for stored in [r#"{"n":3,"told":true}"#, r#"{"n":4,"told":false}"#] {
            let crossing: Crossing = serde_json::from_str(stored).unwrap();
            assert_eq!(serde_json::to_string(&crossing).unwrap(), stored);
        }
        let claimed = Crossing::begin(1, Timestamp::UNIX_EPOCH);
        let stored = r#"{"n":1,"told":false,"claimed_at":0}"#;
        assert_eq!(serde_json::to_string(&claimed).unwrap(), stored);
    }
}
