//! One run: a schedule of one small world from its first order until nothing moves any more.

mod begin;
mod ended;
mod invocations;
mod requests;
mod turns;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use runtime::{Function, Handler};

use crate::ask::Ask;
use crate::check::Violation;
use crate::faults::Faults;
use crate::listeners::Listeners;
use crate::mutant::Mutant;
use crate::observed::{Deed, Observed};
use crate::outside::{self, Outside};
use crate::queues::Message;
use crate::retailer::Retailer;
use crate::sim::{Sim, TaskId};
use crate::vendor::Shop;
use crate::world::{Finished, World};

/// Milliseconds that the sweeper's turn comes after the last, at least.
const SWEEP_MS: i64 = 1_000_000;
/// Milliseconds for which a subscriber waits at most until it is told again.
const DAY_MS: i64 = 86_400_000;
/// Sweeps after which everything has to be at rest: one that may fail, one that gives the hints again,
/// one for what those have brought about.
const SWEEPS: u32 = 3;

/// How a run is made.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Not what chance says, but one order of two lines from its purchase to its last refund; chance
    /// has no say in anything.
    pub scripted: bool,
    /// Points at which a process dies; see [`Outcome::points`].
    pub crashes: Vec<u32>,
    /// Every message comes twice.
    pub twice: bool,
    /// Keep a trace.
    pub trace: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was promised and not kept; empty if all was.
    pub violations: Vec<Violation>,
    /// Faults that happened.
    pub faults: u32,
    /// Turns of the scheduler.
    pub turns: u32,
    /// What happened, line by line, if it was to be kept.
    pub trace: Vec<String>,
    /// The choices made, if they were to be kept.
    pub choices: Vec<u32>,
    /// Points at which a process could have died: before each call, and at the end of each invocation.
    pub points: u32,
    /// What could be seen in the end.
    pub observed: Observed,
}

impl Outcome {
    /// What comes of a world that cannot be made.
    pub(crate) fn failed(why: String) -> Self {
        Self {
            violations: vec![broken("the-world-begins", why)],
            faults: 0,
            turns: 0,
            points: 0,
            trace: Vec::new(),
            choices: Vec::new(),
            observed: Observed::default(),
        }
    }
}

/// All functions, made once.
pub fn functions() -> &'static [Function] {
    static ALL: std::sync::OnceLock<Vec<Function>> = std::sync::OnceLock::new();
    ALL.get_or_init(local::built_in::functions)
}

/// Runs a world's schedule to its end.
pub fn run(world: &impl World, plan: &Plan) -> Outcome {
    let sim = world.sim().clone();
    let (retailer, faults, outside, opening, listeners) = {
        let tape = &mut sim.state().tape;
        match plan.scripted {
            true => begin::script(plan),
            false => {
                let retailer = Retailer::draw(tape);
                let faults = Faults::draw(tape);
                let outside = Outside::draw(tape);
                let opening = retailer.opening(tape);
                (retailer, faults, outside, opening, Listeners::draw(tape))
            }
        }
    };
    sim.state().shop = Shop::of(retailer.vendor);
    sim.state().faults = faults.clone();
    sim.state().listeners = listeners;
    let mut run = Run {
        world,
        sim,
        plan,
        functions: functions(),
        tasks: Vec::new(),
        idle: Vec::new(),
        next_task: 0,
        outside,
        retailer,
        sendings: Vec::new(),
        deeds: Vec::new(),
        faults,
        met: 0,
        turns: 0,
        points: 0,
        trace: plan.trace.then(Vec::new),
        calm: false,
    };
    let furnished = run.furnish(opening);
    let mut violations = Vec::new();
    if furnished.is_none() {
        let detail = "the opening stock cannot be stored";
        violations.push(broken("the-world-begins", detail));
    } else if let Err(violation) = run.go() {
        violations.push(violation);
    }
    run.finish(violations)
}

/// A run under way.
struct Run<'w, W> {
    world: &'w W,
    sim: Sim,
    plan: &'w Plan,
    functions: &'static [Function],
    tasks: Vec<Task>,
    idle: Vec<(&'static str, Handler)>,
    next_task: TaskId,
    outside: Outside,
    retailer: Arc<Retailer>,
    sendings: Vec<Sending>,
    deeds: Vec<Deed>,
    faults: Faults,
    met: u32,
    turns: u32,
    points: u32,
    trace: Option<Vec<String>>,
    calm: bool,
}

/// An invocation under way.
struct Task {
    id: TaskId,
    function: &'static str,
    future: BoxFuture<'static, Finished>,
    instance: Handler,
    started_ms: i64,
    work: Work,
    redelivered: bool,
    /// It works on a message that has failed so often that one more failure could be its last:
    /// nothing goes wrong with it any more, so that a queue that gives up is a fault of ours.
    spared: bool,
}

/// What an invocation was started for.
enum Work {
    Batch(Vec<Message>),
    /// A request, by its number.
    Request(usize),
    Event,
}

