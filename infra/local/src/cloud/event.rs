//! HTTP requests as the events that API Gateway makes of them, payload format 2.0.

use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::BASE64;
use http::header::{COOKIE, HeaderMap, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use matchit::Params;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::services::ACCOUNT;
use crate::template::Route;

/// The event for a request that a route took.
pub(super) fn http_request(
    route: &Route,
    params: &Params<'_, '_>,
    parts: &Parts,
    body: &[u8],
) -> Value {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let now = Timestamp::now();
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let agent = parts.headers.get(USER_AGENT);
    let mut event = json!({
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": agent.map(|agent| latin(agent.as_bytes())).unwrap_or_default(),
            },
            "requestId": format!(
                "{:x}-{}",
                now.as_millisecond(),
                REQUESTS.fetch_add(1, Ordering::Relaxed)
            ),
            "routeKey": route.key,
            "stage": "$default",
            "time": now.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if !params.is_empty() {
        event["pathParameters"] = params
            .iter()
            .map(|(name, value)| {
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                (name.to_owned(), Value::String(value))
            })
            .collect::<Map<_, _>>()
            .into();
    }
    if !query.is_empty() {
        let mut parameters = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            add(&mut parameters, &name, &value);
        }
        event["queryStringParameters"] = parameters.into();
    }
    let cookies: Vec<Value> = parts
        .headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|cookies| {
            let cookies = latin(cookies.as_bytes());
            let list: Vec<Value> = cookies.split("; ").map(Value::from).collect();
            list
        })
        .collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) => event["body"] = text.into(),
            Err(_) => {
                event["body"] = BASE64.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// All headers but cookies, with lower-case names; repeated ones are joined by commas.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in headers.iter().filter(|(name, _)| **name != COOKIE) {
        add(&mut map, name.as_str(), &latin(value.as_bytes()));
    }
    map
}

fn add(map: &mut Map<String, Value>, name: &str, value: &str) {
    match map.get_mut(name) {
        Some(Value::String(values)) => {
            values.push(',');
            values.push_str(value);
        }
        _ => {
            map.insert(name.to_owned(), value.into());
        }
    }
}

/// Header values are UTF-8 by custom, otherwise Latin-1.
fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
