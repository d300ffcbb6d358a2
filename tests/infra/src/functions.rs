//! Rules for functions: their code, variables, logs, alarms and what starts them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::queues::reaches_somebody;
use crate::template::{Template, fault, kebab, pascal, target};

/// Every folder under `functions/` is deployed, and nothing else is.
pub fn folders_and_functions_agree(template: &Template) -> Vec<String> {
    let folders: BTreeSet<String> = template.folders.iter().cloned().collect();
    let functions: BTreeSet<String> = template.functions().map(|(name, ..)| name).collect();
    let missing = folders
        .difference(&functions)
        .map(|name| format!("functions/{name} is not in the template"));
    let extra = functions
        .difference(&folders)
        .map(|name| format!("{name} has no folder under functions/"));
    missing.chain(extra).collect()
}

/// The name of the folder is the name of the function and of its code.
pub fn functions_are_named_after_their_folders(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, id, function) in template.functions() {
        let called = json!({"Fn::Sub": format!("${{AWS::StackName}}-{name}")});
        faults.extend(fault(function["FunctionName"] == called, || {
            format!("{id} is not called ${{AWS::StackName}}-{name}")
        }));
        let code = format!("../target/lambda/{name}");
        faults.extend(fault(function["CodeUri"] == code, || {
            format!("the code of {id} is not {code}")
        }));
    }
    faults
}

/// A variable is a reference to what its name says: `ORDERS_TABLE` to `OrdersTable`, `DEAD_LETTERS_QUEUE` to the
/// function's own.
pub fn variables_point_to_what_they_name(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (_, id, function) in template.functions() {
        for (name, value) in Template::variables(function) {
            let expected = match name {
                "DEAD_LETTERS_QUEUE" => format!("{id}DeadLetters"),
                _ => pascal(name),
            };
            faults.extend(fault(value["Ref"] == expected, || {
                format!("{name} of {id} is {value}, not {expected}")
            }));
        }
    }
    faults
}

/// Secrets are in Secrets Manager. In a variable, whoever may look at the function sees them.
pub fn no_variable_is_a_secret(template: &Template) -> Vec<String> {
    const WORDS: [&str; 6] = [
        "SECRET",
        "PASSWORD",
        "TOKEN",
        "CREDENTIAL",
        "PRIVATE",
        "KEY",
    ];
    let mut faults = Vec::new();
    let globals = &template.value["Globals"]["Function"];
    let functions = template.functions().map(|(_, id, function)| (id, function));
    for (id, function) in functions.chain([("Globals", globals)]) {
        for (name, value) in Template::variables(function) {
            // The prefix is of names, and names are no secret.
            let suspicious =
                name != "SECRETS_PREFIX" && WORDS.iter().any(|word| name.contains(word));
            let hidden = template.value["Parameters"][value["Ref"].as_str().unwrap_or_default()]
                .get("NoEcho")
                .is_some();
            faults.extend(fault(!suspicious && !hidden, || {
                format!("{name} of {id} looks like a secret")
            }));
        }
    }
    faults
}

/// Each function writes to a log group of its own, which forgets.
pub fn logs_are_kept_for_a_time(template: &Template) -> Vec<String> {
    let mut faults: Vec<_> = template
        .resources("AWS::Logs::LogGroup")
        .filter_map(|(id, group)| {
            let days = &group["RetentionInDays"];
            let parameter = target(days).unwrap_or_default();
            let known = days.is_u64() || template.value["Parameters"].get(parameter).is_some();
            fault(known, || format!("{id} keeps logs for ever"))
        })
        .collect();
    for (_, id, function) in template.functions() {
        let own = format!("{id}Logs");
        let group = target(&function["LoggingConfig"]["LogGroup"]);
        faults.extend(fault(
            group == Some(&own) && template.has("AWS::Logs::LogGroup", &own),
            || format!("{id} does not log to {own}"),
        ));
    }
    faults
}

/// Somebody is told when a function fails.
pub fn every_function_has_an_alarm(template: &Template) -> Vec<String> {
    template
        .functions()
        .filter_map(|(_, id, _)| {
            let dimension = json!([{"Name": "FunctionName", "Value": {"Ref": id}}]);
            let watched = template
                .resources("AWS::CloudWatch::Alarm")
                .any(|(_, alarm)| {
                    alarm["Namespace"] == "AWS/Lambda"
                        && alarm["MetricName"] == "Errors"
                        && alarm["Dimensions"] == dimension
                        && reaches_somebody(template, alarm)
                });
            fault(watched, || format!("{id} needs an alarm on Errors"))
        })
        .collect()
}

/// A function is started in exactly one way: by HTTP, by its queue or by the clock.
pub fn every_function_is_started(template: &Template) -> Vec<String> {
    template
        .functions()
        .filter_map(|(_, id, _)| {
            let by = |kind: &str, reference: fn(&Value) -> &Value| {
                template
                    .resources(kind)
                    .any(|(_, starter)| target(reference(starter)) == Some(id))
            };
            let ways = [
                by("AWS::ApiGatewayV2::Integration", |integration| {
                    &integration["IntegrationUri"]
                }),
                by(
                    "AWS::Lambda::EventSourceMapping",
                    |mapping| &mapping["FunctionName"],
                ),
                by(
                    "AWS::Scheduler::Schedule",
                    |schedule| &schedule["Target"]["Arn"],
                ),
            ];
            let ways = ways.iter().filter(|way| **way).count();
            fault(ways == 1, || {
                format!("{id} is started in {ways} ways instead of one")
            })
        })
        .collect()
}

/// Every schedule starts a function of the template, through a role that can do nothing else.
pub fn schedules_start_functions(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, schedule) in template.resources("AWS::Scheduler::Schedule") {
        let function = target(&schedule["Target"]["Arn"]).unwrap_or_default();
        faults.extend(fault(
            template.has("AWS::Serverless::Function", function),
            || format!("{id} starts {function}, which is no function"),
        ));
        let role = target(&schedule["Target"]["RoleArn"]).unwrap_or_default();
        let allowed = &template.value["Resources"][role]["Properties"]["Policies"];
        let statement = json!([{
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": {"Fn::GetAtt": [function, "Arn"]},
        }]);
        faults.extend(fault(
            allowed.as_array().is_some_and(|list| list.len() == 1)
                && allowed[0]["PolicyDocument"]["Statement"] == statement,
            || {
                format!(
                    "the role of {id} has to allow to start {} alone",
                    kebab(function)
                )
            },
        ));
    }
    faults
}
