//! The services at a TCP port of this machine, for any AWS client.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::StatusCode;
use http::header::USER_AGENT;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::net::TcpListener;

use crate::services::{Failure, Services};

/// More than any request that AWS takes: DynamoDB's 16 MB batch, SES's 40 MB mail in base64.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Answers AWS clients at `listener` until `stopped` resolves; requests under way are finished.
///
/// A client counts under the name in an `app/waybill-<name>` token of its user agent, which an SDK sends for the
/// application name `waybill-<name>`; otherwise as `outside`.
pub async fn serve(
    services: Arc<Services>,
    listener: TcpListener,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let counters = services.counters.clone();
    let listener = listener.tap_io(move |stream| {
        counters.count_connection();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
    });
    let router = Router::new().fallback(answer).with_state(services);
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
}

async fn answer(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return failure(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                error,
            );
        }
        Err(error) => return failure(StatusCode::BAD_REQUEST, "IncompleteBody", error),
    };
    let caller: Arc<str> = parts
        .headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .and_then(|agent| {
            agent
                .split(' ')
                .find_map(|token| token.strip_prefix("app/waybill-"))
        })
        .unwrap_or("outside")
        .into();
    let request = http::Request::from_parts(parts, body);
    services.handle(&caller, request).await.map(Body::from)
}

fn failure(
    status: StatusCode,
    code: &'static str,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> Response {
    let answer: http::Response<Bytes> =
        Failure::new(status, code, error.to_string()).json("application/x-amz-json-1.0");
    answer.map(Body::from).into_response()
}
