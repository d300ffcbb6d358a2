//! Reading a JSON document value by value. Every fault is collected with its JSON pointer, so that
//! a sender hears of all of them at once; numbers stay the text that they are, never a float; and
//! nothing recurses, so that no depth of nesting is a danger.

mod objects;
mod values;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Unreadable;
use crate::faults::Faults;

/// A value of a document, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    pointer: String,
    raw: &'a RawValue,
    faults: &'a Faults,
}

/// What the members of an object are called that is an amount of money.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MoneyShape {
    /// The amount.
    pub(crate) amount: &'static str,
    /// Its currency.
    pub(crate) currency: &'static str,
    /// Whether the amount is in minor units.
    pub(crate) minor: bool,
}

/// The members of an object that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    pointer: String,
    members: BTreeMap<String, &'a RawValue>,
    faults: &'a Faults,
}

/// The whole document. Only its syntax is checked yet.
pub(crate) fn root<'a>(raw_body: &'a [u8], faults: &'a Faults) -> Result<Value<'a>, Unreadable> {
    Ok(Value {
        pointer: String::new(),
        raw: raw(raw_body)?,
        faults,
    })
}

/// The members of a document, which has to be an object.
pub(crate) fn object<'a>(raw_body: &'a [u8], faults: &'a Faults) -> Result<Object<'a>, Unreadable> {
    let object = root(raw_body, faults)?.object();
    object.ok_or_else(|| faults.unreadable())
}

/// The bytes of the entries of a list: the document itself (`""`), or what its members of these names,
/// `outer/inner`, lead to. Where there is no list it is the document.
pub(crate) fn elements<'a>(raw_body: &'a [u8], path: &str) -> Result<Vec<&'a [u8]>, Unreadable> {
    let mut value = raw(raw_body)?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let found = serde_json::from_str(value.get()).ok();
        let member = found.and_then(|Members { mut members, .. }| members.remove(name));
        match member {
            Some(member) => value = member,
            None => return Ok(vec![raw_body]),
        }
    }
    let entries: Result<Vec<&RawValue>, _> = serde_json::from_str(value.get());
    Ok(match entries {
        Ok(entries) => entries.iter().map(|raw| raw.get().as_bytes()).collect(),
        Err(_) => vec![raw_body],
    })
}

fn raw(raw_body: &[u8]) -> Result<&RawValue, Unreadable> {
    let text = std::str::from_utf8(raw_body).map_err(|error| {
        let before = &raw_body[..error.valid_up_to()];
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |n| n + 1);
        Unreadable::Syntax {
            line: before.iter().filter(|b| **b == b'\n').count() + 1,
            column: before.len() - line_start + 1,
            detail: "expected UTF-8".into(),
        }
    })?;
    serde_json::from_str(text).map_err(|error| Unreadable::Syntax {
        line: error.line(),
        column: error.column(),
        detail: without_position(&error),
    })
}

/// serde_json's message without its position: the position is told apart, or is that within a part.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// The pointer of a member (RFC 6901).
fn join(pointer: &str, name: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + 1 + name.len());
    joined.push_str(pointer);
    joined.push('/');
    for c in name.chars() {
        match c {
            '~' => joined.push_str("~0"),
            '/' => joined.push_str("~1"),
            c => joined.push(c),
        }
    }
    joined
}

/// The members of an object, and the names that occur in it more than once.
struct Members<'a> {
    members: BTreeMap<String, &'a RawValue>,
    repeated: Vec<String>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = BTreeMap::new();
                let mut repeated = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    match members.entry(name) {
                        Entry::Vacant(free) => {
                            free.insert(value);
                        }
                        Entry::Occupied(mut taken) => {
                            repeated.push(taken.key().clone());
                            taken.insert(value);
                        }
                    }
                }
                Ok(Members { members, repeated })
            }
        }
        deserializer.deserialize_map(Object)
    }
}
