//! The binary of `edit-subscribers`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(edit_subscribers::function())
}
