//! The binary of `check-restock`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(check_restock::function())
}
