//! The binary of `allocate-warehouse`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(allocate_warehouse::function())
}
