//! Mail, and who takes it.

use async_trait::async_trait;

/// A message, ready to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The message as a page, without anything to load from elsewhere.
    pub html: String,
    /// The message as plain text: it says the same.
    pub text: String,
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may go later.
    #[error("{0}")]
    Transient(String),
    /// It may go later, and not before so many seconds.
    #[error("{1}")]
    Later(i64, String),
    /// It will never go: the address is none, or the provider refuses it.
    #[error("{0}")]
    Permanent(String),
}

/// Takes mail to people.
#[async_trait]
pub trait Post: Send + Sync {
    /// Sends a mail to one address, and gives the provider's id of it. `key` says which message it
    /// is; it does not keep a repeat from going out.
    async fn send(&self, to: &str, mail: &Mail, key: &str) -> Result<String, SendError>;

    /// Whether it matters what is written. A simulation has no readers, and no time for the writing.
    fn is_read(&self) -> bool {
        true
    }
}
