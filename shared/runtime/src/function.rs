//! A function: its name, what it reads from the environment, and what it does.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::future::BoxFuture;
use serde_json::Value;
use store::Store;

use crate::clock::Clock;
use crate::http::{Answer, Request};
use crate::outbox::Outbox;
use crate::setup::{Aws, Setup};
use crate::sqs::Delivery;
use crate::web::Https;
use crate::{Error, aws, log};

/// What runs at an event, by what the event comes from.
#[derive(Clone)]
pub enum Handler {
    /// A queue: a batch of messages; the ids of those that are to come again.
    Queue(Arc<dyn Fn(Vec<Delivery>) -> BoxFuture<'static, Vec<String>> + Send + Sync>),
    /// A route of the HTTP API: a request, its answer.
    Http(Arc<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>),
    /// A schedule or a person: any document.
    Event(Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync>),
}

impl Handler {
    /// Takes an event as Lambda sends it, and gives the answer that Lambda expects.
    pub async fn call(&self, event: Value) -> Result<Value, Error> {
        match self {
            Self::Queue(take) => {
                let records = serde_json::from_value::<SqsEvent>(event)?.records;
                let again = take(records.into_iter().map(Delivery::from).collect()).await;
                let mut response = SqsBatchResponse::default();
                for id in again {
                    let mut failure = BatchItemFailure::default();
                    failure.item_identifier = id;
                    response.batch_item_failures.push(failure);
                }
                Ok(serde_json::to_value(response)?)
            }
            Self::Http(take) => take(Request::parse(event)?).await.into_event(),
            Self::Event(take) => take(event).await,
        }
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

/// Makes a handler of a shared state and what is done with an event that is neither a message nor a
/// request.
pub fn handler<S, F, A>(state: S, run: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Value) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Value, Error>> + Send + 'static,
{
    let state = Arc::new(state);
    Handler::Event(Arc::new(move |event| {
        Box::pin(run(Arc::clone(&state), event))
    }))
}

/// The whole `main` of a function's binary.
pub fn run(function: Function) -> Result<(), Error> {
    log::start();
    // A Lambda instance has one event at a time: one thread is enough, and starts sooner.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Where AWS is on this machine, so may others be.
        let web = match std::env::var_os("AWS_ENDPOINT_URL") {
            Some(_) => Https::default(),
            None => Https::outside_only(),
        };
        let setup = Setup {
            env: Arc::new(std::env::vars().collect()),
            clock: Clock::system(),
            aws: Aws::Sdk(aws::from_environment(function.name)),
            web: Arc::new(web),
        };
        let handler = function.start(setup).await.inspect_err(|error| {
            tracing::error!(function = function.name, %error, "cannot start");
        })?;
        let service =
            lambda_runtime::service_fn(move |event: lambda_runtime::LambdaEvent<Value>| {
                let handler = handler.clone();
                async move { handler.call(event.payload).await }
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
