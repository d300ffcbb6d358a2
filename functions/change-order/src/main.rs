//! The binary of `change-order`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(change_order::function())
}