/// A request and how far it is.
struct Sending {
    ask: Ask,
    /// When it is (again) to be sent; `None` while it is under way, or answered.
    due_ms: Option<i64>,
    answered: bool,
    /// It was answered that this cannot be done.
    refused: bool,
    tries: u32,
}

impl<W: World> Run<'_, W> {
    /// Runs until nothing moves any more.
    fn go(&mut self) -> Result<(), Violation> {
        self.until_idle()?;
        // Whoever waits for what is reserved hears of it without the sweeper; and somebody may come back to his cart
        // at the last moment.
        self.sim.state().now_ms += SWEEP_MS;
        self.start_event("expire-reservations");
        let back = self.outside.come_back(&mut self.sim.state().tape);
        if let Some(ask) = back {
            self.ask(ask)?;
        }
        self.until_idle()?;
        let needs_sweeper = self.sim.state().queues.needs_sweeper;
        if !needs_sweeper && let Some(open) = self.open_order() {
            return Err(Violation {
                rule: "rests-without-the-sweeper",
                subject: open.0,
                detail: format!(
                    "no hint was lost, and the order is still owed work: {}",
                    open.1
                ),
            });
        }
        // The first sweep may meet faults; those after it heal what is left.
        for sweep in 0..SWEEPS {
            if !needs_sweeper {
                break;
            }
            self.calm |= sweep > 0;
            self.sweep()?;
        }
        // Somebody may want to hear again of all that has been.
        if !self.plan.scripted && self.choose(2) == 1 {
            let orders = self.world.orders();
            let ask = self.sim.state().listen(&orders);
            if let Some(ask) = ask {
                self.ask(ask)?;
            }
            self.until_idle()?;
        }
        // One that may fail, and those that find what it has left out.
        self.sim.state().now_ms += SWEEP_MS;
        self.start_event("poll-channel");
        self.until_idle()?;
        self.start_event("resume-deliveries");
        self.until_idle()?;
        self.pack_what_is_told()?;
        self.calm = true;
        // What the shop's hints did not bring: the first walk may find what another has left it to.
        for _ in 0..2 {
            self.sim.state().now_ms += SWEEP_MS;
            self.start_event("poll-channel");
            self.until_idle()?;
        }
        // The first walk may have lost a hint, too.
        if self.sim.state().queues.needs_sweeper {
            self.sweep()?;
        }
        for _ in 0..2 {
            self.sim.state().now_ms += SWEEP_MS;
            self.start_event("expire-reservations");
            self.until_idle()?;
            self.start_event("check-restock");
            self.until_idle()?;
            self.start_event("reconcile-stock");
            self.until_idle()?;
        }
        // Once: it finds what others have left in doubt, or somebody has taken from under them.
        self.start_event("update-listings");
        self.until_idle()?;
        self.deliver_events()
    }

    /// What subscribers have not taken is sent again when its time has come, within a day: all else has come to rest
    /// by then, as of when it is looked at.
    fn deliver_events(&mut self) -> Result<(), Violation> {
        let rested_ms = self.sim.state().now_ms;
        for _ in 0..2 {
            self.sim.state().now_ms += DAY_MS;
            self.start_event("resume-deliveries");
            self.until_idle()?;
        }
        self.sim.state().now_ms = rested_ms;
        Ok(())
    }

    fn sweep(&mut self) -> Result<(), Violation> {
        self.sim.state().now_ms += SWEEP_MS;
        if !self.sim.state().is_off(Mutant::Sweeper) {
            self.start_event("sweep-orders");
        }
        self.until_idle()
    }

    /// What channels that are told have sold leaves, so that they are told of it.
    fn pack_what_is_told(&mut self) -> Result<(), Violation> {
        for ask in outside::pack_what_is_told(&self.world.orders()) {
            self.ask(ask)?;
        }
        self.until_idle()
    }

    /// An order that is owed work, and since when.
    fn open_order(&self) -> Option<(String, String)> {
        let orders = self.world.orders();
        let open = orders.iter().find(|order| order.open_at.is_some())?;
        Some((open.id.to_string(), format!("since {:?}", open.open_at)))
    }

    /// Takes turns until nothing is left to be done but wait for the sweeper.
    fn until_idle(&mut self) -> Result<(), Violation> {
        while self.turn()? {}
        Ok(())
    }

    fn choose(&self, bound: u32) -> u32 {
        self.sim.state().tape.choose(bound)
    }

    fn happens(&self, rate: u32) -> bool {
        self.sim.state().tape.happens(rate)
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let now_ms = self.sim.state().now_ms;
            trace.push(format!("{:>9.3}s  {}", now_ms as f64 / 1000.0, line()));
        }
    }
}

fn broken(rule: &'static str, detail: impl Into<String>) -> Violation {
    Violation {
        rule,
        subject: "the run".into(),
        detail: detail.into(),
    }
}

/// Runs a future that waits for nobody.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}
