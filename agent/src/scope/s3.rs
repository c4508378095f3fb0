//! `s3://bucket/key`: a signed GET, conditional on the entity tag.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

use super::aws::LazyAws;
use super::error::SourceError;
use super::http::version;
use super::text::{Found, Kind, Text, format_of};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::platform::aws::AwsError;

/// Asks for the object, unless it is the one that `etag` names. The bucket must be
/// `owner`'s: bucket names are the whole world's, and whoever takes one that a
/// fleet asks for would be its configuration.
pub async fn fetch(
    aws: &LazyAws,
    bucket: &str,
    key: &str,
    etag: Option<&str>,
    owner: Option<&str>,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let config = Builder::from(&aws.get().await?.config).force_path_style(has_own_endpoint());
    let client = Client::from_conf(config.build());
    let request = client.get_object().bucket(bucket).key(key);
    let request = request.set_if_none_match(etag.map(str::to_owned));
    let request = request.set_expected_bucket_owner(owner.map(str::to_owned));
    let object = match request.send().await.map_err(AwsError::from) {
        Ok(object) => object,
        Err(error) if error.status() == Some(304) && etag.is_some() => return Ok(Found::Unchanged),
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(Found::Absent),
        Err(source) => {
            return Err(SourceError::Aws { operation: "GetObject", source }.of_owner(owner));
        }
    };
    let too_large = || SourceError::TooLarge { limit: MAX_BYTES };
    if object.content_length().is_some_and(|length| length > MAX_BYTES as i64) {
        return Err(too_large());
    }
    let etag = object.e_tag().map(str::to_owned);
    let content_type = object.content_type().map(str::to_owned);
    let mut stream = object.body;
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| SourceError::Body(error.into()))?;
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Found::Texts(vec![Text {
        name: format!("s3://{bucket}/{key}"),
        version: etag.as_deref().map(version),
        etag,
        kind: Kind::Document(format_of(format, key, content_type.as_deref(), &body)),
        body,
    }]))
}

/// Whether the environment names an endpoint. Stores that speak S3's language
/// at an address of their own have no host name for each bucket.
pub(crate) fn has_own_endpoint() -> bool {
    ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().any(|name| std::env::var_os(name).is_some())
}
