//! The text of a source, read once: what kind it is, and what is asked for.
//!
//! To add a kind: one file beside this one with its `fetch`, one variant, one
//! arm in `parse`, `with` and `fetch::ask`.

use std::fmt;

use super::placeholder::{Place, PlaceholderError};
use crate::config::types::AccountId;

/// A source of configuration. Its texts may hold placeholders until they are
/// filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `file:PATH`: a document, or a directory of them.
    File(String),
    /// `https://…` or `http://…`: a document on a web server.
    Http(String),
    /// `s3://bucket/key`: an object, read with the instance's credentials.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// `ssm:/name`: a parameter that holds a document.
    Parameter(String),
    /// `ssm:/path/`: a subtree of parameters, each one leaf.
    Parameters(String),
    /// `tags:PREFIX`: the instance's tags.
    Tags(String),
}

/// A text that is not a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a source: {reason}")]
pub struct NotASource {
    /// The text.
    pub text: String,
    /// What would be right.
    pub reason: String,
}

const KINDS: &str = "it must be file:PATH, https://…, http://…, s3://bucket/key, ssm:NAME, \
     ssm:/path/ or tags:PREFIX";

impl Source {
    /// Reads the text of a source.
    pub fn parse(text: &str) -> Result<Self, NotASource> {
        let not = |reason: &str| NotASource { text: text.to_owned(), reason: reason.to_owned() };
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) && !text.starts_with("file:") {
            return Err(not("it must not hold white space"));
        }
        let Some((scheme, rest)) = text.split_once(':') else { return Err(not(KINDS)) };
        match scheme {
            "file" if rest.starts_with('/') && !rest.starts_with("//") => {
                Ok(Source::File(rest.to_owned()))
            }
            "file" => Err(not("the path must be absolute, as in file:/etc/service.toml")),
            "http" | "https" => {
                match rest.strip_prefix("//").and_then(|rest| rest.split('/').next()) {
                    Some(host) if is_host(host) => Ok(Source::Http(text.to_owned())),
                    _ => Err(not("it must name a host, as in https://host/path")),
                }
            }
            "s3" => match rest.strip_prefix("//").and_then(|rest| rest.split_once('/')) {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                    Ok(Source::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
                }
                _ => Err(not("it must name a bucket and a key, as in s3://bucket/key")),
            },
            "ssm" if rest.is_empty() || rest.starts_with("//") => {
                Err(not("it must name a parameter or a path, as in ssm:/name or ssm:/path/"))
            }
            "ssm" if !rest.ends_with('/') => Ok(Source::Parameter(rest.to_owned())),
            "ssm" if rest.starts_with('/') => Ok(Source::Parameters(rest.to_owned())),
            "ssm" => Err(not("a path of parameters must begin with '/', as in ssm:/path/")),
            "tags" if rest.is_empty() => Err(not("it must name a prefix, as in tags:gild:")),
            "tags" => Ok(Source::Tags(rest.to_owned())),
            _ => Err(not(KINDS)),
        }
    }

    /// The account that the source's bucket must belong to: the one that is `said`, or
    /// `own` where the bucket's name holds `{account}`. Bucket names are the whole
    /// world's, and one that is named after an account should be that account's.
    pub fn owner(&self, said: Option<&AccountId>, own: Option<&str>) -> Option<String> {
        let named = matches!(self, Source::S3 { bucket, .. } if bucket.contains("{account}"));
        let said = said.map(|owner| owner.0.as_str());
        said.or(own.filter(|_| named)).map(str::to_owned)
    }

    /// The source with its placeholders filled by `fill`, which is told where
    /// a value would stand.
    pub fn with(
        &self,
        fill: impl Fn(&str, Place) -> Result<String, PlaceholderError>,
    ) -> Result<Self, PlaceholderError> {
        Ok(match self {
            Source::File(path) => Source::File(fill(path, Place::Path)?),
            Source::Http(url) => {
                let after_scheme = url.find("//").map_or(0, |at| at + 2);
                let host_end =
                    url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
                let host = fill(&url[..host_end], Place::Host)?;
                Source::Http(host + &fill(&url[host_end..], Place::Url)?)
            }
            Source::S3 { bucket, key } => {
                Source::S3 { bucket: fill(bucket, Place::Host)?, key: fill(key, Place::Path)? }
            }
            Source::Parameter(name) => Source::Parameter(fill(name, Place::Path)?),
            Source::Parameters(path) => Source::Parameters(fill(path, Place::Path)?),
            Source::Tags(prefix) => Source::Tags(prefix.clone()),
        })
    }
}

/// Whether a text can stand for a host and a port; a user or a password cannot
/// stand in a source, which is shown in every report.
fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.contains(['@', '?', '#'])
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(formatter, "file:{path}"),
            Source::Http(url) => formatter.write_str(url),
            Source::S3 { bucket, key } => write!(formatter, "s3://{bucket}/{key}"),
            Source::Parameter(name) | Source::Parameters(name) => write!(formatter, "ssm:{name}"),
            Source::Tags(prefix) => write!(formatter, "tags:{prefix}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_is_read_and_shown_as_it_was_written() {
        for text in [
            "file:/etc/a b.toml",
            "https://bucket.s3.{region}.amazonaws.com/gild/global.toml",
            "http://127.0.0.1:8080/x",
            "s3://internal-{account}/gild/account.toml",
            "ssm:/gild/account",
            "ssm:UserDataYAMLConfig",
            "ssm:/gild/tree/",
            "tags:gild:",
        ] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (text, right) in [
            ("/etc/x.toml", "file:PATH"),
            ("file:x.toml", "file:/etc/service.toml"),
            ("https:///x", "https://host/path"),
            ("https://user:pw@host/x", "https://host/path"),
            ("s3://bucket", "s3://bucket/key"),
            ("ssm:", "ssm:/name"),
            ("ssm:tree/", "ssm:/path/"),
            ("tags:", "tags:gild:"),
            ("ftp://host/x", "file:PATH"),
            ("ssm:/a b", "white space"),
        ] {
            let error = Source::parse(text).unwrap_err().to_string();
            assert!(error.contains(right), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_read_or_refused(text in ".{0,60}") {
            if let Ok(source) = Source::parse(&text) {
                prop_assert_eq!(Source::parse(&source.to_string()), Ok(source));
            }
        }
    }
}
