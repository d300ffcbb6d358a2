//! The binary of `confirm-fulfillment`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(confirm_fulfillment::function())
}
