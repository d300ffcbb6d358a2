//! One run: a schedule of one small world from its first order until nothing moves any more.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use domain::OrderId;
use domain::catalog::{Backorders, Location};
use domain::fact::StockFact;
use domain::stock::{Level, MovementKind};
use futures::future::BoxFuture;
use runtime::{Function, Handler, Hint};
use serde_json::json;
use store::{Commit, Store};

use crate::ask::Ask;
use crate::channel;
use crate::check::{self, Violation};
use crate::faults::{Fate, Faults, Kind};
use crate::listeners::Listeners;
use crate::mutant::Mutant;
use crate::observed::{Deed, Observed};
use crate::outside::{self, Act, Outside};
use crate::queues::{Message, SPARED_AFTER};
use crate::retailer::Retailer;
use crate::sim::{Sim, TaskId};
use crate::tape::Tape;
use crate::vendor::{self, Happening};
use crate::world::{Finished, World};

/// Milliseconds that an invocation may take (the template's): then it is ended.
const TIMEOUT_MS: i64 = 30_000;
/// Milliseconds that a call takes.
const CALL_MS: i64 = 9;
/// Milliseconds after which a request without an answer is sent again.
const RESEND_MS: i64 = 5_000;
/// Milliseconds that the sweeper's turn comes after the last, at least.
const SWEEP_MS: i64 = 1_000_000;
/// Milliseconds for which a subscriber waits at most until it is told again.
const DAY_MS: i64 = 86_400_000;
/// Invocations at a time.
const MAX_TASKS: usize = 6;
/// Turns that a run may take: it has to come to rest long before.
const MAX_TURNS: u32 = 20_000;
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

/// All functions, made once.
pub fn functions() -> &'static [Function] {
    static ALL: std::sync::OnceLock<Vec<Function>> = std::sync::OnceLock::new();
    ALL.get_or_init(local::built_in::functions)
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

