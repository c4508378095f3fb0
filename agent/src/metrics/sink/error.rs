//! Why a sink cannot be set up, or could not send.

use std::time::Duration;

use crate::config::SecretRef;
use crate::platform::aws::AwsError;
use crate::platform::aws::sign::SignError;
use crate::platform::http::{self, HttpError};
use crate::platform::retry::{Retryable, Verdict};
use crate::scope::aws::NoRegion;
use crate::scope::secrets::SecretError;

/// A sink that cannot be set up as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A secret was not resolved.
    #[error("the secret '{0}' could not be had")]
    Secret(SecretRef),
    /// The way to AWS is not known.
    #[error("there is no way to AWS")]
    NoAws,
    /// The HTTP client of its own could not be set up.
    #[error("failed to set up connections with certificates of their own")]
    Connections(#[source] HttpError),
    /// A key holds what the receiver would refuse.
    #[error("'{key}' must be {expected}")]
    Refused {
        /// The key.
        key: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Metrics of a group are to be told by something that this instance does not have.
    #[error(
        "nothing is sent, because '{key}' is \"{text}\", which is not known of this instance, \
         and per is \"group\": its values would be those of another group"
    )]
    NoGroup {
        /// The key.
        key: String,
        /// What it holds.
        text: String,
    },
}

/// A sink that is not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A secret could not be had; it may be had later.
    #[error("failed to get a secret of the sink")]
    Secret(#[source] SecretError),
    /// There is no way to AWS.
    #[error("failed to find the way to AWS")]
    Aws(#[source] NoRegion),
    /// The sink cannot be set up as it is configured.
    #[error("failed to set up the sink as it is configured")]
    Build(#[source] BuildError),
}

impl SetUpError {
    /// Whether trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, SetUpError::Aws(_) | SetUpError::Build(_))
    }
}

/// A request that was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A remote-write receiver did not take it.
    #[error("failed to push to '{url}'")]
    Push {
        /// The receiver.
        url: String,
        /// What came back.
        #[source]
        source: HttpError,
    },
    /// An OpenTelemetry receiver did not take it.
    #[error("failed to export to '{url}'")]
    Export {
        /// The receiver.
        url: String,
        /// What came back.
        #[source]
        source: HttpError,
    },
    /// A remote-write receiver took a part of it, and will never take the rest.
    #[error("failed to push all to '{url}'")]
    PushPart {
        /// The receiver.
        url: String,
        /// How many samples it has written.
        written: usize,
        /// What came back.
        #[source]
        source: HttpError,
    },
    /// An OpenTelemetry receiver took a part of it.
    #[error("'{url}' left out {rejected} data points ({message})")]
    Partly {
        /// The receiver.
        url: String,
        /// How many data points it did not take.
        rejected: usize,
        /// What it says of them.
        message: String,
    },
    /// It could not be signed.
    #[error("failed to sign a request to '{url}'")]
    Sign {
        /// The receiver.
        url: String,
        /// Why.
        #[source]
        source: SignError,
    },
    /// CloudWatch did not take it.
    #[error("failed to put metric data into '{namespace}'")]
    Put {
        /// The namespace.
        namespace: String,
        /// What came back.
        #[source]
        source: AwsError,
    },
    /// There was no answer in time.
    #[error("failed to send within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

impl SendError {
    /// Whether the receiver does not take the secrets that came with it. They may have been
    /// rotated.
    pub fn refuses_secrets(&self) -> bool {
        match self {
            SendError::Push { source: HttpError::Send(error), .. } => http::is_alert(error),
            SendError::Push { source: HttpError::Status { status, .. }, .. }
            | SendError::Export { source: HttpError::Status { status, .. }, .. } => {
                matches!(status.as_u16(), 401 | 403)
            }
            _ => false,
        }
    }

    /// Whether the receiver refuses the request for what is in it, of which a part
    /// may be at fault. CloudWatch refuses a whole call for one datum.
    pub fn refuses_content(&self) -> bool {
        match self {
            SendError::Put { source, .. } => {
                let blames = |code: &str| BLAMING.iter().any(|word| code.starts_with(word));
                source.code().is_some_and(blames) || source.status() == Some(413)
            }
            SendError::Export { source: HttpError::Status { status, .. }, .. } => {
                matches!(status.as_u16(), 400 | 413)
            }
            _ => false,
        }
    }

    /// Whether it may be that the receiver will never take what is in the request, though it
    /// says that the fault is its own.
    pub fn may_be_for_content(&self) -> bool {
        match self {
            SendError::Push { source: HttpError::Status { status, .. }, .. } => {
                status.as_u16() == 500
            }
            _ => false,
        }
    }

    /// How many measurements were delivered all the same.
    pub fn written(&self) -> usize {
        match self {
            SendError::PushPart { written, .. } => *written,
            _ => 0,
        }
    }

    /// What kind of failure this is; the same however its text differs.
    pub fn kind(&self) -> String {
        match self {
            SendError::Push { source, .. }
            | SendError::PushPart { source, .. }
            | SendError::Export { source, .. } => match source {
                HttpError::Status { status, .. } => status.to_string(),
                other => other.to_string(),
            },
            SendError::Partly { .. } => "partly".to_owned(),
            SendError::Sign { source, .. } => source.to_string(),
            SendError::Put { source, .. } => match (source.code(), source.status()) {
                (Some(code), _) => code.to_owned(),
                (None, status) => format!("{status:?}"),
            },
            SendError::Timeout(_) => self.to_string(),
        }
    }
}

/// How the codes begin by which PutMetricData refuses what it was given:
/// InvalidParameterValue, InvalidParameterCombination, MissingParameter of its
/// reference, and the words that newer protocols have for the same.
const BLAMING: &[&str] = &["InvalidParameter", "MissingParameter", "MissingRequired", "Validation"];

impl Retryable for SendError {
    fn verdict(&self) -> Verdict {
        match self {
            // Remote write's rule is stricter than that of HTTP at large: of the
            // 4xx answers only 429 may be tried again.
            SendError::Push { source: HttpError::Status { status, .. }, .. }
                if status.is_client_error() && status.as_u16() != 429 =>
            {
                Verdict::Permanent
            }
            SendError::Push { source, .. } => source.verdict(),
            SendError::Export { source, .. } => export_verdict(source),
            SendError::PushPart { .. } | SendError::Partly { .. } => Verdict::Permanent,
            SendError::Sign { source, .. } => source.verdict(),
            SendError::Put { source, .. } => source.verdict(),
            SendError::Timeout(_) => Verdict::Transient,
        }
    }
}

/// OTLP's rule (specification, "Retryable Response Codes") names four statuses. AWS says some
/// of what passes with others.
fn export_verdict(source: &HttpError) -> Verdict {
    let HttpError::Status { status, retry_after, body } = source else {
        return source.verdict();
    };
    let passes = match status.as_u16() {
        429 | 502 | 503 | 504 => true,
        400 | 403 => PASSING.iter().any(|word| body.contains(word)),
        _ => false,
    };
    match (passes, retry_after) {
        (false, _) => Verdict::Permanent,
        (true, None) => Verdict::Transient,
        (true, Some(wish)) => Verdict::After(*wish),
    }
}

/// What AWS says where it is asked too often, where credentials have run out, and where
/// either clock is wrong.
const PASSING: &[&str] = &[
    "Throttling",
    "ExpiredToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "Signature expired",
    "Signature not yet current",
];
