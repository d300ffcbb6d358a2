//! A small HTTP client for whoever drives the cloud from outside: the demo, the benchmarks.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client of one address. Clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

/// An answer: the status, and the body if it is JSON.
pub type Answer = (u16, Value);

impl HttpClient {
    /// A client of an address.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            address,
        }
    }

    /// Sends a request and waits for the answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let (status, body) = self.exchange(method, path, headers, body.into()).await?;
        // A page is no JSON; its status is all that is asked of it.
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// The text of a page.
    pub async fn page(&self, path: &str) -> Result<String> {
        self.text(Method::GET, path, &[], Bytes::new()).await
    }

    /// Sends a request whose answer is no JSON, and waits for its text.
    pub async fn text(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<String> {
        let (_, body) = self.exchange(method, path, headers, body.into()).await?;
        String::from_utf8(body.into()).with_context(|| path.to_owned())
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(u16, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        let response = self
            .client
            .request(request)
            .await
            .with_context(|| path.to_owned())?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
