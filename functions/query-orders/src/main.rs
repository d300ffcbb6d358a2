//! The binary of `query-orders`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(query_orders::function())
}
