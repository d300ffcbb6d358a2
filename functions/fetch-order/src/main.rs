//! The binary of `fetch-order`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(fetch_order::function())
}
