//! One instance of a function, started as Lambda starts it, and the runtime API that it asks for work.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::endpoint::Endpoint;

/// How long an instance may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an instance says to the runtime API.
enum Said {
    /// It is ready for an event.
    Asked(Instant),
    /// It has dealt with one.
    Answered(Bytes),
    /// It cannot start, or has failed an event.
    Failed(Bytes),
}

struct Api {
    event: Mutex<Option<Value>>,
    said: UnboundedSender<Said>,
    endpoint: Endpoint,
}

/// A running instance.
pub struct Instance {
    process: Child,
    started: Instant,
    said: UnboundedReceiver<Said>,
    serving: JoinHandle<()>,
}

impl Instance {
    /// Starts a binary; it gets `event`, if any, when it asks for work.
    pub async fn start(
        binary: &Path,
        variables: &BTreeMap<String, String>,
        endpoint: &Endpoint,
        event: Option<Value>,
    ) -> Result<Self> {
        let (sender, said) = unbounded_channel();
        let api = Arc::new(Api {
            event: Mutex::new(event),
            said: sender,
            endpoint: endpoint.clone(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(answered),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(api);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("cold-start: the runtime API broke down: {error}");
            }
        });
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", local::services::REGION)
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL", format!("http://{}", endpoint.address()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let started = Instant::now();
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self {
            process,
            started,
            said,
            serving,
        })
    }

    async fn hear(&mut self) -> Result<Said> {
        let heard = tokio::time::timeout(PATIENCE, self.said.recv()).await;
        match heard.context("it is silent")?.context("it is gone")? {
            Said::Failed(why) => bail!("it failed: {}", String::from_utf8_lossy(&why)),
            said => Ok(said),
        }
    }

    /// Waits until it asks for work; how long that took from its start.
    pub async fn asked(&mut self) -> Result<Duration> {
        match self.hear().await? {
            Said::Asked(at) => Ok(at - self.started),
            Said::Answered(_) | Said::Failed(_) => bail!("it answered before it asked"),
        }
    }

    /// Waits for the answer to its event.
    pub async fn answered(&mut self) -> Result<Value> {
        match self.hear().await? {
            Said::Answered(body) => Ok(serde_json::from_slice(&body)?),
            Said::Asked(_) | Said::Failed(_) => bail!("it asked again before it answered"),
        }
    }

    /// Ends it; how many bytes it has logged.
    pub fn stop(mut self) -> Result<usize> {
        self.process.kill()?;
        self.process.wait()?;
        let mut log = Vec::new();
        if let Some(mut stdout) = self.process.stdout.take() {
            stdout.read_to_end(&mut log)?;
        }
        Ok(log.len())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.serving.abort();
        // An instance that has ended cannot be ended again, and one that failed must not stay.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    // Nobody listens any more once the instance is being stopped.
    api.said.send(Said::Asked(Instant::now())).ok();
    let event = {
        let mut event = api.event.lock().unwrap_or_else(PoisonError::into_inner);
        event.take()
    };
    let Some(event) = event else {
        return std::future::pending().await;
    };
    api.endpoint.enter_handler();
    let deadline = jiff::Timestamp::now().as_millisecond() + 30_000;
    let mut response = Response::new(Body::from(event.to_string()));
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:bench";
    for (name, value) in [
        (
            "lambda-runtime-aws-request-id",
            "00000000-0000-4000-8000-000000000001",
        ),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-deadline-ms", &deadline.to_string()),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name_of(name), value);
        }
    }
    response
}

fn name_of(name: &'static str) -> http::HeaderName {
    http::HeaderName::from_static(name)
}

async fn answered(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    api.said.send(Said::Answered(body)).ok();
    StatusCode::ACCEPTED
}

async fn failed(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    api.said.send(Said::Failed(body)).ok();
    StatusCode::ACCEPTED
}
