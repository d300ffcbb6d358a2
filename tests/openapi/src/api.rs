//! The sample retailer's API, called by its description: an operation's id and the name of an example make a request, and
//! no answer is let pass that the description does not have.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonschema::Validator;
use local::built_in;
use local::cloud::{Cloud, Options};
use local::seed::{DEMO_ACCOUNT, DEMO_KEY, add_key, sample_retailer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::Sha256;

use crate::document::{Document, Operation, object};

/// The key of the operator.
pub const OPERATOR: &str = DEMO_KEY;
/// The key of a reader.
pub const READER: &str = "reader-key";
/// The key of a warehouse that has nothing to do with the examples.
pub const STRANGER: &str = "kuwait-key";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API and its description.
pub struct Api {
    /// The description.
    pub document: Document,
    /// The cloud behind the API.
    pub cloud: Cloud,
    client: Client<HttpConnector, Full<Bytes>>,
    validators: RefCell<BTreeMap<String, Validator>>,
    /// The answers that have been given: operation, status, and name of the schema.
    given: RefCell<BTreeSet<(String, String, String)>>,
    /// The request examples that have been taken: operation and name.
    taken: RefCell<BTreeSet<(String, String)>>,
}

/// A request, to be filled in from the description.
pub struct Call<'c> {
    operation: &'c str,
    example: &'c str,
    key: Option<&'c str>,
    accept: Option<&'c str>,
    parameters: BTreeMap<&'c str, Option<&'c str>>,
    body: Option<Vec<u8>>,
}

/// An answer that the description has.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl<'c> Call<'c> {
    /// A call of an operation with an example, by the operator.
    pub fn of(operation: &'c str, example: &'c str) -> Self {
        Self {
            operation,
            example,
            key: Some(OPERATOR),
            accept: None,
            parameters: BTreeMap::new(),
            body: None,
        }
    }

    /// By somebody else, or by nobody.
    pub fn by(mut self, key: Option<&'c str>) -> Self {
        self.key = key;
        self
    }

    /// With a parameter of another value, or without it.
    pub fn with(mut self, parameter: &'c str, value: impl Into<Option<&'c str>>) -> Self {
        self.parameters.insert(parameter, value.into());
        self
    }

    /// For an answer of this kind.
    pub fn accepting(mut self, kind: &'c str) -> Self {
        self.accept = Some(kind);
        self
    }

    /// With another body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }
}

impl Api {
    /// The sample retailer in a cloud of its own.
    pub async fn open() -> Self {
        let template = include_str!("../../../infra/template.yaml");
        let mut options = Options::new(template, built_in::functions());
        options.http = Some(0);
        options.parameters = BTreeMap::from([
            ("BatchingWindow".into(), "0".into()),
            ("OrdersPerBatch".into(), "10".into()),
        ]);
        let cloud = Cloud::start(options).await.unwrap();
        sample_retailer(&cloud).await.unwrap();
        add_key(&cloud, "reader", READER).await.unwrap();
        add_key(&cloud, "warehouse:kuwait", STRANGER).await.unwrap();
        Self {
            document: Document::load(),
            cloud,
            client: Client::builder(TokioExecutor::new()).build_http(),
            validators: RefCell::default(),
            given: RefCell::default(),
            taken: RefCell::default(),
        }
    }

    /// Calls, expects a status, and waits until all that follows has happened.
    pub async fn expect(&self, status: u16, call: Call<'_>) -> Value {
        let (operation, example) = (call.operation, call.example);
        let answer = self.send(call).await;
        assert_eq!(
            answer.status, status,
            "{operation} {example}: {}",
            answer.body
        );
        let rest = tokio::time::timeout(PATIENCE, self.cloud.idle()).await;
        rest.unwrap_or_else(|_| panic!("{operation} {example} does not come to rest"));
        answer.body
    }

    /// Calls, and holds the answer to the description.
    pub async fn send(&self, call: Call<'_>) -> Answer {
        let operation = self.document.operation(call.operation);
        let own = call.body.is_none() && call.parameters.is_empty();
        let example = operation.request_examples().get(call.example).copied();
        let body = call.body.clone();
        let body = body.or_else(|| example.map(|value| value.to_string().into_bytes()));
        let request = self.request(operation, &call, body.unwrap_or_default());
        let response = tokio::time::timeout(PATIENCE, self.client.request(request));
        let response = response.await.expect("no answer").unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").cloned().unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let kind = kind.to_str().unwrap();
        let body: Value = match kind.ends_with("json") {
            true => serde_json::from_slice(&body).unwrap(),
            false => String::from_utf8(body.into()).unwrap().into(),
        };
        self.hold(operation, status, kind, &body);
        if own && example.is_some() && status < 300 {
            let taken = (call.operation.to_owned(), call.example.to_owned());
            self.taken.borrow_mut().insert(taken);
        }
        Answer { status, body }
    }

