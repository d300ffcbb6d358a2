//! The way to the shop: what it says, and what its API answers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Step;
use http::{Request, Response};
use runtime::web::{Bounds, Web, WebError};

use super::shop::number;
use super::{ACCOUNT, Asked, Heard, Word};
use crate::ask::Ask;
use crate::channel;
use crate::check::{self, Violation};
use crate::faults::{Fate, Kind};
use crate::listeners;
use crate::mutant::Mutant;
use crate::observed::Deed;
use crate::payments;
use crate::sim::{Sim, State};

impl State {
    /// Holds what the shop shows against what is noted of it. Of the full world nothing is noted here.
    pub fn look_at_the_shop(&mut self) {
        let tables = &self.tables;
        let broken = check::shown_as_noted(&tables.rounds, &tables.listings, &self.shop.shown());
        self.blame(broken);
    }

    /// The shop says that an order has changed: what is to be asked for that, if it is not said already.
    pub fn say(&mut self, place: usize) -> Option<Ask> {
        match self.shop.hint(place) {
            Word::Webhook(body) => {
                let by = self.shop.by;
                Some(channel::ask(by, Vec::new(), body, Deed::Hinted))
            }
            Word::Message(body) => {
                let changed = runtime::Changed {
                    channel: self.shop.by.name().into(),
                    account: ACCOUNT.into(),
                    external_id: number(place),
                    as_of: None,
                };
                let hint = runtime::Hint::Changed(changed);
                self.send(Step::FetchOrder, hint, 0, body, String::new());
                None
            }
        }
    }
}

/// The way to the shop, the payment provider and the subscribers, in the place of the network.
pub struct ToShop(pub Sim);

impl ToShop {
    /// The way to the shop of a world.
    pub fn of(sim: &Sim) -> Arc<dyn Web> {
        Arc::new(Self(sim.clone()))
    }
}

#[async_trait]
impl Web for ToShop {
    async fn ask(
        &self,
        request: Request<String>,
        _bounds: Bounds,
    ) -> Result<Response<Bytes>, WebError> {
        if payments::called(request.uri()) {
            return payments::ask(&self.0, &request).await;
        }
        if let Some(subscriber) = listeners::called(request.uri()) {
            return listeners::hear(&self.0, subscriber, &request).await;
        }
        let by = self.0.state().shop.by;
        let Some(asked) = by.read(&request) else {
            let (method, uri) = (request.method(), request.uri());
            let detail = format!("{} has no word for {method} {uri}", by.name());
            self.0.state().blame(Some(broken(detail)));
            return answer(404, String::new());
        };
        let kind = asked.kind();
        let mut fate = self.0.turn("the shop's API", kind).await;
        let mut state = self.0.state();
        // Shops are busy more often than AWS is.
        if kind == Kind::Write && state.faults.most > 0 && state.tape.choose(8) == 7 {
            fate = Fate::Refused;
        }
        if kind == Kind::Write {
            let of_stock = matches!(asked, Asked::Available(_));
            let unnoticed = match of_stock {
                true => state.is_off(Mutant::UnshownIsNoticed),
                false => state.is_off(Mutant::UntoldIsNoticed),
            };
            if fate != Fate::Refused {
                let (status, body) = state.shop.hear(asked);
                if of_stock {
                    state.look_at_the_shop();
                }
                return match fate {
                    Fate::AnswerLost if of_stock || !unnoticed => {
                        Err(WebError::Passing("too late".into()))
                    }
                    _ => answer(status, body),
                };
            }
            if unnoticed {
                let (status, body) = match &asked {
                    Asked::Available(said) => by.available(said, &[]),
                    _ => by.heard(Heard::Taken),
                };
                return answer(status, body);
            }
        }
        if matches!(asked, Asked::Shipments(_)) && state.is_off(Mutant::ShopIsAskedFirst) {
            return answer(200, by.shipments(&[]));
        }
        let (status, body) = match fate {
            Fate::Refused => match state.tape.choose(3) {
                0 => return Err(WebError::Passing("nobody there".into())),
                1 => (429, String::new()),
                _ => (503, "<html>".into()),
            },
            Fate::AnswerLost => return Err(WebError::Passing("too late".into())),
            fate => {
                let stale = fate == Fate::Stale;
                state.shop.answer(&asked, stale, state.now())
            }
        };
        answer(status, body)
    }
}

fn broken(detail: String) -> Violation {
    Violation {
        rule: "the-simulator-works",
        subject: "the shop's API".into(),
        detail,
    }
}

/// An answer that wishes to be left alone for a while.
pub fn answer(status: u16, body: String) -> Result<Response<Bytes>, WebError> {
    let answer = Response::builder()
        .status(status)
        .header("retry-after", "7");
    let answer = answer.body(Bytes::from(body));
    answer.map_err(|error| WebError::Final(error.to_string()))
}
