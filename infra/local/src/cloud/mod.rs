//! Everything that the template names, running in one process.

mod answer;
mod directory;
mod event;
mod functions;
mod gateway;
mod mappings;
mod tables;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use crate::endpoint;
use crate::services::Services;
use crate::services::sqs::Depth;
use crate::template::{Schedule, Setting, Template};
use functions::Functions;
use gateway::Gateway;

pub use mappings::records;

/// How often expired items are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long AWS clients from outside, who may be waiting for messages, are waited for at the end.
const ENDPOINT_GRACE: Duration = Duration::from_secs(1);

/// What to start.
pub struct Options {
    /// The template's text.
    pub template: String,
    /// Parameters of the template that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The port of the HTTP API, 0 for any free one, `None` for no server.
    pub http: Option<u16>,
    /// The port of the AWS services, 0 for any free one, `None` for no server.
    pub aws: Option<u16>,
    /// Where tables are kept; `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// The functions to call in process.
    pub functions: Vec<runtime::Function>,
    /// What tells them the time.
    pub clock: runtime::Clock,
    /// Call functions here instead, as `cargo lambda watch` offers them.
    pub functions_url: Option<String>,
    /// Pages to serve beside the API, on paths that no route has.
    pub pages: Option<fn(Cloud) -> Router>,
}

impl Options {
    /// A cloud in memory without any port, as tests want it.
    pub fn new(template: impl Into<String>, functions: Vec<runtime::Function>) -> Self {
        Self {
            template: template.into(),
            parameters: BTreeMap::new(),
            http: None,
            aws: None,
            data: None,
            functions,
            clock: runtime::Clock::system(),
            functions_url: None,
            pages: None,
        }
    }
}

/// A running cloud. Clones are handles to the same one.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    services: Arc<Services>,
    functions: Arc<Functions>,
    template: Template,
    http: Option<SocketAddr>,
    aws: Option<SocketAddr>,
    /// True from when nothing new is taken.
    stopping: watch::Sender<bool>,
    /// True from when the AWS services close too.
    closing: watch::Sender<bool>,
    /// What takes work in, and the endpoint.
    takers: Mutex<Vec<JoinHandle<()>>>,
    endpoint: Mutex<Option<JoinHandle<()>>>,
    /// What keeps others out of the data directory.
    lock: Mutex<Option<File>>,
}

impl Cloud {
    /// Brings everything up. An error is one line for a person.
    pub async fn start(options: Options) -> Result<Self> {
        let http = bind(options.http).await?;
        let aws = bind(options.aws).await?;
        let aws_address = address(&aws)?;
        let port = aws_address.map_or(4566, |address| address.port());
        let setting = Setting {
            endpoint: format!("http://localhost:{port}"),
            parameters: options.parameters,
            ..Setting::default()
        };
        let template = Template::read(&options.template, &setting).context("template")?;
        let (services, lock) = match options.data {
            Some(directory) => {
                let (services, lock) = directory::open(&directory)?;
                // The disk may be full before all tables are there.
                provision(&services, &template)
                    .with_context(|| format!("cannot keep data in {}", directory.display()))?;
                (services, Some(lock))
            }
            None => {
                let services = Services::in_memory()?;
                provision(&services, &template)?;
                (services, None)
            }
        };
        let functions = match options.functions_url {
            Some(url) => Functions::remote(&template, &url),
            None => {
                let Options {
                    functions, clock, ..
                } = options;
                Functions::in_process(&template, &functions, &services, &clock).await?
            }
        };
        let cloud = Self(Arc::new(Inner {
            services,
            functions: Arc::new(functions),
            http: address(&http)?,
            aws: aws_address,
            stopping: watch::Sender::new(false),
            closing: watch::Sender::new(false),
            takers: Mutex::default(),
            endpoint: Mutex::default(),
            lock: Mutex::new(lock),
            template,
        }));
        cloud.run(http, aws, options.pages)?;
        Ok(cloud)
    }

