//! The local cloud on the command line.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use clap::error::ErrorKind;
use local::cli::Arguments;
use local::cloud::{Cloud, Options};
use local::demo::Ending;
use local::{built_in, demo, seed};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// What a start that fails, or a usage that is wrong, ends with.
const CANNOT_START: u8 = 2;

/// What is logged unless `LOG` says otherwise. The SDK complains of a call in process, which has no connection.
const LOGGED: &str = "error,closing=off,aws_smithy_runtime::client::http::connection_poisoning=off";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Of a wrong value the first line says all.
        Err(error) if error.kind() == ErrorKind::ValueValidation => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            eprintln!("waybill: {}", line.trim_start_matches("error: "));
            return ExitCode::from(CANNOT_START);
        }
        Err(error) => error.exit(),
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cloud = match start(&arguments).await {
        Ok(cloud) => cloud,
        Err(error) => {
            eprintln!("waybill: {error:#}");
            return ExitCode::from(CANNOT_START);
        }
    };
    let code = match serve(&arguments, &cloud).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("waybill: {error:#}");
            ExitCode::FAILURE
        }
    };
    cloud.stop().await;
    code
}

async fn start(arguments: &Arguments) -> Result<Cloud> {
    let path = &arguments.template;
    let template = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the template {}", path.display()))?;
    let cloud = Cloud::start(Options {
        http: Some(arguments.http),
        aws: Some(arguments.aws),
        data: arguments.data.clone(),
        functions_url: arguments.functions.clone(),
        pages: Some(local::console::pages),
        ..Options::new(template, built_in::functions())
    })
    .await?;
    let prepared = prepare(arguments, &cloud).await;
    match &arguments.data {
        Some(data) => {
            prepared.with_context(|| format!("cannot keep data in {}", data.display()))?
        }
        None => prepared?,
    }
    cloud.services().counters.reset();
    Ok(cloud)
}

/// Puts in what a cloud starts with, and takes up the work of an earlier start.
async fn prepare(arguments: &Arguments, cloud: &Cloud) -> Result<()> {
    seed::sample_retailer(cloud).await?;
    for account in &arguments.accounts {
        seed::add_account(cloud, &account.channel, &account.name, &account.secret).await?;
    }
    for access in &arguments.accesses {
        seed::add_access(cloud, &access.channel, &access.name, &access.secret).await?;
    }
    for told in &arguments.told {
        seed::tell(cloud, &told.channel, &told.name).await?;
    }
    for key in &arguments.keys {
        seed::add_key(cloud, &key.role, &key.key).await?;
    }
    if arguments.data.is_some() {
        // The queues of an earlier start went with it, and with them every hint.
        let wish = json!({"older_than_s": 0});
        let swept = cloud.invoke("sweep-orders", wish).await;
        swept.context("cannot take up the work of an earlier start")?;
    }
    Ok(())
}

async fn serve(arguments: &Arguments, cloud: &Cloud) -> Result<ExitCode> {
    let say = |line: &str| println!("{line}");
    let stopped = asked_to_stop();
    tokio::pin!(stopped);
    let mut code = ExitCode::SUCCESS;
    if arguments.demo() || arguments.once {
        let started = Instant::now();
        let endings = tokio::select! {
            endings = demo::run(cloud, say) => endings?,
            _ = &mut stopped => return Ok(ExitCode::SUCCESS),
        };
        if !endings.iter().all(|ending| ending.ok) {
            code = ExitCode::FAILURE;
        }
        summarise(arguments, cloud, &endings, started);
    }
    if arguments.once {
        return Ok(code);
    }
    print_addresses(cloud);
    stopped.await?;
    println!("stopping");
    Ok(ExitCode::SUCCESS)
}

/// Resolves at Ctrl-C, or when the process is asked to end.
async fn asked_to_stop() -> Result<()> {
    let mut ended = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
        _ = ended.recv() => Ok(()),
    }
}

fn summarise(arguments: &Arguments, cloud: &Cloud, endings: &[Ending], started: Instant) {
    let counters = &cloud.services().counters;
    let mut calls = std::collections::BTreeMap::<String, u64>::new();
    // The eyes that watch are no part of what an order costs.
    let ours = |call: &local::services::Call| !matches!(&*call.caller, "demo" | "seed" | "console");
    for (call, tally) in counters
        .snapshot()
        .into_iter()
        .filter(|(call, _)| ours(call))
    {
        *calls
            .entry(format!("{}.{}", call.service, call.operation))
            .or_default() += tally.calls;
    }
    let total = counters.total(ours);
    println!();
    for ending in endings {
        let mark = if ending.ok { "ok " } else { "BAD" };
        let number = format!("#{}", ending.number);
        let (channel, status, money) = (&ending.channel, &ending.status, &ending.payment_status);
        println!("{mark} {channel:>7} {number:<7} {status:<12} {money}");
        if let Some(problem) = &ending.problem {
            println!("      expected {}: {problem}", ending.expected);
        }
    }
    let (orders, mails) = (endings.len(), cloud.services().ses.count());
    let reached = endings.iter().filter(|ending| ending.ok).count();
    let by_measure = endings.iter().filter(|ending| ending.by_measure).count();
    println!(
        "{reached} of {orders} orders reached the state they should, {by_measure} of them of goods sold by measure; \
         {} AWS calls, {mails} mails",
        total.calls
    );
    if arguments.json {
        let summary = json!({
            "ok": reached == orders,
            "orders": endings,
            "by_measure": by_measure,
            "aws_calls": {"total": total.calls, "by_operation": calls},
            "write_units": total.write_units,
            "read_units": total.read_units,
            "mails": mails,
            "elapsed_ms": started.elapsed().as_millis() as u64,
        });
        println!("{summary}");
    }
}

fn print_addresses(cloud: &Cloud) {
    println!();
    if let Some(address) = cloud.http_address() {
        println!("Console and HTTP API   http://{address}/");
        println!("An operator's key      {}", seed::DEMO_KEY);
    }
    if let Some(address) = cloud.aws_address() {
        println!("AWS services           http://{address}/   (--endpoint-url for any AWS client)");
    }
    println!("Ctrl-C ends it.");
}
