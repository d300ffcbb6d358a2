//! The API of the vendor behind a channel: what is asked of it, what it is told, and what its answers mean.
//!
//! Pure: who sends the requests, and when, is somebody else's. What opens an account's API (its
//! *access*) is a [`Secret`] of several parts, apart from the one that its webhooks are signed with.

mod queries;

use std::fmt;

use data_encoding::BASE64;
use domain::limits::MAX_NAME_CHARS;
use jiff::Timestamp;

use crate::document::{self, Object, Value, elements};
use crate::faults::Faults;
use crate::{Delivery, Hint, Secret, Unreadable};

pub(crate) use queries::{decode, encode, query, split};

/// A header of a request.
pub type Header = (&'static str, String);

/// A request to a vendor.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PUT` or `PATCH`.
    pub method: &'static str,
    /// Where it goes, its query included.
    pub url: String,
    /// Its headers.
    pub headers: Vec<Header>,
    /// Its body.
    pub body: String,
}

/// Headers, bodies and queries hold what opens an API: never in a log.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, _) = split(&self.url, '?');
        write!(f, "{} {before}", self.method)
    }
}

impl Request {
    /// A request for what is there.
    pub(crate) fn get(url: String) -> Self {
        Self {
            method: "GET",
            url,
            headers: vec![("accept", "application/json".into())],
            body: String::new(),
        }
    }

    /// A JSON document that is sent.
    pub(crate) fn json(method: &'static str, url: String, body: &serde_json::Value) -> Self {
        Self::written(method, url, body.to_string())
    }

    /// A JSON document that is sent as it is written.
    pub(crate) fn written(method: &'static str, url: String, body: String) -> Self {
        Self {
            method,
            url,
            headers: vec![
                ("accept", "application/json".into()),
                ("content-type", "application/json".into()),
            ],
            body,
        }
    }

    /// A request that says all by its address. That its body is empty is said too: some servers refuse one that does not.
    pub(crate) fn empty(method: &'static str, url: String) -> Self {
        let mut request = Self {
            method,
            ..Self::get(url)
        };
        request.headers.push(("content-length", "0".into()));
        request
    }

    /// A form that is sent.
    pub(crate) fn form(url: String, fields: &[(&str, &str)]) -> Self {
        let kind = "application/x-www-form-urlencoded";
        Self {
            method: "POST",
            url,
            headers: vec![
                ("accept", "application/json".into()),
                ("content-type", kind.into()),
            ],
            body: query(fields),
        }
    }
}

/// What to do next for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask this as well.
    Ask(Request),
    /// This is the order, as [`Channel::parse`](crate::Channel::parse) reads it.
    Order(Vec<u8>),
    /// There is no such order.
    Missing,
    /// There is something of this name, and it is no order of ours; why.
    NotOurs(&'static str),
}

/// What a vendor's refusal means, where its status does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Asked again later it may be answered.
    Passing,
    /// What was to open the API does not, or no longer.
    Locked,
    /// There is no such thing.
    Missing,
    /// It does not take this, however often it is asked.
    Refused,
}

/// A page of orders that have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The orders; each says since when it is as it is.
    pub orders: Vec<Hint>,
    /// What the next page is called, if there is one.
    pub next: Option<String>,
}

/// A vendor: how its API is opened, and what it means when it refuses.
pub trait Vendor: Sync {
    /// The parts that an access has to have.
    fn parts(&self) -> &'static [&'static str];

    /// The request for a token, of a vendor whose tokens expire.
    fn token(&self, _: &Secret) -> Option<Request> {
        None
    }

    /// The token in the answer to that, and the seconds for which it is good; 0: it does not say.
    fn token_in(&self, answer: &[u8], _: Timestamp) -> Result<(String, i64), Unreadable> {
        token(answer)
    }

    /// The headers that open a request. The token is that which was asked for, or empty.
    fn open(&self, access: &Secret, token: &str) -> Vec<Header>;

    /// The request with what signs it as a whole, as it is sent at this time.
    fn sign(&self, _: &Secret, request: Request, _: Timestamp) -> Request {
        request
    }

    /// What an answer means that is none, where its status alone does not say it: that may be one of success.
    fn refusal(&self, _status: u16, _body: &[u8]) -> Option<Refusal> {
        None
    }
}