    fn run(
        &self,
        http: Option<TcpListener>,
        aws: Option<TcpListener>,
        pages: Option<fn(Cloud) -> Router>,
    ) -> Result<()> {
        let inner = &self.0;
        let mut takers = Vec::new();
        for mapping in &inner.template.mappings {
            let queue = inner
                .services
                .sqs
                .queue(&mapping.queue)
                .ok_or_else(|| anyhow!("queue {} is missing", mapping.queue))?;
            let poller = mappings::Poller {
                mapping: mapping.clone(),
                queue,
                services: inner.services.clone(),
                functions: inner.functions.clone(),
            };
            takers.push(tokio::spawn(poller.run(inner.stopping.subscribe())));
        }
        for schedule in &inner.template.schedules {
            takers.push(tokio::spawn(keep_schedule(
                schedule.clone(),
                inner.functions.clone(),
                raised(&inner.stopping),
            )));
        }
        takers.push(tokio::spawn(sweep_expired(
            inner.services.clone(),
            raised(&inner.stopping),
        )));
        if let Some(listener) = http {
            let gateway = Gateway::new(&inner.template.routes, inner.functions.clone())?;
            let pages = pages.map(|pages| pages(self.clone())).unwrap_or_default();
            let stopped = raised(&inner.stopping);
            takers.push(tokio::spawn(async move {
                if let Err(error) = gateway.serve(listener, pages, stopped).await {
                    tracing::error!(%error, "the HTTP API broke down");
                }
            }));
        }
        if let Some(listener) = aws {
            let serving = endpoint::serve(inner.services.clone(), listener, raised(&inner.closing));
            *lock(&inner.endpoint) = Some(tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the AWS endpoint broke down");
                }
            }));
        }
        *lock(&inner.takers) = takers;
        Ok(())
    }

    /// The AWS services: tables, queues, mail, secrets and counters.
    pub fn services(&self) -> &Arc<Services> {
        &self.0.services
    }

    /// What the template says.
    pub fn template(&self) -> &Template {
        &self.0.template
    }

    /// Where the HTTP API is.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.0.http
    }

    /// Where the AWS services are.
    pub fn aws_address(&self) -> Option<SocketAddr> {
        self.0.aws
    }

    /// How many messages each queue holds.
    pub fn queue_depths(&self) -> BTreeMap<String, Depth> {
        let queues = self.0.services.sqs.queues();
        queues
            .iter()
            .map(|queue| (queue.name().to_owned(), queue.depth()))
            .collect()
    }

    /// Invokes a function as Lambda would and gives its answer.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value> {
        self.0.functions.invoke(function, event).await
    }

    /// Waits until no function runs and no queue holds a message that can be received, dead-letter queues apart.
    pub async fn idle(&self) {
        let (sqs, functions) = (&self.0.services.sqs, &self.0.functions);
        loop {
            let (rested, finished) = (sqs.rested().notified(), functions.finished().notified());
            tokio::pin!(rested, finished);
            rested.as_mut().enable();
            finished.as_mut().enable();
            if functions.in_flight() == 0 && sqs.rests() {
                return;
            }
            tokio::select! {
                () = rested => {}
                () = finished => {}
            }
        }
    }

    /// Takes nothing new, finishes what is under way, and closes.
    pub async fn stop(&self) {
        self.0.stopping.send_replace(true);
        let takers = std::mem::take(&mut *lock(&self.0.takers));
        for taker in takers {
            if let Err(error) = taker.await {
                tracing::error!(%error, "a task broke down");
            }
        }
        self.0.functions.rest().await;
        self.0.closing.send_replace(true);
        let endpoint = lock(&self.0.endpoint).take();
        if let Some(mut endpoint) = endpoint
            && timeout(ENDPOINT_GRACE, &mut endpoint).await.is_err()
        {
            endpoint.abort();
        }
        drop(lock(&self.0.lock).take());
    }
}

/// Makes the tables and queues of a template, or finds them as it wants them.
pub fn provision(services: &Services, template: &Template) -> Result<()> {
    for table in &template.tables {
        tables::create(services.dynamodb.database(), table)
            .with_context(|| format!("table {}", table.name))?;
    }
    for queue in &template.queues {
        services
            .sqs
            .create(&queue.name, queue.attributes.clone())
            .with_context(|| format!("queue {}", queue.name))?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resolves once the flag is raised.
fn raised(flag: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + use<> {
    let mut flag = flag.subscribe();
    async move {
        // An error means that the cloud is gone, which is a reason to stop as well.
        flag.wait_for(|raised| *raised).await.ok();
    }
}

async fn bind(port: Option<u16>) -> Result<Option<TcpListener>> {
    let Some(port) = port else {
        return Ok(None);
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on port {port} of 127.0.0.1"))?;
    Ok(Some(listener))
}

fn address(listener: &Option<TcpListener>) -> Result<Option<SocketAddr>> {
    Ok(listener.as_ref().map(TcpListener::local_addr).transpose()?)
}

async fn keep_schedule(
    schedule: Schedule,
    functions: Arc<Functions>,
    stopped: impl Future<Output = ()>,
) {
    tokio::pin!(stopped);
    let start = tokio::time::Instant::now() + schedule.every;
    let mut ticks = interval_at(start, schedule.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        let result = functions
            .invoke(&schedule.function, schedule.input.clone())
            .await;
        if let Err(error) = result {
            tracing::error!(function = schedule.function, %error, "a scheduled invocation failed");
        }
    }
}

async fn sweep_expired(services: Arc<Services>, stopped: impl Future<Output = ()>) {
    tokio::pin!(stopped);
    let mut ticks = interval_at(tokio::time::Instant::now() + SWEEP_EVERY, SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        let services = services.clone();
        let sweep = tokio::task::spawn_blocking(move || services.dynamodb.sweep_expired());
        match sweep.await {
            Ok(Ok(deleted)) => tracing::debug!(deleted, "expired items"),
            Ok(Err(error)) => tracing::error!(%error, "cannot delete expired items"),
            Err(error) => tracing::error!(%error, "cannot delete expired items"),
        }
    }
}
