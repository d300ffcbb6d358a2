//! The HTTP API: requests become invocations of functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt;
use matchit::Match;
use serde_json::json;
use tokio::net::TcpListener;

use super::functions::Functions;
use super::{answer, event};
use crate::template::Route;

/// Most bytes that API Gateway takes in a request.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Bytes of a request too large that are read and thrown away, so that its sender gets to read the answer.
const MAX_WASTE: usize = 10 * MAX_BYTES;

/// The routes and the functions behind them.
pub(super) struct Gateway {
    /// By path, then by method.
    routes: matchit::Router<BTreeMap<String, Route>>,
    functions: Arc<Functions>,
}

impl Gateway {
    pub(super) fn new(routes: &[Route], functions: Arc<Functions>) -> Result<Self> {
        let mut by_path: BTreeMap<String, BTreeMap<String, Route>> = BTreeMap::new();
        for route in routes {
            // What API Gateway writes `{rest+}`, the router writes `{*rest}`.
            let path = match route.path.split_once("+}") {
                Some((start, "")) => match start.rsplit_once('{') {
                    Some((start, name)) => format!("{start}{{*{name}}}"),
                    None => route.path.clone(),
                },
                _ => route.path.clone(),
            };
            let methods = by_path.entry(path).or_default();
            if methods
                .insert(route.method.clone(), route.clone())
                .is_some()
            {
                return Err(anyhow!("the route {} is there twice", route.key));
            }
        }
        let mut routes = matchit::Router::new();
        for (path, methods) in by_path {
            routes
                .insert(&path, methods)
                .map_err(|error| anyhow!("the route {path}: {error}"))?;
        }
        Ok(Self { routes, functions })
    }

    /// Serves the API, and `pages` on other paths, until `stopped`; requests under way are finished.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        pages: Router,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot switch off Nagle's algorithm");
            }
        });
        let gateway = Arc::new(self);
        let router = pages.fallback(move |request: Request| {
            let gateway = gateway.clone();
            async move { gateway.answer(request).await }
        });
        axum::serve(listener, router)
            .with_graceful_shutdown(stopped)
            .await
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let Ok(Match { value, params }) = self.routes.at(&path) else {
            return problem(StatusCode::NOT_FOUND, "There is nothing at this path.");
        };
        let route = value
            .get(request.method().as_str())
            .or_else(|| value.get("ANY"));
        let Some(route) = route else {
            let mut response = problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not know this method.",
            );
            let allowed: Vec<_> = value.keys().map(String::as_str).collect();
            if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
                response.headers_mut().insert(ALLOW, allowed);
            }
            return response;
        };
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                return problem(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The body is larger than 10 MB.",
                );
            }
            Err(error) => {
                tracing::debug!(%error, "a request broke off");
                return problem(StatusCode::BAD_REQUEST, "The body broke off.");
            }
        };
        let event = event::http_request(route, &params, &parts, &body);
        let answer = self.functions.invoke(&route.function, event).await;
        match answer.and_then(answer::http_response) {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(function = route.function, %error, "an invocation failed");
                problem(StatusCode::INTERNAL_SERVER_ERROR, "The function failed.")
            }
        }
    }
}

/// Reads a body, or nothing if it is too large.
async fn read(mut body: Body) -> Result<Option<Bytes>, axum::Error> {
    let mut bytes = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        size += data.len();
        if size <= MAX_BYTES {
            bytes.extend_from_slice(&data);
        } else if size > MAX_WASTE {
            break;
        }
    }
    Ok((size <= MAX_BYTES).then(|| bytes.freeze()))
}

/// An answer of the gateway's own, as problem details.
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}
