//! Answers in AWS's JSON shapes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error as AWS answers it.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    /// The error's name, as clients match on it.
    code: &'static str,
    message: String,
    /// SQS clients read the name from this header: the code of the older query protocol.
    query_code: Option<&'static str>,
    /// The whole body, where it says more than name and message.
    body: Option<String>,
}

impl Failure {
    /// An error with a name and a message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            query_code: None,
            body: None,
        }
    }

    /// A mistake of the client's, status 400.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The same error under the name that the query protocol has for it.
    pub(crate) fn query_code(self, code: &'static str) -> Self {
        Self {
            query_code: Some(code),
            ..self
        }
    }

    /// The error's name.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What went wrong, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP answer.
    pub fn json(self, content_type: &'static str) -> Response<Bytes> {
        let body = self.body.unwrap_or_else(|| {
            serde_json::json!({"__type": self.code, "message": self.message}).to_string()
        });
        let mut response = respond(self.status, content_type, body.into());
        let headers = response.headers_mut();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.code));
        if let Some(code) = self.query_code
            && let Ok(code) = HeaderValue::from_str(&format!("{code};Sender"))
        {
            headers.insert("x-amzn-query-error", code);
        }
        response
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<dynoxide::DynoxideError> for Failure {
    fn from(error: dynoxide::DynoxideError) -> Self {
        Self {
            status: StatusCode::from_u16(error.status_code())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: error.error_type(),
            message: error.to_string(),
            query_code: None,
            body: Some(error.to_json()),
        }
    }
}

/// A successful answer in AWS JSON 1.0.
pub(super) fn success(value: &impl Serialize) -> Result<Response<Bytes>, Failure> {
    success_as("application/x-amz-json-1.0", value)
}

/// A successful answer in another JSON dialect.
pub(super) fn success_as(
    content_type: &'static str,
    value: &impl Serialize,
) -> Result<Response<Bytes>, Failure> {
    let body = serde_json::to_vec(value).map_err(|error| {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            error.to_string(),
        )
    })?;
    Ok(respond(StatusCode::OK, content_type, body.into()))
}

/// Reads a request body.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::bad("SerializationException", error.to_string()))
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
