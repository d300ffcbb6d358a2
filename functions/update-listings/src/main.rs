//! The binary of `update-listings`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(update_listings::function())
}
