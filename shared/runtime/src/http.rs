//! HTTP requests as API Gateway passes them on, and answers that help.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use base64::Engine;
use domain::limits::{MAX_BODY_BYTES, MAX_NAME_CHARS};
use domain::{Problem, Refusal};
use futures::FutureExt;
use serde::Serialize;
use serde_json::{Value, json};
use store::StoreError;

use crate::Error;
use crate::function::Handler;
use crate::log::Closing;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path pattern, as in the template: `POST /orders/{id}/cancel`.
    pub route: String,
    /// The body's bytes as they came over the wire.
    pub body: Vec<u8>,
    event: ApiGatewayV2httpRequest,
}

impl Request {
    /// Reads an event of API Gateway's payload format 2.0. The body is decoded where the gateway
    /// has encoded it: signatures are made over the bytes.
    pub fn parse(event: Value) -> Result<Self, Error> {
        Self::read(serde_json::from_value(event)?)
    }

    /// Reads an event that is parsed; see [`parse`](Self::parse).
    pub fn read(mut event: ApiGatewayV2httpRequest) -> Result<Self, Error> {
        let text = event.body.take().unwrap_or_default();
        let body = match event.is_base64_encoded {
            true => base64::engine::general_purpose::STANDARD.decode(text)?,
            false => text.into_bytes(),
        };
        Ok(Self {
            route: event.route_key.clone().unwrap_or_default(),
            body,
            event,
        })
    }

    /// A part of the path; empty if the route has none of that name.
    pub fn path(&self, name: &str) -> &str {
        self.event
            .path_parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// A parameter of the query, if given.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name)
    }

    /// The method.
    pub fn method(&self) -> &str {
        let end = self.route.find(' ').unwrap_or(self.route.len());
        &self.route[..end]
    }

    /// The URL that it came to, as its sender sees it: API Gateway takes no other than HTTPS.
    pub fn url(&self) -> String {
        let host = self.event.request_context.domain_name.as_deref();
        let path = self.event.raw_path.as_deref();
        let query = self.event.raw_query_string.as_deref();
        let query = query.filter(|query| !query.is_empty());
        format!(
            "https://{}{}{}{}",
            host.unwrap_or_default(),
            path.unwrap_or_default(),
            if query.is_some() { "?" } else { "" },
            query.unwrap_or_default(),
        )
    }

    /// A header, if given, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    /// What the sender calls the request, the same on every try: only he can tell two requests from one that
    /// was sent twice.
    pub fn idempotency_key(&self) -> Result<&str, Answer> {
        let key = self.header("idempotency-key").unwrap_or_default();
        match key.len() {
            1..=MAX_NAME_CHARS => Ok(key),
            0 => {
                let detail = "send an Idempotency-Key header: what you call this request, the same on every try";
                Err(Answer::problem(
                    400,
                    "no-idempotency-key",
                    "Name the request",
                    detail,
                ))
            }
            _ => {
                let detail =
                    format!("expected an Idempotency-Key of at most {MAX_NAME_CHARS} characters");
                Err(Answer::invalid(&[Problem::at("", detail)]))
            }
        }
    }

    /// The body as a JSON document of a type; empty counts as an empty object.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Answer> {
        let body = match self.body.is_empty() {
            true => b"{}".as_slice(),
            false => &self.body,
        };
        let deserializer = &mut serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let inner = error.inner();
            match inner.classify() {
                serde_json::error::Category::Data => {
                    let pointer = pointer(error.path());
                    Answer::invalid(&[Problem::at(pointer, inner.to_string())])
                }
                _ => Answer::bad_json(inner.line(), inner.column(), &inner.to_string()),
            }
        })
    }

    /// Whether the body is larger than we take.
    pub fn too_large(&self) -> Option<Answer> {
        (self.body.len() > MAX_BODY_BYTES).then(|| {
            let detail = format!(
                "the body has {} bytes; at most {MAX_BODY_BYTES} are taken",
                self.body.len()
            );
            Answer::problem(413, "too-large", "The body is too large", &detail)
        })
    }
}

/// A path of serde's as a JSON pointer (RFC 6901).
pub fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    segments.collect()
}

