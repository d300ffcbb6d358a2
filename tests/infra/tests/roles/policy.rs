//! What calls need, and what roles grant: both as an action on a resource, with the keys of items.

use std::collections::BTreeSet;
use std::fmt;

use infra_tests::{Template, target};
use serde_json::Value;

use crate::recorder::Call;

/// An action of a function on a resource of the template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    /// The function's name.
    pub function: String,
    /// As IAM calls it.
    pub action: String,
    /// The resource's logical id, an index as `Table/index/name`; or the pattern of what is no resource of ours.
    pub on: String,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.function, self.action, self.on)
    }
}

/// A deed and the partitions that it is about.
#[derive(Debug)]
pub struct Need {
    pub deed: Deed,
    pub keys: BTreeSet<String>,
}

/// A deed that a role allows, in some partitions or in all.
pub struct Grant {
    pub deed: Deed,
    keys: Option<Vec<String>>,
}

impl Grant {
    /// Whether a need is met.
    pub fn meets(&self, need: &Need) -> bool {
        let within = |key: &String, allowed: &String| match allowed.strip_suffix('*') {
            Some(beginning) => key.starts_with(beginning),
            None => key == allowed,
        };
        self.deed == need.deed
            && self.keys.as_ref().is_none_or(|allowed| {
                need.keys
                    .iter()
                    .all(|key| allowed.iter().any(|a| within(key, a)))
            })
    }
}

/// All that the roles of the functions allow; logs apart, which Lambda writes and not the code.
pub fn grants(template: &Template) -> Vec<Grant> {
    let mut grants = Vec::new();
    for (function, id, _) in template.functions() {
        let role = &template.value["Resources"][format!("{id}Role")]["Properties"];
        for statement in items(&role["Policies"][0]["PolicyDocument"]["Statement"]) {
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            let keys = keys.as_array().map(|keys| keys.iter().map(text).collect());
            for action in items(&statement["Action"]).map(text) {
                for resource in items(&statement["Resource"]) {
                    let on = resource["Fn::Sub"].as_str().map(|arn| {
                        let arn = arn.replace(".Arn}", "").replace("${", "").replace('}', "");
                        arn.rsplit(':').next().unwrap_or_default().to_owned()
                    });
                    let on = on.unwrap_or_else(|| target(resource).unwrap_or_default().to_owned());
                    let deed = Deed {
                        function: function.clone(),
                        action: action.clone(),
                        on,
                    };
                    grants.push(Grant {
                        deed,
                        keys: keys.clone(),
                    });
                }
            }
        }
    }
    grants.retain(|grant| !grant.deed.action.starts_with("logs:"));
    grants
}

/// What a call needs, by the rules of IAM: a transaction needs what its parts need.
pub fn needs(template: &Template, call: &Call) -> Vec<Need> {
    let body = &call.body;
    let need = |action: &str, on: String, keys: BTreeSet<String>| Need {
        deed: Deed {
            function: call.caller.to_owned(),
            action: action.to_owned(),
            on,
        },
        keys,
    };
    let table = |body: &Value| physical(template, "TableName", &text(&body["TableName"]));
    let key = |key: &Value| BTreeSet::from([text(&key["pk"]["S"])]);
    let Some((service, operation)) = call.target.split_once('.') else {
        // SES asks for the sender's identity and for the configuration set.
        let on = ["identity/*", "configuration-set/MailConfigurationSet"];
        let one = |on: &str| need("ses:SendEmail", on.to_owned(), BTreeSet::new());
        return on.map(one).into();
    };
    let action = match service {
        "DynamoDB_20120810" => format!("dynamodb:{operation}"),
        "AmazonSQS" => format!("sqs:{}", operation.trim_end_matches("Batch")),
        "AWSEvents" => format!("events:{operation}"),
        service => format!("{service}:{operation}"),
    };
    match action.as_str() {
        "dynamodb:GetItem" | "dynamodb:UpdateItem" | "dynamodb:DeleteItem" => {
            vec![need(&action, table(body), key(&body["Key"]))]
        }
        "dynamodb:PutItem" => vec![need(&action, table(body), key(&body["Item"]))],
        "dynamodb:Scan" => vec![need(&action, table(body), BTreeSet::new())],
        "dynamodb:Query" => vec![match body["IndexName"].as_str() {
            Some(index) => need(
                &action,
                format!("{}/index/{index}", table(body)),
                BTreeSet::new(),
            ),
            None => {
                let pk = &body["ExpressionAttributeValues"][":pk"]["S"];
                need(&action, table(body), BTreeSet::from([text(pk)]))
            }
        }],
        "dynamodb:BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let one = |(name, wanted): (&String, &Value)| {
                let keys = items(&wanted["Keys"])
                    .map(|key| text(&key["pk"]["S"]))
                    .collect();
                need(&action, physical(template, "TableName", name), keys)
            };
            tables.map(one).collect()
        }
        "dynamodb:BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let one = |(name, puts): (&String, &Value)| {
                let keys = items(puts)
                    .map(|put| text(&put["PutRequest"]["Item"]["pk"]["S"]))
                    .collect();
                need(&action, physical(template, "TableName", name), keys)
            };
            tables.map(one).collect()
        }
        "dynamodb:TransactWriteItems" => {
            let parts =
                items(&body["TransactItems"]).filter_map(|item| item.as_object()?.iter().next());
            let one = |(kind, part): (&String, &Value)| {
                let of = if kind == "Put" {
                    &part["Item"]
                } else {
                    &part["Key"]
                };
                let kind = if kind == "ConditionCheck" {
                    "ConditionCheckItem"
                } else {
                    &format!("{kind}Item")
                };
                need(&format!("dynamodb:{kind}"), table(part), key(of))
            };
            parts.map(one).collect()
        }
        "events:PutEvents" => {
            let bus = &template.value["Parameters"]["EventBus"]["Default"];
            let ours = items(&body["Entries"]).all(|entry| entry["EventBusName"] == *bus);
            assert!(ours, "{body}");
            vec![need(&action, "event-bus/EventBus".into(), BTreeSet::new())]
        }
        "secretsmanager:GetSecretValue" => {
            let id = text(&body["SecretId"]);
            let (kind, name) = id.split_at(id.find("waybill/").unwrap_or(0));
            let known = ["", "api-", "payments-", "events-"].contains(&kind)
                && name.starts_with("waybill/");
            assert!(known, "{body}");
            vec![need(
                &action,
                format!("{kind}SecretsPrefix*"),
                BTreeSet::new(),
            )]
        }
        _ => {
            let url = text(&body["QueueUrl"]);
            let queue = url.rsplit('/').next().unwrap_or_default();
            vec![need(
                &action,
                physical(template, "QueueName", queue),
                BTreeSet::new(),
            )]
        }
    }
}

/// The logical id of what has a name in the local cloud.
fn physical(template: &Template, property: &str, name: &str) -> String {
    let called = name.replacen("waybill", "${AWS::StackName}", 1);
    let mut found = template.all().filter(|(_, resource)| {
        resource["Properties"][property]["Fn::Sub"].as_str() == Some(&called)
    });
    found
        .next()
        .map_or_else(|| format!("unknown {name}"), |(id, _)| id.to_owned())
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    let many = value.as_array().into_iter().flatten();
    many.chain((!value.is_array() && !value.is_null()).then_some(value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
