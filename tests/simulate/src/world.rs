//! A world that steps run in: the fast one, on a model of AWS, or the full one, on AWS's own client
//! and the local cloud. The schedule is the same for both.

use std::sync::Arc;

use futures::future::BoxFuture;
use runtime::{Handler, Setup};
use serde_json::Value;
use store::Store;

use crate::ask::{Ask, Reply};
use crate::observed::Observed;
use crate::queues::Message;
use crate::retailer::Retailer;
use crate::sim::Sim;

/// How a function ended.
#[derive(Debug)]
pub enum Finished {
    /// A batch: the numbers of the messages that are to come again.
    Batch(Vec<u64>),
    /// A request.
    Reply(Reply),
    /// A schedule's turn: whether it went well.
    Event(bool),
}

/// What the scheduler needs of a world.
pub trait World {
    /// What is shared.
    fn sim(&self) -> &Sim;
    /// The store, for setting up and looking.
    fn store(&self) -> Store;
    /// What an instance of a function is built from; its clock is wrong by `skew_s`.
    fn setup(&self, function: &'static str, skew_s: i64) -> Setup;
    /// Puts a retailer in.
    fn furnish(&self, retailer: &Arc<Retailer>);
    /// Gives a function a batch of messages.
    fn batch(&self, handler: &Handler, batch: &[Message]) -> BoxFuture<'static, Finished>;
    /// Gives a function a request.
    fn request(&self, handler: &Handler, ask: &Ask) -> BoxFuture<'static, Finished>;
    /// Gives a function an event.
    fn event(&self, handler: &Handler, event: Value) -> BoxFuture<'static, Finished> {
        let handler = handler.clone();
        Box::pin(async move { Finished::Event(handler.call(event).await.is_ok()) })
    }
    /// Deletes a message from its queue.
    fn delete(&self, message: &Message);
    /// Hands over what is stored: orders, levels, facts, and who waits for what. The run is over.
    fn stored(&self) -> Observed;
    /// Looks at the orders.
    fn orders(&self) -> Vec<Arc<domain::Order>>;
}
