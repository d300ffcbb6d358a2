//! What every function shares: start-up, batches and their outcomes, hints, HTTP, keys, secrets,
//! logs. A function is a name, the variables it reads, and what it does with an event.

pub mod auth;
pub mod aws;
pub mod cached;
pub mod function;
pub mod hint;
pub mod http;
pub mod log;
pub mod notice;
pub mod outbox;
pub mod products;
pub mod queue;
pub mod secrets;

pub use function::{Function, Handler, Setup, run};
pub use hint::Hint;
pub use outbox::{Emit, Outbox};

/// An error that fails a whole invocation.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
