//! The binary of `expire-reservations`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(expire_reservations::function())
}
