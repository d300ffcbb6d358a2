//! Batches from a queue: each message read by itself, each with its own outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use domain::owed::owed;
use domain::{Order, Step};
use futures::FutureExt;
use futures::future::join_all;
use store::StoreError;

use crate::Hint;
use crate::function::Handler;
use crate::log::Closing;
use crate::outbox::{Emit, Outbox};
use crate::setup::Setup;
use crate::sqs::{Delivery, Queues};

/// Seconds until a message that failed for a passing reason is tried again, doubled each time.
const BACKOFF_S: i64 = 5;
/// Seconds that the doubling ends at.
const MAX_BACKOFF_S: i64 = 900;

/// What came of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The work is done.
    Done,
    /// The work had been done before.
    AlreadyDone,
    /// There is nothing to do, for this reason.
    Ignored(String),
    /// It did not work now; it may work later.
    Transient(String),
    /// It did not work now, and somebody has asked not to be asked again for so many seconds.
    Later(i64, String),
    /// It will not work, however often it is tried: a person has to look at it.
    Permanent(String),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyDone => "already_done",
            Self::Ignored(_) => "ignored",
            Self::Transient(_) | Self::Later(..) => "transient",
            Self::Permanent(_) => "permanent",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Done | Self::AlreadyDone => None,
            Self::Ignored(reason)
            | Self::Transient(reason)
            | Self::Later(_, reason)
            | Self::Permanent(reason) => Some(reason),
        }
    }
}

impl Outcome {
    /// What a failure of the store means for a message.
    pub fn from_store(error: &StoreError) -> Self {
        match error.is_transient() {
            true => Self::Transient(error.to_string()),
            false => Self::Permanent(error.to_string()),
        }
    }
}

/// What a step makes of a hint: the outcome, and the hints that follow. The message is only
/// acknowledged when these are on their way.
#[derive(Debug, Clone)]
pub struct Handled {
    /// What came of it.
    pub outcome: Outcome,
    /// What follows.
    pub emits: Vec<Emit>,
    /// The order as the work has left it, if it was one order's. When the message had come before,
    /// all that this order is owed is told of, not only what is new: whoever worked on the message
    /// then may have died between a commit of his own and its hints.
    pub left: Option<Arc<Order>>,
    /// What else is to be told of when the message had come before, for the same reason.
    pub untold: Vec<Emit>,
}

impl Handled {
    /// For a step that does one piece of its work a message: tells it of what is left of that. Each piece
    /// had a hint of its own, but one that was lost would wait for the sweeper, and several for as many sweeps.
    pub fn and_the_rest(mut self, step: Step) -> Self {
        let told = self.emits.iter().any(|emit| emit.step == step);
        let left = self.left.iter().filter(|_| !told);
        let left = left.filter(|order| owed(order).iter().any(|work| work.step() == step));
        self.emits
            .extend(left.flat_map(|order| Emit::each(vec![step], order)));
        self
    }

    /// What follows from a message that has come before.
    fn again(mut self) -> Self {
        let owed = self.left.iter().flat_map(Emit::again);
        let owed: Vec<Emit> = owed
            .filter(|owed| !self.emits.iter().any(|emit| emit.step == owed.step))
            .collect();
        self.emits.extend(owed);
        self.emits.append(&mut self.untold);
        self
    }
}

impl From<Outcome> for Handled {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            emits: Vec::new(),
            left: None,
            untold: Vec::new(),
        }
    }
}

impl From<StoreError> for Handled {
    fn from(error: StoreError) -> Self {
        Outcome::from_store(&error).into()
    }
}

impl From<Result<store::Driven, StoreError>> for Handled {
    /// What follows from driving an order: new work after a change; all that is owed when the
    /// change was there already, because its maker may have died before it told anybody.
    fn from(driven: Result<store::Driven, StoreError>) -> Self {
        match driven {
            Ok(store::Driven::Changed(before, after)) => Self {
                outcome: Outcome::Done,
                emits: Emit::after(&before, &after),
                left: Some(after),
                untold: Vec::new(),
            },
            Ok(store::Driven::Unchanged(order)) => Self {
                outcome: Outcome::AlreadyDone,
                emits: Emit::again(&order),
                left: None,
                untold: Vec::new(),
            },
            Ok(store::Driven::Missing) => {
                Outcome::Permanent("there is no such order".into()).into()
            }
            Err(error) => error.into(),
        }
    }
}

