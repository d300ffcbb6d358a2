//! The binary of `adjust-stock`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(adjust_stock::function())
}
