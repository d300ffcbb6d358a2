//! Attributes of messages and of queues.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::super::answer::Failure;
use super::errors;

/// Most attributes that a message may carry.
const MAX_ATTRIBUTES: usize = 10;
/// Most bytes of a message or a batch, attributes included.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// An attribute that the sender gave a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, with an optional label of the sender's own after a dot.
    pub data_type: String,
    /// The value, unless it is binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl MessageAttribute {
    fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.string_value, &self.binary_value) {
            (Some(text), None) => Some(text.clone().into_bytes()),
            (None, Some(base64)) => BASE64.decode(base64.as_bytes()).ok(),
            _ => None,
        }
    }
}

/// Checks the attributes of a message and gives their size in bytes.
pub(super) fn check(attributes: &BTreeMap<String, MessageAttribute>) -> Result<usize, Failure> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(errors::invalid_parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
            attributes.len()
        )));
    }
    let mut size = 0;
    for (name, attribute) in attributes {
        let kind = attribute.data_type.split('.').next().unwrap_or_default();
        let fits = match kind {
            "String" | "Number" => attribute.string_value.is_some(),
            "Binary" => attribute.binary_value.is_some(),
            _ => false,
        };
        let value = attribute.bytes().filter(|value| fits && !value.is_empty());
        let Some(value) = value else {
            return Err(errors::invalid_parameter(format!(
                "The message attribute '{name}' must contain a non-empty value of its type."
            )));
        };
        size += name.len() + attribute.data_type.len() + value.len();
    }
    Ok(size)
}

/// MD5 over the attributes in the way that SQS documents it; `None` without attributes.
pub(super) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<String> {
    let mut hash = Md5::new();
    let mut any = false;
    let part = |hash: &mut Md5, bytes: &[u8]| {
        hash.update((bytes.len() as u32).to_be_bytes());
        hash.update(bytes);
    };
    for (name, attribute) in attributes {
        any = true;
        part(&mut hash, name.as_bytes());
        part(&mut hash, attribute.data_type.as_bytes());
        hash.update([if attribute.binary_value.is_some() {
            2
        } else {
            1
        }]);
        part(&mut hash, &attribute.bytes().unwrap_or_default());
    }
    any.then(|| HEXLOWER.encode(&hash.finalize()))
}

/// MD5 of a text.
pub(super) fn md5_of(text: &str) -> String {
    HEXLOWER.encode(&Md5::digest(text.as_bytes()))
}

/// Where a message goes after too many receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub dead_letter_arn: String,
    /// How often a message is received before.
    pub max_receives: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_or_text")]
    max_receive_count: u32,
}

/// The settings of a queue: the attributes as they were set, and what they mean.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub set: BTreeMap<String, String>,
    pub delay: Duration,
    pub visibility: Duration,
    pub receive_wait: Duration,
    pub retention: Duration,
    pub max_bytes: usize,
    pub redrive: Option<Redrive>,
}

impl Settings {
    /// AWS's defaults.
    pub(super) fn new() -> Self {
        let set = [
            ("DelaySeconds", "0"),
            ("MaximumMessageSize", "1048576"),
            ("MessageRetentionPeriod", "345600"),
            ("ReceiveMessageWaitTimeSeconds", "0"),
            ("VisibilityTimeout", "30"),
            ("SqsManagedSseEnabled", "true"),
        ];
        Self {
            set: set
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            delay: Duration::ZERO,
            visibility: Duration::from_secs(30),
            receive_wait: Duration::ZERO,
            retention: Duration::from_secs(345_600),
            max_bytes: MAX_BYTES,
            redrive: None,
        }
    }

    /// Sets attributes, all or none.
    pub(super) fn set(&mut self, attributes: BTreeMap<String, String>) -> Result<(), Failure> {
        let mut new = self.clone();
        for (name, value) in attributes {
            match name.as_str() {
                "DelaySeconds" => new.delay = seconds(&name, &value, 0, 900)?,
                "VisibilityTimeout" => new.visibility = seconds(&name, &value, 0, 43_200)?,
                "ReceiveMessageWaitTimeSeconds" => {
                    new.receive_wait = seconds(&name, &value, 0, 20)?
                }
                "MessageRetentionPeriod" => new.retention = seconds(&name, &value, 60, 1_209_600)?,
                "MaximumMessageSize" => {
                    new.max_bytes = number(&name, &value, 1_024, MAX_BYTES as u64)? as usize;
                }
                "RedrivePolicy" if value.is_empty() => new.redrive = None,
                "RedrivePolicy" => new.redrive = Some(redrive(&value)?),
                "RedriveAllowPolicy"
                | "Policy"
                | "KmsMasterKeyId"
                | "SqsManagedSseEnabled"
                | "KmsDataKeyReusePeriodSeconds" => {}
                _ => return Err(errors::invalid_attribute_name(&name)),
            }
            new.set.insert(name, value);
        }
        new.set.retain(|_, value| !value.is_empty());
        *self = new;
        Ok(())
    }
}

fn redrive(value: &str) -> Result<Redrive, Failure> {
    let policy: RedrivePolicy = serde_json::from_str(value)
        .map_err(|_| errors::invalid_attribute_value("RedrivePolicy", value))?;
    if !(1..=1_000).contains(&policy.max_receive_count) {
        return Err(errors::invalid_attribute_value("RedrivePolicy", value));
    }
    Ok(Redrive {
        dead_letter_arn: policy.dead_letter_target_arn,
        max_receives: policy.max_receive_count,
    })
}

fn seconds(name: &str, value: &str, least: u64, most: u64) -> Result<Duration, Failure> {
    number(name, value, least, most).map(Duration::from_secs)
}

fn number(name: &str, value: &str, least: u64, most: u64) -> Result<u64, Failure> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| errors::invalid_attribute_value(name, value))
}

/// Clients write the count as a number or as a text.
fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u32),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
