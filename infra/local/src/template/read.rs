//! From the text of a template to what it means.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::intrinsics::Scope;
use super::properties::{
    EventSourceMapping, FunctionGlobals, FunctionProperties, Integration, QueueProperties,
    RouteProperties, ScheduleProperties, TableProperties,
};
use super::{Function, Mapping, Queue, Route, Schedule, Setting, Table, Template};
use crate::services::{ACCOUNT, REGION};

impl Template {
    /// Reads a template. An error is one line that names the resource.
    pub fn read(text: &str, setting: &Setting) -> Result<Self> {
        // YAML 1.2: an attribute of type N is no boolean.
        let options = serde_saphyr::options! { strict_booleans: true };
        // Only the first line says what is wrong; a picture of the place follows.
        let template: Value =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| {
                let error = error.to_string();
                anyhow!("{}", error.lines().next().unwrap_or_default().to_owned())
            })?;
        let resources = template["Resources"]
            .as_object()
            .context("there are no Resources")?;
        let scope = Scope {
            stack: &setting.stack,
            endpoint: setting.endpoint.trim_end_matches('/'),
            parameters: parameters(&template["Parameters"], &setting.parameters)?,
            resources,
        };
        let reader = Reader { scope, resources };
        let globals = reader
            .scope
            .resolve(&template["Globals"]["Function"])
            .and_then(|value| Ok(serde_json::from_value::<Option<FunctionGlobals>>(value)?))
            .context("Globals")?
            .unwrap_or_default();
        let queues = reader.each("AWS::SQS::Queue", |name, properties| {
            queue(&reader.scope, name, properties)
        })?;
        let functions = reader.each("AWS::Serverless::Function", |name, properties| {
            function(&reader.scope, name, &globals, properties)
        })?;
        let named = |reference: &str| {
            functions
                .iter()
                .find(|function| {
                    function.arn == reference || function.arn.rsplit(':').next() == Some(reference)
                })
                .map(|function| function.name.clone())
                .ok_or_else(|| anyhow!("{reference} is not a function of this template"))
        };
        let integrations: BTreeMap<String, String> = reader
            .each(
                "AWS::ApiGatewayV2::Integration",
                |name, properties: Integration| {
                    let target = properties.integration_uri;
                    // The ARN may stand in the long path that REST APIs want.
                    let arn = target.split("/functions/").last().unwrap_or_default();
                    let function = named(arn.trim_end_matches("/invocations"))?;
                    Ok((format!("integrations/{name}"), function))
                },
            )?
            .into_iter()
            .collect();
        let routes = reader.each("AWS::ApiGatewayV2::Route", |_, properties| {
            route(&integrations, properties)
        })?;
        let mappings = reader.each("AWS::Lambda::EventSourceMapping", |_, properties| {
            mapping(&queues, named, properties)
        })?;
        let schedules = reader.each("AWS::Scheduler::Schedule", |_, properties| {
            schedule(named, properties)
        })?;
        Ok(Self {
            tables: reader.each("AWS::DynamoDB::Table", |name, properties| {
                table(&reader.scope, name, properties)
            })?,
            queues,
            mappings,
            routes,
            schedules,
            functions: functions
                .into_iter()
                .map(|function| (function.name.clone(), function))
                .collect(),
        })
    }
}

struct Reader<'a> {
    scope: Scope<'a>,
    resources: &'a Map<String, Value>,
}

impl Reader<'_> {
    /// Reads every resource of one type.
    fn each<P: DeserializeOwned, T>(
        &self,
        kind: &str,
        read: impl Fn(&str, P) -> Result<T>,
    ) -> Result<Vec<T>> {
        let none = Value::Object(Map::new());
        self.resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| {
                let result = match resource.get("Condition") {
                    Some(_) => Err(anyhow!("a Condition on a resource is not understood here")),
                    None => self
                        .scope
                        .resolve(resource.get("Properties").unwrap_or(&none))
                        .and_then(|properties| Ok(serde_json::from_value(properties)?))
                        .and_then(|properties| read(name, properties)),
                };
                result.map_err(|error| anyhow!("resource {name}: {error}"))
            })
            .collect()
    }
}

/// The parameters' values: what was set, otherwise their defaults.
fn parameters(declared: &Value, set: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>> {
    let none = Map::new();
    let declared = declared.as_object().unwrap_or(&none);
    if let Some(name) = set.keys().find(|name| !declared.contains_key(*name)) {
        bail!("there is no parameter {name} to set");
    }
    declared
        .iter()
        .map(|(name, parameter)| {
            let value = match set.get(name) {
                Some(text) if parameter["Type"] == "Number" => {
                    let number: serde_json::Number = text
                        .parse()
                        .map_err(|_| anyhow!("parameter {name}: {text} is not a number"))?;
                    Value::Number(number)
                }
                Some(text) => Value::String(text.clone()),
                None => parameter
                    .get("Default")
                    .cloned()
                    .ok_or_else(|| anyhow!("parameter {name} has no default"))?,
            };
            Ok((name.clone(), value))
        })
        .collect()
}

fn table(scope: &Scope<'_>, resource: &str, properties: TableProperties) -> Result<Table> {
    let name = text(scope, resource)?;
    let mut create = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": properties.key_schema,
        "AttributeDefinitions": properties.attribute_definitions,
    });
    if let Some(indexes) = properties.global_secondary_indexes {
        create["GlobalSecondaryIndexes"] = indexes;
    }
    if let Some(indexes) = properties.local_secondary_indexes {
        create["LocalSecondaryIndexes"] = indexes;
    }
    let expires_by = properties
        .time_to_live_specification
        .filter(|ttl| ttl.enabled)
        .map(|ttl| ttl.attribute_name);
    Ok(Table {
        name,
        create,
        expires_by,
    })
}

