//! The binary of `edit-catalog`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(edit_catalog::function())
}
