//! The fast world's database: the tables as Rust values, written as DynamoDB would write them.
//!
//! It is a model, and not believed: the same schedules run against the real store code and an
//! embedded DynamoDB, and both have to end alike.

mod channels;
mod orders;
mod reference;
mod stock;
mod subscribers;
mod tables;

use async_trait::async_trait;
use store::{Database, Refusal, StoreError, Write, Writes, Written};

pub use tables::{Row, Shelf, Tables};

use crate::faults::{Fate, Kind};
use crate::mutant::Mutant;
use crate::sim::{Sim, State};

/// A connection to the tables of a world.
pub struct Memory(pub Sim);

impl Memory {
    /// A consistent read.
    async fn read<T>(
        &self,
        operation: &'static str,
        look: impl FnOnce(&State) -> T,
    ) -> Result<T, StoreError> {
        self.look(operation, Kind::Read, |state, _| look(state))
            .await
    }

    /// A read that may be of the past.
    async fn look<T>(
        &self,
        operation: &'static str,
        kind: Kind,
        look: impl FnOnce(&State, bool) -> T,
    ) -> Result<T, StoreError> {
        match self.0.turn(operation, kind).await {
            Fate::Refused | Fate::AnswerLost => Err(lost(operation)),
            fate => Ok(look(&self.0.state(), fate == Fate::Stale)),
        }
    }

    /// A write of one item.
    async fn change<T>(
        &self,
        operation: &'static str,
        change: impl Fn(&mut State) -> T,
    ) -> Result<T, StoreError> {
        let fate = self.0.turn(operation, Kind::Write).await;
        if fate == Fate::Refused {
            return Err(lost(operation));
        }
        let state = &mut self.0.state();
        let first = change(state);
        match fate {
            Fate::AnswerLost => Err(lost(operation)),
            Fate::Repeated => Ok(change(state)),
            _ => Ok(first),
        }
    }
}

#[async_trait]
impl Database for Memory {
    async fn warm(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Writes for Memory {
    async fn write(&self, writes: &[Write]) -> Result<Written, StoreError> {
        let alone = matches!(writes, [Write::Order(..) | Write::Published(..)]);
        let (operation, kind) = match alone {
            true => ("PutItem", Kind::Write),
            false => ("TransactWriteItems", Kind::Transaction),
        };
        let fate = self.0.turn(operation, kind).await;
        let state = &mut self.0.state();
        match fate {
            Fate::Refused => return Err(lost(operation)),
            Fate::Conflict => return Ok(in_the_way(writes.len())),
            _ => {}
        }
        let half = fate == Fate::AnswerLost && state.is_off(Mutant::TransactionWhole);
        let written = match half {
            true => state.write(&writes[..writes.len() / 2]),
            false => state.write(writes),
        };
        match fate {
            Fate::AnswerLost => Err(lost(operation)),
            // A transaction carries a token: its repeat gives the same answer.
            Fate::Repeated if alone => Ok(state.write(writes)),
            _ => Ok(written),
        }
    }
}

/// The answer to a transaction that met another one, in its middle: at an order or at a level.
fn in_the_way(writes: usize) -> Written {
    let mut refusals = vec![Refusal::None; writes];
    refusals[writes / 2] = Refusal::Passing("TransactionConflict".into());
    Written::Refused(refusals)
}

fn lost(operation: &'static str) -> StoreError {
    StoreError::Transient {
        operation,
        cause: "the simulation says so".into(),
    }
}

/// A request that no simulated step makes: whoever makes it has to teach the model first.
fn unknown(what: &str) -> StoreError {
    StoreError::Refused {
        operation: "a request that the model does not know",
        cause: what.into(),
    }
}
