//! Everybody else's servers: requests over HTTPS, each with a bound on its time and on its answer.
//!
//! Nothing is tried again here: whoever asks knows whether that does harm, and the queue waits for less
//! money than a function does.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::limits::{
    MAX_ANSWER_BYTES, MAX_ANSWER_S, MAX_KEY_ANSWER_BYTES, MAX_KEY_ANSWER_S, MAX_THANKS_BYTES,
    MAX_THANKS_S,
};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

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

/// What somebody who is asked may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Seconds from the first connection to the last byte of the answer.
    pub seconds: u64,
    /// Bytes of the answer's body.
    pub bytes: usize,
}

/// What a vendor may take whose API is asked.
pub const VENDOR: Bounds = Bounds {
    seconds: MAX_ANSWER_S,
    bytes: MAX_ANSWER_BYTES,
};

/// What a vendor may take that is asked for a public key, while the sender of a delivery waits.
pub const KEY: Bounds = Bounds {
    seconds: MAX_KEY_ANSWER_S,
    bytes: MAX_KEY_ANSWER_BYTES,
};

/// What a subscriber may take that is sent an event.
pub const SUBSCRIBER: Bounds = Bounds {
    seconds: MAX_THANKS_S,
    bytes: MAX_THANKS_BYTES,
};

/// The way to everybody else.
#[async_trait]
pub trait Web: Send + Sync {
    /// Whether it asks there at all: whoever enters an address is told before anything is sent.
    fn asks_at(&self, uri: &Uri) -> bool {
        is_allowed(uri)
    }

    /// Asks, once.
    async fn ask(
        &self,
        request: Request<String>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, WebError>;
}

type Connected = Client<HttpsConnector<HttpConnector<Public>>, Full<Bytes>>;

/// Finds the addresses of names, and none that only we can reach: whoever names a server could else have us ask
/// what stands beside us. It is what is connected to that is looked at, so that a name cannot mean something
/// else a moment later.
#[derive(Debug, Clone)]
struct Public(GaiResolver);

impl Service<Name> for Public {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let here = is_here(name.as_str());
        let found = self.0.call(name);
        Box::pin(async move {
            let found = found.await?;
            let found: Vec<SocketAddr> = found.filter(|at| here || is_public(at.ip())).collect();
            match found.is_empty() {
                true => Err(std::io::Error::other("its name leads to no public address")),
                false => Ok(found.into_iter()),
            }
        })
    }
}

/// HTTPS; plain HTTP to this machine alone, for the local cloud and tests. It costs nothing until it is used.
#[derive(Debug, Default)]
pub struct Https {
    connected: OnceLock<Connected>,
    outside_only: bool,
}

impl Https {
    /// As on Lambda: this machine is the function's own, and what answers there is Lambda's runtime API, which takes
    /// orders from whoever asks.
    pub fn outside_only() -> Self {
        Self {
            outside_only: true,
            ..Self::default()
        }
    }

    fn client(&self) -> Result<&Connected, WebError> {
        if let Some(client) = self.connected.get() {
            return Ok(client);
        }
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| WebError::Passing(format!("no certificates: {error}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(to_public());
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_S))
            .pool_timer(TokioTimer::new())
            .build(https);
        Ok(self.connected.get_or_init(|| client))
    }
}

/// Connects to what is public; the encryption comes after it.
fn to_public() -> HttpConnector<Public> {
    let mut connector = HttpConnector::new_with_resolver(Public(GaiResolver::new()));
    connector.enforce_http(false);
    connector
}

/// Whether a host is this machine, by its own name.
fn is_here(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

/// Whether it may be asked: over HTTPS, at a name or a public address; or on this machine.
fn is_allowed(uri: &Uri) -> bool {
    let public = |host: &str| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().map_or(true, is_public)
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) => !host.is_empty() && (public(host) || is_here(host)),
        (Some("http"), Some(host)) => is_here(host),
        _ => false,
    }
}

