//! The AWS client configuration, from the environment that Lambda gives a process.
//!
//! Written here rather than taken from `aws-config`: a function's credentials are three variables
//! that do not change while it lives, and the loader for every other place they could come from
//! doubles the size of the binary.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;

/// Seconds that one call may take, retries apart: a step has to be able to report its failure
/// before Lambda ends it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// Attempts of one call.
const ATTEMPTS: u32 = 3;

/// The configuration of the process's clients.
pub fn from_environment(function: &'static str) -> SdkConfig {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let token = Some(var("AWS_SESSION_TOKEN")).filter(|token| !token.is_empty());
    let credentials = Credentials::new(
        var("AWS_ACCESS_KEY_ID"),
        var("AWS_SECRET_ACCESS_KEY"),
        token,
        None,
        "environment",
    );
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = SdkConfig::builder()
        .behavior_version(
            aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest(),
        )
        .region(Region::new(var("AWS_REGION")))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(https)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    let mut config = config;
    // The caller's name travels in the user agent, so that an endpoint can count by caller.
    if let Ok(name) = AppName::new(format!("waybill-{function}")) {
        config.set_app_name(Some(name));
    }
    let endpoint = var("AWS_ENDPOINT_URL");
    if !endpoint.is_empty() {
        config.set_endpoint_url(Some(endpoint));
    }
    config.build()
}