/// A vendor's API, as far as orders are fetched by it.
pub trait Api: Vendor {
    /// What to do next to get an order by the channel's own id of it, after these answers.
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable>;

    /// How changed orders are found, if they are looked for.
    fn changes(&self) -> Option<&dyn Changes> {
        None
    }
}

/// A vendor's API, as far as it gives the public keys that deliveries are signed with, each of which names its own. What opens it is in
/// the secret of the account's webhooks. It is eBay's; others join it when they need it.
pub trait Keys: Vendor {
    /// The id of the key that a delivery names, if it may be that of one.
    fn named(&self, delivery: &Delivery<'_>) -> Option<String>;

    /// The request for a key.
    fn key(&self, access: &Secret, id: &str) -> Request;

    /// The key in the answer to that, as the secret by which [`verify`](crate::Channel::verify) finds it.
    fn key_in(&self, id: &str, answer: &[u8]) -> Result<Secret, Unreadable>;
}

/// How a vendor's API tells which orders have changed.
pub trait Changes: Sync {
    /// Whether pages are numbered from 1, and orders come by the time of their change, the oldest
    /// first. Otherwise pages have names, and their order means nothing.
    fn is_sorted(&self) -> bool;

    /// Whether a list with nothing in it is said not to be there.
    fn is_missing_when_empty(&self) -> bool {
        false
    }

    /// The request for those that have changed since then, that moment included. `page` is what an
    /// earlier answer called it, with the same `since`; empty: the first.
    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request;

