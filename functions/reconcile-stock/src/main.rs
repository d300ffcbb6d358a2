//! The binary of `reconcile-stock`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(reconcile_stock::function())
}
