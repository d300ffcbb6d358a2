//! The binary of `redrive-messages`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(redrive_messages::function())
}
