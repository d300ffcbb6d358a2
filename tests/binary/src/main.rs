//! The long form: `cargo run --release -p binary -- kill --kills 100 --json`, `-- attack --json`. The last line of
//! standard output is one JSON object; whatever goes wrong is a panic that says what, and a code other than 0.

use std::time::{SystemTime, UNIX_EPOCH};

use binary::kill::Plan;
use binary::{attack, kill};
use clap::{Parser, Subcommand};

/// Meets the real binary as a hostile world would.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 64 clients at once.
    Attack {
        /// Print one JSON object on the last line.
        #[arg(long)]
        json: bool,
    },
    /// Killed at random moments, and started again.
    Kill {
        /// How often.
        #[arg(long, default_value_t = 100)]
        kills: u32,
        /// What the moments come from; the time of day, if not given.
        #[arg(long)]
        seed: Option<u64>,
        /// Print one JSON object on the last line.
        #[arg(long)]
        json: bool,
    },
}

#[tokio::main]
async fn main() {
    let (found, json) = match Arguments::parse().what {
        What::Attack { json } => (attack::run_all().await, json),
        What::Kill { kills, seed, json } => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let seed = seed.unwrap_or_else(|| now.map_or(1, |now| now.as_secs()));
            let plan = Plan {
                kills,
                seed,
                wait_for_mail: true,
            };
            (kill::run(plan).await, json)
        }
    };
    match json {
        true => println!("{found}"),
        false => println!("{found:#}"),
    }
}
