//! Invocations: what starts one, how it goes on call by call, and how it ends or dies.

use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use runtime::Handler;
use serde_json::json;

use super::{Run, Task, Work, at_once, broken};
use crate::check::Violation;
use crate::faults::{Fate, Faults, Kind};
use crate::mutant::Mutant;
use crate::observed::Deed;
use crate::queues::{Message, SPARED_AFTER};
use crate::world::{Finished, World};

/// Milliseconds that a call takes.
const CALL_MS: i64 = 9;

impl<W: World> Run<'_, W> {
    /// A queue hands out a batch.
    pub(super) fn deliver(&mut self) -> Result<(), Violation> {
        let calm = self.calm;
        let (step, batch, met) = {
            let state = &mut *self.sim.state();
            let steps = state.queues.ready(state.now_ms);
            let step = match steps.len() {
                1 => steps[0],
                many => steps[state.tape.index(many)],
            };
            let faults = if calm { &Faults::NONE } else { &self.faults };
            let (batch, met) = state
                .queues
                .take(step, state.now_ms, faults, &mut state.tape);
            if state.is_off(Mutant::AckComesLast) {
                for message in &batch {
                    state.queues.delete(message);
                }
            }
            (step, batch, met)
        };
        self.met += met;
        if batch.is_empty() {
            return Ok(());
        }
        let handler = self.instance(step.name())?;
        let id = self.next_task;
        self.say(|| {
            let told: Vec<String> = batch
                .iter()
                .map(|m| {
                    format!(
                        "{} for {} (delivery {})",
                        m.number,
                        m.hint.subject(),
                        m.receives
                    )
                })
                .collect();
            format!("{} #{id} begins with {}", step.name(), told.join(", "))
        });
        let future = self.world.batch(&handler, &batch);
        let redelivered = batch.iter().all(|message| message.receives > 1);
        self.start(
            step.name(),
            handler,
            future,
            Work::Batch(batch),
            redelivered,
        )
    }

    pub(super) fn start_event(&mut self, function: &'static str) {
        let Ok(handler) = self.instance(function) else {
            return;
        };
        // A round in many short runs is one that goes on where another stopped.
        let event = match (function, self.calm) {
            ("reconcile-stock", false) => json!({"now": true, "for_s": 0}),
            ("check-restock", false) => match self.sim.state().tape.index(2) {
                0 => json!({"now": true}),
                _ => json!({"now": true, "for_s": 0}),
            },
            ("reconcile-stock" | "check-restock", true) => json!({"now": true}),
            _ => json!({}),
        };
        let future = self.world.event(&handler, event);
        let id = self.next_task;
        self.say(|| format!("{function} #{id} is due"));
        let started = self.start(function, handler, future, Work::Event, false);
        if let Err(violation) = started {
            self.sim.state().blame(Some(violation));
        }
    }

    /// An instance of a function: one that is idle, with whatever it remembers, or a new one.
    pub(super) fn instance(&mut self, name: &'static str) -> Result<Handler, Violation> {
        if let Some(place) = self.idle.iter().position(|(idle, _)| *idle == name) {
            return Ok(self.idle.swap_remove(place).1);
        }
        let skew_s = match self.faults.skew_s {
            0 => 0,
            most => i64::from(self.choose(2 * most + 1)) - i64::from(most),
        };
        let skew_s = match self.faults.skew_s {
            0 => 0,
            most if skew_s == -i64::from(most) => 0,
            _ => skew_s,
        };
        // Not `start`: it looks for variables that are missing, which is not news for the thousandth instance.
        let function = self.functions.iter().find(|function| function.name == name);
        let started = function.and_then(|f| at_once((f.init)(self.world.setup(name, skew_s))));
        match started {
            Some(Ok(handler)) => Ok(handler),
            Some(Err(error)) => Err(broken("the-simulator-works", format!("{name}: {error}"))),
            None => Err(broken(
                "the-simulator-works",
                format!("{name} does not start"),
            )),
        }
    }

    pub(super) fn start(
        &mut self,
        function: &'static str,
        instance: Handler,
        future: BoxFuture<'static, Finished>,
        work: Work,
        redelivered: bool,
    ) -> Result<(), Violation> {
        let started_ms = self.sim.state().now_ms;
        let often = |message: &Message| message.receives > SPARED_AFTER;
        let spared = matches!(&work, Work::Batch(batch) if batch.iter().any(often));
        self.tasks.push(Task {
            id: self.next_task,
            function,
            future,
            instance,
            started_ms,
            work,
            redelivered,
            spared,
        });
        self.next_task += 1;
        self.poll(self.tasks.len() - 1)
    }

    /// Lets an invocation go on until it waits or ends.
    fn poll(&mut self, place: usize) -> Result<(), Violation> {
        let task = &mut self.tasks[place];
        {
            let mut state = self.sim.state();
            state.current = Some(task.id);
            state.redelivered = task.redelivered;
        }
        let mut context = Context::from_waker(Waker::noop());
        // A client library may want to be asked more than once; ours waits for a turn or is done.
        for _ in 0..=20 {
            let polled = task.future.as_mut().poll(&mut context);
            let mut state = self.sim.state();
            if let Poll::Ready(finished) = polled {
                state.current = None;
                drop(state);
                return self.end(place, finished);
            }
            if state.granted.is_none() && state.tickets.iter().any(|t| t.task == task.id) {
                state.current = None;
                return Ok(());
            }
        }
        let mut state = self.sim.state();
        state.current = None;
        state.granted = None;
        Err(broken(
            "the-simulator-works",
            format!("{} waits for nothing", task.function),
        ))
    }

    /// It is a call's turn.
    pub(super) fn grant(&mut self, place: usize) -> Result<(), Violation> {
        let dies = self.dies_here();
        let mut state = self.sim.state();
        let ticket = state.tickets.remove(place);
        let Some(place) = self.tasks.iter().position(|task| task.id == ticket.task) else {
            return Err(broken("the-simulator-works", "a call of nobody"));
        };
        let task = &self.tasks[place];
        let fate = match self.calm || task.spared {
            true => Some(Fate::Done),
            false => self.faults.fate(ticket.kind, &mut state.tape),
        };
        let Some(fate) = fate.filter(|_| !dies) else {
            drop(state);
            self.met += 1;
            self.kill(place, &format!("dies before {}", ticket.operation));
            return Ok(());
        };
        if fate != Fate::Done {
            self.met += 1;
            state.disturb(task.id);
            let sends = matches!(ticket.kind, Kind::Send | Kind::SendBatch);
            if sends && !matches!(task.work, Work::Batch(_)) {
                // The sender of a request has its answer all the same: the sweeper sends the hint.
                state.queues.needs_sweeper = true;
            }
        }
        state.now_ms += CALL_MS;
        state.granted = Some((ticket.number, fate));
        drop(state);
        ticket.waker.wake_by_ref();
        let (function, id) = (task.function, task.id);
        self.say(|| match fate {
            Fate::Done => format!("{function} #{id} {}", ticket.operation),
            fate => format!("{function} #{id} {}: {fate:?}", ticket.operation),
        });
        self.poll(place)
    }

    /// An invocation has come to its end.
    fn end(&mut self, place: usize, finished: Finished) -> Result<(), Violation> {
        let spared = self.calm || self.tasks[place].spared;
        let dies = self.dies_here();
        if dies || (!spared && self.happens(self.faults.crash_at_end)) {
            self.met += 1;
            self.kill(place, "dies before it answers");
            return Ok(());
        }
        let task = self.tasks.remove(place);
        self.idle.push((task.function, task.instance));
        match (task.work, finished) {
            (Work::Batch(batch), Finished::Batch(again)) => {
                let (function, id) = (task.function, task.id);
                self.say(|| match again.len() {
                    0 => format!("{function} #{id} ends"),
                    n => format!("{function} #{id} ends, {n} messages come again"),
                });
                if !spared && self.happens(self.faults.ack_lost) {
                    self.met += 1;
                    self.say(|| format!("{function} #{id}: its messages are not deleted"));
                    return Ok(());
                }
                let all = self.sim.state().is_off(Mutant::FailuresComeAgain);
                let done = batch.iter().filter(|m| all || !again.contains(&m.number));
                for message in done {
                    let deleted = self.sim.state().queues.delete(message);
                    if let Some(deleted) = deleted {
                        self.world.delete(&deleted);
                    }
                }
            }
            (Work::Request(n), Finished::Reply(reply)) => {
                let (function, id) = (task.function, task.id);
                self.say(|| format!("{function} #{id} answers {}", reply.status));
                if reply.status >= 500 {
                    self.send_again(n);
                    return Ok(());
                }
                let sending = &mut self.sendings[n];
                sending.due_ms = None;
                let first = !std::mem::replace(&mut sending.answered, true);
                sending.refused |= first && reply.status >= 400;
                let mut deed = sending.ask.deed(&reply).filter(|_| first);
                if let Some(Deed::Entered(at)) = &mut deed {
                    *at = self.sim.state().now();
                }
                self.deeds.extend(deed);
            }
            (Work::Event, Finished::Event(well)) => {
                let (function, id) = (task.function, task.id);
                self.say(|| {
                    format!(
                        "{function} #{id} ends {}",
                        if well { "well" } else { "badly" }
                    )
                });
                if !well {
                    self.has_not_told(function);
                }
                if well && self.calm {
                    self.deeds.extend(match function {
                        "check-restock" => Some(Deed::RestockChecked),
                        "reconcile-stock" => Some(Deed::StockReconciled),
                        "update-listings" => Some(Deed::ListingsTold),
                        _ => None,
                    });
                }
            }
            _ => {
                return Err(broken(
                    "the-simulator-works",
                    format!("{} ends as something else", task.function),
                ));
            }
        }
        Ok(())
    }

    /// Whether a process dies at this point, because the plan says so.
    fn dies_here(&mut self) -> bool {
        self.points += 1;
        self.plan.crashes.contains(&self.points)
    }

    /// Ends an invocation in the middle.
    pub(super) fn kill(&mut self, place: usize, how: &str) {
        let task = self.tasks.remove(place);
        self.say(|| format!("{} #{} {how}", task.function, task.id));
        {
            let mut state = self.sim.state();
            state.tickets.retain(|ticket| ticket.task != task.id);
            state.disturb(task.id);
        }
        match task.work {
            Work::Request(n) => self.send_again(n),
            Work::Event => self.has_not_told(task.function),
            Work::Batch(_) => {}
        }
    }

    /// What reservations kept may be available, and those who wait for it may not have been told.
    fn has_not_told(&mut self, function: &str) {
        if function == "expire-reservations" {
            self.sim.state().queues.needs_sweeper = true;
        }
    }
}
