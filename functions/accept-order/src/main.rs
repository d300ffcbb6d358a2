//! The binary of `accept-order`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(accept_order::function())
}
