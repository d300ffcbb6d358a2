//! Rules for the text itself: nothing misspelt, nothing dangling, nothing left over.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{Template, fault};

/// The properties in use. SAM drops a property that it does not know without a word, so whoever needs another one adds it
/// here, having looked up how it is spelt.
const KNOWN: [(&str, &[&str]); 18] = [
    (
        "AWS::Serverless::Function",
        &[
            "FunctionName",
            "Description",
            "CodeUri",
            "Timeout",
            "MemorySize",
            "Role",
            "LoggingConfig",
            "Environment",
        ],
    ),
    (
        "AWS::Lambda::EventSourceMapping",
        &[
            "EventSourceArn",
            "FunctionName",
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "FunctionResponseTypes",
            "ScalingConfig",
        ],
    ),
    (
        "AWS::Lambda::Permission",
        &["Action", "FunctionName", "Principal", "SourceArn"],
    ),
    (
        "AWS::SQS::Queue",
        &[
            "QueueName",
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "SqsManagedSseEnabled",
            "RedrivePolicy",
        ],
    ),
    (
        "AWS::DynamoDB::Table",
        &[
            "TableName",
            "BillingMode",
            "AttributeDefinitions",
            "KeySchema",
            "GlobalSecondaryIndexes",
            "TimeToLiveSpecification",
            "PointInTimeRecoverySpecification",
            "SSESpecification",
            "DeletionProtectionEnabled",
        ],
    ),
    ("AWS::IAM::Role", &["AssumeRolePolicyDocument", "Policies"]),
    ("AWS::Logs::LogGroup", &["LogGroupName", "RetentionInDays"]),
    (
        "AWS::CloudWatch::Alarm",
        &[
            "AlarmDescription",
            "Namespace",
            "MetricName",
            "Dimensions",
            "Statistic",
            "Period",
            "EvaluationPeriods",
            "Threshold",
            "ComparisonOperator",
            "TreatMissingData",
            "AlarmActions",
        ],
    ),
    ("AWS::ApiGatewayV2::Api", &["Name", "ProtocolType"]),
    (
        "AWS::ApiGatewayV2::Stage",
        &[
            "ApiId",
            "StageName",
            "AutoDeploy",
            "DefaultRouteSettings",
            "AccessLogSettings",
        ],
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        &[
            "ApiId",
            "IntegrationType",
            "IntegrationUri",
            "PayloadFormatVersion",
        ],
    ),
    ("AWS::ApiGatewayV2::Route", &["ApiId", "RouteKey", "Target"]),
    (
        "AWS::Scheduler::Schedule",
        &["Name", "ScheduleExpression", "FlexibleTimeWindow", "Target"],
    ),
    (
        "AWS::SES::ConfigurationSet",
        &["Name", "ReputationOptions", "SuppressionOptions"],
    ),
    ("AWS::SQS::QueuePolicy", &["Queues", "PolicyDocument"]),
    ("AWS::SNS::Topic", &["TopicName"]),
    (
        "AWS::SNS::Subscription",
        &["TopicArn", "Protocol", "Endpoint"],
    ),
    (
        "Globals",
        &[
            "Runtime",
            "Handler",
            "Architectures",
            "MemorySize",
            "Timeout",
            "LoggingConfig",
            "Environment",
        ],
    ),
];

/// Every property is one that its type has. SAM's own events would be found here too: what starts a function is a resource.
pub fn properties_are_known(template: &Template) -> Vec<String> {
    let globals = ("Globals", "Globals", &template.value["Globals"]["Function"]);
    template
        .all()
        .map(|(id, resource)| {
            let kind = resource["Type"].as_str().unwrap_or_default();
            (id, kind, &resource["Properties"])
        })
        .chain([globals])
        .flat_map(|(id, kind, properties)| {
            let known = KNOWN.iter().find(|(name, _)| *name == kind);
            let strange = properties
                .as_object()
                .into_iter()
                .flatten()
                .filter(move |(name, _)| {
                    !known.is_some_and(|(_, all)| all.contains(&name.as_str()))
                })
                .map(move |(name, _)| format!("{id} has the property {name}, unknown for {kind}"));
            let strange_kind = fault(known.is_some(), || {
                format!("{id} is of the unknown type {kind}")
            });
            strange.chain(strange_kind)
        })
        .collect()
}

/// Every reference leads to a parameter or a resource.
pub fn references_lead_somewhere(template: &Template) -> Vec<String> {
    references(&template.value)
        .into_iter()
        .filter(|name| {
            !name.starts_with("AWS::")
                && template.value["Resources"].get(name).is_none()
                && template.value["Parameters"].get(name).is_none()
        })
        .map(|name| format!("{name} is referred to and does not exist"))
        .collect()
}

/// Every parameter is used, and every one has a default: a first deployment asks for nothing that it could not guess.
pub fn parameters_have_use_and_default(template: &Template) -> Vec<String> {
    let used = references(&template.value);
    let mut faults = Vec::new();
    let parameters = template.value["Parameters"].as_object();
    for (name, parameter) in parameters.into_iter().flatten() {
        faults.extend(fault(used.contains(name), || {
            format!("the parameter {name} is used nowhere")
        }));
        faults.extend(fault(parameter.get("Default").is_some(), || {
            format!("the parameter {name} has no default")
        }));
    }
    faults
}

/// Every name that `Ref`, `Fn::GetAtt` and `Fn::Sub` refer to, anywhere in a value.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Array(items) => found.extend(items.iter().flat_map(references)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("Ref", Value::String(name)) => {
                        found.insert(name.clone());
                    }
                    ("Fn::GetAtt", value) => {
                        found.insert(value[0].as_str().unwrap_or_default().to_owned());
                    }
                    ("Fn::Sub", Value::String(text)) => found.extend(
                        text.split("${")
                            .skip(1)
                            .filter_map(|rest| rest.split(['}', '.']).next())
                            .map(str::to_owned),
                    ),
                    (_, value) => found.extend(references(value)),
                }
            }
        }
        _ => {}
    }
    found
}
