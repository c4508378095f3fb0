//! A JSON body to a URL that is a secret, once.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde_json::Value;

use super::error::SendError;
use crate::platform::http::{self, HttpError, LONGEST_WISH};

/// Discord's own word for when its limit is over, in seconds with decimals.
const RESET_AFTER: &str = "x-ratelimit-reset-after";

/// Posts `body`. Only an answer of success counts; what it says does not.
pub(super) async fn post(
    client: &Client,
    url: Url,
    headers: HeaderMap,
    body: &impl serde::Serialize,
) -> Result<(), SendError> {
    let host = host(&url);
    let text = serde_json::to_vec(body).unwrap_or_default();
    let request =
        client.post(url).headers(headers).header(CONTENT_TYPE, "application/json").body(text);
    let failed = |source| SendError::Post { host: host.clone(), source };
    let answer = request.send().await.map_err(|error| failed(sent(error)))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(failed(refused(answer).await))
}

/// Whom a URL means, without what is secret in it.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// No answer, without the URL that was asked.
pub(super) fn sent(error: reqwest::Error) -> HttpError {
    HttpError::Send(error.without_url())
}

/// The answer as an error. Discord says how long to wait in its body too.
async fn refused(answer: Response) -> HttpError {
    let headers = answer.headers().clone();
    match http::refused(answer).await {
        HttpError::Status { status, body, .. } => {
            let retry_after = wish(&headers, &body);
            HttpError::Status { status, retry_after, body }
        }
        other => other,
    }
}

/// How long the receiver asks to be left alone, at most `LONGEST_WISH`.
///
/// Old versions of Discord's API count the body's `retry_after` and
/// `Retry-After` in milliseconds. The header of the limit itself is always in
/// seconds, so it is believed first; a limit on everything has no such header.
fn wish(headers: &HeaderMap, body: &str) -> Option<Duration> {
    let header = |name| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let own = header(RESET_AFTER).filter(|_| body.get("global") != Some(&Value::Bool(true)));
    let said = own.or_else(|| body.get("retry_after")?.as_f64());
    let seconds = said.or_else(|| header(RETRY_AFTER.as_str()))?;
    let longest = LONGEST_WISH.as_secs_f64();
    // NaN is no wish.
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(longest)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reqwest::header::HeaderName;

    use super::*;

    fn asked(headers: &[(&'static str, &str)], body: &str) -> Option<f64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        wish(&headers.collect(), body).map(|wish| wish.as_secs_f64())
    }

    #[test]
    fn a_wish_is_found_wherever_it_stands() {
        assert_eq!(asked(&[], r#"{"retry_after": 0.75, "global": false}"#), Some(0.75));
        assert_eq!(asked(&[("retry-after", "1.5")], ""), Some(1.5));
        assert_eq!(asked(&[("retry-after", "2")], r#"{"retry_after": 3}"#), Some(3.0));
        // Milliseconds, and the header that says what is meant.
        let headers = [("x-ratelimit-reset-after", "0.5"), ("retry-after", "500")];
        assert_eq!(asked(&headers, r#"{"retry_after": 500}"#), Some(0.5));
        assert_eq!(asked(&headers, r#"{"retry_after": 4.0, "global": true}"#), Some(4.0));
    }

    #[test]
    fn a_wish_has_an_end_and_nonsense_is_none() {
        assert_eq!(asked(&[], r#"{"retry_after": 1e300}"#), Some(300.0));
        assert_eq!(asked(&[("retry-after", "inf")], ""), Some(300.0));
        for body in ["", "[]", "{", r#"{"retry_after": -1}"#, r#"{"retry_after": "x"}"#] {
            assert_eq!(asked(&[("retry-after", "NaN")], body), None, "{body}");
        }
    }
}
