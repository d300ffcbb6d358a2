//! Other systems that hear of what happens to orders: what they want, and how they take it.

use std::sync::Arc;

use bytes::Bytes;
use domain::Order;
use domain::subscriber::Subscriber;
use http::{Request, Response, Uri};
use jiff::Timestamp;
use runtime::web::WebError;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::faults::{Fate, Faults, Kind};
use crate::observed::{Again, Deed, Heard, Replayed};
use crate::outside::authorised;
use crate::sim::{Sim, State};
use crate::tape::Tape;

/// What events are signed with.
pub const SIGNED_WITH: &str = "whsec_c2ltdWxhdGVk";
/// Hears of everything, and may not know who bought.
pub const LEDGER: &str = "ledger";
/// May know who bought, and hears of some events only, on a bus of EventBridge.
pub const REPORTS: &str = "reports";
/// Is taken away while orders are under way.
pub const GONE: &str = "gone";
/// What the one that hears of some events only hears of.
pub const REPORTED: [&str; 3] = ["order.accepted", "fulfillment.packed", "order.cancelled"];

const HOST: &str = ".listener.example";

/// Those who listen, and what they have heard.
#[derive(Debug, Default)]
pub struct Listeners {
    who: Vec<&'static str>,
    /// One has answered that it is gone.
    gone: bool,
    /// The others take nothing as long as anything goes wrong.
    down: bool,
    /// The others take an event the second time at the earliest.
    moody: bool,
    /// What a moody one has been sent: the subscriber, and the event's id.
    tried: Vec<(String, String)>,
    /// What they have taken, in order.
    pub heard: Vec<Heard>,
}

impl Listeners {
    /// Nobody, or some of them.
    pub fn draw(tape: &mut Tape) -> Self {
        let who = match tape.choose(4) {
            0 => vec![],
            1 => vec![LEDGER],
            2 => vec![LEDGER, REPORTS],
            _ => vec![GONE, LEDGER],
        };
        let mood = tape.choose(4);
        Self {
            who,
            down: mood == 3,
            moody: mood == 2,
            ..Self::default()
        }
    }

    /// One that takes everything.
    pub fn script() -> Self {
        Self {
            who: vec![LEDGER],
            ..Self::default()
        }
    }

    /// What the retailer has entered of them.
    pub fn subscribers(&self) -> Vec<Subscriber> {
        let subscriber = |id: &&str| Subscriber {
            id: (*id).into(),
            url: match *id {
                REPORTS => String::new(),
                _ => url(id),
            },
            event_bus: *id == REPORTS,
            types: match *id {
                REPORTS => REPORTED.map(str::to_owned).into(),
                _ => Vec::new(),
            },
            personal_data: *id == REPORTS,
            enabled: true,
            gone_at: None,
        };
        self.who.iter().map(subscriber).collect()
    }
}

impl Listeners {
    /// An event is put on the bus, with its type and what it says in JSON.
    pub fn overhear(&mut self, kind: &str, detail: &str) {
        let detail: Value = serde_json::from_str(detail).unwrap_or_default();
        self.heard.push(Heard {
            subscriber: REPORTS.to_owned(),
            id: detail["event"]["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            body: json!({"type": kind, "data": detail}).to_string(),
        });
    }
}

impl State {
    /// What somebody asks for who wants to hear of what happens to orders: to be entered where nobody is; and then to
    /// hear again of all, of what is to come, or of an order.
    pub fn listen(&mut self, orders: &[Arc<Order>]) -> Option<Ask> {
        let (at, heard) = (self.now(), self.listeners.heard.len());
        if self.listeners.who.is_empty() {
            self.listeners.who.push(LEDGER);
            let url = url(LEDGER);
            let body = format!(r#"{{"url":"{url}"}}"#);
            return Some(ask(
                "PUT /subscribers/{id}",
                LEDGER,
                body,
                Deed::Entered(at),
            ));
        }
        let who = &self.listeners.who;
        let subscriber = who[self.tape.index(who.len())];
        let again = match self.tape.choose(4) {
            0 => {
                let order = orders.get(self.tape.index(orders.len().max(1)))?;
                let newest = u32::try_from(order.version).unwrap_or(1);
                Again::From(order.id.clone(), 1 + u64::from(self.tape.choose(newest)))
            }
            1 => Again::Since(Timestamp::from_second(at.as_second()).unwrap_or(at)),
            _ => Again::Since(Timestamp::UNIX_EPOCH),
        };
        let body = match &again {
            Again::Since(from) => format!(r#"{{"from":"{from}"}}"#),
            Again::From(order, n) => format!(r#"{{"from":{{"order":"{order}","sequence":{n}}}}}"#),
        };
        let replayed = Replayed {
            subscriber: subscriber.to_owned(),
            again,
            at,
            heard,
        };
        let deed = Deed::Replayed(replayed);
        Some(ask(
            "POST /subscribers/{id}/replays",
            subscriber,
            body,
            deed,
        ))
    }
}

fn ask(route: &'static str, subscriber: &str, body: String, deed: Deed) -> Ask {
    Ask {
        function: "edit-subscribers",
        route,
        path: vec![("id", subscriber.to_owned())],
        headers: vec![authorised()],
        body,
        deed,
        webhook: None,
    }
}

fn url(subscriber: &str) -> String {
    format!("https://{subscriber}{HOST}/")
}

/// The subscriber that a URL leads to, if it leads to one.
pub fn called(uri: &Uri) -> Option<&str> {
    uri.host()?.strip_suffix(HOST)
}

/// A subscriber is sent an event.
pub async fn hear(
    sim: &Sim,
    subscriber: &str,
    request: &Request<String>,
) -> Result<Response<Bytes>, WebError> {
    let fate = sim.turn("a subscriber", Kind::Write).await;
    let state = &mut *sim.state();
    let answer = |status| {
        let answer = Response::builder().status(status).body(Bytes::new());
        answer.map_err(|error| WebError::Final(error.to_string()))
    };
    if fate == Fate::Refused {
        return match state.tape.choose(4) {
            0 => Err(WebError::Passing("nobody there".into())),
            1 => Err(WebError::Final("it answers with too much".into())),
            2 => answer(302),
            _ => answer(500),
        };
    }
    if state.listeners.down && state.faults != Faults::NONE {
        return answer(503);
    }
    if subscriber == GONE {
        state.listeners.gone |= state.tape.choose(6) == 5;
        if state.listeners.gone {
            return answer(410);
        }
    }
    let id = request.headers().get("webhook-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    if state.listeners.moody && state.faults != Faults::NONE {
        let known = (subscriber.to_owned(), id.to_owned());
        if !state.listeners.tried.contains(&known) {
            state.listeners.tried.push(known);
            return answer(500);
        }
    }
    let heard = Heard {
        subscriber: subscriber.to_owned(),
        id: id.to_owned(),
        body: request.body().clone(),
    };
    if fate == Fate::Repeated {
        state.listeners.heard.push(heard.clone());
    }
    state.listeners.heard.push(heard);
    match fate {
        Fate::AnswerLost => Err(WebError::Passing("too late".into())),
        _ => answer(204),
    }
}
