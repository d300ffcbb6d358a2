//! The binary of `publish-events`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(publish_events::function())
}