    /// What an answer says, and `page` is what was asked for.
    fn read(&self, page: &str, answer: &[u8]) -> Result<Page, Unreadable>;
}

/// The token in an answer by OAuth 2.0 (RFC 6749, section 5.1), and the seconds for which it is good.
pub fn token(answer: &[u8]) -> Result<(String, i64), Unreadable> {
    let faults = Faults::default();
    let mut answer = document::object(answer, &faults)?;
    let token = answer
        .require("access_token")
        .and_then(|token| token.text());
    let seconds = answer.take("expires_in").and_then(|time| time.integer());
    match token {
        Some(token) if !token.is_empty() => Ok((token, seconds.unwrap_or(0))),
        _ => Err(faults.unreadable()),
    }
}

/// The code by which a vendor calls an error, where it has one: its sentences may quote what is nobody's
/// business.
pub fn code(body: &[u8]) -> Option<String> {
    let faults = Faults::default();
    let mut answer = document::object(body, &faults).ok()?;
    let code_in = |object: &mut Object<'_>| object.take("code")?.digits();
    let error = answer.peek("error");
    let code = match error.filter(|error| !error.is_object()) {
        Some(error) => error.digits(),
        None => {
            let inner = answer.inner("error");
            let inner = inner.or_else(|| {
                let errors = answer.take("errors")?;
                match errors.is_object() {
                    true => errors.object()?.objects("error").into_iter().next(),
                    false => errors.list()?.first()?.object(),
                }
            });
            inner.and_then(|mut inner| code_in(&mut inner))
        }
    };
    let code = code.or_else(|| answer.take("code")?.digits());
    // As Wix has it.
    let within = || code_in(&mut answer.inner("details")?.inner("applicationError")?);
    plain(&code.or_else(within)?)
}

/// A text that is a code or a name of the vendor's, and no sentence.
pub(crate) fn plain(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

/// The request for a token by a refresh token.
pub(crate) fn refresh(access: &Secret, url: String, in_header: bool) -> Request {
    let (id, secret) = (access.text("client_id"), access.text("client_secret"));
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", access.text("refresh_token")),
        ("client_id", id),
        ("client_secret", secret),
    ];
    match in_header {
        true => {
            let mut request = Request::form(url, &fields[..2]);
            request.headers.push(basic(id, secret));
            request
        }
        false => Request::form(url, &fields),
    }
}

/// The header of a bearer token.
pub(crate) fn bearer(token: &str) -> Header {
    ("authorization", format!("Bearer {token}"))
}

/// The header of a name and a password.
pub(crate) fn basic(name: &str, password: &str) -> Header {
    let both = BASE64.encode(format!("{name}:{password}").as_bytes());
    ("authorization", format!("Basic {both}"))
}

/// The address of an access without its last slash, or the vendor's own.
pub(crate) fn base<'s>(access: &'s Secret, own: &'s str) -> &'s str {
    access.part("url").unwrap_or(own).trim_end_matches('/')
}

/// The orders of a list: of each entry the order's id and the time of its change, by the names of these members, the
/// latter as the vendor writes times.
pub(crate) fn listed(
    answer: &[u8],
    path: &str,
    (id, changed): (&str, &str),
    time: fn(&Value<'_>) -> Option<Timestamp>,
) -> Result<Vec<Hint>, Unreadable> {
    let faults = Faults::default();
    // Whoever has nothing to say may say nothing.
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let mut orders = Vec::new();
    for entry in elements(answer, path)? {
        let mut entry = document::object(entry, &faults)?;
        let external_id = entry.require(id).and_then(|id| id.digits());
        let as_of = entry.require(changed).and_then(|changed| time(&changed));
        match (external_id, as_of) {
            (Some(external_id), as_of @ Some(_)) if external_id.len() <= MAX_NAME_CHARS => {
                orders.push(Hint { external_id, as_of });
            }
            (Some(_), Some(_)) => {
                faults.add(
                    path,
                    format!("expected ids of at most {MAX_NAME_CHARS} characters"),
                );
                return Err(faults.unreadable());
            }
            // Half a page read would be a gap.
            _ => return Err(faults.unreadable()),
        }
    }
    Ok(orders)
}

/// The number of a page, and of the next one if this one is full.
pub(crate) fn next_number(page: &str, found: usize, full: usize) -> Option<String> {
    (found >= full).then(|| (number(page) + 1).to_string())
}

/// The number of a page.
pub(crate) fn number(page: &str) -> u32 {
    page.parse().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_called_by_its_code_and_never_by_its_sentence() {
        let code = |body: &str| code(body.as_bytes()).unwrap_or_default();
        let woo = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry, Ada"}"#;
        assert_eq!(code(woo), "woocommerce_rest_cannot_view");
        assert_eq!(
            code(r#"{"error":"invalid_grant","error_description":"x"}"#),
            "invalid_grant"
        );
        assert_eq!(code(r#"{"error":{"message":"x","code":190}}"#), "190");
        assert_eq!(
            code(r#"{"errors":[{"code":"QuotaExceeded"}]}"#),
            "QuotaExceeded"
        );
        let walmart = r#"{"errors":{"error":[{"code":"INVALID_REQUEST.GMP_ORDER_API"}]}}"#;
        assert_eq!(code(walmart), "INVALID_REQUEST.GMP_ORDER_API");
        let wix = r#"{"message":"x","details":{"applicationError":{"code":"NOT_FOUND"}}}"#;
        assert_eq!(code(wix), "NOT_FOUND");
        for none in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"error":"ada@example.com wrote"}"#,
        ] {
            assert_eq!(code(none), "", "{none}");
        }
    }

    #[test]
    fn a_token_is_read_with_its_time_and_never_shown() {
        let answer = br#"{"access_token":"t-1","token_type":"bearer","expires_in":3600}"#;
        assert_eq!(token(answer), Ok(("t-1".into(), 3600)));
        assert_eq!(token(br#"{"access_token":"t-1"}"#), Ok(("t-1".into(), 0)));
        for bad in [
            &b"{}"[..],
            br#"{"access_token":""}"#,
            b"[",
            br#"{"error":"invalid_grant"}"#,
        ] {
            assert!(token(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let access =
            Secret::read(r#"{"client_id":"id","client_secret":"hush","refresh_token":"r"}"#);
        let request = refresh(&access, "https://a.example/token".into(), false);
        assert!(request.body.contains("client_secret=hush"), "sent");
        assert_eq!(format!("{request:?}"), "POST https://a.example/token");
        let request = Request::get("https://a.example/token?secret=hush".into());
        assert_eq!(format!("{request:?}"), "GET https://a.example/token");
    }
}
