//! The binary of `refund-order`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(refund_order::function())
}
