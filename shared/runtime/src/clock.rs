//! What time it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time: that of the machine, or that of a simulation. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pauses: bool,
}

impl Clock {
    /// A clock that says what `read` says. It pauses for nobody: where the time is simulated, every
    /// call waits for its turn anyway.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            pauses: false,
        }
    }

    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(Timestamp::now).pausing()
    }

    /// The clock, with pauses that last, by tokio's time.
    pub fn pausing(self) -> Self {
        let pauses = true;
        Self { pauses, ..self }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.read)()
    }

    /// Lets some time go by.
    pub async fn pause(&self, time: Duration) {
        if self.pauses {
            tokio::time::sleep(time).await;
        }
    }

    /// Whether less than `age` has passed since `then`. What lies ahead of a clock that was set back
    /// is not believed either.
    pub fn within(&self, then: Timestamp, age: Duration) -> bool {
        let passed = self.now().duration_since(then);
        !passed.is_negative() && passed.unsigned_abs() < age
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Clock({})", self.now())
    }
}
