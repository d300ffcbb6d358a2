//! A function: its name, what it reads from the environment, and what it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;
use store::{Store, Tables};

use crate::outbox::{Outbox, STEP_QUEUES};
use crate::{Error, aws, log};

/// Takes an event as Lambda sends it, and gives the answer that Lambda expects.
pub type Handler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync>;

/// What a function is built from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The environment's variables.
    pub env: BTreeMap<String, String>,
    /// Region, credentials, endpoint, HTTP client.
    pub aws: aws_types::SdkConfig,
}

impl Setup {
    /// A variable that the function has declared; empty if it has not.
    pub fn var(&self, name: &str) -> String {
        self.env.get(name).cloned().unwrap_or_default()
    }

    /// The store on the tables that the function has declared.
    pub fn store(&self) -> Store {
        let tables = Tables {
            orders: self.var("ORDERS_TABLE"),
            stock: self.var("STOCK_TABLE"),
            reference: self.var("REFERENCE_TABLE"),
        };
        Store::new(&self.aws, tables)
    }

    /// The way to the steps' queues.
    pub fn outbox(&self) -> Outbox {
        let url = |step: domain::Step| (step, self.var(STEP_QUEUES[step as usize]));
        let urls = domain::Step::ALL.into_iter().map(url).collect();
        Outbox::new(&self.aws, urls)
    }
}

/// A Lambda function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name: that of its folder, its queue and its place in the template.
    pub name: &'static str,
    /// The environment variables that it reads. All are required.
    pub variables: &'static [&'static str],
    /// Builds it, once per process: connections are opened here.
    pub init: fn(Setup) -> BoxFuture<'static, Result<Handler, Error>>,
}

impl Function {
    /// Builds the function, or says everything that is missing in its environment.
    pub async fn start(&self, setup: Setup) -> Result<Handler, Error> {
        let set = |name: &&&str| setup.env.get(**name).is_some_and(|value| !value.is_empty());
        let missing: Vec<&str> = self
            .variables
            .iter()
            .filter(|name| !set(name))
            .copied()
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(format!("{}: set the environment variables {missing}", self.name).into());
        }
        (self.init)(setup).await
    }
}

/// Makes a handler of a shared state and what is done with it.
pub fn handler<S, F, A>(state: S, run: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Value) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Value, Error>> + Send + 'static,
{
    let state = Arc::new(state);
    Arc::new(move |event| Box::pin(run(Arc::clone(&state), event)))
}

/// The whole `main` of a function's binary.
pub fn run(function: Function) -> Result<(), Error> {
    log::start();
    // A Lambda instance has one event at a time: one thread is enough, and starts sooner.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let setup = Setup {
            env: std::env::vars().collect(),
            aws: aws::from_environment(function.name),
        };
        let handler = function.start(setup).await.inspect_err(|error| {
            tracing::error!(function = function.name, %error, "cannot start");
        })?;
        let service =
            lambda_runtime::service_fn(move |event: lambda_runtime::LambdaEvent<Value>| {
                let handler = Arc::clone(&handler);
                async move { handler(event.payload).await }
            });
        lambda_runtime::run(service).await
    })
}

/// Opens connections while there is time. That one fails to open now is no reason not to start.
pub async fn warm(store: &Store, outbox: Option<&Outbox>) {
    let queue = async {
        match outbox {
            Some(outbox) => outbox.warm().await,
            None => Ok(()),
        }
    };
    let (table, queue) = futures::join!(store.warm(), queue);
    if let Err(error) = table {
        tracing::warn!(%error, "no connection to DynamoDB yet");
    }
    if let Err(error) = queue {
        tracing::warn!(%error, "no connection to SQS yet");
    }
}
