//! `https://…` and `http://…`: a conditional GET, no redirects, and nothing on this
//! host or its link unless that is allowed.

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use reqwest::{Client, Url};

use std::error::Error;

use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::platform::http::{HttpError, body, refused};
use crate::platform::target::{self, LocalTarget};

/// The header that names the account which a bucket must belong to; S3 answers 403
/// where it belongs to another (S3 User Guide, "Verifying bucket ownership").
const EXPECTED_OWNER: &str = "x-amz-expected-bucket-owner";

/// How web servers are asked.
#[derive(Debug, Clone, Copy)]
pub struct Web<'a> {
    /// For every host.
    pub any: &'a Client,
    /// For every host but this one and those on its link.
    pub remote: &'a Client,
    /// Whether sources may be on this host or its link.
    pub local_targets: bool,
}

impl Web<'_> {
    /// The client for a URL, if it may be asked.
    pub(crate) fn client(&self, url: &str) -> Result<&Client, SourceError> {
        if self.local_targets {
            return Ok(self.any);
        }
        // What is no URL is refused where the request is made.
        if let Ok(url) = Url::parse(url) {
            target::check(&url).map_err(SourceError::LocalTarget)?;
        }
        Ok(self.remote)
    }
}

/// Asks for the document at `url`, unless it is the one that `etag` names.
pub async fn fetch(
    web: &Web<'_>,
    url: &str,
    owner: Option<&str>,
    etag: Option<&str>,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let mut request = web.client(url)?.get(url);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(owner) = owner {
        request = request.header(EXPECTED_OWNER, owner);
    }
    let response = request.send().await.map_err(|error| match local(&error) {
        Some(local) => SourceError::LocalTarget(local),
        None => HttpError::Send(error).into(),
    })?;
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let status = response.status().as_u16();
    match status {
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
        300..=399 => Err(SourceError::Redirect { status }),
        _ => {
            let refused = SourceError::from(refused(response).await);
            Err(match owner {
                Some(owner) if status == 403 => SourceError::of_owner(owner, refused),
                _ => refused,
            })
        }
    }
}

/// The local address that a request was not sent to.
pub(crate) fn local(error: &(dyn Error + 'static)) -> Option<LocalTarget> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(local) = error.downcast_ref::<LocalTarget>() {
            return Some(local.clone());
        }
        next = error.source();
    }
    None
}

/// An entity tag as people read it.
pub(super) fn version(etag: &str) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}
