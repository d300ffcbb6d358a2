//! What a function answers, as API Gateway makes an HTTP response of it.

use anyhow::{Context, Result};
use axum::body::Body;
use axum::response::Response;
use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response for an answer. One without a status is the body itself, as JSON.
pub(super) fn http_response(answer: Value) -> Result<Response> {
    if answer.get("statusCode").is_none() {
        let mut response = Response::new(Body::from(answer.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        return Ok(response);
    }
    let answer: Answer = serde_json::from_value(answer).context("the answer has another form")?;
    let text = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded {
        let bytes = BASE64.decode(text.as_bytes());
        Body::from(bytes.context("the answer's body is not base64")?)
    } else {
        Body::from(text)
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status_code).context("the answer's status is none")?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.into_iter().flatten() {
        add(headers, &name, &value)?;
    }
    for (name, values) in answer.multi_value_headers.into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            add(headers, &name, value)?;
        }
    }
    for cookie in answer.cookies.into_iter().flatten() {
        headers.append(SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}

fn add(headers: &mut HeaderMap, name: &str, value: &Value) -> Result<()> {
    let value = match value {
        Value::String(text) => HeaderValue::from_bytes(text.as_bytes()),
        value => HeaderValue::try_from(value.to_string()),
    };
    headers.append(HeaderName::try_from(name)?, value?);
    Ok(())
}
