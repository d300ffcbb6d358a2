//! Something with a state, made anew every so often: what one input leaves behind must not fill the memory, nor
//! lead far away from what the same input finds when it is run alone.

use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread. `paused`: its clock jumps to the next timer; not for sockets.
fn runtime(paused: bool) -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(paused).build().unwrap()
}

/// A state with the runtime that it lives in.
pub struct World<T> {
    runtime: Runtime,
    state: Option<T>,
    left: u32,
}

impl<T> World<T> {
    /// A world that is not made yet.
    pub fn new(paused: bool) -> Self {
        Self {
            runtime: runtime(paused),
            state: None,
            left: 0,
        }
    }

    /// Runs something in the world. After `uses` of them it is ended by `close` and made anew by `open`.
    pub fn run(
        &mut self,
        uses: u32,
        open: impl AsyncFnOnce() -> T,
        close: impl AsyncFnOnce(T),
        act: impl AsyncFnOnce(&T),
    ) {
        if self.left == 0 {
            if let Some(old) = self.state.take() {
                self.runtime.block_on(close(old));
            }
            self.left = uses;
        }
        self.left -= 1;
        if self.state.is_none() {
            self.state = Some(self.runtime.block_on(open()));
        }
        if let Some(state) = &self.state {
            self.runtime.block_on(act(state));
        }
    }
}
