//! The binary of `sweep-orders`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(sweep_orders::function())
}
