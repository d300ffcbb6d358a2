//! Tells subscribers what has happened to an order: each event as a signed Standard Webhook, or on a bus of EventBridge,
//! one after the other, and again on the published schedule if it is not taken.
//!
//! What a subscriber has not taken is noted before the order counts as published. So whoever dies in between has
//! it told again, and nothing is left out.

mod send;
mod silent;

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{Attempt, Delivery, Outcome as Sent};
use domain::feed::event_id;
use domain::subscriber::Subscriber;
use domain::{OrderId, Step};
use futures::future::join_all;
use jiff::Timestamp;
use runtime::bus::Bus;
use runtime::cached::Cached;
use runtime::log::UNDELIVERED;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::secrets::Secrets;
use runtime::web::Web;
use runtime::{Clock, Emit, Function, Hint};
use store::{Committed, Store, StoreError, Story};

use crate::silent::Silent;

/// How long a turn begins to send events for: what is left then has a turn of its own.
const SENDS_FOR: Duration = Duration::from_secs(20);
/// Seconds that a message can wait for the next time that an event is sent. What waits longer is found by
/// `resume-deliveries`.
const WAITS_S: i64 = 60;

/// The function.
pub fn function() -> Function {
    Function {
        name: "publish-events",
        variables: &[
            "ORDERS_TABLE",
            "REFERENCE_TABLE",
            "PUBLISH_EVENTS_QUEUE",
            "DEAD_LETTERS_QUEUE",
            "SECRETS_PREFIX",
            "EVENT_BUS",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let publisher = Publisher {
                    store,
                    web: setup.web.clone(),
                    bus: setup.bus(),
                    secrets: setup.signing_secrets(),
                    silent: Silent::default(),
                    subscribers: Cached::new(setup.clock.clone()),
                    clock: setup.clock.clone(),
                };
                Ok(one_by_one(
                    "publish-events",
                    &setup,
                    publisher,
                    |publisher, hint| async move { publisher.take(hint).await },
                ))
            })
        },
    }
}

struct Publisher {
    store: Store,
    web: Arc<dyn Web>,
    bus: Arc<dyn Bus>,
    secrets: Secrets,
    silent: Silent,
    subscribers: Cached<Vec<Subscriber>>,
    clock: Clock,
}

/// What came of a subscriber's turn.
#[derive(Default)]
struct Turn {
    /// There was no time for all of it.
    unfinished: bool,
    /// It has taken some of it.
    moved: bool,
    /// When it is to be sent again what it has not taken.
    due_at: Option<Timestamp>,
}

impl Publisher {
    async fn take(&self, hint: Hint) -> Handled {
        let Hint::Order(id, _) = hint else {
            return Outcome::Permanent("expected a hint at an order".into()).into();
        };
        match self.publish(&id).await {
            Ok(handled) | Err(handled) => handled,
        }
    }

    async fn publish(&self, id: &OrderId) -> Result<Handled, Handled> {
        let Some(story) = self.store.load_story(id).await? else {
            return Err(Outcome::Permanent("there is no such order".into()).into());
        };
        let order = &story.order;
        if order.published.is_none() {
            return Err(Outcome::Ignored("nobody hears of it".into()).into());
        }
        let subscribers = self.listening(&story).await?;
        // Who has heard nothing of it, though all of it is handed over, was entered since, and has not asked.
        let hears = |subscriber: &&Subscriber| {
            order.is_unpublished() || story.delivery(&subscriber.id).is_some()
        };
        let turns = subscribers.iter().filter(hears);
        let turns = turns.map(|subscriber| self.turn(subscriber, &story));
        let turns: Vec<Turn> = join_all(turns)
            .await
            .into_iter()
            .collect::<Result<_, _>>()?;
        self.forget_the_deaf(&subscribers, &story).await?;
        let mut again = turns.iter().any(|turn| turn.unfinished);
        if !again && order.is_unpublished() {
            // Who has changed it meanwhile has not told us: that there is more to tell was owed before.
            again = matches!(
                self.store.publish_order(order).await?,
                Committed::Conflict(_)
            );
        }
        let hint = Emit {
            step: Step::PublishEvents,
            hint: Hint::Order(id.clone(), None),
        };
        let now = self.clock.now();
        let wait = turns.iter().filter_map(|turn| turn.due_at).min();
        // It may be over already: another subscriber has taken its time.
        let wait_s = wait.map(|due_at| (due_at.as_second() - now.as_second()).max(0));
        let wait_s = wait_s.filter(|wait_s| *wait_s <= WAITS_S);
        // A queue gives up on a message after some times; one that has brought about something is done, and what is
        // left waits with its own.
        let moved = turns.iter().any(|turn| turn.moved);
        again |= moved && wait_s.is_some();
        Ok(Handled {
            outcome: match wait_s.filter(|_| !moved) {
                Some(wait_s) => Outcome::Later(wait_s, "a subscriber has not taken it".into()),
                None => Outcome::Done,
            },
            emits: again.then_some(hint).into_iter().collect(),
            left: None,
            untold: Vec::new(),
        })
    }

