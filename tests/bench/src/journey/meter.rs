//! The functions of the local cloud with a meter around each: how often, how long, how many messages.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::BoxFuture;
use runtime::{Aws, Error, Function, Handler, Setup};
use serde_json::Value;
use tokio::sync::{Notify, RwLock, RwLockWriteGuard};

use super::trace;

/// One invocation of a function.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    /// The function.
    pub function: &'static str,
    /// Messages in its event; 0 for a request.
    pub messages: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
    /// How long it took.
    pub took: Duration,
}

/// What has been metered. A function's `init` is a plain function pointer and can carry nothing along, so
/// that this has to be a static.
#[derive(Default)]
struct Meter {
    invocations: Mutex<Vec<Invocation>>,
    /// By function and order: rings when the function has dealt with the order.
    bells: Mutex<HashMap<(&'static str, String), Arc<Notify>>>,
    traces: AtomicBool,
    /// Held by whoever works on messages, and by whoever keeps them waiting.
    gate: RwLock<()>,
}

static METER: LazyLock<Meter> = LazyLock::new(Meter::default);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Init = fn(Setup) -> BoxFuture<'static, Result<Handler, Error>>;

/// A metered `init` for each place in the list of functions, and some more for those to come.
macro_rules! inits {
    ($($place:literal)*) => { [$(init::<$place> as Init),*] };
}
const INITS: [Init; 40] = inits!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
    20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
);

/// The functions, metered; with `traces` their AWS calls are recorded one by one as well.
pub fn functions(traces: bool) -> Result<Vec<Function>> {
    METER.traces.store(traces, Ordering::SeqCst);
    let functions = local::built_in::functions();
    ensure!(
        functions.len() <= INITS.len(),
        "there are {} functions, the meter has places for {}",
        functions.len(),
        INITS.len()
    );
    let metered = functions.into_iter().zip(INITS);
    Ok(metered
        .map(|(function, init)| Function { init, ..function })
        .collect())
}

fn init<const PLACE: usize>(mut setup: Setup) -> BoxFuture<'static, Result<Handler, Error>> {
    Box::pin(async {
        let function = local::built_in::functions()[PLACE];
        if METER.traces.load(Ordering::SeqCst)
            && let Aws::Sdk(aws) = setup.aws
        {
            setup.aws = Aws::Sdk(trace::traced(aws, function.name));
        }
        let handler = (function.init)(setup).await?;
        let metered = move |event: Value| -> BoxFuture<'static, Result<Value, Error>> {
            let handler = handler.clone();
            Box::pin(async move {
                let bodies = bodies(&event);
                let (messages, bytes) = (bodies.len(), bodies.iter().map(String::len).sum());
                let _passage = match messages {
                    0 => None,
                    _ => Some(METER.gate.read().await),
                };
                let started = Instant::now();
                let answer = handler.call(event).await;
                lock(&METER.invocations).push(Invocation {
                    function: function.name,
                    messages,
                    bytes,
                    took: started.elapsed(),
                });
                for order in bodies.iter().filter_map(|body| order_of(body)) {
                    bell(function.name, order).notify_one();
                }
                answer
            })
        };
        Ok(Handler::Event(Arc::new(metered)))
    })
}

fn bodies(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().map(Vec::as_slice);
    let bodies = records.unwrap_or_default().iter();
    bodies
        .filter_map(|record| record["body"].as_str().map(str::to_owned))
        .collect()
}

/// The order that a hint is about: its id comes first in the body.
fn order_of(body: &str) -> Option<&str> {
    body.strip_prefix(r#"{"order":""#)?.split('"').next()
}

fn bell(function: &'static str, order: &str) -> Arc<Notify> {
    let mut bells = lock(&METER.bells);
    Arc::clone(bells.entry((function, order.to_owned())).or_default())
}

/// Keeps every function that works on messages waiting, once those under way have ended, until what this gives
/// is dropped: as if they had processors of their own, which on Lambda they have.
pub async fn hold_messages() -> RwLockWriteGuard<'static, ()> {
    METER.gate.write().await
}

/// Waits until a function has dealt with an order's hint.
pub async fn dealt_with(function: &'static str, order: &str) {
    bell(function, order).notified().await;
}

/// The invocations since the last call.
pub fn take() -> Vec<Invocation> {
    lock(&METER.bells).clear();
    std::mem::take(&mut *lock(&METER.invocations))
}
