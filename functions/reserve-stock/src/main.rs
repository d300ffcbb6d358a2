//! The binary of `reserve-stock`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(reserve_stock::function())
}
