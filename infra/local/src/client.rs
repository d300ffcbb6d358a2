//! The way from an AWS SDK client to the services without leaving the process.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::services::{REGION, Services};

/// A configuration whose clients call `services` in this process, counted under `caller`.
pub fn sdk_config(services: &Arc<Services>, caller: &str) -> SdkConfig {
    let client = InProcess {
        services: services.clone(),
        caller: caller.into(),
    };
    // They open nothing: the services check no signature.
    let credentials = Credentials::new("local", "local", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url("http://localhost")
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(TokioSleep::new())
        // Nothing stalls within a process, and watching for it costs time at every call.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(client)
        .build()
}

#[derive(Clone)]
struct InProcess {
    services: Arc<Services>,
    caller: Arc<str>,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "InProcess({})", self.caller)
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { services, caller } = self.clone();
        HttpConnectorFuture::new(async move {
            let response = services.handle(&caller, read(request).await?).await;
            answer(response)
        })
    }
}

/// A client's request, with its whole body.
pub async fn read(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(user_error)?.into_parts();
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => body.collect().await.map_err(user_error)?.to_bytes(),
    };
    Ok(http::Request::from_parts(parts, body))
}

/// A service's answer, as a client takes it.
pub fn answer(response: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    response.map(SdkBody::from).try_into().map_err(user_error)
}

fn user_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}
