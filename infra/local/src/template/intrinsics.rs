//! References of a template, resolved to what they are on this machine.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};

use crate::services::{ACCOUNT, REGION};

/// A name may be built from other names, but not without end.
const MAX_DEPTH: usize = 16;

/// What references can point to.
pub(super) struct Scope<'a> {
    pub stack: &'a str,
    /// Where queues are reached, `http://localhost:4566` for instance.
    pub endpoint: &'a str,
    pub parameters: BTreeMap<String, Value>,
    pub resources: &'a Map<String, Value>,
}

impl Scope<'_> {
    /// The value with every reference replaced.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value> {
        self.resolve_within(value, MAX_DEPTH)
    }

    fn resolve_within(&self, value: &Value, depth: usize) -> Result<Value> {
        if depth == 0 {
            bail!("its references lead in a circle");
        }
        match value {
            Value::Array(list) => list
                .iter()
                .map(|value| self.resolve_within(value, depth))
                .collect(),
            Value::Object(map) => match function(map) {
                Some((name, argument)) => self.call(name, argument, depth),
                None => map
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.resolve_within(value, depth)?)))
                    .collect::<Result<Map<_, _>>>()
                    .map(Value::Object),
            },
            value => Ok(value.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value, depth: usize) -> Result<Value> {
        match (name, argument) {
            ("Ref", Value::String(name)) => self.reference(name, depth),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(name), Value::String(attribute)] => {
                    self.attribute(name, attribute, depth).map(Value::String)
                }
                _ => bail!("Fn::GetAtt takes a resource and an attribute"),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, depth).map(Value::String),
            _ => bail!("{name} is not understood here in this form"),
        }
    }

    fn reference(&self, name: &str, depth: usize) -> Result<Value> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        Ok(Value::String(match name {
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::StackName" => self.stack.to_owned(),
            name => {
                let physical = self.physical_name(name, depth)?;
                match self.kind(name)? {
                    "AWS::SQS::Queue" => format!("{}/{ACCOUNT}/{physical}", self.endpoint),
                    _ => physical,
                }
            }
        }))
    }

    fn attribute(&self, name: &str, attribute: &str, depth: usize) -> Result<String> {
        let physical = self.physical_name(name, depth)?;
        let kind = self.kind(name)?;
        Ok(match (kind, attribute) {
            ("AWS::SQS::Queue", "QueueName") => physical,
            ("AWS::SQS::Queue", "QueueUrl") => format!("{}/{ACCOUNT}/{physical}", self.endpoint),
            (_, "Arn") => {
                let place = match kind {
                    "AWS::SQS::Queue" => "sqs:REGION:ACCOUNT:",
                    "AWS::DynamoDB::Table" => "dynamodb:REGION:ACCOUNT:table/",
                    "AWS::Serverless::Function" => "lambda:REGION:ACCOUNT:function:",
                    "AWS::IAM::Role" => "iam::ACCOUNT:role/",
                    "AWS::Logs::LogGroup" => "logs:REGION:ACCOUNT:log-group:",
                    _ => bail!("the ARN of {name}, a {kind}, is not known here"),
                };
                let place = place.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT);
                format!("arn:aws:{place}{physical}")
            }
            _ => bail!("the attribute {attribute} of {name}, a {kind}, is not known here"),
        })
    }

    /// The name that a resource gives itself, or the one it has in the template.
    fn physical_name(&self, resource: &str, depth: usize) -> Result<String> {
        let property = match self.kind(resource)? {
            "AWS::SQS::Queue" => "QueueName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::Serverless::Function" => "FunctionName",
            _ => "Name",
        };
        let Some(name) = self.resources[resource].pointer(&format!("/Properties/{property}"))
        else {
            return Ok(resource.to_owned());
        };
        match self.resolve_within(name, depth - 1)? {
            Value::String(name) => Ok(name),
            _ => bail!("the {property} of {resource} is not a text"),
        }
    }

    fn kind(&self, resource: &str) -> Result<&str> {
        let resource = self
            .resources
            .get(resource)
            .ok_or_else(|| anyhow!("there is no parameter or resource {resource}"))?;
        resource["Type"].as_str().context("a resource without Type")
    }

    /// Replaces each `${Name}` and `${Name.Attribute}`.
    fn substitute(&self, text: &str, depth: usize) -> Result<String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| anyhow!("a ${{ without }} in {text:?}"))?;
            result.push_str(before);
            match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => result.push_str(&format!("${{{literal}}}")),
                (None, Some((name, attribute))) => {
                    result.push_str(&self.attribute(name, attribute, depth)?);
                }
                (None, None) => match self.reference(name, depth)? {
                    Value::String(text) => result.push_str(&text),
                    value => result.push_str(&value.to_string()),
                },
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// The intrinsic function that an object stands for.
fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next()?;
    let intrinsic = map.len() == 1 && (name == "Ref" || name.starts_with("Fn::"));
    intrinsic.then_some((name.as_str(), argument))
}
