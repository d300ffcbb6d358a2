//! Sending mail through Amazon SES.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};

use runtime::mail::{Mail, Post, SendError};
use runtime::{Aws, Setup};

/// Longest value of a tag that SES takes.
const MAX_TAG_CHARS: usize = 256;
/// Longest address that can be delivered to (RFC 5321, errata 1690).
const MAX_ADDRESS_CHARS: usize = 254;

/// Sends mail, to addresses that can be one.
#[derive(Clone)]
pub struct Mailer(Arc<dyn Post>);

impl Mailer {
    /// Sends as the function's environment says.
    pub fn new(setup: &Setup) -> Self {
        Self(match &setup.aws {
            Aws::Sdk(aws) => Arc::new(Ses {
                client: Client::new(aws),
                from: setup.var("MAIL_FROM"),
                configuration_set: setup.var("MAIL_CONFIGURATION_SET"),
            }),
            Aws::StandIn(other) => other.post(),
        })
    }

    /// Sends what `write` writes to one address, and gives the provider's id of it. `key` says which
    /// message it is; it does not keep a repeat from going out.
    pub async fn send(
        &self,
        to: &str,
        key: &str,
        write: impl FnOnce() -> Result<Mail, crate::Error>,
    ) -> Result<String, SendError> {
        if !deliverable(to) {
            return Err(SendError::Permanent("not an e-mail address".into()));
        }
        let mail = match self.0.is_read() {
            true => write().map_err(|error| {
                SendError::Permanent(format!("the mail cannot be written: {error}"))
            })?,
            false => Mail::default(),
        };
        self.0.send(to, &mail, key).await
    }
}

/// Amazon SES: sends from one address, under the rules of a configuration set.
struct Ses {
    client: Client,
    from: String,
    configuration_set: String,
}

#[async_trait]
impl Post for Ses {
    /// SES repeats `key` in its reports as the tag `waybill-key`.
    async fn send(&self, to: &str, mail: &Mail, key: &str) -> Result<String, SendError> {
        let body = Body::builder()
            .html(utf8(&mail.html)?)
            .text(utf8(&mail.text)?)
            .build();
        let message = Message::builder().subject(utf8(&mail.subject)?).body(body);
        let tag = MessageTag::builder().name("waybill-key").value(tag(key));
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .configuration_set_name(&self.configuration_set)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .email_tags(tag.build().map_err(incomplete)?)
            .send()
            .await
            .map_err(|error| reason(&error))?;
        Ok(sent.message_id.unwrap_or_default())
    }
}

fn utf8(text: &str) -> Result<Content, SendError> {
    let content = Content::builder().data(text).charset("UTF-8").build();
    content.map_err(incomplete)
}

fn incomplete(error: impl std::fmt::Display) -> SendError {
    SendError::Permanent(format!("the request to SES is incomplete: {error}"))
}

/// What an answer of SES means. Its own words are left out: they name the recipient.
fn reason<R>(error: &SdkError<SendEmailError, R>) -> SendError {
    let Some(answer) = error.as_service_error() else {
        return SendError::Transient("SES could not be reached".into());
    };
    let code = answer.code().unwrap_or("an unknown error");
    let text = format!("SES answered {code}");
    match answer {
        SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => {
            SendError::Permanent(text)
        }
        // Throttled, paused, over quota, not set up yet, or unwell: the mail itself is sound.
        _ => SendError::Transient(text),
    }
}

/// Whether an address can be one: a second recipient or a header smuggled in cannot.
fn deliverable(address: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || ",;:<>()[]\\\"".contains(c);
    match address.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !address.contains(forbidden)
                && address.chars().count() <= MAX_ADDRESS_CHARS
        }
        None => false,
    }
}

