//! The way to the vendors behind channels: one that asks what a channel's API says to ask, and reads what
//! comes back by it; and tells it what it is to be told, in the same way. Payment providers are asked for refunds in the
//! same way again.
//!
//! An account's access is a secret in the same form as that of its webhooks and apart from it: who takes
//! webhooks in does not need it. A token is kept for as long as it is good. Nothing
//! is tried again here but what a fresh token, or a replaced access, may open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use channels::payments::{self, Wish};
use channels::stock::{Available, Refusals};
use channels::updates::{Telling, Update};
use channels::vendor::{self, Changes, Keys, Next, Page, Refusal, Request, Vendor};
use channels::{Channel, Secret, Unreadable};
use domain::limits::{MAX_ANSWERS, MAX_RETRY_AFTER_S, MAX_SETTINGS};
use domain::payment::PaidThrough;
use domain::poll::Walk;
use domain::refund::Answer;
use http::{HeaderMap, Response};
use jiff::{Timestamp, ToSpan};
use runtime::Clock;
use runtime::secrets::Secrets;
use runtime::web::{Bounds, VENDOR, Web, WebError};

/// Seconds before its end at which a token is no longer used.
const TOKEN_MARGIN_S: i64 = 60;
/// Seconds for which a token is used whose vendor does not say how long it is good.
const TOKEN_S: i64 = 300;

/// Why a vendor has not told what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no access to the account's API.
    #[error("the account has no access to its channel's API")]
    NoAccess,
    /// It may tell later: not before so many seconds, if it has said so.
    #[error("the channel's API does not answer now: {1}")]
    Again(i64, String),
    /// There is no such thing.
    #[error("the channel's API knows no such order")]
    Missing,
    /// There is something of this name that is no order of ours: there is nothing to take in.
    #[error("{0}")]
    NotOurs(&'static str),
    /// What was to open the API does not, or not for this: a person has to look at the access.
    #[error("the channel's API refuses: {0}")]
    Locked(String),
    /// It will not tell, however often it is asked.
    #[error("the channel's API refuses: {0}")]
    Refused(String),
    /// What it says is not what its documents say.
    #[error("what the channel's API says cannot be read: {0}")]
    Unreadable(Unreadable),
}

impl From<Unreadable> for Failure {
    /// What is no JSON is broken off, or comes from something in between: it may be right the next time.
    fn from(why: Unreadable) -> Self {
        match why {
            Unreadable::Syntax { line, column, .. } => {
                Self::Again(0, format!("no JSON at line {line}, column {column}"))
            }
            problems => Self::Unreadable(problems),
        }
    }
}

/// The way to vendors.
pub struct Vendors {
    web: Arc<dyn Web>,
    accesses: Secrets,
    clock: Clock,
    bounds: Bounds,
    /// Of each account: until when it is used, and the token.
    tokens: Mutex<HashMap<String, (Timestamp, String)>>,
}

/// An account whose API is asked.
struct Account<'a> {
    vendor: &'a dyn Vendor,
    /// The name of its access.
    name: String,
    access: Secret,
}

impl Vendors {
    /// The way to vendors over the web, whose APIs these secrets open.
    pub fn new(web: Arc<dyn Web>, accesses: Secrets, clock: Clock) -> Self {
        Self {
            web,
            accesses,
            clock,
            bounds: VENDOR,
            tokens: Mutex::default(),
        }
    }

    /// The same, with other bounds to each answer.
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// An order's document, as the channel's own reader takes it.
    pub async fn order(
        &self,
        channel: &dyn Channel,
        account: &str,
        external_id: &str,
    ) -> Result<Vec<u8>, Failure> {
        let api = channel.api().ok_or(Failure::NoAccess)?;
        let mut account = self.account(api, channel.name(), account).await?;
        let mut answers: Vec<Vec<u8>> = Vec::new();
        loop {
            let next = api.order(&account.access, external_id, &answers)?;
            match next {
                Next::Ask(_) if answers.len() == MAX_ANSWERS => {
                    let why = format!("an order of more than {MAX_ANSWERS} answers");
                    return Err(Failure::Refused(why));
                }
                Next::Ask(request) => answers.push(self.ask(&mut account, request).await?.to_vec()),
                Next::Order(document) => return Ok(document),
                Next::Missing => return Err(Failure::Missing),
                Next::NotOurs(why) => return Err(Failure::NotOurs(why)),
            }
        }
    }

    /// The page of changed orders that a walk is at.
    pub async fn changes(
        &self,
        channel: &dyn Channel,
        changes: &dyn Changes,
        account: &str,
        walk: &Walk,
    ) -> Result<Page, Failure> {
        let api = channel.api().ok_or(Failure::NoAccess)?;
        let mut account = self.account(api, channel.name(), account).await?;
        let request = changes.request(&account.access, walk.from, &walk.page);
        match self.ask(&mut account, request).await {
            Err(Failure::Missing) if walk.page.is_empty() && changes.is_missing_when_empty() => {
                Ok(Page::default())
            }
            answer => Ok(changes.read(&walk.page, &answer?)?),
        }
    }

