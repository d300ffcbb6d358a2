//! The binary of `notify-warehouse`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(notify_warehouse::function())
}
