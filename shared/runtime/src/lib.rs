//! What every function shares: start-up, batches and their outcomes, hints, HTTP, keys, secrets,
//! logs. A function is a name, the variables it reads, and what it does with an event.

pub mod auth;
pub mod aws;
pub mod backoff;
pub mod bus;
pub mod cached;
pub mod claim;
pub mod clock;
pub mod function;
pub mod hint;
pub mod http;
pub mod log;
pub mod mail;
pub mod notice;
pub mod outbox;
pub mod parked;
pub mod products;
pub mod queue;
pub mod secrets;
pub mod setup;
pub mod sqs;
pub mod web;

pub use clock::Clock;
pub use function::{Function, Handler, run};
pub use hint::{Changed, Hint};
pub use outbox::{Emit, Outbox};
pub use parked::{DeadLetters, Parked};
pub use setup::{Aws, Setup};

/// An error that fails a whole invocation.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