    /// A public key that an account's deliveries name.
    pub async fn key(
        &self,
        keys: &dyn Keys,
        channel: &str,
        account: &str,
        id: &str,
    ) -> Result<Secret, Failure> {
        let mut account = self.account(keys, channel, account).await?;
        let request = keys.key(&account.access, id);
        let answer = self.ask(&mut account, request).await?;
        Ok(keys.key_in(id, &answer)?)
    }

    /// Tells a channel what has become of one of its orders, or finds that it knows.
    pub async fn tell(
        &self,
        channel: &dyn Channel,
        account: &str,
        update: &Update,
    ) -> Result<(), Failure> {
        let updates = channel.updates().ok_or(Failure::NoAccess)?;
        let account = self.account(updates, channel.name(), account).await?;
        let next = |access: &Secret, answers: &[Vec<u8>]| updates.tell(access, update, answers);
        self.say(account, MAX_ANSWERS, next).await
    }

    /// Tells a channel how much there is of what an account lists, as [`Stock::set`](channels::stock::Stock::set) says.
    pub async fn set(
        &self,
        channel: &dyn Channel,
        account: &str,
        key: &str,
        available: &[Available],
    ) -> Result<Refusals, Failure> {
        let stock = channel.stock().ok_or(Failure::NoAccess)?;
        let account = self.account(stock, channel.name(), account).await?;
        let at = self.clock.now();
        let next =
            |access: &Secret, answers: &[Vec<u8>]| stock.set(access, key, at, available, answers);
        self.say(account, MAX_SETTINGS, next).await
    }

    /// Asks a payment provider for a refund, or finds what has come of it.
    pub async fn refund(&self, through: &PaidThrough, wish: &Wish) -> Result<Answer, Failure> {
        let provider = payments::of(through.provider);
        let name = through.provider.name();
        let account = self.account(provider, name, &through.account).await?;
        let next = |access: &Secret, answers: &[Vec<u8>]| provider.refund(access, wish, answers);
        self.say(account, MAX_ANSWERS, next).await
    }

    /// Asks and says what there is to, in so many requests at most.
    async fn say<T>(
        &self,
        mut account: Account<'_>,
        most: usize,
        next: impl Fn(&Secret, &[Vec<u8>]) -> Result<Telling<T>, Unreadable>,
    ) -> Result<T, Failure> {
        let mut answers: Vec<Vec<u8>> = Vec::new();
        loop {
            match next(&account.access, &answers)? {
                Telling::Ask(_) if answers.len() == most => {
                    let why = format!("it takes more than {most} answers to tell it");
                    return Err(Failure::Refused(why));
                }
                Telling::Ask(request) => {
                    answers.push(self.ask(&mut account, request).await?.to_vec());
                }
                Telling::Told(told) => return Ok(told),
                Telling::Refused(why) => return Err(Failure::Refused(why)),
                Telling::Again(why) => return Err(Failure::Again(0, why)),
                Telling::Locked(why) => return Err(Failure::Locked(why)),
            }
        }
    }

