//! What the functions are told under `cargo lambda watch`, beside the template.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::Template;

/// The stack that the local cloud brings up.
const STACK: &str = "waybill";
/// Where it is found, and the account that it stands for.
const QUEUES: &str = "http://127.0.0.1:4566/000000000000";

/// `infra/watch.env` holds what all functions have in common, the workspace's manifest what only one has; together they set
/// each variable to what it is in the local cloud, and no variable that no function reads.
pub fn watch_sets_what_the_template_sets(
    template: &Template,
    env: &str,
    manifest: &str,
) -> Vec<String> {
    let common: BTreeMap<&str, &str> = env
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    let globals = &template.value["Globals"]["Function"];
    let functions = template.functions().map(|(name, _, f)| (name, f));
    for (name, function) in functions.chain([("all".to_owned(), globals)]) {
        for (variable, value) in Template::variables(function) {
            used.insert(variable);
            let expected = local(template, value);
            let own = format!("{name}.env.{variable} = \"{expected}\"");
            let set = common.get(variable) == Some(&expected.as_str())
                || manifest.lines().any(|line| line == own);
            if !set {
                faults.push(format!("{variable} of {name} is not {expected}"));
            }
        }
    }
    let spare = common
        .keys()
        .filter(|name| !name.starts_with("AWS_") && !used.contains(*name));
    faults.extend(spare.map(|name| format!("{name} is set and no function reads it")));
    faults
}

/// What a reference is in the local cloud.
fn local(template: &Template, value: &Value) -> String {
    let name = value["Ref"].as_str().unwrap_or_default();
    let default = &template.value["Parameters"][name]["Default"];
    let resource = &template.value["Resources"][name];
    let called = |property: &str| {
        let called = &resource["Properties"][property];
        let text = called["Fn::Sub"].as_str().unwrap_or("${AWS::StackName}");
        text.replace("${AWS::StackName}", STACK)
    };
    match resource["Type"].as_str() {
        Some("AWS::SQS::Queue") => format!("{QUEUES}/{}", called("QueueName")),
        Some("AWS::DynamoDB::Table") => called("TableName"),
        Some(_) => called("Name"),
        None => default.as_str().unwrap_or_default().to_owned(),
    }
}
