//! The simulator on the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use simulate::report;
use simulate::search::Where;

/// Half of a schedule is copies of orders made and dropped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tries to break every promise that Waybill makes.
#[derive(Debug, Parser)]
#[command(name = "simulate", version)]
struct Arguments {
    /// Run (or replay) on AWS's own clients and the local cloud instead of on the model: slower by far
    #[arg(long, global = true)]
    full: bool,
    /// Schedules to run
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Threads
    #[arg(long, global = true, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// Go on after a violation, and count them by rule
    #[arg(long)]
    all: bool,
    /// Print the result as one JSON object on the last line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one seed and print everything that happens
    Replay {
        /// The seed
        seed: u64,
    },
    /// Switch off one safeguard after the other, and count the schedules until it is noticed
    Mutants {
        /// Schedules for each
        #[arg(long, default_value_t = 20_000)]
        most: u64,
        /// Only those whose name has this in it
        #[arg(long, default_value = "")]
        named: String,
    },
    /// Kill one order's process at every point, and at every two points, with and without doubled messages
    Exhaust,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let world = match arguments.full {
        true => Where::Full,
        false => Where::Fast,
    };
    let well = match arguments.command {
        None => report::search(&report::Search {
            world,
            seeds: arguments.seeds,
            first: arguments.first,
            threads: arguments.threads.max(1),
            all: arguments.all,
            json: arguments.json,
        }),
        Some(Command::Replay { seed }) => report::replay(world, seed),
        Some(Command::Mutants { most, named }) => report::mutants(most, &named, arguments.json),
        Some(Command::Exhaust) => report::exhaust(arguments.threads.max(1), arguments.json),
    };
    match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
