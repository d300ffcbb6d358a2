//! The binary of `update-channel`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(update_channel::function())
}
