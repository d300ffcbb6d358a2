//! Reading a JSON document value by value. Every fault is collected with its JSON pointer, so that
//! a sender hears of all of them at once; numbers stay the text that they are, never a float; and
//! nothing recurses, so that no depth of nesting is a danger.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use domain::limits::{MAX_DECIMALS, MAX_EXACT_JSON_INTEGER, MAX_LINES, MAX_MINOR, MAX_NAME_CHARS};
use domain::{Currency, Quantity};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Unreadable;
use crate::faults::Faults;

/// Characters of a found value that a fault quotes.
const MAX_QUOTED: usize = 40;
/// Characters of an e-mail address (RFC 5321, errata 1690).
const MAX_EMAIL_CHARS: usize = 254;

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

/// serde_json's message without its position: the position is told apart, or is that within a part.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

impl<'a> Value<'a> {
    /// Records that something else was expected here.
    pub(crate) fn expected<T>(&self, what: &str) -> Option<T> {
        let found = self.describe();
        self.fault(format!("expected {what}, found {found}"))
    }

    fn fault<T>(&self, detail: impl Into<String>) -> Option<T> {
        self.faults.add(&self.pointer, detail);
        None
    }

    fn describe(&self) -> String {
        let raw = self.raw.get();
        match raw.as_bytes().first() {
            Some(b'{') => "an object".into(),
            Some(b'[') => "a list".into(),
            _ if raw.chars().count() <= MAX_QUOTED => raw.to_owned(),
            Some(b'"') => format!("a text of {} characters", raw.chars().count() - 2),
            _ => format!("a number of {} characters", raw.len()),
        }
    }

    fn is_text(&self) -> bool {
        self.raw.get().starts_with('"')
    }

