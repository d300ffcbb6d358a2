//! How far the orders of a channel's account are known, by the channel's own times of their changes.
//!
//! A *walk* goes from there to the newest change, page by page, over several runs if it is long. What
//! it finds is handed on before the walk goes on: a walk that is broken off repeats, and never leaves
//! out. Orders change while it is under way; each is found as it was, or later as it has become:
//!
//! - Where a vendor sorts by the time of change, a page is followed by the first page of what has
//!   changed since its last entry: whatever changes moves to the end, behind the walk's place. Only where
//!   a whole page is of one second are further pages read: to the end of that second, and from there back
//!   to the first page. What leaves that second lets the rest move towards the first page, and so towards
//!   the walk.
//! - Elsewhere the whole list is walked by the names of its pages.
//!
//! What changes while a walk is under way is for the next one: nothing after its beginning counts as known. And a
//! vendor may show a change late, and have a clock that is behind ours: so a walk begins [`OVERLAP_S`] before what
//! is known, until that long has passed without anything newer.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::is_default;
use crate::limits::OVERLAP_S;

/// How far an account's orders are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// The channel.
    pub channel: String,
    /// The account's name in our paths.
    pub account: String,
    /// What changed before this, by the channel's own time, is handed on, as far as it could be seen.
    pub since: Timestamp,
    /// When that was found, by our own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Nothing that changed before it can turn up any more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settled: bool,
    /// When a walk last came to its end, by our own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Timestamp>,
    /// The walk that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// How often it has been written: of two who go on from the same place, one does.
    #[serde(default)]
    pub turn: u64,
}

/// Where a walk is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The time of change that is asked from, by the channel's own time.
    pub from: Timestamp,
    /// The page to ask for; empty: the first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub page: String,
    /// It is on its way back to the first page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub back: bool,
    /// When it began, by our own time.
    pub began_at: Timestamp,
    /// The newest change that it has found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(seconds.seconds()).unwrap_or(at)
}

impl Poll {
    /// An account whose orders are to be found that change from now on.
    pub fn new(channel: &str, account: &str, now: Timestamp) -> Self {
        Self {
            channel: channel.into(),
            account: account.into(),
            since: now,
            seen_at: None,
            settled: false,
            polled_at: None,
            walk: None,
            turn: 0,
        }
    }

    /// The walk that is under way, or one that begins.
    pub fn walk(&self, now: Timestamp) -> Walk {
        let begin = || Walk {
            from: match self.settled {
                true => self.since,
                false => later(self.since, -OVERLAP_S),
            },
            page: String::new(),
            back: false,
            began_at: now,
            newest: None,
        };
        self.walk.clone().unwrap_or_else(begin)
    }

    /// What is known once a page's orders, with these times of change, are handed on. `sorted`: they come by
    /// these times, which are whole seconds, and pages have numbers. `next`: what the next page is called.
    pub fn after(
        &self,
        walk: &Walk,
        sorted: bool,
        times: &[Timestamp],
        next: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let last = times.iter().max().copied();
        let mut walk = Walk {
            newest: walk.newest.max(last),
            ..walk.clone()
        };
        let ends = match (sorted, next) {
            (true, _) => walk.go_on(last, next),
            (false, Some(next)) => {
                walk.page = next.to_owned();
                false
            }
            (false, None) => true,
        };
        match ends {
            true => self.end(&walk, now),
            false => Self {
                walk: Some(walk),
                turn: self.turn + 1,
                ..self.clone()
            },
        }
    }

    /// A walk begins anew: the vendor no longer knows the page that it was at.
    pub fn begin_again(&self) -> Self {
        Self {
            walk: None,
            turn: self.turn + 1,
            ..self.clone()
        }
    }

    fn end(&self, walk: &Walk, now: Timestamp) -> Self {
        // What changed after it had begun may have changed behind it, or have been shown too late for it.
        let newest = walk.newest.map(|newest| newest.min(walk.began_at));
        let mut next = Self {
            polled_at: Some(now),
            walk: None,
            turn: self.turn + 1,
            ..self.clone()
        };
        match newest.filter(|newest| *newest > self.since) {
            Some(newest) => {
                next.since = newest;
                next.seen_at = Some(now);
                next.settled = false;
            }
            None if self.settled => {}
            None => {
                let seen_at = *next.seen_at.get_or_insert(now);
                next.settled = walk.began_at >= later(seen_at, OVERLAP_S);
                if next.settled {
                    next.since = later(self.since, 1);
                }
            }
        }
        next
    }
}

impl Walk {
    /// Goes on over pages that are sorted; whether it has come to its end. `last`: the newest change of the
    /// page that was read.
    fn go_on(&mut self, last: Option<Timestamp>, next: Option<&str>) -> bool {
        let page: u32 = self.page.parse().unwrap_or(1);
        let beyond = last.filter(|last| *last > self.from);
        match (self.back, page) {
            // All of this second is handed on.
            (true, ..=1) => *self = self.at(later(self.from, 1)),
            (true, page) => self.page = (page - 1).to_string(),
            (false, ..=1) => match (next, beyond) {
                (None, _) => return true,
                (Some(_), Some(last)) => *self = self.at(last),
                (Some(next), None) => self.page = next.to_owned(),
            },
            (false, page) => match next.filter(|_| beyond.is_none()) {
                Some(next) => self.page = next.to_owned(),
                None => {
                    self.page = (page - 1).to_string();
                    self.back = true;
                }
            },
        }
        false
    }

    fn at(&self, from: Timestamp) -> Self {
        Self {
            from,
            page: String::new(),
            back: false,
            ..self.clone()
        }
    }
}
