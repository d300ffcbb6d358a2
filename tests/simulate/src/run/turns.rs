//! Whose turn it is: a call's, a queue's or that of somebody outside; and how time passes where it is nobody's.

use super::{Run, broken};
use crate::check::Violation;
use crate::faults::Faults;
use crate::world::World;

/// Milliseconds that an invocation may take (the template's): then it is ended.
const TIMEOUT_MS: i64 = 30_000;
/// Invocations at a time.
const MAX_TASKS: usize = 6;
/// Turns that a run may take: it has to come to rest long before.
const MAX_TURNS: u32 = 20_000;

impl<W: World> Run<'_, W> {
    /// One turn; whether there was anything to do. The state is locked once for all that it takes to
    /// choose: locks are what a turn costs most.
    pub(super) fn turn(&mut self) -> Result<bool, Violation> {
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
}