/// Whether an address is one of the public Internet (IANA's registries of special addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmarks = a == 198 && (18..20).contains(&b);
            let protocols = (a, b, c) == (192, 0, 0);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || shared
                || benchmarks
                || protocols
                || a == 0
                || a >= 240)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(v4.into()),
            // Global unicast, without what is for documents, and without the tunnels that carry an IPv4 address.
            None => match v6.segments() {
                [0x2001, 0 | 0x0db8, ..] | [0x2002, ..] => false,
                [first, ..] => first & 0xe000 == 0x2000,
            },
        },
    }
}

#[async_trait]
impl Web for Https {
    fn asks_at(&self, uri: &Uri) -> bool {
        let inside = self.outside_only && uri.host().is_some_and(is_here);
        is_allowed(uri) && !inside
    }

    async fn ask(
        &self,
        request: Request<String>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, WebError> {
        let Bounds { seconds, bytes } = bounds;
        if !self.asks_at(request.uri()) {
            let why = "expected an address of https, and of the public Internet";
            return Err(WebError::Final(why.into()));
        }
        let client = self.client()?;
        let asked = async {
            let request = request.map(|body| Full::new(Bytes::from(body)));
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| WebError::Passing(chain(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, bytes).collect().await;
            let body =
                body.map_err(
                    |error| match error.is::<http_body_util::LengthLimitError>() {
                        true => WebError::Final(format!("it answers with more than {bytes} bytes")),
                        false => WebError::Passing(chain(&*error)),
                    },
                )?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let late = || WebError::Passing(format!("no answer within {seconds} s"));
        tokio::time::timeout(Duration::from_secs(seconds), asked)
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
            "https://127.0.0.1/",
            "https://93.184.216.34/",
            "https://[2606:2800:220:1::1]/",
        ] {
            assert!(allowed(uri), "{uri}");
        }
        for uri in [
            "http://shop.example/",
            "http://169.254.169.254/",
            "https://169.254.169.254/",
            "https://10.0.0.1/",
            "https://[fd00:ec2::254]/",
            "https://[::ffff:10.0.0.1]/",
            "https://0.0.0.0/",
            "ftp://shop.example/",
            "/x",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
        assert!(!allowed("http://127.0.0.1.shop.example/"));
    }

    #[tokio::test]
    async fn on_lambda_this_machine_is_not_asked() {
        for uri in [
            "http://127.0.0.1:1/",
            "https://localhost/",
            "https://[::1]/",
        ] {
            let uri = uri.parse().unwrap();
            assert!(Https::default().asks_at(&uri), "{uri}");
            assert!(!Https::outside_only().asks_at(&uri), "{uri}");
        }
        let public = "https://erp.example/".parse().unwrap();
        assert!(Https::outside_only().asks_at(&public));
        // Nobody listens there.
        let ask = || {
            Request::get("http://127.0.0.1:1/")
                .body(String::new())
                .unwrap()
        };
        let here = Https::default().ask(ask(), VENDOR).await;
        assert!(matches!(here, Err(WebError::Passing(_))), "{here:?}");
        let there = Https::outside_only().ask(ask(), VENDOR).await;
        assert!(matches!(there, Err(WebError::Final(_))), "{there:?}");
    }

    #[test]
    fn what_is_special_is_not_public() {
        let public = |address: &str| is_public(address.parse().unwrap());
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
        ] {
            assert!(public(address), "{address}");
        }
        for address in [
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.0",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    /// A name may lead anywhere: it is what it leads to that counts.
    #[tokio::test]
    async fn a_name_that_leads_to_what_is_not_public_leads_nowhere() {
        let mut resolver = Public(GaiResolver::new());
        let mut find = |name: &str| resolver.call(name.parse().unwrap());
        assert!(
            find("localhost").await.is_ok(),
            "this machine by its own name"
        );
        // Another way to write an address of this machine.
        let found = find("127.1").await;
        let why = found.map(Vec::from_iter).unwrap_err().to_string();
        assert!(why.contains("no public address"), "{why}");
    }
}
