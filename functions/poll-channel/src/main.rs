//! The binary of `poll-channel`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(poll_channel::function())
}
