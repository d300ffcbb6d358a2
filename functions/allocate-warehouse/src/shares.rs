//! What is remembered of articles whose levels are split into shares: of others, nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::stock::Level;
use jiff::Timestamp;

/// How long a location is believed to have nothing in any share, where that only decides which location sends: an
/// order that would get nothing at all has every share asked.
const BELIEVED: Duration = Duration::from_secs(1);

/// How many shares there are, and where all of them are empty.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    counts: BTreeMap<String, u8>,
    empty: BTreeMap<(String, String), Timestamp>,
}

impl Shares {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many shares a SKU has, as far as is known. There are never fewer.
    pub(crate) fn count(&self, sku: &str) -> u8 {
        self.known().counts.get(sku).copied().unwrap_or(1)
    }

    /// The share that a batch looks into first; `spread` is its own number.
    pub(crate) fn of_batch(&self, sku: &str, spread: u64) -> u8 {
        let share = spread % u64::from(self.count(sku));
        u8::try_from(share).unwrap_or(0)
    }

    /// Notes what a level says of its shares.
    pub(crate) fn note(&self, level: &Level) {
        let known = &mut *self.known();
        if level.shares > known.counts.get(&level.sku).copied().unwrap_or(1) {
            known.counts.insert(level.sku.clone(), level.shares);
        }
    }

    /// Notes that no share has anything in a location.
    pub(crate) fn note_empty(&self, sku: &str, location: &str, now: Timestamp) {
        let known = &mut *self.known();
        known.empty.retain(|_, since| is_new(*since, now));
        known
            .empty
            .insert((sku.to_owned(), location.to_owned()), now);
    }

    /// Whether no share had anything in a location a moment ago.
    pub(crate) fn is_empty(&self, sku: &str, location: &str, now: Timestamp) -> bool {
        let key = (sku.to_owned(), location.to_owned());
        let since = self.known().empty.get(&key).copied();
        since.is_some_and(|since| is_new(since, now))
    }
}

fn is_new(since: Timestamp, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    !passed.is_negative() && passed.unsigned_abs() < BELIEVED
}
