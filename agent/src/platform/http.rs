//! The one HTTP stack: rustls with baked-in roots, names resolved in process,
//! no proxy, no redirects, every body capped.
//!
//! A static binary must not load the host's NSS libraries, and an image without
//! CA certificates must still reach its configuration, so neither is used. The
//! AWS SDK runs over this same client (see `aws`); what else it trusts, `tls`
//! says.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use rustls::ClientConfig;

use super::dns;
use super::retry::{Retryable, Verdict};
use super::targets::Outward;
use super::tls::{self, Own, TlsError};

/// How long a TCP and TLS connection may take to come up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How many connections to one host wait for the next request. Several services of one server are
/// looked at in the same moment; a connection that is not kept costs more than the look.
const MOST_IDLE: usize = 4;

/// An idle connection is kept this long: longer than one metrics flush.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// A server's wish to be left alone is honoured up to this long: one that asks
/// for a century is broken, and must not silence gild for as long.
pub const LONGEST_WISH: Duration = Duration::from_secs(300);

/// A request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The HTTP stack could not be set up.
    #[error("failed to set up the HTTP client")]
    Build(#[source] reqwest::Error),
    /// TLS could not be set up.
    #[error("failed to set up TLS")]
    Tls(#[source] TlsError),
    /// No answer came.
    #[error("no answer")]
    Send(#[source] reqwest::Error),
    /// The answer broke off.
    #[error("the answer broke off")]
    Body(#[source] reqwest::Error),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// The answer took longer than one attempt may.
    #[error("no complete answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The answer's status is not one of success.
    #[error("the answer was {status}{}", excerpt(.body))]
    Status {
        /// The status.
        status: StatusCode,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
        /// The start of the answer's body.
        body: String,
    },
}

fn excerpt(body: &str) -> String {
    let line: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.is_empty() {
        true => String::new(),
        false => format!(" ({})", line.chars().take(200).collect::<String>()),
    }
}

impl Retryable for HttpError {
    fn verdict(&self) -> Verdict {
        match self {
            HttpError::Build(_) | HttpError::Tls(_) | HttpError::TooLarge { .. } => {
                Verdict::Permanent
            }
            HttpError::Send(error) if error.is_builder() => Verdict::Permanent,
            HttpError::Send(_) | HttpError::Body(_) | HttpError::Timeout(_) => Verdict::Transient,
            HttpError::Status { status, retry_after, .. } => match status.as_u16() {
                408 | 425 | 429 | 500..=599 => {
                    retry_after.map_or(Verdict::Transient, Verdict::After)
                }
                _ => Verdict::Permanent,
            },
        }
    }
}

/// A client over the one stack. Clones share its connections.
pub fn client() -> Result<Client, HttpError> {
    build(dns::system(), tls::client())
}

/// A client over a stack with certificates of its own.
pub fn own_client(own: &Own) -> Result<Client, HttpError> {
    build(dns::system(), own.config())
}

/// A client over the one stack that reaches no name whose addresses are this
/// host itself or on its link. Addresses that a URL spells are never looked up:
/// see `targets::spelled`.
pub fn outward_client() -> Result<Client, HttpError> {
    build(Outward(dns::system()), tls::client())
}

fn build(
    resolver: impl Resolve + 'static,
    tls: Result<ClientConfig, TlsError>,
) -> Result<Client, HttpError> {
    Client::builder()
        .tls_backend_preconfigured(tls.map_err(HttpError::Tls)?)
        .dns_resolver(resolver)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MOST_IDLE)
        .user_agent(concat!("gild/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(HttpError::Build)
}

/// What is said of a text that is no [`plain_url`].
pub const MUST_BE_PLAIN: &str =
    "must be a URL that begins with http:// or https://, without user or password";

/// The HTTP or HTTPS URL that a text spells. It holds no user and no password:
/// URLs are shown in messages, in the log and on the socket.
pub fn plain_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}

/// Reads a body of at most `limit` bytes.
pub async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(HttpError::TooLarge { limit });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::Body)? {
        if bytes.len() + chunk.len() > limit {
            return Err(HttpError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How long the body of an answer without success is waited for. The status alone says what
/// to do, and must not be lost because of it.
const EXCERPT_PATIENCE: Duration = Duration::from_secs(1);

/// An answer without success as an error, with the start of its body.
pub async fn refused(response: Response) -> HttpError {
    refused_as(response, |body| String::from_utf8_lossy(body).into_owned()).await
}

/// As `refused`, where the body says what it says in a form that `text` reads.
pub async fn refused_as(response: Response, text_of: fn(&[u8]) -> String) -> HttpError {
    const EXCERPT_BYTES: usize = 2048;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut text = Vec::new();
    let mut response = response;
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = EXCERPT_BYTES - text.len();
            text.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if text.len() >= EXCERPT_BYTES {
                break;
            }
        }
    };
    // What has come by then is enough.
    let _ = tokio::time::timeout(EXCERPT_PATIENCE, reading).await;
    HttpError::Status { status, retry_after, body: text_of(&text) }
}

/// The `Retry-After` header in its form of whole seconds (RFC 9110, 10.2.3), at
/// most `LONGEST_WISH`. The form with a date is not read: it needs a clock that
/// is right.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit are a number larger than any that does.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds).min(LONGEST_WISH))
}

/// Whether a request failed because the server broke the connection off with an alert of
/// TLS, as it does when it does not take a client's certificate.
pub fn is_alert(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if matches!(inner, Some(rustls::Error::AlertReceived(_))) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Bounds one attempt in time.
pub async fn within<T>(
    limit: Duration,
    attempt: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    tokio::time::timeout(limit, attempt).await.unwrap_or(Err(HttpError::Timeout(limit)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wish_is_whole_seconds_and_has_an_end() {
        let wish = |text: &str| {
            let headers = [(RETRY_AFTER, text.parse().unwrap())];
            retry_after(&headers.into_iter().collect())
        };
        assert_eq!(wish(" 7 "), Some(Duration::from_secs(7)));
        for endless in ["301", "18446744073709551615", "99999999999999999999999"] {
            assert_eq!(wish(endless), Some(LONGEST_WISH), "{endless}");
        }
        for other in ["", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(wish(other), None, "{other}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_plain_url_is_one_of_the_web_without_user_or_password() {
        for text in ["http://127.0.0.1:8080/health", "https://mimir.example/api/v1/push"] {
            assert_eq!(plain_url(text).map(String::from).as_deref(), Some(text));
        }
        for text in
            ["", "x/push", "/health", "ftp://x/", "https://me:hush@x/", "https://me@x/", "http://"]
        {
            assert!(plain_url(text).is_none(), "{text}");
        }
    }
}
