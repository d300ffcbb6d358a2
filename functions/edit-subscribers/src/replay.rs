//! A subscriber asks to hear again of what has been.

use domain::replay::Replay;
use domain::{OrderId, Problem};
use jiff::Timestamp;
use runtime::http::Answer;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Again, Heard, MAX_ATTEMPTS};

use crate::Desk;

/// What is to be heard again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    from: Place,
}

/// From where on.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a time of RFC 3339, or an order and the sequence of one of its events"
)]
enum Place {
    /// All that has happened since then.
    Since(Timestamp),
    /// All that has happened to one order, from an event on.
    Event(EventPlace),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventPlace {
    order: String,
    sequence: u64,
}

impl Desk {
    /// What was asked for last, and how far it is.
    pub(crate) async fn replays(&self, id: &str) -> Result<Answer, Answer> {
        self.known(id).await?;
        let walk = self.walk(id).await?;
        let replays: Vec<Value> = walk.iter().map(shown).collect();
        Answer::json(200, &json!({"replays": replays}))
    }

    async fn walk(&self, id: &str) -> Result<Option<Replay>, Answer> {
        let mut walks = self.store.replays().await?.into_iter();
        Ok(walks.find(|walk| walk.subscriber == id))
    }

    pub(crate) async fn replay(&self, id: &str, wish: Wish) -> Result<Answer, Answer> {
        if !self.known(id).await?.enabled {
            let detail = "expected a subscriber that is on: nothing is sent to this one";
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        match wish.from {
            Place::Since(from) => self.replay_since(id, from).await,
            Place::Event(place) => self.replay_order(id, &place).await,
        }
    }

    async fn replay_since(&self, id: &str, from: Timestamp) -> Result<Answer, Answer> {
        let now = self.clock.now();
        if from > now {
            let detail = format!("expected a time that has been, found {from}");
            return Err(Answer::invalid(&[Problem::at("/from", detail)]));
        }
        for _ in 0..MAX_ATTEMPTS {
            let known = self.walk(id).await?;
            let replay = Replay::new(known.as_ref(), id, from, now);
            if self.store.save_replay(&replay).await? {
                return Answer::json(202, &shown(&replay));
            }
        }
        Err(Answer::unavailable())
    }

    async fn replay_order(&self, id: &str, place: &EventPlace) -> Result<Answer, Answer> {
        let EventPlace { order, sequence } = place;
        let unknown = || {
            let detail = format!("expected the id of an order, found {order:?}");
            Answer::invalid(&[Problem::at("/from/order", detail)])
        };
        let known = OrderId::parse(order).ok_or_else(unknown)?;
        let (again, now) = (Again::From(*sequence), self.clock.now());
        match self.store.tell_again(&known, id, again, now).await? {
            Heard::Again => Answer::json(202, &json!({"order": known, "sequence": sequence})),
            Heard::Unknown => Err(unknown()),
            Heard::Nothing(events) => {
                let detail = format!("expected 1 to {events}, found {sequence}");
                Err(Answer::invalid(&[Problem::at("/from/sequence", detail)]))
            }
        }
    }
}

/// A walk, for people.
fn shown(replay: &Replay) -> Value {
    json!({
        "from": replay.from,
        "asked_at": replay.asked_at,
        "orders_seen": replay.seen,
        "orders_told": replay.told,
        "done_at": replay.done_at,
    })
}
