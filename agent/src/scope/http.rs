//! `https://…` and `http://…`: a conditional GET, no redirects, and no targets
//! on this host itself or its link unless `scope.local_targets` allows them.

use std::sync::OnceLock;

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use reqwest::{Client, Url};

use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::platform::http::{HttpError, body, outward_client, refused};
use crate::platform::targets;

/// The web servers that documents may come from.
#[derive(Debug)]
pub struct Web {
    any: Client,
    local_targets: bool,
    /// Made when the first document is asked for: many hosts ask for none.
    outward: OnceLock<Client>,
}

impl Web {
    /// All that `client` reaches, without this host itself and its link unless
    /// `local_targets`.
    pub fn new(client: Client, local_targets: bool) -> Self {
        Self { any: client, local_targets, outward: OnceLock::new() }
    }

    /// What may ask for `url`.
    pub(crate) fn client(&self, url: &str) -> Result<&Client, SourceError> {
        if self.local_targets {
            return Ok(&self.any);
        }
        // A text that is no URL is refused when the request is made.
        if let Some(target) = Url::parse(url).ok().as_ref().and_then(targets::spelled) {
            return Err(SourceError::LocalTarget(target));
        }
        match self.outward.get() {
            Some(client) => Ok(client),
            None => {
                let client = outward_client()?;
                Ok(self.outward.get_or_init(|| client))
            }
        }
    }
}

/// The header by which S3 is told whose bucket it must be.
const OWNER: &str = "x-amz-expected-bucket-owner";

/// Asks for the document at `url`, unless it is the one that `etag` names. Where
/// the server is S3, the bucket must be `owner`'s.
pub async fn fetch(
    web: &Web,
    url: &str,
    etag: Option<&str>,
    owner: Option<&str>,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let mut request = web.client(url)?.get(url);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(owner) = owner {
        request = request.header(OWNER, owner);
    }
    let response = request.send().await.map_err(|error| match targets::refused(&error) {
        Some(target) => SourceError::LocalTarget(target.clone()),
        None => HttpError::Send(error).into(),
    })?;
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
        _ => Err(SourceError::from(refused(response).await).of_owner(owner)),
    }
}

/// An entity tag as people read it.
pub(super) fn version(etag: &str) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}
