//! Everybody else's servers: requests over HTTPS, each with a bound on its time and on its answer.
//!
//! Nothing is tried again here: whoever asks knows whether that does harm, and the queue waits for less
//! money than a function does.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::limits::{MAX_ANSWER_BYTES, MAX_ANSWER_S};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// Seconds that a connection without work is kept.
const IDLE_S: u64 = 60;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// There may be one later: nobody was there, or it took too long, or it broke off.
    #[error("{0}")]
    Passing(String),
    /// There will be none: it is not to be asked, or answers with more than we take.
    #[error("{0}")]
    Final(String),
}

/// The way to everybody else.
#[async_trait]
pub trait Web: Send + Sync {
    /// Asks, once.
    async fn ask(&self, request: Request<String>) -> Result<Response<Bytes>, WebError>;
}

type Connected = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// HTTPS; plain HTTP to this machine alone, for tests. It costs nothing until it is used.
#[derive(Debug, Default)]
pub struct Https(OnceLock<Connected>);

impl Https {
    fn client(&self) -> Result<&Connected, WebError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| WebError::Passing(format!("no certificates: {error}")))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_S))
            .pool_timer(TokioTimer::new())
            .build(https);
        Ok(self.0.get_or_init(|| client))
    }
}

/// Whether it may be asked: over HTTPS, or on this machine.
fn is_allowed(uri: &Uri) -> bool {
    let here = |host: &str| matches!(host, "127.0.0.1" | "[::1]" | "localhost");
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => here(host),
        _ => false,
    }
}

#[async_trait]
impl Web for Https {
    async fn ask(&self, request: Request<String>) -> Result<Response<Bytes>, WebError> {
        if !is_allowed(request.uri()) {
            return Err(WebError::Final("expected an address of https".into()));
        }
        let client = self.client()?;
        let asked = async {
            let request = request.map(|body| Full::new(Bytes::from(body)));
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| WebError::Passing(chain(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body =
                body.map_err(
                    |error| match error.is::<http_body_util::LengthLimitError>() {
                        true => WebError::Final(format!(
                            "it answers with more than {MAX_ANSWER_BYTES} bytes"
                        )),
                        false => WebError::Passing(chain(&*error)),
                    },
                )?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let late = || WebError::Passing(format!("no answer within {MAX_ANSWER_S} s"));
        tokio::time::timeout(Duration::from_secs(MAX_ANSWER_S), asked)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

/// An error with what has led to it. What was asked is in none of them.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let texts = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    texts.collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_in_the_clear_but_this_machine() {
        let allowed = |uri: &str| is_allowed(&uri.parse().unwrap());
        for uri in [
            "https://shop.example/x",
            "http://127.0.0.1:8080/",
            "http://localhost/",
        ] {
            assert!(allowed(uri), "{uri}");
        }
        for uri in [
            "http://shop.example/",
            "http://169.254.169.254/",
            "ftp://shop.example/",
            "/x",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
        assert!(!allowed("http://127.0.0.1.shop.example/"));
    }
}
