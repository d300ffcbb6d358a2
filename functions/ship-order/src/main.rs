//! The binary of `ship-order`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(ship_order::function())
}
