//! The binary of `rehearse-routing`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(rehearse_routing::function())
}
