//! What a value is read as: a text, a number, an amount, a time.

use domain::limits::{MAX_DECIMALS, MAX_EXACT_JSON_INTEGER, MAX_LINES, MAX_MINOR, MAX_NAME_CHARS};
use domain::{Currency, Quantity};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Members, Object, Value, join, without_position};

/// Characters of a found value that a fault quotes.
const MAX_QUOTED: usize = 40;
/// Characters of an e-mail address (RFC 5321, errata 1690).
const MAX_EMAIL_CHARS: usize = 254;

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
