//! What is read often and changes seldom, remembered for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// How long it is believed: so long after a change the old value may still be used.
pub(crate) const BELIEVED: Duration = Duration::from_secs(60);

/// A value that is read again once it is too old.
#[derive(Debug)]
pub struct Cached<T> {
    clock: Clock,
    known: Mutex<Option<(Timestamp, Arc<T>)>>,
}

impl<T> Cached<T> {
    /// Nothing is known yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            known: Mutex::new(None),
        }
    }

    /// The value, read anew if there is none that can be believed.
    pub async fn get<E>(&self, read: impl Future<Output = Result<T, E>>) -> Result<Arc<T>, E> {
        if let Some(value) = self.believed() {
            return Ok(value);
        }
        let value = Arc::new(read.await?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((self.clock.now(), Arc::clone(&value)));
        Ok(value)
    }

    fn believed(&self) -> Option<Arc<T>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = known.as_ref()?;
        self.clock
            .within(*since, BELIEVED)
            .then(|| Arc::clone(value))
    }
}
