//! What waits in queues, and what was asked of AWS.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CALLER;
use crate::cloud::Cloud;
use crate::services::sqs::Depth;
use crate::services::{Call, Tally};

/// A queue and its dead letters.
#[derive(Serialize)]
pub(super) struct QueueRow {
    name: String,
    depth: Depth,
    /// `None` if it has no dead-letter queue.
    dead_letters: Option<usize>,
}

/// Every queue that is not another one's dead-letter queue.
pub(super) fn queues(cloud: &Cloud) -> Vec<QueueRow> {
    let queues = cloud.services().sqs.queues();
    let dead_letters: BTreeMap<&str, String> = queues
        .iter()
        .filter_map(|queue| {
            let arn = queue.redrive()?.dead_letter_arn;
            Some((queue.name(), arn.rsplit(':').next()?.to_owned()))
        })
        .collect();
    let depths = cloud.queue_depths();
    let row = |(name, depth): (&String, &Depth)| QueueRow {
        name: name.clone(),
        depth: *depth,
        dead_letters: dead_letters
            .get(name.as_str())
            .and_then(|dead| depths.get(dead))
            .map(Depth::total),
    };
    let is_dead = |name: &String| dead_letters.values().any(|dead| dead == name);
    let live = depths.iter().filter(|(name, _)| !is_dead(name));
    live.map(row).collect()
}

/// Calls under one heading.
#[derive(Serialize)]
pub(super) struct CallRow {
    name: String,
    /// A function, as against whoever else calls.
    function: bool,
    tally: Tally,
}

/// AWS calls since the start.
#[derive(Serialize)]
pub(super) struct Calls {
    /// By who called.
    callers: Vec<CallRow>,
    /// Those of functions by what they called.
    operations: Vec<CallRow>,
    /// Those of functions.
    total: Tally,
}

pub(super) fn calls(cloud: &Cloud) -> Calls {
    let counters = &cloud.services().counters;
    let functions = &cloud.template().functions;
    let by_function = |call: &Call| functions.contains_key(&*call.caller);
    let (mut callers, mut operations) = (BTreeMap::new(), BTreeMap::new());
    for (call, tally) in counters.snapshot() {
        let function = by_function(&call);
        // Functions first, whoever reads this page last.
        let place = (!function, &*call.caller == CALLER, call.caller.to_string());
        add(callers.entry(place).or_default(), &tally);
        if function {
            let place = format!("{} {}", call.service, call.operation);
            add(operations.entry(place).or_default(), &tally);
        }
    }
    let caller = |((other, _, name), tally): ((bool, bool, String), Tally)| CallRow {
        name,
        function: !other,
        tally,
    };
    let operation = |(name, tally)| CallRow {
        name,
        function: true,
        tally,
    };
    Calls {
        callers: callers.into_iter().map(caller).collect(),
        operations: operations.into_iter().map(operation).collect(),
        total: counters.total(by_function),
    }
}

fn add(sum: &mut Tally, tally: &Tally) {
    sum.calls += tally.calls;
    sum.errors += tally.errors;
    sum.write_units += tally.write_units;
    sum.read_units += tally.read_units;
}