    /// Its bytes in the document.
    pub(crate) fn as_json(&self) -> &'a str {
        self.raw.get()
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.raw.get().starts_with('[')
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        self.raw.get().starts_with('{')
    }

    fn is_digits(&self) -> bool {
        self.raw.get().bytes().all(|b| b.is_ascii_digit())
    }

    fn decode<T: Deserialize<'a>>(&self) -> Option<T> {
        match serde_json::from_str(self.raw.get()) {
            Ok(decoded) => Some(decoded),
            Err(error) => self.fault(without_position(&error)),
        }
    }

    /// The members, if it is an object.
    pub(crate) fn object(&self) -> Option<Object<'a>> {
        if !self.is_object() {
            return self.expected("an object");
        }
        let Members { members, repeated } = self.decode()?;
        for name in repeated {
            let pointer = join(&self.pointer, &name);
            self.faults.add(&pointer, "expected once, found twice");
        }
        Some(Object {
            pointer: self.pointer.clone(),
            members,
            faults: self.faults,
        })
    }

    /// The values of a list.
    pub(crate) fn list(&self) -> Option<Vec<Value<'a>>> {
        if !self.is_list() {
            return self.expected("a list");
        }
        let values = self.decode::<Vec<&'a RawValue>>()?.into_iter().enumerate();
        let value = |(n, raw)| Value {
            pointer: format!("{}/{n}", self.pointer),
            raw,
            faults: self.faults,
        };
        Some(values.map(value).collect())
    }

    /// The lines of an order; of too many, none is read.
    pub(crate) fn lines(&self) -> Option<Vec<Value<'a>>> {
        let lines = self.list()?;
        if !(1..=MAX_LINES).contains(&lines.len()) {
            let found = lines.len();
            return self.fault(format!("expected 1 to {MAX_LINES} lines, found {found}"));
        }
        Some(lines)
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<String> {
        if !self.is_text() {
            return self.expected("a text");
        }
        self.decode()
    }

    /// A text of the length of a name.
    pub(crate) fn short_text(&self) -> Option<String> {
        let text = self.text()?;
        if text.chars().count() > MAX_NAME_CHARS {
            return self.expected(&format!("at most {MAX_NAME_CHARS} characters"));
        }
        Some(text)
    }

    /// An e-mail address, as far as can be told without writing to it; `None` if it is empty.
    pub(crate) fn email(&self) -> Option<String> {
        let text = self.text().filter(|text| !text.is_empty())?;
        let whole = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        let sound = text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| whole(local) && whole(domain));
        if !sound || text.contains(char::is_control) || text.chars().count() > MAX_EMAIL_CHARS {
            // It is a person's: not quoted.
            return self.fault("expected an e-mail address");
        }
        Some(text)
    }

    /// An identifier as text, or as an integer that every JSON implementation keeps exactly.
    pub(crate) fn name(&self) -> Option<String> {
        if !self.is_digits() {
            return self.text();
        }
        let digits = self.raw.get();
        if digits
            .parse()
            .is_ok_and(|n: u64| n <= MAX_EXACT_JSON_INTEGER)
        {
            return Some(digits.to_owned());
        }
        self.expected(&format!(
            "a text, since integers above {MAX_EXACT_JSON_INTEGER} are rounded on their way: send it in quotes"
        ))
    }

    /// An identifier: text, or an integer of any size as its digits.
    pub(crate) fn digits(&self) -> Option<String> {
        if self.is_digits() {
            return Some(self.raw.get().to_owned());
        }
        self.text()
    }

    /// A whole number.
    pub(crate) fn integer(&self) -> Option<i64> {
        let parsed = self.raw.get().parse().ok();
        parsed.or_else(|| self.expected("a whole number"))
    }

    /// How much of something: a decimal number, as text or not, read from its own digits.
    pub(crate) fn units(&self) -> Option<Quantity> {
        match Quantity::parse(self.raw.get().trim_matches('"')) {
            Ok(quantity) => Some(quantity),
            Err(_) => self.expected(&format!(
                "a decimal number of at most {MAX_DECIMALS} decimals"
            )),
        }
    }

    /// Minor units that are not negative, from decimal text or a number.
    pub(crate) fn amount(&self, currency: Option<Currency>) -> Option<i64> {
        let minor = self.signed_amount(currency)?;
        if minor < 0 {
            return self.expected("an amount that is not negative");
        }
        Some(minor)
    }

    /// Minor units, as a whole number.
    pub(crate) fn minor(&self) -> Option<i64> {
        let parsed = self.integer()?;
        if !(-MAX_MINOR..=MAX_MINOR).contains(&parsed) {
            return self.expected(&format!("at most {MAX_MINOR} minor units"));
        }
        Some(parsed)
    }

    /// Minor units from decimal text or a number. Without a currency there is nothing to read.
    pub(crate) fn signed_amount(&self, currency: Option<Currency>) -> Option<i64> {
        let currency = currency?;
        let raw = self.raw.get();
        let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if !(number || self.is_text()) || raw.len() > MAX_QUOTED {
            return self.expected("a decimal amount");
        }
        let text = if number { raw.to_owned() } else { self.text()? };
        match currency.parse_minor(&text) {
            Ok(minor) => Some(minor),
            Err(detail) => self.fault(detail),
        }
    }

    /// An ISO 4217 currency.
    pub(crate) fn currency(&self) -> Option<Currency> {
        let currency = Currency::from_code(&self.text()?);
        currency.or_else(|| self.expected("an ISO 4217 currency code"))
    }

    /// True or false.
    pub(crate) fn flag(&self) -> Option<bool> {
        let parsed = self.raw.get().parse().ok();
        parsed.or_else(|| self.expected("true or false"))
    }

    /// A point in time with its offset.
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        let parsed = self.text()?.parse().ok();
        parsed.or_else(|| self.expected("a time like 2026-01-31T12:00:00Z"))
    }

    /// A point in time: with its offset, or UTC where it has none.
    pub(crate) fn utc(&self) -> Option<Timestamp> {
        let text = self.text()?;
        let civil = || {
            let civil: DateTime = text.parse().ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let parsed = text.parse().ok().or_else(civil);
        parsed.or_else(|| self.expected("a time like 2026-01-31T12:00:00, in UTC"))
    }

    /// A point in time in whole seconds since 1970.
    pub(crate) fn epoch(&self) -> Option<Timestamp> {
        let parsed = self.raw.get().parse().ok();
        let parsed = parsed.and_then(|seconds| Timestamp::from_second(seconds).ok());
        parsed.or_else(|| self.expected("seconds since 1970"))
    }

    /// A point in time as in mail (RFC 2822).
    pub(crate) fn mail_time(&self) -> Option<Timestamp> {
        let parsed = jiff::fmt::rfc2822::parse(&self.text()?).ok();
        let parsed = parsed.map(|zoned| zoned.timestamp());
        parsed.or_else(|| self.expected("a time like Sat, 31 Jan 2026 12:00:00 +0000"))
    }

    /// A day.
    pub(crate) fn date(&self) -> Option<Date> {
        let parsed = self.text()?.parse().ok();
        parsed.or_else(|| self.expected("a date like 2026-01-31"))
    }

    /// Degrees of latitude or longitude, of at most `limit` either way; some write them as text.
    pub(crate) fn degrees(&self, limit: f64) -> Option<f64> {
        let parsed: Option<f64> = self.raw.get().trim_matches('"').parse().ok();
        let degrees = parsed.filter(|degrees| degrees.abs() <= limit);
        degrees.or_else(|| self.expected(&format!("degrees from -{limit} to {limit}")))
    }
}

impl<'a> Object<'a> {
    /// Puts a member in, in the place of one that has its name.
    pub(crate) fn put(&mut self, name: &str, value: &Value<'a>) {
        self.members.insert(name.to_owned(), value.raw);
    }

