//! `https://…` and `http://…`: a conditional GET, no redirects.

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};

use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::platform::http::{HttpError, body, refused};

/// Asks for the document at `url`, unless it is the one that `etag` names.
pub async fn fetch(
    client: &Client,
    url: &str,
    etag: Option<&str>,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let mut request = client.get(url);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let response = request.send().await.map_err(HttpError::Send)?;
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    match response.status().as_u16() {
        200 => {
            let etag = text(response.headers(), ETAG);
            let content_type = text(response.headers(), CONTENT_TYPE);
            let body = body(response, MAX_BYTES).await?;
            Ok(Found::Texts(vec![Text {
                name: url.to_owned(),
                version: etag.as_deref().map(version),
                etag,
                kind: Kind::Document(format_of(format, url, content_type.as_deref(), &body)),
                body,
            }]))
        }
        304 if etag.is_some() => Ok(Found::Unchanged),
        404 | 410 => Ok(Found::Absent),
        status @ 300..=399 => Err(SourceError::Redirect { status }),
        _ => Err(refused(response).await.into()),
    }
}

/// An entity tag as people read it.
pub(super) fn version(etag: &str) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}
