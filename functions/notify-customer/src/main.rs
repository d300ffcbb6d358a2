//! The binary of `notify-customer`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(notify_customer::function())
}
