//! What time it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time: that of the machine, or that of a simulation. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that says what `read` says.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
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
