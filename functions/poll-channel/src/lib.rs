//! On a schedule: asks the API of each account's channel which orders have changed, and has them fetched. It
//! catches what webhooks missed, and is all that some channels have.
//!
//! Accounts are asked side by side, each in its own time and for so many pages at most: one that fails, is
//! slow, or has a flood of orders does not hold up another.

use std::sync::Arc;
use std::time::Duration;

use channels::vendor::Page;
use domain::Step;
use domain::limits::{MAX_PAGES_PER_POLL, MAX_UNPOLLED_S};
use domain::poll::Poll;
use futures::StreamExt;
use futures::stream;
use intake::{Failure, Vendors};
use jiff::{Timestamp, ToSpan};
use runtime::function::handler;
use runtime::{Changed, Clock, Emit, Error, Function, Hint, Outbox};
use serde_json::{Value, json};
use store::Store;

/// Accounts that are asked at the same time.
const AT_ONCE: usize = 16;
/// How long a run begins new pages for: what is left then is for the next run.
const ASKS_FOR: Duration = Duration::from_secs(120);

/// The function.
pub fn function() -> Function {
    Function {
        name: "poll-channel",
        variables: &["REFERENCE_TABLE", "FETCH_ORDER_QUEUE", "SECRETS_PREFIX"],
        init: |setup| {
            Box::pin(async move {
                let clock = setup.clock.clone();
                let run = Run {
                    store: setup.store(),
                    outbox: setup.outbox(),
                    vendors: Vendors::new(setup.web.clone(), setup.accesses(), clock.clone()),
                    clock,
                };
                Ok(handler(run, |run, _| run.all()))
            })
        },
    }
}

struct Run {
    store: Store,
    outbox: Outbox,
    vendors: Vendors,
    clock: Clock,
}

/// What came of an account's turn.
struct Turn {
    handed_on: usize,
    /// Why it ended before its time, and whether a person has to know.
    failure: Option<(String, bool)>,
}

impl Run {
    async fn all(self: Arc<Self>) -> Result<Value, Error> {
        let started_at = self.clock.now();
        let mut polls = self.store.polls().await?;
        if polls.is_empty() {
            return Ok(json!({"accounts": 0, "handed_on": 0, "failed": 0}));
        }
        // Should there be time for some of them only, they are others in each run.
        let first = usize::try_from(started_at.as_second() / 60).unwrap_or(0) % polls.len();
        polls.rotate_left(first);
        let accounts = polls.len();
        let turns: Vec<Turn> = stream::iter(polls)
            .map(|poll| self.turn(poll, started_at))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let handed_on: usize = turns.iter().map(|turn| turn.handed_on).sum();
        let failures: Vec<_> = turns.into_iter().filter_map(|turn| turn.failure).collect();
        let grave = failures.iter().filter(|(_, grave)| *grave);
        match grave.clone().next() {
            Some((first, _)) => {
                let count = grave.count();
                Err(format!("{count} accounts cannot be asked, the first: {first}").into())
            }
            None => Ok(json!({
                "accounts": accounts, "handed_on": handed_on, "failed": failures.len(),
            })),
        }
    }

    /// Asks for one account's changed orders, page by page.
    async fn turn(&self, poll: Poll, started_at: Timestamp) -> Turn {
        let (channel, account) = (poll.channel.clone(), poll.account.clone());
        let polled_at = poll.polled_at.unwrap_or(poll.since);
        let mut handed_on = 0;
        let ended = self.pages(poll, started_at, &mut handed_on).await;
        let failure = ended.err().map(|failure| {
            let late = polled_at.saturating_add(MAX_UNPOLLED_S.seconds());
            let passing = matches!(failure, Failure::Again(..));
            let grave = !passing || late.is_ok_and(|late| late < self.clock.now());
            // What cannot be read may quote a document.
            let why = match failure {
                Failure::Unreadable(_) => "a page of orders cannot be read".to_owned(),
                failure => failure.to_string(),
            };
            tracing::warn!(channel, account, why, "an account cannot be asked");
            (format!("{channel}/{account}: {why}"), grave)
        });
        Turn { handed_on, failure }
    }

    async fn pages(
        &self,
        mut poll: Poll,
        started_at: Timestamp,
        handed_on: &mut usize,
    ) -> Result<(), Failure> {
        let channel = channels::by_name(&poll.channel).ok_or(Failure::NoAccess)?;
        let api = channel.api().ok_or(Failure::NoAccess)?;
        let changes = api.changes().ok_or(Failure::NoAccess)?;
        for _ in 0..MAX_PAGES_PER_POLL {
            let now = self.clock.now();
            if !self.clock.within(started_at, ASKS_FOR) {
                break;
            }
            let walk = poll.walk(now);
            let asked = self.vendors.changes(channel, changes, &poll.account, &walk);
            let Page { orders, next } = match asked.await {
                // Names of pages are forgotten after a while.
                Err(Failure::Refused(_) | Failure::Missing) if !walk.page.is_empty() => {
                    poll = poll.begin_again();
                    if !self.save(&poll).await? {
                        break;
                    }
                    continue;
                }
                page => page?,
            };
            let times: Vec<Timestamp> = orders.iter().filter_map(|hint| hint.as_of).collect();
            let hint = |order: channels::Hint| Emit {
                step: Step::FetchOrder,
                hint: Hint::Changed(Changed {
                    channel: poll.channel.clone(),
                    account: poll.account.clone(),
                    external_id: order.external_id,
                    as_of: order.as_of,
                }),
            };
            let emits: Vec<Emit> = orders.into_iter().map(hint).collect();
            // Only what is on its way may be left behind.
            let sent = self.outbox.send_all(&emits).await;
            sent.map_err(|why| Failure::Again(0, format!("hints are not on their way: {why}")))?;
            *handed_on += emits.len();
            let next = next.as_deref();
            poll = poll.after(&walk, changes.is_sorted(), &times, next, now);
            if !self.save(&poll).await? || poll.walk.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Whether it is ours to go on.
    async fn save(&self, poll: &Poll) -> Result<bool, Failure> {
        let saved = self.store.save_poll(poll).await;
        saved.map_err(|error| Failure::Again(0, error.to_string()))
    }
}
