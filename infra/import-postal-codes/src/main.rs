//! The command. See `--help`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use import_postal_codes::{Broken, Progress, Watch, import};
use indicatif::{ProgressBar, ProgressStyle};
use store::{Store, Tables};

/// Imports GeoNames postal code files (allCountries.txt, DE.txt, ...: download.geonames.org/export/zip)
/// into a stack's table of places. New orders are located by them within a minute.
///
/// A file that was broken off goes on where it was. AWS is found by the variables AWS_REGION, AWS_ACCESS_KEY_ID,
/// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (`aws configure export-credentials --format env` prints them), the local
/// cloud by AWS_ENDPOINT_URL. Ends with 0 if every row is imported, 1 if rows are broken and the rest is imported, 2 if
/// it was broken off.
#[derive(Parser)]
#[command(name = "import-postal-codes", verbatim_doc_comment)]
struct Arguments {
    /// The stack; the local cloud's is `waybill`.
    stack: String,
    /// Files, unpacked.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

struct Terminal {
    file: String,
    bar: ProgressBar,
}

impl Watch for Terminal {
    fn came(&mut self, progress: &Progress) {
        self.bar.set_length(progress.of.bytes);
        self.bar.set_position(progress.bytes);
        let (imported, broken) = (progress.imported, progress.broken);
        self.bar
            .set_message(format!("{imported} rows, {broken} broken"));
    }

    fn broken(&mut self, line: u64, why: &Broken) {
        let file = &self.file;
        self.bar.suspend(|| eprintln!("{file}:{line}: {why}"));
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("import-postal-codes: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Imports all files; how many rows are broken.
async fn run(arguments: Arguments) -> Result<u64> {
    let missing = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        .into_iter()
        .filter(|name| std::env::var(name).unwrap_or_default().is_empty());
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        bail!("set {}; --help says more", missing.join(", "));
    }
    let aws = runtime::aws::from_environment("import-postal-codes");
    let places = format!("{}-places", arguments.stack);
    let at = aws
        .endpoint_url()
        .or(aws.region().map(|region| region.as_ref()));
    let table = format!("{} {places}", at.unwrap_or_default());
    let tables = Tables {
        places,
        ..Tables::default()
    };
    let store = Store::new(&aws, tables);
    let mut broken = 0;
    for file in &arguments.files {
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta} {msg}")?;
        let mut terminal = Terminal {
            file: file.display().to_string(),
            bar: ProgressBar::new(0).with_style(style),
        };
        let done = import(&store, &table, file, &mut terminal).await;
        terminal.bar.finish_and_clear();
        let done = done?;
        let (lines, imported) = (done.lines, done.imported);
        let told = format!(
            "{}: {lines} rows, {imported} imported, {} broken\n",
            terminal.file, done.broken
        );
        std::io::stdout().write_all(told.as_bytes())?;
        broken += done.broken;
    }
    Ok(broken)
}
