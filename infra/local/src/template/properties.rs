//! The properties of resources that are read, by their names in the template.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableProperties {
    pub key_schema: Value,
    pub attribute_definitions: Value,
    pub global_secondary_indexes: Option<Value>,
    pub local_secondary_indexes: Option<Value>,
    pub time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TimeToLive {
    pub attribute_name: String,
    pub enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueProperties {
    pub delay_seconds: Option<u64>,
    pub maximum_message_size: Option<u64>,
    pub message_retention_period: Option<u64>,
    pub receive_message_wait_time_seconds: Option<u64>,
    pub visibility_timeout: Option<u64>,
    pub redrive_policy: Option<Value>,
    pub fifo_queue: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FunctionGlobals {
    pub timeout: Option<u64>,
    pub environment: Option<Environment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FunctionProperties {
    pub code_uri: String,
    pub timeout: Option<u64>,
    pub environment: Option<Environment>,
    pub events: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Environment {
    #[serde(default)]
    pub variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Integration {
    pub integration_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RouteProperties {
    pub route_key: String,
    pub target: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventSourceMapping {
    pub event_source_arn: String,
    pub function_name: String,
    pub batch_size: Option<usize>,
    pub maximum_batching_window_in_seconds: Option<u64>,
    #[serde(default)]
    pub function_response_types: Vec<String>,
    pub scaling_config: Option<Scaling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scaling {
    pub maximum_concurrency: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleProperties {
    pub schedule_expression: String,
    pub target: ScheduleTarget,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleTarget {
    pub arn: String,
    pub input: Option<String>,
}
