//! Why a source brought nothing that can be used.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::aws::{NoRegion, lacks_credentials};
use super::placeholder::PlaceholderError;
use super::source::NotASource;
use super::tags::TagsError;
use crate::config::LayerName;
use crate::config::document::DocumentError;
use crate::platform::aws::AwsError;
use crate::platform::http::HttpError;
use crate::platform::retry::{Retryable, Verdict};
use crate::platform::targets::LocalTarget;

/// One attempt at a source that failed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The text of the source is not one.
    #[error("failed to read the source's text")]
    NotASource(#[from] NotASource),
    /// The format is not one.
    #[error("'{0}' is not a format; there are \"toml\", \"yaml\" and \"json\"")]
    Format(String),
    /// The key to put values below is not one.
    #[error("'{0}' is not a key path such as \"vars\"")]
    Into(String),
    /// A placeholder cannot be filled.
    #[error("failed to fill a placeholder")]
    Placeholder(#[from] PlaceholderError),
    /// A file cannot be read.
    #[error("failed to read '{path}'")]
    File {
        /// The file or directory.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A web server brought no document.
    #[error("failed to get the document")]
    Http(#[from] HttpError),
    /// The document would come from this host itself or its link.
    #[error(
        "a document is not fetched from there: a source must name another host, unless the image \
         or local layer says scope.local_targets = true"
    )]
    LocalTarget(#[source] LocalTarget),
    /// A web server wanted to send us elsewhere.
    #[error("the server redirects to elsewhere (HTTP {status}), which is not followed")]
    Redirect {
        /// The status.
        status: u16,
    },
    /// AWS brought no document.
    #[error("failed to call {operation}")]
    Aws {
        /// The operation.
        operation: &'static str,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// A document was refused that was expected to be another account's.
    #[error("refused; the bucket was expected to belong to account {owner}")]
    Owner {
        /// The account that was expected.
        owner: String,
        /// The refusal.
        #[source]
        source: Box<SourceError>,
    },
    /// A question for several documents failed.
    #[error(transparent)]
    Shared(Arc<SourceError>),
    /// Nobody says which region to ask.
    #[error(transparent)]
    Region(#[from] NoRegion),
    /// Off EC2, credentials do not come late.
    #[error("no credentials were found to sign with")]
    Credentials(#[source] Box<SourceError>),
    /// The body of an object broke off.
    #[error("failed to read the object's body: it broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An answer is larger than a document may be.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// There are more parameters than a document may have keys.
    #[error("there are more than {limit} parameters")]
    TooMany {
        /// The cap.
        limit: usize,
    },
    /// A parameter that should hold a document is a SecureString.
    #[error(
        "the parameter '{name}' is a SecureString, and a document must not hold secrets: make it a \
         String in which secrets are references such as {{ ssm = \"/path\" }}, or keep each secret in \
         a parameter of its own and read them as a subtree, 'ssm:/path/'"
    )]
    SecureDocument {
        /// The parameter.
        name: String,
    },
    /// The tags cannot be used.
    #[error("failed to read the tags")]
    Tags(#[from] TagsError),
    /// There is no document where there must be one.
    #[error("there is no such document, and it is required")]
    Required,
    /// A document came that is not one.
    #[error("failed to understand '{name}'")]
    Document {
        /// The document.
        name: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// A document came that is empty, where there used to be one.
    #[error("'{name}' is empty, and its last valid copy is not")]
    Emptied {
        /// The document.
        name: String,
    },
    /// A document came that lost more than half of its keys.
    #[error(
        "it has {now} key{}, and its last valid copy has {before}; where that is meant, \
         `accept_shrink = true` at the top of the document, or scope.{layer}.accept_shrink = true, \
         accepts it",
        if *.now == 1 { "" } else { "s" }
    )]
    Shrunk {
        /// How many keys there were.
        before: usize,
        /// How many there are.
        now: usize,
        /// The layer.
        layer: LayerName,
    },
    /// One attempt took too long.
    #[error("no complete answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

impl SourceError {
    /// Whether it is what AWS said to a call.
    pub(super) fn is_of_aws(&self) -> bool {
        matches!(self, SourceError::Aws { .. })
    }

    /// The same, with the account that the bucket was expected to belong to: a
    /// refusal does not say whether that is the reason.
    pub(crate) fn of_owner(self, owner: Option<&str>) -> Self {
        let status = match &self {
            SourceError::Http(HttpError::Status { status, .. }) => Some(status.as_u16()),
            SourceError::Aws { source, .. } => source.status(),
            _ => None,
        };
        match owner.filter(|_| status == Some(403)) {
            Some(owner) => SourceError::Owner { owner: owner.to_owned(), source: Box::new(self) },
            None => self,
        }
    }

    /// The same, final where it is for a lack of credentials `off_ec2`: an instance may
    /// be given its role late; other hosts have credentials or have none.
    pub(crate) fn for_good(self, off_ec2: bool) -> Self {
        match off_ec2 && lacks_credentials(&self) {
            true => SourceError::Credentials(Box::new(self)),
            false => self,
        }
    }

    /// Whether who asks may not read it.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            SourceError::Http(HttpError::Status { status, .. }) => {
                matches!(status.as_u16(), 401 | 403)
            }
            SourceError::Aws { source, .. } => source.is_denied(),
            SourceError::Owner { source, .. } => source.is_denied(),
            SourceError::Shared(source) => source.is_denied(),
            SourceError::Tags(TagsError::Earlier { denied, .. }) => *denied,
            _ => false,
        }
    }

    /// Whether a document came, and it is the document that is wrong.
    pub fn is_bad(&self) -> bool {
        matches!(
            self,
            SourceError::Document { .. }
                | SourceError::Emptied { .. }
                | SourceError::Shrunk { .. }
                | SourceError::SecureDocument { .. }
        )
    }
}

impl Retryable for SourceError {
    fn verdict(&self) -> Verdict {
        match self {
            SourceError::Http(error) => error.verdict(),
            SourceError::Aws { source, .. } => source.verdict(),
            SourceError::Owner { source, .. } => source.verdict(),
            SourceError::Shared(source) => source.verdict(),
            SourceError::Body(_) | SourceError::Timeout(_) => Verdict::Transient,
            _ => Verdict::Permanent,
        }
    }
}

/// A source that failed in the end.
#[derive(Debug, thiserror::Error)]
#[error("failed to fetch '{source_text}'")]
pub struct FetchError {
    /// The source.
    pub source_text: String,
    /// The last attempt's failure.
    #[source]
    pub source: SourceError,
}
