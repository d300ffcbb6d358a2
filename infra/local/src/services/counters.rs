//! What was called, by whom, and what it would cost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::lock;

/// One kind of call by one caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Call {
    /// The function that called, `event-source` for the queue pollers, `outside` for clients without a name.
    pub caller: Arc<str>,
    /// `dynamodb`, `sqs`, `ses`, `secretsmanager`, `events`.
    pub service: &'static str,
    /// The operation by AWS's name for it.
    pub operation: &'static str,
}

/// How often a call was made and what it consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Calls, failed ones included.
    pub calls: u64,
    /// Calls that were answered with an error, failed conditions included.
    pub errors: u64,
    /// DynamoDB write units, copies in indexes included.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
}

/// DynamoDB capacity units of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Units {
    pub write: f64,
    pub read: f64,
}

/// Counts of all calls since the start or the last [`Counters::reset`].
#[derive(Default)]
pub struct Counters {
    calls: Mutex<BTreeMap<Call, Tally>>,
    connections: AtomicU64,
}

impl Counters {
    pub(crate) fn count(
        &self,
        caller: &Arc<str>,
        service: &'static str,
        operation: &'static str,
        units: Units,
        failed: bool,
    ) {
        let call = Call {
            caller: caller.clone(),
            service,
            operation,
        };
        let mut calls = lock(&self.calls);
        let tally = calls.entry(call).or_default();
        tally.calls += 1;
        tally.errors += u64::from(failed);
        tally.write_units += units.write;
        tally.read_units += units.read;
    }

    pub(crate) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far, ordered by caller, service and operation.
    pub fn snapshot(&self) -> Vec<(Call, Tally)> {
        let calls = lock(&self.calls);
        calls
            .iter()
            .map(|(call, tally)| (call.clone(), *tally))
            .collect()
    }

    /// The sum of all counts for which `select` holds.
    pub fn total(&self, select: impl Fn(&Call) -> bool) -> Tally {
        let calls = lock(&self.calls);
        let mut sum = Tally::default();
        for (_, tally) in calls.iter().filter(|(call, _)| select(call)) {
            sum.calls += tally.calls;
            sum.errors += tally.errors;
            sum.write_units += tally.write_units;
            sum.read_units += tally.read_units;
        }
        sum
    }

    /// Connections opened at the TCP endpoint.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Starts counting from nothing.
    pub fn reset(&self) {
        lock(&self.calls).clear();
        self.connections.store(0, Ordering::Relaxed);
    }
}