    /// The members as a document.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.members).unwrap_or_default()
    }

    /// Whether there is such a member, and it is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members
            .get(name)
            .is_some_and(|raw| raw.get() != "null")
    }

    /// The member's value; null is as good as missing.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let raw = self.members.remove(name)?;
        (raw.get() != "null").then(|| Value {
            pointer: join(&self.pointer, name),
            raw,
            faults: self.faults,
        })
    }

    /// The member's value, which stays; null is as good as missing.
    pub(crate) fn peek(&self, name: &str) -> Option<Value<'a>> {
        let raw = self.members.get(name)?;
        (raw.get() != "null").then(|| Value {
            pointer: join(&self.pointer, name),
            raw,
            faults: self.faults,
        })
    }

    /// The member's value, which has to be there.
    pub(crate) fn require(&mut self, name: &str) -> Option<Value<'a>> {
        let value = self.take(name);
        if value.is_none() {
            self.faults.add(&join(&self.pointer, name), "is missing");
        }
        value
    }

    /// The member's text; empty when there is none.
    pub(crate) fn words(&mut self, name: &str) -> String {
        let text = self.take(name).and_then(|value| value.text());
        text.unwrap_or_default()
    }

    /// The member's amount; zero when there is none.
    pub(crate) fn amount(&mut self, name: &str, currency: Option<Currency>) -> i64 {
        let amount = self.take(name).and_then(|value| value.amount(currency));
        amount.unwrap_or(0)
    }

    /// The member's amount, which may be negative; zero when there is none.
    pub(crate) fn signed(&mut self, name: &str, currency: Option<Currency>) -> i64 {
        let amount = self
            .take(name)
            .and_then(|value| value.signed_amount(currency));
        amount.unwrap_or(0)
    }

    /// The currency and the amount, which may be negative, of a member that is an object of both.
    pub(crate) fn money(&mut self, name: &str, shape: MoneyShape) -> Option<(Currency, i64)> {
        let mut money = self.inner(name)?;
        let currency = money.require(shape.currency)?.currency()?;
        let amount = money.require(shape.amount)?;
        let minor = match shape.minor {
            true => amount.minor()?,
            false => amount.signed_amount(Some(currency))?,
        };
        Some((currency, minor))
    }

    /// The same of the order's total, which has to be there.
    pub(crate) fn total(&mut self, name: &str, shape: MoneyShape) -> Option<(Currency, i64)> {
        if !self.has(name) {
            self.require(name)?;
        }
        self.money(name, shape)
    }

    /// The amount of such a member, which has to be in the order's currency; zero when there is none.
    pub(crate) fn money_in(
        &mut self,
        name: &str,
        shape: MoneyShape,
        currency: Option<Currency>,
    ) -> i64 {
        match (self.money(name, shape), currency) {
            (Some((found, _)), Some(expected)) if found != expected => {
                let detail = format!("expected {expected}, as the order has, found {found}");
                self.faults.add(&join(&self.pointer, name), detail);
                0
            }
            (Some((_, minor)), _) => minor,
            (None, _) => 0,
        }
    }

    /// The member's own members, if it is an object.
    pub(crate) fn inner(&mut self, name: &str) -> Option<Object<'a>> {
        self.take(name)?.object()
    }

    /// The values of the member's list; none when there is no list.
    pub(crate) fn items(&mut self, name: &str) -> Vec<Value<'a>> {
        let list = self.take(name).and_then(|value| value.list());
        list.unwrap_or_default()
    }

    /// The objects in the member's list.
    pub(crate) fn objects(&mut self, name: &str) -> Vec<Object<'a>> {
        let items = self.items(name).into_iter();
        items.filter_map(|value| value.object()).collect()
    }

    /// The member's quantity; zero, which is refused of a line, when there is none.
    pub(crate) fn units(&mut self, name: &str) -> Quantity {
        let units = self.require(name).and_then(|value| value.units());
        units.unwrap_or_default()
    }

    /// The member's quantity; nothing when there is none.
    pub(crate) fn units_if_any(&mut self, name: &str) -> Quantity {
        let units = self.take(name).and_then(|value| value.units());
        units.unwrap_or_default()
    }

    /// The lines of the order, each read.
    pub(crate) fn lines<T>(
        &mut self,
        name: &str,
        read: impl FnMut(Object<'a>) -> Option<T>,
    ) -> Vec<T> {
        let lines = self.require(name).and_then(|lines| lines.lines());
        let lines = lines.unwrap_or_default().into_iter();
        lines
            .filter_map(|value| value.object())
            .filter_map(read)
            .collect()
    }

    /// The member's truth; `default` when there is none.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        let flag = self.take(name).and_then(|value| value.flag());
        flag.unwrap_or(default)
    }

    /// Records every member that nobody took: most are misspelt.
    pub(crate) fn deny_rest(self) {
        for name in self.members.keys() {
            let pointer = join(&self.pointer, name);
            self.faults.add(&pointer, "is not a field of this document");
        }
    }
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