/// What `Ref` gives for a resource.
fn text(scope: &Scope<'_>, resource: &str) -> Result<String> {
    match scope.resolve(&json!({"Ref": resource}))? {
        Value::String(text) => Ok(text),
        value => bail!("{value} is not a name"),
    }
}

fn queue(scope: &Scope<'_>, resource: &str, properties: QueueProperties) -> Result<Queue> {
    if properties.fifo_queue.unwrap_or_default() {
        bail!("FIFO queues are not offered here");
    }
    let url = text(scope, resource)?;
    let numbers = [
        ("DelaySeconds", properties.delay_seconds),
        ("MaximumMessageSize", properties.maximum_message_size),
        (
            "MessageRetentionPeriod",
            properties.message_retention_period,
        ),
        (
            "ReceiveMessageWaitTimeSeconds",
            properties.receive_message_wait_time_seconds,
        ),
        ("VisibilityTimeout", properties.visibility_timeout),
    ];
    let mut attributes: BTreeMap<String, String> = numbers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_string())))
        .collect();
    if let Some(policy) = properties.redrive_policy {
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    Ok(Queue {
        name: url.rsplit('/').next().unwrap_or_default().to_owned(),
        attributes,
    })
}

fn function(
    scope: &Scope<'_>,
    resource: &str,
    globals: &FunctionGlobals,
    properties: FunctionProperties,
) -> Result<Function> {
    if properties.events.is_some() {
        bail!("Events are not read here: write event sources as resources of their own");
    }
    let name = properties
        .code_uri
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let seconds = properties.timeout.or(globals.timeout).unwrap_or(3);
    let variables = [
        globals.environment.as_ref(),
        properties.environment.as_ref(),
    ];
    let environment = variables
        .into_iter()
        .flatten()
        .flat_map(|environment| &environment.variables)
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => bail!("the variable {name} is not a text"),
            };
            Ok((name.clone(), text))
        })
        .collect::<Result<_>>()?;
    Ok(Function {
        name,
        arn: format!(
            "arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}",
            text(scope, resource)?
        ),
        timeout: Duration::from_secs(seconds),
        environment,
    })
}

fn route(integrations: &BTreeMap<String, String>, properties: RouteProperties) -> Result<Route> {
    let key = properties.route_key;
    let function = integrations
        .get(&properties.target)
        .ok_or_else(|| anyhow!("its Target {} is not an integration", properties.target))?;
    let (method, path) = key
        .split_once(' ')
        .filter(|(_, path)| path.starts_with('/'))
        .ok_or_else(|| anyhow!("the RouteKey {key:?} is not a method and a path"))?;
    Ok(Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: function.clone(),
        key,
    })
}

fn mapping(
    queues: &[Queue],
    named: impl Fn(&str) -> Result<String>,
    properties: EventSourceMapping,
) -> Result<Mapping> {
    let arn = properties.event_source_arn;
    let queue = queues
        .iter()
        .find(|queue| arn.rsplit(':').next() == Some(&queue.name))
        .ok_or_else(|| anyhow!("its source {arn} is not a queue of this template"))?;
    let batch_size = properties.batch_size.unwrap_or(10);
    let window = properties.maximum_batching_window_in_seconds.unwrap_or(0);
    if !(1..=10_000).contains(&batch_size) || (batch_size > 10 && window == 0) {
        bail!("a BatchSize of {batch_size} needs a batching window, and 10000 is the most");
    }
    // Without a limit Lambda starts with five pollers.
    let concurrency = properties
        .scaling_config
        .map_or(5, |scaling| scaling.maximum_concurrency);
    if !(2..=1_000).contains(&concurrency) {
        bail!("a MaximumConcurrency of {concurrency} is not from 2 to 1000");
    }
    Ok(Mapping {
        queue: queue.name.clone(),
        function: named(&properties.function_name)?,
        batch_size,
        window: Duration::from_secs(window),
        max_concurrency: concurrency,
        reports_failures: properties
            .function_response_types
            .iter()
            .any(|kind| kind == "ReportBatchItemFailures"),
    })
}

fn schedule(
    named: impl Fn(&str) -> Result<String>,
    properties: ScheduleProperties,
) -> Result<Schedule> {
    let expression = &properties.schedule_expression;
    let input = match &properties.target.input {
        Some(text) => serde_json::from_str(text).context("its Input is not JSON")?,
        None => json!({}),
    };
    Ok(Schedule {
        function: named(&properties.target.arn)?,
        every: rate(expression)
            .ok_or_else(|| anyhow!("{expression} is not understood here: only rate(...) is"))?,
        input,
    })
}

/// The time that an expression like `rate(5 minutes)` names.
fn rate(expression: &str) -> Option<Duration> {
    let inner = expression.strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inner.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}
