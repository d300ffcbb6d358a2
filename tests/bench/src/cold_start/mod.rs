//! How soon each function can work: the size of its binary, the time from its start to its first request for
//! work, and the connections that it opens before and after that.

mod binaries;
mod endpoint;
mod events;
mod lambda;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use local::cloud::{Cloud, Options};
use local::seed;
use serde_json::{Value, json};

use crate::spread::Spread;
use crate::{Arguments, Figures};
use endpoint::{Connections, Endpoint};
use lambda::Instance;

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");
/// How long AWS takes to answer where connections are counted: long enough for calls that a function makes at
/// once to be under way at once.
const AWS_TAKES: Duration = Duration::from_millis(20);

/// A function's first event.
struct First {
    connections: Connections,
    log_bytes: usize,
}

/// Measures every function.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let names: Vec<&str> = local::built_in::functions()
        .iter()
        .map(|function| function.name)
        .collect();
    let binaries = binaries::find_or_build(&names)?;
    // The binaries are to do the work: the cloud's own functions only clear the queues.
    let functions = local::built_in::functions().into_iter();
    let functions = functions.map(|function| runtime::Function {
        init: |_| {
            async {
                Ok(runtime::function::handler((), |_, _| async {
                    Ok(Value::Null)
                }))
            }
            .boxed()
        },
        ..function
    });
    let cloud = Cloud::start(Options::new(TEMPLATE, functions.collect())).await?;
    seed::sample_retailer(&cloud).await?;
    let endpoint = Endpoint::start(cloud.services().clone()).await?;

    let mut firsts: BTreeMap<&str, First> = BTreeMap::new();
    for (function, event) in events::journey()? {
        eprintln!("cold-start: a first event for {function}");
        endpoint.reset(AWS_TAKES);
        let path = &binaries[function];
        let mut instance =
            Instance::start(path, &variables(&cloud, function)?, &endpoint, Some(event)).await?;
        instance.asked().await.context(function)?;
        let answer = instance.answered().await.context(function)?;
        events::check(&answer).with_context(|| format!("{function} answered {answer}"))?;
        let connections = endpoint.connections();
        let log_bytes = instance.stop()?;
        // Of several events the one that opens most.
        let worst = |known: &First| known.connections.opened_late() >= connections.opened_late();
        if !firsts.get(function).is_some_and(worst) {
            firsts.insert(
                function,
                First {
                    connections,
                    log_bytes,
                },
            );
        }
    }

    let mut table = format!(
        "{:<20} {:>10} {:>10} {:>28} {:>6} {:>8} {:>8}\n",
        "", "bytes", "zip bytes", "init ms (min to max)", "opened", "in init", "late"
    );
    let mut rows = Vec::new();
    for name in names {
        let first = firsts
            .get(name)
            .with_context(|| format!("{name} has no event"))?;
        let path = &binaries[name];
        let variables = variables(&cloud, name)?;
        let mut times = Vec::new();
        for run in 1..=arguments.runs {
            endpoint.reset(Duration::ZERO);
            let mut instance = Instance::start(path, &variables, &endpoint, None).await?;
            let took = instance.asked().await.context(name)?;
            eprintln!(
                "cold-start: {name}, run {run} of {}: {took:?}",
                arguments.runs
            );
            times.push(took.as_secs_f64() * 1_000.0);
            instance.stop()?;
        }
        let init_ms = Spread::of(times);
        let (bytes, zip_bytes) = binaries::sizes(path)?;
        let connections = &first.connections;
        let late = connections.late.values().sum::<usize>();
        writeln!(
            table,
            "{name:<20} {bytes:>10} {zip_bytes:>10} {init_ms:>28} {:>6} {:>8} {late:>8}",
            connections.tcp_init + connections.tcp_handler,
            connections.tcp_init,
        )?;
        rows.push(json!({
            "name": name,
            "bytes": bytes,
            "zip_bytes": zip_bytes,
            "init_ms": init_ms.median,
            "init_ms_spread": init_ms,
            "connections_init": connections.tcp_init,
            "connections_handler": connections.tcp_handler,
            "aws_connections_init": connections.early,
            "aws_connections_handler": connections.late,
            "log_bytes": first.log_bytes,
        }));
    }
    cloud.stop().await;
    writeln!(
        table,
        "opened, in init: connections at the one endpoint here. late: connections that the handler would open on \
         AWS, where each service is a host of its own."
    )?;
    ensure!(!rows.is_empty(), "there are no functions");
    Ok(Figures {
        table,
        json: json!({"benchmark": "cold-start", "functions": rows}),
    })
}

/// What the template sets for a function.
fn variables(cloud: &Cloud, function: &str) -> Result<BTreeMap<String, String>> {
    let function = cloud.template().functions.get(function);
    Ok(function
        .context("the template lacks it")?
        .environment
        .clone())
}
