//! Why the metadata service did not answer, and whether to ask again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::platform::retry::{Retryable, Verdict};

/// A question that the metadata service did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ImdsError {
    /// The endpoint is not one.
    #[error(
        "'{endpoint}' is not an endpoint of the metadata service; \
         it must be an address such as http://169.254.169.254"
    )]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// No connection came up.
    #[error("failed to connect to {address}")]
    Connect {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The request could not be made.
    #[error("failed to make the request")]
    Request(#[source] http::Error),
    /// No whole answer came.
    #[error("no whole answer came")]
    Answer(#[source] hyper::Error),
    /// The connection was closed.
    #[error("the connection was closed")]
    Closed,
    /// The answer took too long.
    #[error("no whole answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// The answer's status is not one of success.
    #[error("the answer was HTTP {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is not what it should be.
    #[error("the answer is not {expected}")]
    Malformed {
        /// What it should be.
        expected: &'static str,
    },
    /// The identity document cannot be read.
    #[error("the answer is not an identity document")]
    Document(#[source] serde_json::Error),
    /// A part failed for good, or until time was up.
    #[error("failed to read {what} from the metadata service ({attempts} attempts)")]
    Read {
        /// What was to be read.
        what: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: Box<ImdsError>,
    },
}

impl Retryable for ImdsError {
    fn verdict(&self) -> Verdict {
        match self {
            ImdsError::Endpoint { .. }
            | ImdsError::Request(_)
            | ImdsError::TooLarge { .. }
            | ImdsError::Read { .. } => Verdict::Permanent,
            // 401 is what a service says that has just restarted.
            ImdsError::Status { status: 401 | 408 | 425 | 429 | 500..=599 } => Verdict::Transient,
            ImdsError::Status { .. } => Verdict::Permanent,
            _ => Verdict::Transient,
        }
    }
}
