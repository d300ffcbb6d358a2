//! The binary of `resume-deliveries`.

fn main() -> Result<(), runtime::Error> {
    runtime::run(resume_deliveries::function())
}
