//! Where the clients' requests wait for their turn, and meet their fate.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http::{Request, Response};
use local::client::{answer, read};

use super::call::{Call, Service};
use super::{Ground, answers};
use crate::check::Violation;
use crate::faults::Fate;

/// In the place of a network.
#[derive(Clone)]
pub(super) struct Gate(pub Arc<Ground>);

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Gate")
    }
}

impl HttpClient for Gate {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let ground = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = read(request).await?;
            answer(ground.take(request).await?)
        })
    }
}

impl Ground {
    /// Notes that the simulator itself has failed.
    pub(super) fn must(&self, well: bool, otherwise: impl Into<String>) {
        if !well {
            self.sim.state().blame(Some(Violation {
                rule: "the-simulator-works",
                subject: "the full world".into(),
                detail: otherwise.into(),
            }));
        }
    }

    /// Answers a request, once it is its turn.
    async fn take(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectorError> {
        let call = Call::read(&request);
        // While the world is set up, and instances begin, nothing goes wrong.
        if self.sim.state().current.is_none() {
            return Ok(match call.filter(Call::is_write) {
                Some(call) => self.write(&call, request).await,
                None => self.services.handle(&self.caller, request).await,
            });
        }
        let Some(call) = call else {
            let target = request.headers().get("x-amz-target").cloned();
            self.must(
                false,
                format!("a request that the gate does not know: {target:?}"),
            );
            return Err(ConnectorError::other("an unknown request".into(), None));
        };
        let fate = self.sim.turn(call.operation, call.kind).await;
        match fate {
            Fate::Refused => Ok(answers::refused(call.service)),
            Fate::Conflict => {
                let actions = call.body["TransactItems"].as_array().map_or(0, Vec::len);
                Ok(answers::in_the_way(actions))
            }
            Fate::Stale => Ok(self.stale(&call, request).await),
            Fate::Partly => self.partly(&call, request).await,
            Fate::Done => Ok(self.pass(&call, request, fate).await),
            Fate::AnswerLost => {
                self.pass(&call, request, fate).await;
                Err(ConnectorError::timeout("the simulation says so".into()))
            }
            Fate::Repeated => {
                self.pass(&call, request.clone(), fate).await;
                // What was there before a write was there before its first attempt.
                Ok(match call.service {
                    Service::DynamoDb => self.services.handle(&self.caller, request).await,
                    _ => self.pass(&call, request, fate).await,
                })
            }
        }
    }

    /// Lets a request through, and does to the simulator's own queues what it has done.
    pub(super) async fn pass(
        &self,
        call: &Call,
        request: Request<Bytes>,
        fate: Fate,
    ) -> Response<Bytes> {
        match (call.service, call.kind) {
            (Service::DynamoDb, _) if call.is_write() => self.write(call, request).await,
            (Service::DynamoDb, _) => self.read(call, request).await,
            (Service::Secrets, _) => self.services.handle(&self.caller, request).await,
            (Service::Queue(step), _) => self.to_queue(call, step, request).await,
            (Service::DeadLetters(step), _) => self.to_dead_letters(call, step, request).await,
            (Service::Events, _) => {
                let answer = self.services.handle(&self.caller, request).await;
                self.collect_events();
                answer
            }
            (Service::Mail, _) => {
                let answer = self.services.handle(&self.caller, request).await;
                self.collect_mail(fate);
                answer
            }
        }
    }

    /// Lets the first entry of a batch through.
    async fn partly(
        &self,
        call: &Call,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let mut body = call.body.clone();
        let entries = body["Entries"].as_array_mut();
        let left_out = entries
            .map(|entries| entries.split_off(1))
            .unwrap_or_default();
        let request = request.map(|_| Bytes::from(body.to_string()));
        let answer = self.pass(call, request, Fate::Partly).await;
        answers::partly(answer, &left_out)
            .ok_or_else(|| ConnectorError::other("an answer that is not JSON".into(), None))
    }
}