/// A handler that answers requests. A body that is too large never reaches `run`; every end is one
/// closing line in the log.
pub fn answer<S, F, A>(name: &'static str, state: S, run: F) -> Handler
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Request) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Answer, Answer>> + Send + 'static,
{
    let (state, run) = (Arc::new(state), Arc::new(run));
    Handler::Http(Arc::new(move |request| {
        let (state, run) = (Arc::clone(&state), Arc::clone(&run));
        Box::pin(async move {
            let started = Instant::now();
            let route = request.route.clone();
            let subject = request.path("id").to_owned();
            let answer = match request.too_large() {
                Some(refusal) => refusal,
                // A panic answers as what it is: our fault.
                None => match AssertUnwindSafe(run(state, request)).catch_unwind().await {
                    Ok(Ok(answer) | Err(answer)) => answer,
                    Err(_) => Answer::internal(),
                },
            };
            Closing {
                step: name,
                subject: &subject,
                message: &route,
                attempt: 1,
                outcome: &answer.status().to_string(),
                reason: None,
                duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            }
            .write();
            answer
        })
    }))
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    status: i64,
    content_type: &'static str,
    body: String,
}

impl Answer {
    /// A JSON document; an apology in its place where it cannot be written.
    pub fn json<T: Serialize>(status: i64, document: &T) -> Result<Self, Self> {
        match serde_json::to_string(document) {
            Ok(body) => Ok(Self {
                status,
                content_type: "application/json",
                body,
            }),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written");
                Err(Self::internal())
            }
        }
    }

    /// Text.
    pub fn text(status: i64, body: String) -> Self {
        Self {
            status,
            content_type: "text/plain",
            body,
        }
    }

    /// A JSON document that is written already.
    pub fn written(status: i64, json: String) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: json,
        }
    }

    /// A picture.
    pub fn svg(body: String) -> Self {
        Self {
            status: 200,
            content_type: "image/svg+xml",
            body,
        }
    }

    /// Our own fault.
    pub fn internal() -> Self {
        Self::problem(
            500,
            "internal",
            "This is our fault",
            "the request is in the log",
        )
    }

    /// Something that the answer needs cannot be had now.
    pub fn unavailable() -> Self {
        Self::problem(
            503,
            "unavailable",
            "Try again",
            "a part that this needs did not answer in time",
        )
    }

    /// A problem (RFC 9457), with a stable type.
    pub fn problem(status: i64, kind: &str, title: &str, detail: &str) -> Self {
        Self::of_problem(
            status,
            json!({
                "type": format!("urn:waybill:problem:{kind}"),
                "title": title,
                "status": status,
                "detail": detail,
            }),
        )
    }

    /// A document that was read and cannot be taken: every fault with its place.
    pub fn invalid(problems: &[Problem]) -> Self {
        let title = "The document cannot be taken as it is";
        Self::of_problems(422, "invalid", title, problems)
    }

    /// A document that asks for more than there is: of everything with its place.
    pub fn too_much(problems: &[Problem]) -> Self {
        Self::of_problems(409, "too-much", "More than there is", problems)
    }

    fn of_problems(status: i64, kind: &str, title: &str, problems: &[Problem]) -> Self {
        Self::of_problem(
            status,
            json!({
                "type": format!("urn:waybill:problem:{kind}"),
                "title": title,
                "status": status,
                "detail": problems.first().map(|p| format!("{}: {}", p.pointer, p.detail)),
                "errors": problems,
            }),
        )
    }

    /// A body that is not JSON.
    pub fn bad_json(line: usize, column: usize, detail: &str) -> Self {
        Self::of_problem(
            400,
            json!({
                "type": "urn:waybill:problem:bad-json",
                "title": "The body is not readable JSON",
                "status": 400,
                "detail": detail,
                "line": line,
                "column": column,
            }),
        )
    }

    /// A thing that is not there.
    pub fn not_found(what: &str) -> Self {
        Self::problem(404, "not-found", "There is no such thing", what)
    }

    fn of_problem(status: i64, problem: Value) -> Self {
        Self {
            status,
            content_type: "application/problem+json",
            body: problem.to_string(),
        }
    }

    /// The status, for logs and tests.
    pub fn status(&self) -> i64 {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The event's answer, as API Gateway expects it.
    pub fn into_event(self) -> Result<Value, Error> {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = self.status;
        response.headers.insert(
            "content-type",
            http::HeaderValue::from_static(self.content_type),
        );
        response.body = Some(Body::Text(self.body));
        Ok(serde_json::to_value(response)?)
    }
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not answer");
        match error.is_transient() {
            true => Self::unavailable(),
            false => Self::internal(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Invalid(problem) => Self::invalid(&[problem]),
            Refusal::NotFound(_) => Self::not_found(&detail),
            Refusal::WrongState { .. } => {
                Self::problem(409, "wrong-state", "Not in this state", &detail)
            }
            Refusal::TooMuch { .. } => {
                Self::problem(409, "too-much", "More than there is", &detail)
            }
            Refusal::WindowClosed { .. } => {
                Self::problem(409, "window-closed", "Too late", &detail)
            }
            Refusal::Nothing(_) => Self::problem(422, "nothing-to-do", "Nothing to do", &detail),
        }
    }
}
