//! A GET whose status must be one of those expected. The client follows no
//! redirects: where a service sends its users elsewhere, it is not well.

use reqwest::{Client, Url};

use super::ProbeError;
use crate::health::target::Expect;
use crate::platform::http::{HttpError, body};

/// A body up to this size is read, so that its connection can be used again.
const BODY_BYTES: usize = 4096;

pub(super) async fn probe(client: &Client, url: &Url, expect: &Expect) -> Result<(), ProbeError> {
    let answer = client.get(url.clone()).send().await.map_err(|error| ProbeError::Http {
        url: url.to_string(),
        source: HttpError::Send(error.without_url()),
    })?;
    let status = answer.status().as_u16();
    if !expect.holds(status) {
        return Err(ProbeError::Status { url: url.to_string(), status, expect: expect.clone() });
    }
    // The status is the answer. Larger bodies cost their connection only.
    if answer.content_length().is_some_and(|length| length <= BODY_BYTES as u64) {
        let _ = body(answer, BODY_BYTES).await;
    }
    Ok(())
}
