//! The binary of `update-stock`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(update_stock::function())
}
