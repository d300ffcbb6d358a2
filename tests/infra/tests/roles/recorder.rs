//! The functions with an ear at each one's AWS clients.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::future::BoxFuture;
use runtime::{Aws, Error, Function, Handler, Setup};
use serde_json::Value;

/// A call of a function to AWS.
pub struct Call {
    /// The function's name.
    pub caller: &'static str,
    /// Service and operation, for instance `DynamoDB_20120810.PutItem`; empty for SES, which has a path for each.
    pub target: String,
    /// The request.
    pub body: Value,
}

/// A function's `init` is a plain function pointer and can carry nothing along, so that this has to be a static.
static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

fn calls() -> MutexGuard<'static, Vec<Call>> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every call so far.
pub fn take() -> Vec<Call> {
    std::mem::take(&mut *calls())
}

type Init = fn(Setup) -> BoxFuture<'static, Result<Handler, Error>>;

macro_rules! inits {
    ($($place:literal)*) => { [$(init::<$place> as Init),*] };
}
const INITS: [Init; 26] =
    inits!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25);

/// All functions, recorded.
pub fn functions() -> Vec<Function> {
    let functions = local::built_in::functions();
    assert_eq!(
        functions.len(),
        INITS.len(),
        "there are more functions than ears"
    );
    let recorded = functions.into_iter().zip(INITS);
    recorded
        .map(|(function, init)| Function { init, ..function })
        .collect()
}

fn init<const PLACE: usize>(mut setup: Setup) -> BoxFuture<'static, Result<Handler, Error>> {
    let function = local::built_in::functions()[PLACE];
    if let Aws::Sdk(aws) = &setup.aws
        && let Some(inner) = aws.http_client()
    {
        let caller = function.name;
        let recorded = aws.to_builder().http_client(Recorded { inner, caller });
        setup.aws = Aws::Sdk(recorded.build());
    }
    (function.init)(setup)
}

#[derive(Debug)]
struct Recorded<I> {
    inner: I,
    caller: &'static str,
}

impl HttpClient for Recorded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Recorded {
            inner,
            caller: self.caller,
        })
    }
}

impl HttpConnector for Recorded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let bytes = request.body().bytes().unwrap_or_default();
        calls().push(Call {
            caller: self.caller,
            target: request
                .headers()
                .get("x-amz-target")
                .unwrap_or_default()
                .to_owned(),
            body: serde_json::from_slice(bytes).unwrap_or_default(),
        });
        self.inner.call(request)
    }
}