    fn request(
        &self,
        operation: Operation<'_>,
        call: &Call<'_>,
        body: Vec<u8>,
    ) -> Request<Full<Bytes>> {
        let mut path = operation.path.to_owned();
        let mut query = Vec::new();
        let mut request = Request::builder().method(operation.method.to_uppercase().as_str());
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().unwrap();
            let value = match call.parameters.get(name) {
                Some(value) => value.map(str::to_owned),
                None => example_of(parameter, call.example),
            };
            let value = match value {
                None if name == "X-Shopify-Hmac-Sha256" => Some(sign(&body)),
                value => value,
            };
            let Some(value) = value else { continue };
            let encoded = utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string();
            match parameter["in"].as_str().unwrap() {
                "path" => path = path.replace(&format!("{{{name}}}"), &encoded),
                "query" => query.push(format!("{name}={encoded}")),
                "header" => request = request.header(name, value),
                other => panic!("a parameter in {other}"),
            }
        }
        if let Some(kind) = call.accept {
            request = request.header("accept", kind);
        }
        if let Some(key) = call.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let address = self.cloud.http_address().unwrap();
        let request = request.uri(format!("http://{address}{path}"));
        request.body(Full::new(body.into())).unwrap()
    }

    fn hold(&self, operation: Operation<'_>, status: u16, kind: &str, body: &Value) {
        let what = format!("{} answered {status}: {body}", operation.id());
        let answers = operation.answers();
        let answer = answers
            .iter()
            .find(|(documented, of, _)| *documented == status.to_string() && *of == kind);
        let (documented, _, content) =
            answer.unwrap_or_else(|| panic!("not described as {kind}: {what}"));
        if kind == "application/problem+json" {
            assert_eq!(body["status"], status, "{what}");
        }
        let faults = self.faults(&content["schema"], body);
        assert!(faults.is_empty(), "{what}\n{faults:#?}");
        for name in operation.alternatives(content) {
            let schema = &self.document.root()["components"]["schemas"][name];
            if schema.is_null() || self.faults(schema, body).is_empty() {
                let given = [operation.id(), documented, name].map(str::to_owned);
                self.given.borrow_mut().insert(given.into());
            }
        }
    }

    fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(schema.to_string());
        let validator = validator.or_insert_with(|| self.document.validator(schema));
        let faults = validator.iter_errors(value);
        faults
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect()
    }

    /// Whether an operation's description takes a body.
    pub fn describes(&self, operation: &str, body: &Value) -> bool {
        let schema = self.document.operation(operation).request_schema();
        self.faults(schema.unwrap(), body).is_empty()
    }

    /// The answers that are described and were never given, faults of ours apart.
    pub fn never_given(&self) -> Vec<String> {
        let given = self.given.borrow();
        let mut missing = Vec::new();
        for operation in self.document.operations() {
            for (status, _, content) in operation.answers() {
                for name in operation.alternatives(content) {
                    let key = [operation.id(), status, name].map(str::to_owned);
                    if status != "5XX" && !given.contains(&key.clone().into()) {
                        missing.push(key.join(" "));
                    }
                }
            }
        }
        missing
    }

    /// The request examples that were never taken.
    pub fn never_taken(&self) -> Vec<String> {
        let taken = self.taken.borrow();
        let examples = self.document.operations().flat_map(|operation| {
            let names = operation.request_examples().into_keys();
            names.map(move |name| (operation.id().to_owned(), name.to_owned()))
        });
        let missing = examples.filter(|example| !taken.contains(example));
        missing
            .map(|(operation, name)| format!("{operation} {name}"))
            .collect()
    }
}

/// The value of a parameter's example: that of the name, else the first; none if it may be left out and has none.
fn example_of(parameter: &Value, name: &str) -> Option<String> {
    let named = parameter.get("examples").map(object);
    let named = named.and_then(|examples| examples.get(name).or_else(|| examples.values().next()));
    let example = parameter
        .get("example")
        .or(named.map(|example| &example["value"]))?;
    Some(example.as_str().unwrap().to_owned())
}

/// A body's signature by the sample retailer's shop.
fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(DEMO_ACCOUNT.2.as_bytes()).unwrap();
    mac.update(body);
    BASE64.encode(&mac.finalize().into_bytes())
}
