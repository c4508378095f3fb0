//! Why a reference was not resolved, and whether to ask again.

use std::io::ErrorKind;
use std::time::Duration;

use crate::config::SecretRef;
use crate::platform::aws::AwsError;
use crate::platform::retry::{Retryable, Verdict};
use crate::scope::aws::{NoRegion, lacks_credentials};

/// A reference that was not resolved. It never holds a value.
#[derive(Debug, thiserror::Error)]
#[error("failed to resolve the secret '{reference}' ({attempts} attempts)")]
pub struct SecretError {
    /// The reference.
    pub reference: SecretRef,
    /// How often it was tried.
    pub attempts: u32,
    /// The last failure.
    #[source]
    pub source: Fault,
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// AWS did not give it.
    #[error("failed to call {operation}")]
    Aws {
        /// The operation.
        operation: &'static str,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// Nobody says which region to ask.
    #[error(transparent)]
    Region(#[from] NoRegion),
    /// The file cannot be read.
    #[error("failed to read the file")]
    File(#[source] std::io::Error),
    /// There is nothing there.
    #[error("there is no such {0}")]
    Absent(&'static str),
    /// It is not text.
    #[error("it is not text")]
    NotText,
    /// A field was asked for, and it is not a JSON object.
    #[error("it is not a JSON object, and the field '{0}' was asked for")]
    NotAnObject(String),
    /// The object has no such field that is a text.
    #[error("it has no field '{0}' that is a text")]
    NoField(String),
    /// It took too long.
    #[error("no answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

impl Fault {
    /// Whether it says nothing of the secret itself: who asks may not read it, or nobody
    /// answers.
    pub(super) fn is_out_of_reach(&self) -> bool {
        match self {
            Fault::Aws { source, .. } => {
                source.is_denied()
                    || source.verdict() != Verdict::Permanent
                    || lacks_credentials(source)
            }
            Fault::File(error) => error.kind() == ErrorKind::PermissionDenied,
            Fault::Timeout(_) | Fault::Region(_) => true,
            _ => false,
        }
    }
}

impl Retryable for Fault {
    fn verdict(&self) -> Verdict {
        match self {
            Fault::Aws { source, .. } => source.verdict(),
            Fault::Timeout(_) => Verdict::Transient,
            _ => Verdict::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_or_silent_says_nothing_of_the_secret_itself() {
        let file = |kind: ErrorKind| Fault::File(kind.into());
        for (fault, expected) in [
            (file(ErrorKind::PermissionDenied), true),
            (file(ErrorKind::FileTooLarge), false),
            (Fault::Timeout(Duration::ZERO), true),
            (Fault::Region(NoRegion), true),
            (Fault::Absent("secret"), false),
            (Fault::NotText, false),
            (Fault::NoField("x".to_owned()), false),
        ] {
            assert_eq!(fault.is_out_of_reach(), expected, "{fault}");
        }
    }
}