/// A key in the characters that SES takes in a tag.
fn tag(key: &str) -> String {
    let plain = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
        _ => '_',
    };
    key.chars().map(plain).take(MAX_TAG_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_sdk_sesv2::config::{BehaviorVersion, Region, retry::RetryConfig};
    use aws_smithy_http_client::test_util::infallible_client_fn;

    use super::*;

    type Asked = Arc<Mutex<Vec<serde_json::Value>>>;

    /// A mailer whose SES always answers the same, and what it was asked.
    fn mailer(status: u16, error: &'static str, body: &'static str) -> (Mailer, Asked) {
        let asked = Asked::default();
        let heard = asked.clone();
        let ses = infallible_client_fn(move |request| {
            let sent = serde_json::from_slice(request.body().bytes().unwrap());
            heard.lock().unwrap().push(sent.unwrap());
            let answer = http::Response::builder().status(status);
            let answer = answer.header("x-amzn-errortype", error).body(body);
            answer.unwrap()
        });
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let aws = aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(ses)
            .build();
        let variables = [
            ("MAIL_FROM", "shop@example.com"),
            ("MAIL_CONFIGURATION_SET", "mail"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mailer = Mailer::new(&Setup {
            env: std::sync::Arc::new(BTreeMap::from(variables)),
            clock: runtime::Clock::system(),
            aws: Aws::Sdk(aws),
            web: std::sync::Arc::new(runtime::web::Https::default()),
        });
        (mailer, asked)
    }

    fn mail() -> Mail {
        Mail {
            subject: "Grüße".into(),
            html: "<p>✓</p>".into(),
            text: "✓".into(),
        }
    }

    #[tokio::test]
    async fn what_is_sent_is_what_ses_is_asked_for() {
        let (mailer, asked) = mailer(200, "", r#"{"MessageId": "0107-1"}"#);
        let sent = mailer.send("ada@example.com", "AD4OVS4KRET6JAPB/pick-1", || Ok(mail()));
        assert_eq!(sent.await, Ok("0107-1".into()));
        let text = |text: &str| serde_json::json!({"Data": text, "Charset": "UTF-8"});
        let expected = serde_json::json!({
            "FromEmailAddress": "shop@example.com",
            "Destination": {"ToAddresses": ["ada@example.com"]},
            "Content": {"Simple": {
                "Subject": text("Grüße"),
                "Body": {"Html": text("<p>✓</p>"), "Text": text("✓")},
            }},
            "EmailTags": [{"Name": "waybill-key", "Value": "AD4OVS4KRET6JAPB_pick-1"}],
            "ConfigurationSetName": "mail",
        });
        assert_eq!(*asked.lock().unwrap(), [expected]);
    }

    #[tokio::test]
    async fn refusals_are_told_apart_and_name_nobody() {
        let words = r#"{"message": "ada@example.com is not verified"}"#;
        for (status, error, permanent) in [
            (400, "MessageRejected", true),
            (400, "MailFromDomainNotVerifiedException", false),
            (400, "BadRequestException", true),
            (429, "TooManyRequestsException", false),
            (400, "LimitExceededException", false),
            (400, "SendingPausedException", false),
            (400, "AccountSuspendedException", false),
            (404, "NotFoundException", false),
            (403, "AccessDeniedException", false),
            (500, "InternalFailure", false),
            (503, "", false),
        ] {
            let (mailer, _) = mailer(status, error, words);
            let refused = mailer.send("ada@example.com", "k", || Ok(mail())).await;
            let refused = refused.unwrap_err();
            assert!(!refused.to_string().contains("ada"), "{refused}");
            assert!(refused.to_string().contains(error), "{refused}");
            let found = matches!(refused, SendError::Permanent(_));
            assert_eq!(found, permanent, "{error}");
        }
        let slow: SdkError<SendEmailError, ()> = SdkError::timeout_error("slow");
        assert!(matches!(reason(&slow), SendError::Transient(_)));
    }

    #[tokio::test]
    async fn what_cannot_be_an_address_is_not_tried() {
        let long = format!("{}@example.com", "a".repeat(243));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@b@example.com",
            "ada@example.com,eve@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada lovelace@example.com",
            "Ada <ada@example.com>",
            &long,
        ] {
            let (mailer, asked) = mailer(200, "", r#"{"MessageId": "1"}"#);
            let sent = mailer.send(bad, "k", || Ok(mail())).await;
            let expected = SendError::Permanent("not an e-mail address".into());
            assert_eq!(sent, Err(expected), "{bad:?}");
            assert!(asked.lock().unwrap().is_empty(), "{bad:?}");
        }
        assert!(deliverable("o'brien+tag@mail.example.com") && deliverable(&long[1..]));
    }

    #[test]
    fn a_key_becomes_a_tag_that_ses_takes() {
        assert_eq!(tag("a b/ü#1-_Z"), "a_b___1-_Z");
        assert_eq!(tag(&"k".repeat(300)).len(), MAX_TAG_CHARS);
    }
}
