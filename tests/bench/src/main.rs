//! Figures: `cargo run --release -p bench -- NAME [--json]`. Each benchmark compares its variants in one run.

mod cold_start;
mod flood;
mod hot_sku;
mod journey;
mod prices;
mod routing;
mod spread;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use futures::future::BoxFuture;
use serde_json::Value;

/// A benchmark by its name.
struct Benchmark {
    name: &'static str,
    run: fn(Arguments) -> BoxFuture<'static, Result<Figures>>,
}

/// All of them.
const BENCHMARKS: [Benchmark; 7] = [
    Benchmark {
        name: "journey",
        run: |arguments| Box::pin(journey::run(arguments)),
    },
    Benchmark {
        name: "cold-start",
        run: |arguments| Box::pin(cold_start::run(arguments)),
    },
    Benchmark {
        name: "flood",
        run: |arguments| Box::pin(flood::run(arguments)),
    },
    Benchmark {
        name: "hot-sku",
        run: |arguments| Box::pin(hot_sku::run(arguments)),
    },
    Benchmark {
        name: "backlog",
        run: |arguments| Box::pin(hot_sku::backlog::run(arguments)),
    },
    Benchmark {
        name: "growth",
        run: |arguments| Box::pin(journey::growth::run(arguments)),
    },
    Benchmark {
        name: "routing",
        run: |arguments| Box::pin(routing::run(arguments)),
    },
];

/// What a benchmark found.
pub struct Figures {
    /// For people.
    pub table: String,
    /// For programs.
    pub json: Value,
}

/// Measures one thing and prints what it found.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// What to measure.
    #[arg(value_parser = BENCHMARKS.map(|benchmark| benchmark.name))]
    name: String,
    /// Print one JSON object on the last line instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each variant is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How many orders (or webhooks) each variant measures; as many as it takes for a steady figure, if not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    orders: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let named = BENCHMARKS.iter().find(|known| known.name == arguments.name);
    let Some(benchmark) = named else {
        eprintln!("bench: there is no benchmark {}", arguments.name);
        return ExitCode::from(2);
    };
    let json = arguments.json;
    match (benchmark.run)(arguments).await {
        Ok(figures) if json => println!("{}", figures.json),
        Ok(figures) => println!("{}", figures.table),
        Err(error) => {
            eprintln!("bench: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One after the other: their functions share a meter.
    #[tokio::test(flavor = "multi_thread")]
    async fn small_runs_on_the_local_cloud() {
        let small = |name: &str, orders| Arguments {
            name: name.into(),
            json: true,
            runs: 1,
            orders: Some(orders),
        };
        let figures = journey::run(small("journey", 2)).await.unwrap().json;
        let calls = &figures["aws_calls_per_order"];
        assert!(calls.as_f64().is_some_and(|calls| calls > 10.0), "{calls}");
        // Half of the orders before are copies: they are at rest, and the ledgers add up.
        let measured = journey::growth::after(100, 50, 50).await.unwrap();
        assert_eq!(measured.orders, 50);
        let figures = flood::run(small("flood", 40)).await.unwrap().json;
        assert_eq!(
            (&figures["lost"], &figures["duplicated"]),
            (&0.into(), &0.into())
        );
        assert!(figures["p99_ms"].as_f64() >= figures["p50_ms"].as_f64());
    }
}