    async fn account<'a>(
        &self,
        vendor: &'a dyn Vendor,
        channel: &str,
        account: &str,
    ) -> Result<Account<'a>, Failure> {
        let name = format!("{channel}/{account}");
        let look_up = async |doubt| {
            let valid = self.accesses.get(&name, doubt).await;
            valid.map_err(|why| Failure::Again(0, format!("its secret: {why}")))
        };
        let mut valid = look_up(false).await?;
        if valid.is_empty() {
            // It may have been given one just now.
            valid = look_up(true).await?;
        }
        let access = Secret::read(valid.first().ok_or(Failure::NoAccess)?);
        let lacking = vendor
            .parts()
            .iter()
            .find(|part| access.part(part).is_none());
        match lacking {
            Some(part) => Err(Failure::Locked(format!("the access has no {part:?}"))),
            None => Ok(Account {
                vendor,
                name,
                access,
            }),
        }
    }

    /// Asks for one thing. What does not open the API is asked for anew, once.
    async fn ask(&self, account: &mut Account<'_>, request: Request) -> Result<Bytes, Failure> {
        for fresh in [false, true] {
            let token = self.token(account, fresh).await?;
            let mut opened = request.clone();
            opened
                .headers
                .extend(account.vendor.open(&account.access, &token));
            let now = self.clock.now();
            let opened = account.vendor.sign(&account.access, opened, now);
            let answer = self.send(&opened).await?;
            match self.read(account.vendor, answer) {
                Err(Closed::Locked(_)) if !fresh => {
                    // It may have been replaced meanwhile.
                    let valid = self.accesses.get(&account.name, true).await;
                    let valid = valid.unwrap_or_default();
                    if let Some(text) = valid.first() {
                        account.access = Secret::read(text);
                    }
                }
                Err(Closed::Locked(why)) => return Err(Failure::Locked(why)),
                Err(Closed::For(failure)) => return Err(failure),
                Ok(body) => return Ok(body),
            }
        }
        Err(Failure::Locked("no access".into()))
    }

    /// The token of an account; nothing of one that needs none.
    async fn token(&self, account: &Account<'_>, fresh: bool) -> Result<String, Failure> {
        let Some(request) = account.vendor.token(&account.access) else {
            return Ok(String::new());
        };
        let now = self.clock.now();
        if !fresh && let Some(token) = self.remembered(&account.name, now) {
            return Ok(token);
        }
        let answer = self.send(&request).await?;
        let body = match self.read(account.vendor, answer) {
            Ok(body) => body,
            Err(Closed::Locked(why)) => return Err(Failure::Locked(format!("no token: {why}"))),
            Err(Closed::For(Failure::Refused(why))) => return Err(Failure::Locked(why)),
            Err(Closed::For(failure)) => return Err(failure),
        };
        let (token, seconds) = account.vendor.token_in(&body, now)?;
        let used = match seconds {
            ..1 => TOKEN_S,
            seconds => seconds - TOKEN_MARGIN_S,
        };
        let until = now.saturating_add(used.seconds()).unwrap_or(now);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(account.name.clone(), (until, token.clone()));
        Ok(token)
    }

    fn remembered(&self, name: &str, now: Timestamp) -> Option<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, token) = tokens.get(name)?;
        (now < *until).then(|| token.clone())
    }

    async fn send(&self, request: &Request) -> Result<Response<Bytes>, Failure> {
        let mut asked = http::Request::builder()
            .method(request.method)
            .uri(&request.url)
            .header("user-agent", "waybill");
        for (name, value) in &request.headers {
            asked = asked.header(*name, value);
        }
        let asked = asked.body(request.body.clone());
        let asked = asked.map_err(|error| Failure::Locked(format!("the access: {error}")))?;
        self.web
            .ask(asked, self.bounds)
            .await
            .map_err(|error| match error {
                WebError::Passing(why) => Failure::Again(0, why),
                WebError::Final(why) => Failure::Refused(why),
            })
    }

    /// What an answer says.
    fn read(&self, vendor: &dyn Vendor, answer: Response<Bytes>) -> Result<Bytes, Closed> {
        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        let said = vendor.refusal(status, &body);
        if (200..300).contains(&status) && said.is_none() {
            return Ok(body);
        }
        let meant = said.or(match status {
            401 => Some(Refusal::Locked),
            404 | 410 => Some(Refusal::Missing),
            408 | 423 | 425 | 429 | 500.. => Some(Refusal::Passing),
            _ => None,
        });
        let why = || match vendor::code(&body) {
            Some(code) => format!("status {status}, {code}"),
            None => format!("status {status}"),
        };
        Err(match meant {
            Some(Refusal::Locked) => Closed::Locked(why()),
            Some(Refusal::Missing) => Closed::For(Failure::Missing),
            Some(Refusal::Refused) => Closed::For(Failure::Refused(why())),
            Some(Refusal::Passing) => {
                let seconds = retry_after(&head.headers, self.clock.now());
                Closed::For(Failure::Again(seconds, why()))
            }
            // It may not do this: a right is missing, and a fresh token has no more of them.
            None if status == 403 => Closed::For(Failure::Locked(why())),
            None => Closed::For(Failure::Refused(why())),
        })
    }
}

/// Why an answer says nothing.
enum Closed {
    /// What was to open the API does not.
    Locked(String),
    /// Another reason.
    For(Failure),
}

/// Seconds that a vendor wants to be left alone for (RFC 9110, section 10.2.3: seconds, or a date), as far as
/// that is followed.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> i64 {
    let wish = headers
        .get("retry-after")
        .and_then(|wish| wish.to_str().ok());
    let seconds = wish.and_then(|wish| {
        let date = || {
            let date = jiff::fmt::rfc2822::parse(wish).ok()?;
            Some(date.timestamp().as_second() - now.as_second())
        };
        wish.trim().parse().ok().or_else(date)
    });
    seconds.unwrap_or(0).clamp(0, MAX_RETRY_AFTER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_says_in_seconds_or_by_a_date_when_to_come_again() {
        let now: Timestamp = "2026-11-26T16:00:00Z".parse().unwrap();
        let after = |wish: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", wish.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(after("120"), 120);
        assert_eq!(after("Thu, 26 Nov 2026 16:02:00 GMT"), 120);
        assert_eq!(after("Thu, 26 Nov 2026 15:00:00 GMT"), 0, "that is over");
        assert_eq!((after("-3"), after("soon")), (0, 0));
        assert_eq!(after("86400"), MAX_RETRY_AFTER_S, "no longer than that");
        assert_eq!(retry_after(&HeaderMap::new(), now), 0);
    }
}
