//! AWS clients over gild's own HTTP stack: one set of connections, one
//! resolver and one list of roots for everything in the process.
//!
//! Endpoints come from the SDK's own environment (`AWS_ENDPOINT_URL`,
//! `AWS_ENDPOINT_URL_SSM`, …); credentials from the SDK's default chain.

mod renewing;
mod role;
/// Signatures on requests that no client of the SDK makes.
pub mod sign;
mod stack;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http_body_util::LengthLimitError;
use reqwest::{Client, Url};

use self::renewing::Renewing;
use self::stack::Stack;
pub use self::stack::streaming;
use super::retry::{Retryable, Verdict};

/// The largest answer. The SDK reads most of them to their end before it looks
/// at them, and none that gild asks for comes near: an object is the largest,
/// and is read by whoever asked, who has a smaller cap.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Whether a URL is of a service of AWS, in any region: `service` is what the host begins
/// with, up to the dot.
pub fn is_endpoint(url: &Url, service: &str) -> bool {
    url.host_str().and_then(|host| host.strip_prefix(service)).is_some_and(|rest| {
        rest.starts_with('.')
            && (rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn"))
    })
}

/// How to reach AWS from this process.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The SDK's configuration, shared by the clients of all services.
    pub config: SdkConfig,
}

impl Aws {
    /// Loads the SDK's configuration. The SDK itself never retries: every
    /// caller has its own deadline and budget. `region` is the instance's, and
    /// gives way to one in the environment.
    pub async fn load(client: &Client, region: Option<&str>, attempt: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(super::http::CONNECT_TIMEOUT)
            .operation_attempt_timeout(attempt)
            .build();
        let credentials = Renewing::default();
        let stack = Stack {
            client: client.clone(),
            most: MAX_ANSWER,
            credentials: Some(credentials.clone()),
        };
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(SharedHttpClient::new(stack))
            .identity_cache(credentials)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        // Asking the default chain would cost a call to IMDS that identity has
        // already made.
        let chosen = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
            .or_else(|| region.map(str::to_owned));
        let loader = match chosen {
            Some(region) => loader.region(Region::new(region)),
            None => loader,
        };
        Self { config: loader.load().await }
    }
}

/// A call to AWS that brought no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.headline())]
pub struct AwsError {
    code: Option<String>,
    message: Option<String>,
    status: Option<u16>,
    malformed: bool,
    too_large: bool,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AwsError {
    /// The service's own word for the failure, such as `ParameterNotFound`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The HTTP status, where an answer came.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether other credentials may do what these could not: they have run out, or are
    /// not known yet.
    pub fn is_stale(&self) -> bool {
        self.code().is_some_and(|code| STALE.contains(&code))
    }

    /// Whether who asks may not do this. Credentials that are worth nothing, or a clock that
    /// is wrong, are something else.
    pub fn is_denied(&self) -> bool {
        match &self.code {
            Some(code) => code.starts_with("AccessDenied") || code.starts_with("Unauthorized"),
            None => matches!(self.status, Some(401 | 403)),
        }
    }

    /// Whether a signature was refused for its time alone: a clock that is wrong is
    /// set while an instance starts.
    fn is_off_time(&self) -> bool {
        let text = self.message.as_deref().unwrap_or_default();
        self.code() == Some("InvalidSignatureException")
            && (text.contains("Signature expired") || text.contains("Signature not yet current"))
    }

    fn headline(&self) -> String {
        match (&self.code, &self.message, self.status) {
            (Some(code), Some(message), _) => format!("the answer was {code} ({message})"),
            (Some(code), None, _) => format!("the answer was {code}"),
            (None, ..) if self.too_large => {
                format!("the answer is larger than {MAX_ANSWER} bytes")
            }
            (None, _, Some(status)) => format!("the answer was HTTP {status}"),
            (None, _, None) if self.malformed => "the request could not be made".to_owned(),
            (None, _, None) => "no answer".to_owned(),
        }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let service = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = service.and_then(|meta| meta.code()).map(str::to_owned);
        let message = service.and_then(|meta| meta.message()).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let malformed = matches!(error, SdkError::ConstructionFailure(_));
        let too_large = is_too_large(&error);
        // The service's own error repeats code and message.
        let source = if code.is_some() { None } else { error.into_source().ok() };
        Self { code, message, status, malformed, too_large, source }
    }
}

/// Whether an answer was given up because it went beyond `MAX_ANSWER`.
fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

impl Retryable for AwsError {
    fn verdict(&self) -> Verdict {
        let throttled = self.code().is_some_and(|code| {
            code.contains("Throttl") || code.contains("Rate") || code.contains("SlowDown")
        });
        match self.status {
            _ if throttled || self.is_stale() || self.is_off_time() => Verdict::Transient,
            _ if self.malformed || self.too_large => Verdict::Permanent,
            Some(429 | 500..=599) | None => Verdict::Transient,
            Some(_) => Verdict::Permanent,
        }
    }
}

/// What AWS says to a request that was signed with credentials that have run out
/// or that it does not know yet, or by a clock that is wrong. Credentials are
/// renewed and clocks are set while an instance starts, so it is not a refusal.
const STALE: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "UnrecognizedClientException",
];

#[cfg(test)]
mod tests;
