//! SES v2: sending one mail. What was sent is kept to be read.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use data_encoding::BASE64;
use http::Response;
use jiff::Timestamp;
use mail_parser::{Address, MessageParser};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Failure, parse, success_as};
use super::lock;

/// To, cc and bcc together.
const MAX_RECIPIENTS: usize = 50;
/// Of a whole raw message.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// A mail that was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The id that the sender was given.
    pub id: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The sender's address.
    pub from: String,
    /// Recipients, named.
    pub to: Vec<String>,
    /// Recipients, copied.
    pub cc: Vec<String>,
    /// Recipients, hidden.
    pub bcc: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// Headers added by the sender.
    pub headers: Vec<(String, String)>,
    /// Tags for event publishing.
    pub tags: Vec<(String, String)>,
    /// The configuration set it was sent with.
    pub configuration_set: Option<String>,
}

/// Everything that was sent, in memory.
#[derive(Default)]
pub struct Mailbox {
    mails: Mutex<Vec<Mail>>,
    next: AtomicU64,
}

impl Mailbox {
    /// All mails, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    /// How many mails there are.
    pub fn count(&self) -> usize {
        lock(&self.mails).len()
    }

    /// Throws all mails away.
    pub fn clear(&self) {
        lock(&self.mails).clear();
    }

    pub(super) fn answer(&self, body: &[u8]) -> Result<Response<Bytes>, Failure> {
        let request: SendEmail = parse(body).map_err(|error| bad(error.message()))?;
        let mut mail = request.read()?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        mail.id = format!("{:016x}-{number:08x}", mail.sent_at.as_millisecond());
        let answer = json!({"MessageId": mail.id});
        lock(&self.mails).push(mail);
        success_as("application/json", &answer)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Pair>,
    configuration_set_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    raw: Option<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Body,
    #[serde(default)]
    headers: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    name: String,
    value: String,
}

impl SendEmail {
    fn read(self) -> Result<Mail, Failure> {
        let mut mail = Mail {
            id: String::new(),
            sent_at: Timestamp::now(),
            from: self.from_email_address.unwrap_or_default(),
            to: self.destination.to_addresses,
            cc: self.destination.cc_addresses,
            bcc: self.destination.bcc_addresses,
            reply_to: self.reply_to_addresses,
            subject: String::new(),
            text: None,
            html: None,
            headers: Vec::new(),
            tags: pairs(self.email_tags),
            configuration_set: self.configuration_set_name,
        };
        match (self.content.simple, self.content.raw) {
            (Some(simple), None) => {
                if simple.body.text.is_none() && simple.body.html.is_none() {
                    return Err(bad("the body has neither a text nor an HTML part"));
                }
                mail.subject = simple.subject.data;
                mail.text = simple.body.text.map(|text| text.data);
                mail.html = simple.body.html.map(|html| html.data);
                mail.headers = pairs(simple.headers);
            }
            (None, Some(raw)) => read_raw(&raw, &mut mail)?,
            _ => return Err(bad("the content must be exactly one of Simple and Raw")),
        }
        check(&mail)?;
        Ok(mail)
    }
}

/// Fills in what the message says itself; what the request names goes before it.
fn read_raw(raw: &Raw, mail: &mut Mail) -> Result<(), Failure> {
    let bytes = BASE64
        .decode(raw.data.as_bytes())
        .map_err(|_| bad("the raw message is not base64"))?;
    if bytes.len() > MAX_BYTES {
        return Err(bad("the message is larger than 40 MiB"));
    }
    let message = MessageParser::default()
        .parse(&bytes)
        .ok_or_else(|| bad("the raw message cannot be read"))?;
    mail.subject = message.subject().unwrap_or_default().to_owned();
    mail.text = message.body_text(0).map(|text| text.into_owned());
    mail.html = message.body_html(0).map(|html| html.into_owned());
    if mail.from.is_empty() {
        mail.from = addresses(message.from())
            .into_iter()
            .next()
            .unwrap_or_default();
    }
    if mail.to.is_empty() && mail.cc.is_empty() && mail.bcc.is_empty() {
        mail.to = addresses(message.to());
        mail.cc = addresses(message.cc());
        mail.bcc = addresses(message.bcc());
    }
    Ok(())
}

fn addresses(list: Option<&Address<'_>>) -> Vec<String> {
    list.into_iter()
        .flat_map(|list| list.iter())
        .filter_map(|address| address.address().map(str::to_owned))
        .collect()
}

fn check(mail: &Mail) -> Result<(), Failure> {
    let recipients = || mail.to.iter().chain(&mail.cc).chain(&mail.bcc);
    match recipients().count() {
        0 => return Err(bad("there is no recipient")),
        1..=MAX_RECIPIENTS => {}
        count => {
            return Err(bad(format!(
                "{count} recipients: at most {MAX_RECIPIENTS} are allowed"
            )));
        }
    }
    for address in recipients().chain([&mail.from]) {
        if !address.contains('@') || address.contains(['\r', '\n']) {
            return Err(bad("an address is missing or not an e-mail address"));
        }
    }
    Ok(())
}

fn pairs(list: Vec<Pair>) -> Vec<(String, String)> {
    list.into_iter()
        .map(|pair| (pair.name, pair.value))
        .collect()
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequestException", message)
}