/// Runs a world's schedule to its end.
pub fn run(world: &impl World, plan: &Plan) -> Outcome {
    let sim = world.sim().clone();
    let (retailer, faults, outside, opening, listeners) = {
        let tape = &mut sim.state().tape;
        match plan.scripted {
            true => script(plan),
            false => {
                let retailer = Retailer::draw(tape);
                let faults = Faults::draw(tape);
                let outside = Outside::draw(tape);
                let opening = retailer.opening(tape);
                (retailer, faults, outside, opening, Listeners::draw(tape))
            }
        }
    };
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

type Opening = Vec<(String, String, i64)>;

/// The load of a run that leaves nothing to chance.
fn script(plan: &Plan) -> (Arc<Retailer>, Faults, Outside, Opening, Listeners) {
    // Two warehouses, two articles; what there is of the first is in one of them.
    let retailer = Retailer::draw(&mut Tape::of_choices(vec![4]));
    let faults = Faults {
        twice: if plan.twice { 10_000 } else { 0 },
        most: u32::MAX,
        ..Faults::NONE
    };
    let opening = retailer.products.iter().take(1).map(|product| {
        let location = retailer.locations[0].id.clone();
        (product.sku.clone(), location, 5)
    });
    let opening = opening.collect();
    (
        retailer,
        faults,
        Outside::script(),
        opening,
        Listeners::script(),
    )
}

fn broken(rule: &'static str, detail: impl Into<String>) -> Violation {
    Violation {
        rule,
        subject: "the run".into(),
        detail: detail.into(),
    }
}

impl<W: World> Run<'_, W> {
    /// Opening stock is a receipt like any other.
    fn furnish(&mut self, opening: Vec<(String, String, i64)>) -> Option<()> {
        self.world.furnish(&self.retailer);
        let store: Store = self.world.store();
        let at = self.sim.state().now();
        let products = self.retailer.products.clone();
        let shares = |sku: &str| {
            let product = products.iter().find(|product| product.sku == sku);
            product.map_or(1, |product| product.shares)
        };
        for (n, (sku, location, quantity)) in opening.into_iter().enumerate() {
            let fact = StockFact {
                id: format!("opening-{n}"),
                sku: sku.clone(),
                location: location.clone(),
                kind: match quantity > 0 {
                    true => MovementKind::Receive,
                    false => MovementKind::Adjust,
                },
                quantity,
                reason: String::new(),
                at,
                applied: false,
                shares: shares(&sku),
                details: None,
            };
            at_once(store.store_fact(&fact))?.ok()?;
            let levels = at_once(store.levels_of(&sku))?.ok()?;
            let here: Vec<Level> = levels
                .into_iter()
                .filter(|l| l.location == location)
                .collect();
            let commit = Commit {
                changes: fact.changes(&here),
                fact: Some((sku.clone(), fact.id.clone())),
                ..Commit::default()
            };
            at_once(store.transact(commit))?.ok()?;
            self.deeds.push(Deed::Counted {
                fact: fact.id,
                sku,
                location,
                quantity,
            });
        }
        Some(())
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let now_ms = self.sim.state().now_ms;
            trace.push(format!("{:>9.3}s  {}", now_ms as f64 / 1000.0, line()));
        }
    }

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

    /// One turn; whether there was anything to do. The state is locked once for all that it takes to
    /// choose: locks are what a turn costs most.
    fn turn(&mut self) -> Result<bool, Violation> {
        self.turns += 1;
        if self.turns > MAX_TURNS {
            return Err(broken(
                "comes-to-rest",
                format!("still busy after {MAX_TURNS} turns"),
            ));
        }
        let mut state = self.sim.state();
        if let Some(violation) = state.violation.take() {
            return Err(violation);
        }
        self.met += std::mem::take(&mut state.met);
        if self.met >= self.faults.most || self.calm {
            self.calm = true;
            state.faults = Faults::NONE;
        }
        let (tickets, now_ms) = (state.tickets.len(), state.now_ms);
        let room = self.tasks.len() < MAX_TASKS;
        let acts = room && (self.outside.is_free() || self.sendable(now_ms).is_some());
        let delivers = room && state.queues.any_ready(now_ms);
        let options = tickets + usize::from(delivers) + usize::from(acts);
        if options == 0 {
            drop(state);
            return match self.wait(now_ms) {
                true => Ok(true),
                false => self.go_on_with_script(),
            };
        }
        let patient = self.calm || self.tasks.iter().any(|task| task.spared);
        if !patient && state.tape.happens(self.faults.pause) {
            let pause_s = 1 + state.tape.choose(40);
            drop(state);
            self.met += 1;
            self.pass(now_ms + i64::from(pause_s) * 1_000);
            return Ok(true);
        }
        let chosen = match options {
            1 => 0,
            many => state.tape.index(many),
        };
        drop(state);
        if chosen < tickets {
            self.grant(chosen)?;
        } else if chosen == tickets && delivers {
            self.deliver()?;
        } else {
            self.act(now_ms)?;
        }
        Ok(true)
    }

    /// What the script says comes next, now that nothing moves; whether there was anything.
    fn go_on_with_script(&mut self) -> Result<bool, Violation> {
        let orders = self.world.orders();
        let now = self.sim.state().now();
        let next = self.outside.next_of_script(&orders, &self.retailer, now);
        match next {
            Some(act) => self.do_act(act).map(|()| true),
            None => Ok(false),
        }
    }

    /// Whether a process dies at this point, because the plan says so.
    fn dies_here(&mut self) -> bool {
        self.points += 1;
        self.plan.crashes.contains(&self.points)
    }

    fn choose(&self, bound: u32) -> u32 {
        self.sim.state().tape.choose(bound)
    }

    fn happens(&self, rate: u32) -> bool {
        self.sim.state().tape.happens(rate)
    }

    /// Lets time pass to the next thing that is due; whether there is one.
    fn wait(&mut self, now_ms: i64) -> bool {
        let queued = self.sim.state().queues.next_ms();
        let sending = self.sendings.iter().filter_map(|s| s.due_ms).min();
        let next = queued.into_iter().chain(sending).min();
        match next {
            Some(next_ms) => self.pass(next_ms.max(now_ms)),
            None => return false,
        }
        true
    }

    /// Lets time pass. What runs for too long is ended.
    fn pass(&mut self, to_ms: i64) {
        self.sim.state().now_ms = to_ms;
        self.say(|| "time has passed".into());
        while let Some(late) = self
            .tasks
            .iter()
            .position(|task| task.started_ms + TIMEOUT_MS < to_ms)
        {
            self.kill(late, "timed out");
        }
    }

    /// Ends an invocation in the middle.
    fn kill(&mut self, place: usize, how: &str) {
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

    fn send_again(&mut self, n: usize) {
        let now_ms = self.sim.state().now_ms;
        let sending = &mut self.sendings[n];
        if !sending.answered {
            sending.due_ms = Some(now_ms + RESEND_MS);
        } else if sending.refused {
            // A second copy may find what the first did not, and nobody asks what became of it.
            self.sim.state().queues.needs_sweeper = true;
        }
    }

    /// It is a call's turn.
    fn grant(&mut self, place: usize) -> Result<(), Violation> {
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

    /// A queue hands out a batch.
    fn deliver(&mut self) -> Result<(), Violation> {
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

    /// Somebody outside does something.
    fn act(&mut self, now_ms: i64) -> Result<(), Violation> {
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

    fn do_act(&mut self, act: Act) -> Result<(), Violation> {
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
        match says {
            true => self.ask(vendor::hint(place)),
            false => Ok(()),
        }
    }

    /// Sends a new request, perhaps twice.
    fn ask(&mut self, ask: Ask) -> Result<(), Violation> {
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

    fn sendable(&self, now_ms: i64) -> Option<usize> {
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
        let future = self.world.request(&handler, &ask);
        self.start(ask.function, handler, future, Work::Request(n), false)
    }

    fn start_event(&mut self, function: &'static str) {
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

    fn start(
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

    /// An instance of a function: one that is idle, with whatever it remembers, or a new one.
    fn instance(&mut self, name: &'static str) -> Result<Handler, Violation> {
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

    fn finish(self, mut violations: Vec<Violation>) -> Outcome {
        let mut observed = self.world.stored();
        let mut state = self.sim.state();
        observed.parked = state.queues.parked();
        observed.queued = state.queues.depth();
        observed.at = state.now();
        observed.shipments = state.shop.shipments();
        observed.shown = state.shop.shown();
        let now_ms = state.now_ms;
        observed.repaid = std::mem::take(&mut state.till).into_made(now_ms);
        let mails = std::mem::take(&mut state.mails).into_iter();
        observed.mails = mails.map(|mailed| mailed.mail).collect();
        observed.deeds = self.deeds;
        observed.heard = std::mem::take(&mut state.listeners.heard);
        let serves = |location: &Location| (location.id.clone(), location.serves.clone());
        observed.serves = self.retailer.locations.iter().map(serves).collect();
        let locations = self.retailer.locations.iter();
        let bounded = locations.filter_map(|l| l.daily_orders.map(|most| (l.id.clone(), most)));
        observed.daily_orders = bounded.collect();
        let zone = |location: &Location| (location.id.clone(), location.time_zone.clone());
        observed.zones = self.retailer.locations.iter().map(zone).collect();
        let kits = self.retailer.kits.iter().map(|kit| {
            let parts = kit.components.iter().map(|part| {
                let decimals = self.retailer.decimals(&part.sku);
                (
                    part.sku.clone(),
                    part.quantity.units(decimals).unwrap_or(-1),
                )
            });
            (kit.sku.clone(), parts.collect())
        });
        observed.kits = kits.collect();
        let products = self.retailer.products.iter();
        let kept = products.clone().flat_map(|product| {
            let kept = product.safety_stock.values();
            kept.map(|kept| {
                (
                    product.sku.clone(),
                    kept.units(product.decimals).unwrap_or(-1),
                )
            })
        });
        observed.safety_stock = kept.collect();
        let measured = products.clone().filter(|product| product.decimals > 0);
        observed.decimals = measured.map(|p| (p.sku.clone(), p.decimals)).collect();
        let asks = products.filter(|product| product.backorders == Backorders::Ask);
        observed.asks_to_wait = asks.map(|product| product.sku.clone()).collect();
        violations.extend(state.violation.take());
        if violations.is_empty() {
            violations = check::at_rest(&observed);
        }
        let tape = std::mem::replace(&mut state.tape, Tape::of_choices(Vec::new()));
        Outcome {
            violations,
            faults: self.met,
            turns: self.turns,
            points: self.points,
            trace: self.trace.unwrap_or_default(),
            choices: tape.into_choices(),
            observed,
        }
    }
}
