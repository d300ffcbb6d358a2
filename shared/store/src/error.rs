use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may answer later: throttling, a conflict of transactions, a network that failed.
    #[error("DynamoDB did not answer {operation}: {cause}")]
    Transient {
        /// What was asked.
        operation: &'static str,
        /// What came back.
        cause: String,
    },
    /// It will not answer, however often it is asked: the request or the set-up is wrong.
    #[error("DynamoDB refused {operation}: {cause}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// What came back.
        cause: String,
    },
    /// An item cannot be read as what its key says it is.
    #[error("item {key} cannot be read: {cause}")]
    Unreadable {
        /// Its key.
        key: String,
        /// Why not.
        cause: String,
    },
}

impl StoreError {
    /// Whether asking again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }

    /// Wraps an SDK error. Only what DynamoDB itself calls a fault of the request is final; a
    /// time-out, a lost connection, throttling or a missing table (while deploying) is not.
    pub(crate) fn of<E, R>(operation: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let code = error.code().unwrap_or_default();
        let refused = matches!(
            code,
            "ValidationException" | "AccessDeniedException" | "SerializationException"
        );
        let cause = match (refused, code) {
            (_, "") => DisplayErrorContext(&error).to_string(),
            _ => format!("{code}: {}", error.message().unwrap_or("no message")),
        };
        match refused {
            true => Self::Refused { operation, cause },
            false => Self::Transient { operation, cause },
        }
    }
}
