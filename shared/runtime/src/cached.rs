//! What is read often and changes seldom, remembered for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is believed: so long after a change the old value may still be used.
pub(crate) const BELIEVED: Duration = Duration::from_secs(60);

/// A value that is read again once it is too old.
#[derive(Debug)]
pub struct Cached<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cached<T> {
    /// The value, read anew if there is none that can be believed.
    pub async fn get<E>(&self, read: impl Future<Output = Result<T, E>>) -> Result<Arc<T>, E> {
        if let Some(value) = self.believed() {
            return Ok(value);
        }
        let value = Arc::new(read.await?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    fn believed(&self) -> Option<Arc<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = known.as_ref()?;
        (since.elapsed() < BELIEVED).then(|| Arc::clone(value))
    }
}