    /// The subscribers that are on. Those who are waited for, and are not among them, may have been entered just now.
    async fn listening(&self, story: &Story) -> Result<Vec<Subscriber>, StoreError> {
        let known = self.subscribers.get(self.store.subscribers()).await?;
        let is_on = |delivery: &Delivery| {
            let mut known = known.iter();
            known.any(|known| known.id == delivery.subscriber && known.enabled)
        };
        let mut waited_for = story.deliveries.iter().filter(|d| d.due_at.is_some());
        let known = match waited_for.all(is_on) {
            true => known.to_vec(),
            false => self.store.subscribers().await?,
        };
        Ok(known.into_iter().filter(|known| known.enabled).collect())
    }

    /// Waits no longer for those who are off, or are no more.
    async fn forget_the_deaf(
        &self,
        subscribers: &[Subscriber],
        story: &Story,
    ) -> Result<(), Handled> {
        let is_on = |delivery: &&Delivery| subscribers.iter().any(|s| s.id == delivery.subscriber);
        let deliveries = story.deliveries.iter();
        for deaf in deliveries.filter(|d| d.due_at.is_some() && !is_on(d)) {
            self.save(&deaf.at_rest()).await?;
        }
        Ok(())
    }

    async fn save(&self, delivery: &Delivery) -> Result<(), Handled> {
        match self.store.save_delivery(&delivery.clone().turned()).await? {
            true => Ok(()),
            // Whoever that was may have sent less, or have had another answer.
            false => {
                let why = "somebody else tells the subscriber of the same order";
                Err(Outcome::Transient(why.into()).into())
            }
        }
    }

    /// Sends a subscriber what it has not heard of an order, as far as it takes it and there is time.
    async fn turn(&self, subscriber: &Subscriber, story: &Story) -> Result<Turn, Handled> {
        let (order, started_at) = (&story.order, self.clock.now());
        let known = story.delivery(&subscriber.id);
        let new = || Delivery::new(&order.id, &subscriber.id);
        let mut delivery = known.cloned().unwrap_or_else(new);
        let (mut attempts, mut turn) = (Vec::new(), Turn::default());
        if delivery.rests(started_at) {
            // The hint waits for that: somebody whose clock is ahead may be sending it what was there before, and
            // nothing of the delivery is due when he has done.
            turn.due_at = delivery.due_at;
            return Ok(turn);
        }
        while let Some(sequence) = delivery.next(order.version, started_at) {
            let place = usize::try_from(sequence - 1).unwrap_or(usize::MAX);
            let Some(entry) = story.timeline.entries.get(place) else {
                let why = format!("event {sequence} of the order is missing");
                return Err(Outcome::Permanent(why).into());
            };
            if !subscriber.wants(&entry.event) {
                delivery = delivery.taken(sequence);
                continue;
            }
            if !attempts.is_empty() && !self.clock.within(started_at, SENDS_FOR) {
                // It is due: the hint at what is left may be lost.
                (turn.unfinished, delivery) = (true, delivery.due(started_at));
                break;
            }
            let answer = self.send(subscriber, story, sequence, entry).await?;
            let before = delivery.clone();
            let sent = match answer.status {
                Some(200..300) => Sent::Delivered,
                Some(410) => Sent::Gone,
                _ => Sent::Failed,
            };
            turn.moved |= sent == Sent::Delivered;
            delivery = match sent {
                Sent::Delivered => before.taken(sequence),
                Sent::Gone => before.at_rest(),
                _ => before.refused(order.version, self.clock.now()),
            };
            let given_up = sent == Sent::Failed && delivery.due_at.is_none();
            attempts.push(Attempt {
                subscriber: subscriber.id.clone(),
                event: event_id(order, sequence),
                at: answer.at,
                attempt: before.failed + 1,
                outcome: if given_up { Sent::GivenUp } else { sent },
                status: answer.status,
                error: answer.error,
                duration_ms: answer.duration_ms,
            });
            if sent == Sent::Gone {
                self.switch_off(subscriber).await?;
            }
            if given_up {
                tracing::error!(subscriber = subscriber.id, order = %order.id, sequence, "an event is given up");
                UNDELIVERED.write(1);
            }
            if sent != Sent::Delivered {
                turn.due_at = delivery.due_at;
                break;
            }
        }
        let waited = known.is_some_and(|known| known.due_at.is_some());
        if attempts.is_empty() && !waited {
            // What it does not want is passed over again the next time.
            return Ok(turn);
        }
        if attempts.is_empty() {
            delivery = delivery.at_rest();
        }
        // The log first: it tells of all that was sent, if not of it once.
        self.store.log_attempts(&order.id, &attempts).await?;
        self.save(&delivery).await?;
        Ok(turn)
    }

    async fn switch_off(&self, subscriber: &Subscriber) -> Result<(), StoreError> {
        let Subscriber { id, url, .. } = subscriber;
        let now = self.clock.now();
        if self.store.switch_off(id, url, now).await? {
            tracing::error!(subscriber = id, "a subscriber is gone, and is switched off");
            UNDELIVERED.write(1);
        }
        Ok(())
    }
}
