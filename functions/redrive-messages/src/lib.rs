//! Lists what the steps gave up on, and sends it back to them.

mod request;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::limits::MAX_PARKED;
use domain::{Problem, Step};
use futures::future::join_all;
use runtime::auth::Keys;
use runtime::http::{Answer, Request, answer};
use runtime::{DeadLetters, Function, Parked};
use serde::Serialize;

use request::{Body, Wish};
use view::{Fate, Shown};

/// Messages that are sent back at a time.
const AT_ONCE: usize = 10;

/// The function.
pub fn function() -> Function {
    Function {
        name: "redrive-messages",
        variables: &[
            "REFERENCE_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
            "UPDATE_CHANNEL_QUEUE",
            "FETCH_ORDER_QUEUE",
            "PUBLISH_EVENTS_QUEUE",
            "ALLOCATE_WAREHOUSE_DEAD_LETTERS",
            "NOTIFY_WAREHOUSE_DEAD_LETTERS",
            "SHIP_ORDER_DEAD_LETTERS",
            "UPDATE_STOCK_DEAD_LETTERS",
            "NOTIFY_CUSTOMER_DEAD_LETTERS",
            "REFUND_ORDER_DEAD_LETTERS",
            "UPDATE_CHANNEL_DEAD_LETTERS",
            "FETCH_ORDER_DEAD_LETTERS",
            "PUBLISH_EVENTS_DEAD_LETTERS",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, None).await;
                let desk = Desk {
                    keys: Keys::new(store, setup.clock.clone()),
                    letters: setup.dead_letters(),
                };
                Ok(answer(
                    "redrive-messages",
                    desk,
                    |desk, request| async move { desk.take(request).await },
                ))
            })
        },
    }
}

struct Desk {
    keys: Keys,
    letters: Arc<dyn DeadLetters>,
}

/// Messages, and whether there are more of them that were not looked at.
#[derive(Serialize)]
struct Listed<T> {
    messages: Vec<T>,
    more: bool,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        self.keys.operator(&request).await?;
        match request.route.as_str() {
            "GET /parked" => self.list(&request).await,
            "POST /parked/redrive" => {
                let wish = Wish::read(request.json::<Body>()?);
                self.redrive(&wish.map_err(|problems| Answer::invalid(&problems))?)
                    .await
            }
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    async fn list(&self, request: &Request) -> Result<Answer, Answer> {
        let invalid = |problem: Problem| Answer::invalid(&[problem]);
        let limit = request::limit(request.query("limit")).map_err(invalid)?;
        let steps = match request.query("step") {
            Some(name) => vec![request::step("", name).map_err(invalid)?],
            None => Step::ALL.to_vec(),
        };
        let (parked, more) = self.look(&steps, limit).await?;
        self.letters.release(&parked).await;
        let mut messages: Vec<Shown> = parked.iter().map(Shown::of).collect();
        // SQS knows no order; people look for what happened last.
        messages.sort_by_key(|message| std::cmp::Reverse(message.since));
        let more = more || messages.len() > limit;
        messages.truncate(limit);
        Answer::json(200, &Listed { messages, more })
    }

    /// Sends back what is wished for. First everything is looked at, and only then anything sent: what
    /// fails again is parked again at once, and must not be met again in the same round.
    async fn redrive(&self, wish: &Wish) -> Result<Answer, Answer> {
        let (parked, more) = self.look(&wish.steps(), MAX_PARKED).await?;
        let (wanted, others): (Vec<Parked>, Vec<Parked>) = parked
            .into_iter()
            .partition(|message| wish.names(&message.id));
        self.letters.release(&others).await;
        let mut messages = Vec::new();
        for some in wanted.chunks(AT_ONCE) {
            let fates = some.iter().map(|message| self.send_back(message));
            messages.extend(join_all(fates).await);
        }
        if let Wish::Ids(ids) = wish {
            messages = in_order(ids, messages, more);
        }
        Answer::json(200, &Listed { messages, more })
    }

    /// The dead letters of some steps, of each at most `limit`, and whether any has more. They are hidden
    /// from others until they are released or deleted, or their time is over.
    async fn look(&self, steps: &[Step], limit: usize) -> Result<(Vec<Parked>, bool), Answer> {
        let looks = steps.iter().map(|step| self.look_at(*step, limit));
        let (mut all, mut more, mut failed) = (Vec::new(), false, false);
        for (mut messages, complete) in join_all(looks).await {
            failed |= !complete;
            let spare = messages.split_off(limit.min(messages.len()));
            more |= !spare.is_empty();
            self.letters.release(&spare).await;
            all.append(&mut messages);
        }
        if failed {
            self.letters.release(&all).await;
            return Err(Answer::unavailable());
        }
        Ok((all, more))
    }

    /// The dead letters of a step: one more than `limit`, if there are so many, and whether it could be
    /// looked for all of them.
    async fn look_at(&self, step: Step, limit: usize) -> (Vec<Parked>, bool) {
        let mut seen: BTreeMap<String, Parked> = BTreeMap::new();
        let mut complete = true;
        // A receive that finds anything finds at least one, so this many are enough. SQS may hand out
        // one twice: the later receipt counts.
        for _ in 0..=limit {
            let missing = limit + 1 - seen.len();
            if missing == 0 {
                break;
            }
            match self.letters.receive(step, missing).await {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => {
                    let by_id = messages.into_iter().map(|m| (m.id.clone(), m));
                    seen.extend(by_id);
                }
                Err(error) => {
                    tracing::error!(step = step.name(), error, "cannot look at dead letters");
                    complete = false;
                    break;
                }
            }
        }
        (seen.into_values().collect(), complete)
    }

    /// Sends a message back and only then takes it out of the dead letters: whoever dies in between
    /// leaves it in both places, and doing a step's work twice changes nothing.
    async fn send_back(&self, message: &Parked) -> Fate {
        let (step, id) = (message.step.name(), message.id.as_str());
        match self.letters.send_back(message).await {
            Ok(sent_as) => {
                tracing::info!(step, message = id, sent_as, "sent back");
                let deleted = self.letters.delete(message).await;
                if let Err(error) = &deleted {
                    tracing::warn!(step, message = id, error, "sent back and still parked");
                }
                Fate::sent(message, sent_as, deleted)
            }
            Err(error) => {
                tracing::error!(step, message = id, error, "cannot send back");
                self.letters.release(std::slice::from_ref(message)).await;
                Fate::failed(message, error)
            }
        }
    }
}

/// One fate for each id that was named, in that order.
fn in_order(ids: &[String], fates: Vec<Fate>, more: bool) -> Vec<Fate> {
    let mut known: BTreeMap<String, Fate> = fates
        .into_iter()
        .map(|fate| (fate.id.clone(), fate))
        .collect();
    let mut told = BTreeSet::new();
    ids.iter()
        .filter(|id| told.insert(*id))
        .map(|id| {
            known
                .remove(id)
                .unwrap_or_else(|| Fate::not_found(id, more))
        })
        .collect()
}
