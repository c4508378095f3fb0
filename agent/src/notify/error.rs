//! Why a message did not arrive. No text here holds the URL of a webhook.

use std::time::Duration;

use crate::platform::aws::AwsError;
use crate::platform::http::HttpError;
use crate::platform::retry::{Retryable, Verdict};
use crate::scope::aws::NoRegion;
use crate::scope::secrets::SecretError;

/// A message that did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A secret could not be had; it may be had later.
    #[error("failed to get a secret of the notifier")]
    Secret(#[source] Box<SecretError>),
    /// A secret is not what it should be.
    #[error("the secret '{0}' is no URL that begins with https:// or http://")]
    NoUrl(String),
    /// A secret cannot be sent as a header.
    #[error("the secret of the header '{0}' does not fit into a header")]
    Header(String),
    /// The list of webhooks did not come.
    #[error("failed to get the list of webhooks from '{host}'")]
    List {
        /// The host that was asked.
        host: String,
        /// What came back.
        #[source]
        source: HttpError,
    },
    /// The list of webhooks cannot be read. Why is not said: it may quote them.
    #[error("the list of webhooks is not a YAML table")]
    ListFormat,
    /// The list of webhooks lacks the one that was asked for.
    #[error("the list of webhooks has no URL under '{0}', and none under 'default'")]
    ListKey(String),
    /// The receiver did not take it.
    #[error("failed to post to '{host}'")]
    Post {
        /// The receiver.
        host: String,
        /// What came back.
        #[source]
        source: HttpError,
    },
    /// There is no way to AWS.
    #[error("failed to find the way to AWS")]
    Aws(#[source] NoRegion),
    /// A topic is named without its account, and no account is known.
    #[error("the topic '{0}' is not an ARN, and this instance's account is not known")]
    Account(String),
    /// SNS did not take it.
    #[error("failed to publish to the topic '{topic}'")]
    Publish {
        /// The topic.
        topic: String,
        /// What came back.
        #[source]
        source: AwsError,
    },
    /// There was no answer in time.
    #[error("failed to send within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

impl From<SecretError> for SendError {
    fn from(error: SecretError) -> Self {
        SendError::Secret(Box::new(error))
    }
}

impl Retryable for SendError {
    fn verdict(&self) -> Verdict {
        match self {
            SendError::List { source, .. } | SendError::Post { source, .. } => match source {
                // Whoever refuses a message refuses it again. Only 429 means
                // "later", whatever HTTP at large says of the other ones.
                HttpError::Status { status, .. }
                    if status.is_client_error() && status.as_u16() != 429 =>
                {
                    Verdict::Permanent
                }
                HttpError::Status { status, .. } if status.is_redirection() => Verdict::Permanent,
                other => other.verdict(),
            },
            SendError::Publish { source, .. } => source.verdict(),
            // What an instance may not read or does not know now it may later.
            SendError::Secret(_)
            | SendError::Aws(_)
            | SendError::Account(_)
            | SendError::Timeout(_) => Verdict::Transient,
            SendError::NoUrl(_)
            | SendError::Header(_)
            | SendError::ListFormat
            | SendError::ListKey(_) => Verdict::Permanent,
        }
    }
}
