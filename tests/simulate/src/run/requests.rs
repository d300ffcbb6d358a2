//! What somebody outside does, and the requests that it takes: sent, and sent again while there is no answer.

use domain::OrderId;
use runtime::Hint;

use super::{Run, Sending, Work};
use crate::ask::Ask;
use crate::channel;
use crate::check::Violation;
use crate::mutant::Mutant;
use crate::outside::Act;
use crate::vendor::Happening;
use crate::world::World;

/// Milliseconds after which a request without an answer is sent again.
const RESEND_MS: i64 = 5_000;

impl<W: World> Run<'_, W> {
    /// Somebody outside does something.
    pub(super) fn act(&mut self, now_ms: i64) -> Result<(), Violation> {
        let sendable = self.sendable(now_ms);
        if let Some(n) = sendable.filter(|_| !self.outside.is_free() || self.choose(2) == 0) {
            return self.send(n);
        }
        let orders = self.world.orders();
        let act = {
            let mut state = self.sim.state();
            let (now, asked) = (state.now(), self.sendings.len());
            self.outside
                .act(&orders, &self.retailer, asked, now, &mut state.tape)
        };
        self.do_act(act)
    }

    pub(super) fn do_act(&mut self, act: Act) -> Result<(), Violation> {
        match act {
            Act::Nothing => Ok(()),
            Act::Schedule(function) => {
                self.start_event(function);
                Ok(())
            }
            Act::Again(n) => self.send(n),
            Act::Poison(step) => {
                let nobody = Hint::Order(OrderId::of("nobody", "", ""), None);
                let mut state = self.sim.state();
                state.send(step, nobody, 0, String::new(), String::new());
                Ok(())
            }
            Act::Ask(ask) => self.ask(*ask),
            Act::Listen => {
                let orders = self.world.orders();
                let ask = self.sim.state().listen(&orders);
                ask.map_or(Ok(()), |ask| self.ask(ask))
            }
            Act::Settle => {
                let ask = self.sim.state().settle();
                ask.map_or(Ok(()), |ask| self.ask(ask))
            }
            Act::InShop(happening, says) => self.in_shop(&happening, says),
        }
    }

    /// Something happens in the shop that has an API. With us it is there once its orders have been looked for.
    fn in_shop(&mut self, happening: &Happening, says: bool) -> Result<(), Violation> {
        let happened = {
            let mut state = self.sim.state();
            let now = state.now();
            state.shop.happen(happening, now)
        };
        let Some((place, deeds)) = happened else {
            return Ok(());
        };
        self.say(|| format!("in the shop: {happening:?}"));
        self.deeds.extend(deeds);
        let ask = {
            let mut state = self.sim.state();
            // Whom nobody asks says everything.
            let says = says || !state.shop.by.is_polled();
            says.then(|| state.say(place)).flatten()
        };
        ask.map_or(Ok(()), |ask| self.ask(ask))
    }

    /// Sends a new request, perhaps twice.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), Violation> {
        self.sendings.push(Sending {
            ask,
            due_ms: None,
            answered: false,
            refused: false,
            tries: 0,
        });
        let n = self.sendings.len() - 1;
        if !self.calm && self.happens(self.faults.resent) {
            self.met += 1;
            self.send(n)?;
        }
        self.send(n)
    }

    pub(super) fn sendable(&self, now_ms: i64) -> Option<usize> {
        let due = |sending: &Sending| sending.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        self.sendings.iter().position(due)
    }

    /// Sends a request, for the first time or again.
    fn send(&mut self, n: usize) -> Result<(), Violation> {
        let sending = &mut self.sendings[n];
        sending.due_ms = None;
        sending.tries += 1;
        let mut ask = sending.ask.clone();
        if sending.tries > 1 && self.sim.state().is_off(Mutant::IdempotencyKey) {
            for header in ask.headers.iter_mut().filter(|h| h.0 == "idempotency-key") {
                header.1.push_str(&format!("-{}", sending.tries));
            }
        }
        if self.sim.state().is_off(Mutant::NewestStatementCounts) {
            let now = self.sim.state().now();
            ask = channel::of_now(ask, now);
        }
        let handler = self.instance(ask.function)?;
        let id = self.next_task;
        self.say(|| {
            let path = ask
                .path
                .iter()
                .map(|(name, value)| format!(" {name}={value}"));
            let path: String = path.collect();
            format!(
                "{} #{id} is asked: {}{path} {}",
                ask.function, ask.route, ask.body
            )
        });
        if let Some(webhook) = &ask.webhook {
            let (by, now) = (webhook.by, self.sim.state().now());
            by.sign(&mut ask, now);
        }
        let future = self.world.request(&handler, &ask);
        self.start(ask.function, handler, future, Work::Request(n), false)
    }

    pub(super) fn send_again(&mut self, n: usize) {
        let now_ms = self.sim.state().now_ms;
        let sending = &mut self.sendings[n];
        if !sending.answered {
            sending.due_ms = Some(now_ms + RESEND_MS);
        } else if sending.refused {
            // A second copy may find what the first did not, and nobody asks what became of it.
            self.sim.state().queues.needs_sweeper = true;
        }
    }
}
