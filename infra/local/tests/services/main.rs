//! The services as the AWS SDK's own clients see them, in process and over TCP.
#![allow(clippy::unwrap_used, clippy::panic)]

mod counting;
mod dynamodb;
mod events;
mod mail_and_secrets;
mod sqs;

use std::sync::Arc;

use aws_types::SdkConfig;
use local::client::sdk_config;
use local::services::Services;

/// Both ways to the services: in process and over TCP.
async fn seams() -> Vec<(Arc<Services>, SdkConfig)> {
    let services = Services::in_memory().unwrap();
    let in_process = sdk_config(&services, "accept-order");
    let remote = Services::in_memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(local::endpoint::serve(
        remote.clone(),
        listener,
        std::future::pending(),
    ));
    let over_tcp = in_process
        .to_builder()
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    vec![(services, in_process), (remote, over_tcp)]
}
