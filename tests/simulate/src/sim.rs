//! What all of a simulated world shares: time, choices, calls that wait for their turn.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use domain::Step;
use jiff::Timestamp;
use runtime::Hint;

use crate::check::Violation;
use crate::faults::{Fate, Faults, Kind};
use crate::listeners::Listeners;
use crate::memory::Tables;
use crate::mutant::Mutant;
use crate::observed::SentMail;
use crate::payments::Till;
use crate::queues::Queues;
use crate::tape::Tape;
use crate::vendor::Shop;

/// When every run begins: a Monday morning.
pub const BEGIN_S: i64 = 1_767_600_000;

/// A running invocation.
pub type TaskId = u32;

/// A call that waits for its turn.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Its number.
    pub number: u64,
    /// Who makes it.
    pub task: TaskId,
    /// What it asks for, by the name that AWS gives it.
    pub operation: &'static str,
    /// What can go wrong with it.
    pub kind: Kind,
    /// Wakes the caller, which may wait for several calls.
    pub waker: Waker,
}

/// A mail that went out, and by whom.
#[derive(Debug, Clone)]
pub struct Mailed {
    /// The mail.
    pub mail: SentMail,
    /// The invocation that sent it.
    pub task: TaskId,
}

/// The shared state of a run.
pub struct State {
    /// Milliseconds since [`BEGIN_S`].
    pub now_ms: i64,
    /// The choices.
    pub tape: Tape,
    /// The invocation that runs at this moment; `None` while the world is set up and looked at.
    pub current: Option<TaskId>,
    /// Calls that wait, oldest first.
    pub tickets: Vec<Ticket>,
    /// The call whose turn it is, and what becomes of it.
    pub granted: Option<(u64, Fate)>,
    next_ticket: u64,
    /// The queues.
    pub queues: Queues,
    /// The tables of the fast world.
    pub tables: Tables,
    /// A shop that has an API.
    pub shop: Shop,
    /// A payment provider.
    pub till: Till,
    /// Other systems that hear of what happens to orders.
    pub listeners: Listeners,
    /// What went out by mail.
    pub mails: Vec<Mailed>,
    /// What goes wrong with messages as they are sent.
    pub faults: Faults,
    /// Whether all that the current invocation works on has come before.
    pub redelivered: bool,
    /// Faults that happened to messages.
    pub met: u32,
    /// A safeguard that is switched off.
    pub mutant: Option<Mutant>,
    /// The first promise that was seen broken while it ran.
    pub violation: Option<Violation>,
}

/// A handle on the shared state. Only one thread uses it; the lock is what the types ask for.
#[derive(Clone)]
pub struct Sim(Arc<Mutex<State>>);

impl Sim {
    /// A world at its beginning.
    pub fn new(tape: Tape, mutant: Option<Mutant>) -> Self {
        Self(Arc::new(Mutex::new(State {
            now_ms: 0,
            tape,
            current: None,
            tickets: Vec::new(),
            granted: None,
            next_ticket: 0,
            queues: Queues::default(),
            tables: Tables::default(),
            shop: Shop::default(),
            till: Till::default(),
            listeners: Listeners::default(),
            mails: Vec::new(),
            faults: Faults::NONE,
            redelivered: false,
            met: 0,
            mutant,
            violation: None,
        })))
    }

    /// The state, to look at and to change. Never held across a poll.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is this call's turn, and says what becomes of it.
    pub fn turn(&self, operation: &'static str, kind: Kind) -> Turn {
        Turn {
            sim: self.clone(),
            operation,
            kind,
            ticket: None,
        }
    }
}

impl State {
    /// The time, to the second: nothing that is stored is finer.
    pub fn now(&self) -> Timestamp {
        self.now_at(0)
    }

    /// The time on a clock that is wrong by so many seconds.
    pub fn now_at(&self, skew_s: i64) -> Timestamp {
        let second = BEGIN_S + self.now_ms / 1000 + skew_s;
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether a safeguard is switched off.
    pub fn is_off(&self, safeguard: Mutant) -> bool {
        self.mutant == Some(safeguard)
    }

    /// A message is sent to a step, that can be had after some seconds; what goes wrong with it is left to chance.
    pub fn send(&mut self, step: Step, hint: Hint, delay_s: i32, body: String, handle: String) {
        // Where nobody asks which orders have changed, nothing would bring back a lost word of one.
        let lost = match step == Step::FetchOrder && !self.shop.by.is_polled() {
            true => 0,
            false => self.faults.lost,
        };
        let faults = Faults {
            lost,
            ..self.faults.clone()
        };
        let met = self.queues.push(
            step,
            hint,
            body,
            handle,
            self.now_ms + i64::from(delay_s) * 1_000,
            &faults,
            &mut self.tape,
        );
        self.met += met;
    }

    /// Notes a broken promise; the first one counts.
    pub fn blame(&mut self, violation: Option<Violation>) {
        if self.violation.is_none() {
            self.violation = violation;
        }
    }

    /// What an invocation has mailed so far may go out again: it has met a failure, or died.
    pub fn disturb(&mut self, task: TaskId) {
        for mailed in self.mails.iter_mut().filter(|mailed| mailed.task == task) {
            mailed.mail.undisturbed = false;
        }
    }
}

/// A call that waits for its turn.
pub struct Turn {
    sim: Sim,
    operation: &'static str,
    kind: Kind,
    ticket: Option<u64>,
}

impl Future for Turn {
    type Output = Fate;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fate> {
        let this = self.get_mut();
        let mut state = this.sim.state();
        let Some(mine) = this.ticket else {
            let Some(task) = state.current else {
                return Poll::Ready(Fate::Done);
            };
            let number = state.next_ticket;
            state.next_ticket += 1;
            state.tickets.push(Ticket {
                number,
                task,
                operation: this.operation,
                kind: this.kind,
                waker: context.waker().clone(),
            });
            this.ticket = Some(number);
            return Poll::Pending;
        };
        match state.granted {
            Some((number, fate)) if number == mine => {
                state.granted = None;
                Poll::Ready(fate)
            }
            _ => Poll::Pending,
        }
    }
}
