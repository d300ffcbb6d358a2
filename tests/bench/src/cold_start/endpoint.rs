//! AWS on loopback, counting connections.
//!
//! Here all services are behind one address, so that connections are shared that on AWS go to a host per service.
//! What would be opened there follows from how many calls of a service are under way at once: that many
//! connections it takes, and those that init had not opened are opened by the handler.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use http::StatusCode;
use http_body_util::BodyExt;
use local::services::Services;
use tokio::net::TcpListener;

/// Connections of one instance.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// Opened here before the first request for work.
    pub tcp_init: usize,
    /// Opened here after it.
    pub tcp_handler: usize,
    /// By service: what init opens on AWS.
    pub early: BTreeMap<&'static str, usize>,
    /// By service: what the handler opens on AWS on top.
    pub late: BTreeMap<&'static str, usize>,
}

impl Connections {
    /// How many connections are opened too late.
    pub fn opened_late(&self) -> usize {
        self.late.values().sum::<usize>() + self.tcp_handler
    }
}

#[derive(Default)]
struct Counts {
    answer_after: Duration,
    in_handler: bool,
    connections: Connections,
    under_way: BTreeMap<&'static str, usize>,
}

/// The endpoint. Clones are handles to the same one.
#[derive(Clone)]
pub struct Endpoint {
    services: Arc<Services>,
    counts: Arc<Mutex<Counts>>,
    address: SocketAddr,
}

impl Endpoint {
    /// Serves a cloud's services.
    pub async fn start(services: Arc<Services>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = Self {
            services,
            counts: Arc::default(),
            address: listener.local_addr()?,
        };
        let counting = endpoint.clone();
        let listener = listener.tap_io(move |_| {
            let counts = &mut *counting.counts();
            match counts.in_handler {
                false => counts.connections.tcp_init += 1,
                true => counts.connections.tcp_handler += 1,
            }
        });
        let router = Router::new().fallback(answer).with_state(endpoint.clone());
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("cold-start: the AWS endpoint broke down: {error}");
            }
        });
        Ok(endpoint)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts anew, for an instance that is about to start.
    pub fn reset(&self, answer_after: Duration) {
        *self.counts() = Counts {
            answer_after,
            ..Counts::default()
        };
    }

    /// Counts what follows as the handler's.
    pub fn enter_handler(&self) {
        self.counts().in_handler = true;
    }

    /// What was counted.
    pub fn connections(&self) -> Connections {
        self.counts().connections.clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins; how long it is to take.
    fn begin(&self, service: &'static str) -> Duration {
        let counts = &mut *self.counts();
        let under_way = counts.under_way.entry(service).or_default();
        *under_way += 1;
        let early = counts.connections.early.entry(service).or_default();
        match counts.in_handler {
            false => *early = (*early).max(*under_way),
            true => {
                let more = under_way.saturating_sub(*early);
                if more > 0 {
                    let late = counts.connections.late.entry(service).or_default();
                    *late = (*late).max(more);
                }
            }
        }
        counts.answer_after
    }

    fn end(&self, service: &'static str) {
        if let Some(under_way) = self.counts().under_way.get_mut(service) {
            *under_way = under_way.saturating_sub(1);
        }
    }
}

async fn answer(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    let service = match target.and_then(|target| target.split_once('.')) {
        Some(("DynamoDB_20120810", _)) => "dynamodb",
        Some(("AmazonSQS", _)) => "sqs",
        Some(("secretsmanager", _)) => "secretsmanager",
        Some(("AWSEvents", _)) => "events",
        _ => "ses",
    };
    let takes = endpoint.begin(service);
    let answer = match body.collect().await {
        Ok(body) => {
            tokio::time::sleep(takes).await;
            let request = http::Request::from_parts(parts, body.to_bytes());
            let answer = endpoint.services.handle(&"outside".into(), request).await;
            answer.map(Body::from)
        }
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    };
    endpoint.end(service);
    answer
}
