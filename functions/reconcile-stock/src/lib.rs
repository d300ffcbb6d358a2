//! On a schedule: holds every level against its ledger. What differs is noted for a person, and rings
//! the alarm; nothing is changed.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::limits::MAX_WALKS;
use domain::reconcile::{Reconciliation, Walk};
use domain::stock::Level;
use futures::future::join_all;
use jiff::ToSpan;
use runtime::function::handler;
use runtime::log::DISCREPANCIES;
use runtime::{Clock, Error, Function};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Store, StoreError, cursor_at, level_place, place_of};

/// Seconds that a run takes at most before it leaves the rest to the next one. Lambda ends it at 900.
const RUN_S: i64 = 600;

/// The function.
pub fn function() -> Function {
    Function {
        name: "reconcile-stock",
        variables: &["STOCK_TABLE"],
        init: |setup| {
            Box::pin(async move {
                let step = Step {
                    store: setup.store(),
                    clock: setup.clock,
                };
                Ok(handler(step, |step, event| step.run(event)))
            })
        },
    }
}

struct Step {
    store: Store,
    clock: Clock,
}

/// What an operator may add to the schedule's event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    /// Begin a round now, however long ago the last one began.
    now: bool,
    /// Take no longer than this.
    for_s: Option<i64>,
}

/// Levels that were read and are not looked at yet.
struct Pages {
    levels: VecDeque<Level>,
    from: Option<store::Cursor>,
    more: bool,
}

impl Step {
    /// Goes on with the round that is under way, or begins one. Runs at the same time do each other no
    /// harm: what they find has the same names, and only one of them gets to say how far it is.
    async fn run(self: Arc<Self>, event: Value) -> Result<Value, Error> {
        let wish: Wish = serde_json::from_value(event)?;
        let now = self.clock.now();
        let seconds = wish.for_s.unwrap_or(RUN_S).clamp(0, RUN_S);
        let until = now.checked_add(seconds.seconds())?;
        let mut state = match self.store.load_reconciliation().await? {
            None => Reconciliation::begin(0, now),
            Some(known) if !known.done => known,
            Some(known) if wish.now || known.is_due(now) => {
                Reconciliation::begin(known.version, now)
            }
            Some(known) => return Ok(told(&known, 0, 0)),
        };
        let (levels, differences) = (state.levels, state.differences);
        let ours = self.go_on(&mut state, until).await?;
        let found = state.differences - differences;
        DISCREPANCIES.write(found);
        match ours {
            true => Ok(told(&state, state.levels - levels, found)),
            false => Ok(json!({"elsewhere": true})),
        }
    }

    /// Works until the round or the time is over; whether nobody else has been at it meanwhile.
    async fn go_on(
        &self,
        state: &mut Reconciliation,
        until: jiff::Timestamp,
    ) -> Result<bool, StoreError> {
        let mut pages = Pages {
            levels: VecDeque::new(),
            from: state.after.as_ref().map(cursor_at),
            more: true,
        };
        while !state.done {
            if !state.walks.is_empty() {
                self.go_back(state).await?;
            } else if let Some(taken) = pages.take() {
                state.levels += taken.len() as u64;
                state.after = taken
                    .last()
                    .map(|level| level_place(&level.sku, &level.location, level.share));
                state.walks = taken.iter().map(Walk::begin).collect();
                self.note_ends(state).await?;
            } else if pages.more {
                // All that was read is done with: should this run die, the next one begins here.
                if !self.save(state).await? {
                    return Ok(false);
                }
                let (levels, next) = self.store.scan_levels(pages.from.take()).await?;
                (pages.levels, pages.more) = (levels.into(), next.is_some());
                pages.from = next;
                match &pages.from {
                    // Read in vain without looking at one of them, it would be read again by the next run.
                    _ if !pages.levels.is_empty() => continue,
                    Some(from) => state.after = place_of(from),
                    None => state.done = true,
                }
            } else {
                state.done = true;
            }
            if self.clock.now() >= until {
                break;
            }
        }
        self.save(state).await
    }

    /// Notes how far the round is, unless somebody else has.
    async fn save(&self, state: &mut Reconciliation) -> Result<bool, StoreError> {
        let before = state.version;
        state.version += 1;
        self.store.store_reconciliation(before, state).await
    }

    /// Goes further back in the ledgers that are being read, by one read each.
    async fn go_back(&self, state: &mut Reconciliation) -> Result<(), StoreError> {
        let reads = state.walks.iter().map(|walk| {
            let (sku, location) = (&walk.sku, &walk.location);
            self.store
                .ledger_before(sku, location, walk.share, walk.before())
        });
        let reads = join_all(reads).await;
        for (walk, read) in state.walks.iter_mut().zip(reads) {
            match read {
                Ok(movements) => walk.go_back(movements),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "a page of a ledger cannot be read");
                    walk.give_up();
                }
            }
        }
        self.note_ends(state).await
    }

    /// Notes what the walks that have ended have found, and forgets them.
    async fn note_ends(&self, state: &mut Reconciliation) -> Result<(), StoreError> {
        let now = self.clock.now();
        for walk in state.walks.iter().filter(|walk| walk.has_ended()) {
            for found in walk.findings(now) {
                let open = self.store.note_discrepancy(&found).await?;
                let is_fault = open && found.kind.is_fault();
                state.differences += u64::from(is_fault);
                if is_fault {
                    let (sku, location) = (&found.sku, &found.location);
                    tracing::error!(
                        sku,
                        location,
                        // In units: the log does not know the article.
                        text = found.describe(0),
                        "the books are wrong"
                    );
                }
            }
        }
        state.walks.retain(|walk| !walk.has_ended());
        Ok(())
    }
}

impl Pages {
    /// The next levels to look at together.
    fn take(&mut self) -> Option<Vec<Level>> {
        let count = self.levels.len().min(MAX_WALKS);
        (count > 0).then(|| self.levels.drain(..count).collect())
    }
}

/// What a run came to.
fn told(state: &Reconciliation, levels: u64, differences: u64) -> Value {
    json!({"levels": levels, "differences": differences, "done": state.done})
}
