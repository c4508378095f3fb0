//! AWS clients over gild's own HTTP stack: one set of connections, one
//! resolver and one list of roots for everything in the process.
//!
//! Endpoints come from the SDK's own environment (`AWS_ENDPOINT_URL`,
//! `AWS_ENDPOINT_URL_SSM`, …); credentials from the SDK's default chain.

mod renewing;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use reqwest::Client;

use self::renewing::Renewing;
use super::retry::{Retryable, Verdict};

/// The largest answer. The SDK reads most of them to their end before it looks
/// at them, and none that gild asks for comes near: an object is the largest,
/// and is read by whoever asked, who has a smaller cap.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

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
        let stale = self.code().is_some_and(|code| STALE.contains(&code)) || self.is_off_time();
        match self.status {
            _ if throttled || stale => Verdict::Transient,
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

/// The SDK's view of the one HTTP stack, without a cap: for whoever reads answers piece
/// by piece and has a cap of his own.
pub fn streaming(client: &Client) -> SharedHttpClient {
    SharedHttpClient::new(Stack { client: client.clone(), most: usize::MAX, credentials: None })
}

/// The SDK's view of the one HTTP stack.
#[derive(Debug, Clone)]
struct Stack {
    client: Client,
    /// The largest answer.
    most: usize,
    /// What hears of refusals.
    credentials: Option<Renewing>,
}

impl HttpClient for Stack {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            client: self.client.clone(),
            most: self.most,
            credentials: self.credentials.clone(),
            read_timeout: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    client: Client,
    most: usize,
    credentials: Option<Renewing>,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, most) = (self.client.clone(), self.most);
        let credentials = self.credentials.clone();
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(reqwest::Body::wrap);
            let request = reqwest::Request::try_from(request)
                .map_err(|error| ConnectorError::user(error.into()))?;
            let call = client.execute(request);
            let answer = match read_timeout {
                None => call.await,
                Some(limit) => tokio::time::timeout(limit, call)
                    .await
                    .map_err(|error| ConnectorError::timeout(error.into()))?,
            };
            let answer = answer.map_err(|error| {
                if error.is_timeout() {
                    ConnectorError::timeout(error.into())
                } else {
                    ConnectorError::io(error.into())
                }
            })?;
            let (head, body) = http::Response::from(answer).into_parts();
            let body = SdkBody::from_body_1_x(Limited::new(body, most));
            let body = match credentials {
                Some(credentials) if Renewing::may_refuse(head.status.as_u16()) => {
                    let said = body.collect().await;
                    let said = said.map_err(ConnectorError::io)?.to_bytes();
                    credentials.heard(&said);
                    SdkBody::from(said)
                }
                _ => body,
            };
            let answer = http::Response::from_parts(head, body);
            Response::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(code: Option<&str>, status: Option<u16>, malformed: bool) -> Verdict {
        let code = code.map(str::to_owned);
        let too_large = false;
        AwsError { code, message: None, status, malformed, too_large, source: None }.verdict()
    }

    #[test]
    fn only_who_may_not_is_denied() {
        for (code, status, denied) in [
            (Some("AccessDenied"), 403, true),
            (Some("AccessDeniedException"), 400, true),
            (Some("ExpiredToken"), 400, false),
            (Some("InvalidClientTokenId"), 403, false),
            (Some("RequestTimeTooSkewed"), 403, false),
            (None, 403, true),
            (None, 503, false),
        ] {
            let (code, status) = (code.map(str::to_owned), Some(status));
            let (message, malformed, too_large, source) = (None, false, false, None);
            let error = AwsError { code, message, status, malformed, too_large, source };
            assert_eq!(error.is_denied(), denied, "{error}");
        }
    }

    #[test]
    fn credentials_that_have_run_out_are_no_refusal() {
        for code in STALE.iter().copied().chain(["ThrottlingException", "SlowDown"]) {
            assert_eq!(verdict(Some(code), Some(400), false), Verdict::Transient, "{code}");
        }
        for code in ["AccessDenied", "AccessDeniedException", "InvalidSignatureException"] {
            assert_eq!(verdict(Some(code), Some(403), false), Verdict::Permanent, "{code}");
        }
        for (message, expected) in [
            ("Signature expired: 20261123T000000Z is now earlier than …", Verdict::Transient),
            (
                "Signature not yet current: 20261123T000000Z is still later than …",
                Verdict::Transient,
            ),
            ("The request signature we calculated does not match …", Verdict::Permanent),
        ] {
            let code = Some("InvalidSignatureException".to_owned());
            let message = Some(message.to_owned());
            let (malformed, too_large) = (false, false);
            let error =
                AwsError { code, message, status: Some(400), malformed, too_large, source: None };
            assert_eq!(error.verdict(), expected, "{error}");
        }
        assert_eq!(verdict(None, Some(503), false), Verdict::Transient);
        assert_eq!(verdict(None, None, false), Verdict::Transient);
        assert_eq!(verdict(None, None, true), Verdict::Permanent);
    }
}
