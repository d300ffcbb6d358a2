//! Rules for the HTTP API.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{Template, fault, target};

const FUNCTION: &str = "AWS::Serverless::Function";
const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";
const ROUTE: &str = "AWS::ApiGatewayV2::Route";

/// A request finds its way: from each route to an integration, from there to a function that lets itself be called.
pub fn every_route_reaches_a_function(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, route) in template.resources(ROUTE) {
        let integration = integration(route);
        faults.extend(fault(template.has(INTEGRATION, integration), || {
            format!("{id} leads to no integration")
        }));
    }
    for (id, integration) in template.resources(INTEGRATION) {
        let function = target(&integration["IntegrationUri"]).unwrap_or_default();
        faults.extend(fault(template.has(FUNCTION, function), || {
            format!("{id} leads to no function")
        }));
        faults.extend(fault(integration["PayloadFormatVersion"] == "2.0", || {
            format!("{id} is not of payload format 2.0")
        }));
        let permitted = template
            .resources("AWS::Lambda::Permission")
            .any(|(_, permission)| {
                target(&permission["FunctionName"]) == Some(function)
                    && permission["Principal"] == "apigateway.amazonaws.com"
                    && permission["SourceArn"]["Fn::Sub"]
                        .as_str()
                        .is_some_and(|arn| arn.ends_with(":${Api}/*"))
            });
        faults.extend(fault(permitted, || {
            format!("{id} lacks the permission to call {function}")
        }));
    }
    faults
}

/// No integration without a route, no permission without an integration.
pub fn nothing_of_the_api_is_idle(template: &Template) -> Vec<String> {
    let integrations = template.resources(INTEGRATION).filter_map(|(id, _)| {
        let used = template
            .resources(ROUTE)
            .any(|(_, route)| integration(route) == id);
        fault(used, || format!("no route leads to {id}"))
    });
    let permissions =
        template
            .resources("AWS::Lambda::Permission")
            .filter_map(|(id, permission)| {
                let function = target(&permission["FunctionName"]);
                let used = template
                    .resources(INTEGRATION)
                    .any(|(_, integration)| target(&integration["IntegrationUri"]) == function);
                fault(used, || format!("{id} permits what no integration does"))
            });
    integrations.chain(permissions).collect()
}

/// A method and a path, once each, on the one API.
pub fn routes_are_distinct(template: &Template) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (id, route) in template.resources(ROUTE) {
        let key = route["RouteKey"].as_str().unwrap_or_default();
        let shaped = key.split_once(' ').is_some_and(|(method, path)| {
            method.chars().all(|c| c.is_ascii_uppercase()) && path.starts_with('/')
        });
        faults.extend(fault(shaped, || {
            format!("{id} has the key {key:?}, not a method and a path")
        }));
        faults.extend(fault(seen.insert(key), || {
            format!("{id} repeats the key {key:?}")
        }));
    }
    faults
}

/// A flood stops at the door.
pub fn requests_are_throttled(template: &Template) -> Vec<String> {
    stages(template, "lets through any number of requests", |stage| {
        let settings = &stage["DefaultRouteSettings"];
        ["ThrottlingRateLimit", "ThrottlingBurstLimit"]
            .iter()
            .all(|limit| settings[*limit].is_u64() || settings[*limit]["Ref"].is_string())
    })
}

/// Requests are logged, with nothing that a person or an order could be told by.
pub fn access_logs_name_nobody(template: &Template) -> Vec<String> {
    const HARMLESS: [&str; 8] = [
        "requestId",
        "requestTimeEpoch",
        "routeKey",
        "status",
        "responseLength",
        "responseLatency",
        "integrationLatency",
        "error.responseType",
    ];
    stages(
        template,
        "does not log requests, or logs too much",
        |stage| {
            let settings = &stage["AccessLogSettings"];
            let kept = target(&settings["DestinationArn"])
                .is_some_and(|group| template.has("AWS::Logs::LogGroup", group));
            let format = settings["Format"].as_str().unwrap_or_default();
            let mut variables = format
                .split("$context.")
                .skip(1)
                .map(|rest| rest.split(['"', ' ', ',', '}']).next().unwrap_or(rest));
            kept && !format.is_empty() && variables.all(|name| HARMLESS.contains(&name))
        },
    )
}

fn stages(template: &Template, what: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let stages: Vec<_> = template.resources("AWS::ApiGatewayV2::Stage").collect();
    let mut faults: Vec<_> = stages
        .iter()
        .filter_map(|(id, stage)| fault(holds(stage), || format!("{id} {what}")))
        .collect();
    faults.extend(fault(stages.len() == 1, || {
        format!("the API has {} stages instead of one", stages.len())
    }));
    faults
}

/// The integration that a route names in its `integrations/${Name}`.
fn integration(route: &Value) -> &str {
    route["Target"]["Fn::Sub"]
        .as_str()
        .and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'))
        .unwrap_or_default()
}