/// What every queue function has besides its own state.
struct Lane<S> {
    name: &'static str,
    queues: Arc<dyn Queues>,
    outbox: Outbox,
    step: S,
}

/// A handler that gives each message to `step` by itself, all of a batch at once.
pub fn one_by_one<S, F, A>(name: &'static str, setup: &Setup, state: S, step: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Hint) -> A + Send + Sync + 'static,
    A: Future<Output = Handled> + Send + 'static,
{
    let state = Arc::new(state);
    whole_batch(name, setup, (), move |_, hints| {
        let works: Vec<_> = hints
            .into_iter()
            .map(|hint| step(Arc::clone(&state), hint))
            .collect();
        async move {
            // Each is caught by itself: one panic must not cost the others their outcome.
            let caught = works
                .into_iter()
                .map(|work| AssertUnwindSafe(work).catch_unwind());
            let results = join_all(caught).await.into_iter();
            results
                .map(|result| result.unwrap_or_else(|_| panicked()))
                .collect()
        }
    })
}

/// A handler that gives `step` a whole batch, for steps that commit many orders together. It
/// answers for each hint, in order.
pub fn whole_batch<S, F, A>(name: &'static str, setup: &Setup, state: S, step: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Vec<Hint>) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<Handled>> + Send + 'static,
{
    let state = Arc::new(state);
    let queues = setup.queues();
    let lane = Arc::new(Lane {
        name,
        outbox: Outbox::new(Arc::clone(&queues)),
        queues,
        step: move |hints: Vec<Hint>| step(Arc::clone(&state), hints),
    });
    Handler::Queue(Arc::new(move |batch| {
        let lane = Arc::clone(&lane);
        Box::pin(async move { lane.take(batch).await })
    }))
}

fn panicked() -> Handled {
    Outcome::Transient("panicked".into()).into()
}

/// Whether each readable message of a batch has come before, or another one about the same thing has:
/// a step answers for all of them with the first, so that this answer has to tell what the
/// predecessor of any of them may have left untold.
fn come_before(batch: &[Delivery]) -> Vec<bool> {
    let readable: Vec<(u32, &Hint)> = batch
        .iter()
        .filter_map(|delivery| Some((delivery.attempt, delivery.hint.as_ref().ok()?)))
        .collect();
    let again = |&(_, hint): &(u32, &Hint)| {
        let mut others = readable.iter();
        others.any(|(attempt, other)| *attempt > 1 && other.is_about_the_same_as(hint))
    };
    readable.iter().map(again).collect()
}

impl<F, A> Lane<F>
where
    F: Fn(Vec<Hint>) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<Handled>> + Send + 'static,
{
    /// Works on a batch; the ids of the messages that are to come again.
    async fn take(&self, batch: Vec<Delivery>) -> Vec<String> {
        let started = Instant::now();
        let come_before = come_before(&batch);
        let hints = batch
            .iter()
            .filter_map(|delivery| delivery.hint.as_ref().ok());
        // The state that a message carried when it came first is old when it comes again, so that the
        // store is asked.
        let believed = hints.zip(&come_before).map(|(hint, again)| match again {
            true => hint.unseen(),
            false => hint.clone(),
        });
        let readable: Vec<Hint> = believed.collect();
        let count = readable.len();
        let handled = match count {
            0 => Vec::new(),
            _ => AssertUnwindSafe((self.step)(readable))
                .catch_unwind()
                .await
                .unwrap_or_default(),
        };
        // A step that panicked, or forgot an answer, has answered for none.
        let handled = match handled.len() == count {
            true => handled,
            false => (0..count).map(|_| panicked()).collect(),
        };
        let handled = handled.into_iter().zip(come_before);
        let handled = handled.map(|(handled, come_before)| match come_before {
            true => handled.again(),
            false => handled,
        });
        let handled = handled.collect();
        let mut handled = self.send(handled).await.into_iter();
        let settled = batch.into_iter().map(|delivery| {
            let outcome = match &delivery.hint {
                Ok(_) => handled
                    .next()
                    .unwrap_or_else(|| Outcome::Transient("no answer".into())),
                Err(why) => Outcome::Permanent(format!("the message cannot be read: {why}")),
            };
            async move {
                let again = self.settle(&delivery, &outcome).await;
                Closing {
                    step: self.name,
                    subject: &delivery
                        .hint
                        .as_ref()
                        .map(Hint::subject)
                        .unwrap_or_default(),
                    message: &delivery.message,
                    attempt: delivery.attempt,
                    outcome: outcome.name(),
                    reason: outcome.reason(),
                    duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                }
                .write();
                again.then_some(delivery.message)
            }
        });
        join_all(settled).await.into_iter().flatten().collect()
    }

    /// Sends what follows from all messages of the batch together; a message whose hints are not on
    /// their way has not succeeded.
    async fn send(&self, mut handled: Vec<Handled>) -> Vec<Outcome> {
        let counts: Vec<usize> = handled.iter().map(|h| h.emits.len()).collect();
        let emits = handled
            .iter_mut()
            .flat_map(|h| std::mem::take(&mut h.emits));
        let emits: Vec<Emit> = emits.collect();
        let mut sent = self.outbox.send(&emits).await.into_iter();
        let outcome = |(handled, count): (Handled, usize)| {
            let own: Vec<_> = sent.by_ref().take(count).collect();
            match own.into_iter().collect::<Result<(), String>>() {
                Ok(()) => handled.outcome,
                Err(why) => Outcome::Transient(format!("a hint was not sent: {why}")),
            }
        };
        handled.into_iter().zip(counts).map(outcome).collect()
    }

    /// Ends a message as its outcome says; whether it is to come again.
    async fn settle(&self, delivery: &Delivery, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Done | Outcome::AlreadyDone | Outcome::Ignored(_) => false,
            Outcome::Transient(_) => {
                self.back_off(delivery, 0).await;
                true
            }
            Outcome::Later(seconds, _) => {
                self.back_off(delivery, *seconds).await;
                true
            }
            Outcome::Permanent(reason) => {
                let parked = self.queues.park(delivery, self.name, reason).await;
                if let Err(error) = &parked {
                    let message = &delivery.message;
                    tracing::error!(step = self.name, message, error, "cannot park a message");
                }
                parked.is_err()
            }
        }
    }

    /// Lets the message rest before it comes again, for so many seconds at least, longer each time, and not
    /// all at once.
    async fn back_off(&self, delivery: &Delivery, least_s: i64) {
        let doubled = BACKOFF_S.saturating_mul(1 << delivery.attempt.saturating_sub(1).min(8));
        let most = doubled.min(MAX_BACKOFF_S);
        let message = &delivery.message;
        // Any spread will do: that of the message's own random id needs no generator.
        let spread = i64::from(message.bytes().map(u32::from).sum::<u32>());
        let seconds = least_s + most / 2 + spread % (most / 2 + 1);
        let seconds = i32::try_from(seconds).unwrap_or(0);
        if let Err(error) = self.queues.defer(delivery, seconds).await {
            // Then it comes again when the queue's own time-out is over.
            tracing::warn!(step = self.name, message, error, "cannot defer a message");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::OrderId;

    use super::*;

    #[test]
    fn a_message_beside_one_that_came_before_is_answered_as_if_it_had() {
        let delivery = |attempt, body: String| Delivery {
            message: String::new(),
            receipt: String::new(),
            queue: String::new(),
            attempt,
            hint: Hint::parse(&body),
            body,
        };
        let order = |n: &str| format!(r#"{{"order":"{}"}}"#, OrderId::of("api", "main", n));
        let fact = |id: &str| format!(r#"{{"sku":"CUP","fact":"{id}"}}"#);
        let batch = [
            delivery(1, order("1")),
            delivery(1, order("2")),
            delivery(3, "nonsense".into()),
            delivery(2, order("1")),
            delivery(1, fact("a")),
            delivery(2, fact("b")),
            delivery(1, fact("b")),
        ];
        assert_eq!(
            come_before(&batch),
            [true, false, true, false, true, true],
            "of the readable ones"
        );
    }
}
