//! Invoking functions, in process or at `cargo lambda watch`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::Notify;

use crate::client::sdk_config;
use crate::services::Services;
use crate::template::{Function, Template};

/// The first invocation at `cargo lambda watch` compiles the function.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(600);

/// The functions of the template, ready to be invoked.
pub(super) struct Functions {
    functions: BTreeMap<String, Deployed>,
    running: Arc<Running>,
}

struct Deployed {
    timeout: Duration,
    call: Call,
}

enum Call {
    InProcess(runtime::Handler),
    Remote {
        connector: SharedHttpConnector,
        url: String,
    },
}

/// How many invocations are under way.
#[derive(Default)]
struct Running {
    count: AtomicUsize,
    /// Rings whenever the last one has finished.
    finished: Notify,
}

/// One invocation under way, until dropped.
struct Ticket(Arc<Running>);

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.finished.notify_waiters();
        }
    }
}

impl Functions {
    /// Initialises every function of the template, each with its own environment and AWS clients.
    pub(super) async fn in_process(
        template: &Template,
        built_in: &[runtime::Function],
        services: &Arc<Services>,
        clock: &runtime::Clock,
    ) -> Result<Self> {
        let built: BTreeSet<&str> = built_in.iter().map(|function| function.name).collect();
        let named: BTreeSet<&str> = template.functions.keys().map(String::as_str).collect();
        if let Some(name) = built.symmetric_difference(&named).next() {
            let place = if named.contains(name) {
                "template"
            } else {
                "code"
            };
            bail!("function {name} is in the {place} only");
        }
        let mut functions = BTreeMap::new();
        for function in built_in {
            let deployed = &template.functions[function.name];
            let setup = runtime::Setup {
                env: std::sync::Arc::new(deployed.environment.clone()),
                clock: clock.clone(),
                aws: runtime::Aws::Sdk(sdk_config(services, function.name)),
                web: std::sync::Arc::new(runtime::web::Https::default()),
            };
            let handler = function
                .start(setup)
                .await
                .map_err(|error| anyhow!("function {}: {error}", function.name))?;
            functions.insert(
                function.name.to_owned(),
                Deployed {
                    timeout: deployed.timeout,
                    call: Call::InProcess(handler),
                },
            );
        }
        Ok(Self {
            functions,
            running: Arc::default(),
        })
    }

    /// Functions that another process runs.
    pub(super) fn remote(template: &Template, url: &str) -> Self {
        let connector = SharedHttpConnector::new(Connector::builder().build_http());
        let deployed = |function: &Function| Deployed {
            timeout: REMOTE_TIMEOUT,
            call: Call::Remote {
                connector: connector.clone(),
                url: format!(
                    "{}/2015-03-31/functions/{}/invocations",
                    url.trim_end_matches('/'),
                    function.name
                ),
            },
        };
        Self {
            functions: template
                .functions
                .iter()
                .map(|(name, function)| (name.clone(), deployed(function)))
                .collect(),
            running: Arc::default(),
        }
    }

    /// Invokes a function. Once begun it goes on even if nobody waits for the answer, as on AWS.
    pub(super) async fn invoke(&self, name: &str, event: Value) -> Result<Value> {
        let Deployed { timeout, call } = self
            .functions
            .get(name)
            .ok_or_else(|| anyhow!("there is no function {name}"))?;
        let answer: BoxFuture<'static, Result<Value>> = match call {
            Call::InProcess(handler) => {
                let handler = handler.clone();
                async move {
                    let answer = handler.call(event).await;
                    answer.map_err(|error| anyhow!("{error}"))
                }
                .boxed()
            }
            Call::Remote { connector, url } => post(connector.clone(), url.clone(), event).boxed(),
        };
        let timeout = *timeout;
        self.running.count.fetch_add(1, Ordering::SeqCst);
        let ticket = Ticket(self.running.clone());
        let invocation = tokio::spawn(async move {
            let _ticket = ticket;
            tokio::time::timeout(timeout, answer).await
        });
        match invocation.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => bail!("timed out after {} seconds", timeout.as_secs()),
            Err(_) => bail!("panicked"),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.running.count.load(Ordering::SeqCst)
    }

    /// Rings whenever the last invocation has finished.
    pub(super) fn finished(&self) -> &Notify {
        &self.running.finished
    }

    /// Waits until nothing is under way.
    pub(super) async fn rest(&self) {
        loop {
            let finished = self.running.finished.notified();
            tokio::pin!(finished);
            finished.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            finished.await;
        }
    }
}

async fn post(connector: SharedHttpConnector, url: String, event: Value) -> Result<Value> {
    let request = http::Request::post(&url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(SdkBody::from(serde_json::to_vec(&event)?))?;
    let response = connector
        .call(HttpRequest::try_from(request)?)
        .await
        .with_context(|| format!("cannot reach {url}"))?;
    let (parts, body) = response.try_into_http1x()?.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| anyhow!("the answer broke off: {error}"))?
        .to_bytes();
    if !parts.status.is_success() || parts.headers.contains_key("x-amz-function-error") {
        bail!("{} answered by {url}", parts.status);
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).context("the answer is not JSON")
}
