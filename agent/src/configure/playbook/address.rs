//! What `configuration.playbook` names: a directory, a prefix of a bucket, or one
//! archive.
//!
//! It names what root runs, so nothing in it comes from a tag: `{account}`,
//! `{region}` and `{az}` are filled in and no other placeholder is.

use std::fmt;

use super::packing::Packing;
use crate::identity::Identity;
use crate::scope::placeholder::{PlaceholderError, Values};
use crate::scope::source::{NotASource, Source};

/// The placeholders that nobody but AWS gives a value.
const FILLED: [&str; 3] = ["account", "region", "az"];

/// A text that names no playbook.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// A placeholder that others could choose the value of.
    #[error(
        "{{{name}}} must not stand in what root runs; there are {{account}}, {{region}} and {{az}}"
    )]
    Placeholder {
        /// Its name.
        name: String,
    },
    /// A placeholder cannot be filled.
    #[error("failed to fill a placeholder")]
    Fill(#[from] PlaceholderError),
    /// It is no URL.
    #[error("failed to read the address")]
    NotASource(#[from] NotASource),
    /// It is neither a prefix nor an archive.
    #[error(
        "'{0}' must be a directory, 's3://bucket/prefix/' with a '/' at its end, or an archive \
         's3://…' or 'https://…' that ends in .tar.gz or .tar.zst"
    )]
    Kind(String),
}

/// Where a playbook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// In a directory of this host.
    Directory(String),
    /// In many objects below a prefix.
    Prefix {
        /// The bucket.
        bucket: String,
        /// The prefix, with a `/` at its end.
        prefix: String,
    },
    /// In one archive.
    Archive(Source, Packing),
}

impl Address {
    /// Reads what the setting says. Placeholders stay as they are.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if !text.contains("://") {
            return Ok(Self::Directory(text.to_owned()));
        }
        refuse_others(text)?;
        match (Source::parse(text)?, Packing::of(text)) {
            (Source::S3 { bucket, key }, None) if key.ends_with('/') => {
                Ok(Self::Prefix { bucket, prefix: key })
            }
            (source @ (Source::S3 { .. } | Source::Http(_)), Some(packing)) => {
                Ok(Self::Archive(source, packing))
            }
            _ => Err(AddressError::Kind(text.to_owned())),
        }
    }

    /// What is asked for it; `None` for a directory.
    pub(super) fn source(&self) -> Option<Source> {
        match self {
            Self::Directory(_) => None,
            Self::Prefix { bucket, prefix } => {
                Some(Source::S3 { bucket: bucket.clone(), key: prefix.clone() })
            }
            Self::Archive(source, _) => Some(source.clone()),
        }
    }

    /// The same, its placeholders filled.
    pub fn filled(&self, identity: &Identity) -> Result<Self, AddressError> {
        let Some(source) = self.source() else { return Ok(self.clone()) };
        Ok(match (self, filled(&source, identity)?) {
            (Self::Prefix { .. }, Source::S3 { bucket, key }) => {
                Self::Prefix { bucket, prefix: key }
            }
            (Self::Archive(_, packing), source) => Self::Archive(source, *packing),
            _ => self.clone(),
        })
    }
}

/// Where the signature is: a URL, or the path of a file on this host.
pub(super) fn signature(text: &str, identity: &Identity) -> Result<Source, AddressError> {
    if text.starts_with('/') {
        return Ok(Source::File(text.to_owned()));
    }
    refuse_others(text)?;
    match Source::parse(text)? {
        source @ (Source::S3 { .. } | Source::Http(_)) => filled(&source, identity),
        _ => Err(AddressError::Kind(text.to_owned())),
    }
}

fn filled(source: &Source, identity: &Identity) -> Result<Source, AddressError> {
    let values = Values { identity, environment: None };
    Ok(source.with(|text, place| values.fill(text, place))?)
}

/// Refuses every placeholder that is not among those that are filled.
fn refuse_others(text: &str) -> Result<(), AddressError> {
    for name in text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)) {
        if !FILLED.contains(&name) {
            return Err(AddressError::Placeholder { name: name.to_owned() });
        }
    }
    Ok(())
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => formatter.write_str(path),
            Self::Prefix { bucket, prefix } => write!(formatter, "s3://{bucket}/{prefix}"),
            Self::Archive(source, _) => source.fmt(formatter),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::platform::paths::Paths;

    #[test]
    fn every_kind_is_read_and_shown_as_it_was_written() {
        for text in [
            "/deployment/playbook",
            "playbook",
            "s3://bucket-{account}/playbooks/web/1.2/",
            "s3://bucket/web-1.2.tar.gz",
            "https://host/web.tar.zst",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for other in ["s3://bucket/web", "https://host/web/", "ftp://h/x.tar.gz", "s3://b/x.zip"] {
            assert!(Address::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn no_tag_names_what_root_runs() {
        for name in ["tag:playbook_name", "instance_id", "asg", "environment", "vars.x", "", "tag:"]
        {
            for text in [format!("s3://b/{{{name}}}/"), format!("https://{{{name}}}/x.tar.gz")] {
                let error = Address::parse(&text).unwrap_err();
                assert!(matches!(error, AddressError::Placeholder { .. }), "{text}: {error}");
            }
        }
    }

    #[test]
    fn what_aws_says_of_the_instance_is_filled_in() {
        let mut identity =
            crate::identity::host::identity(&Paths::installed(Path::new("/nowhere")));
        identity.account = Some("123456789012".to_owned());
        identity.region = None;
        let address = Address::parse("s3://b-{account}/p/").unwrap().filled(&identity).unwrap();
        assert_eq!(address.to_string(), "s3://b-123456789012/p/");
        let missing = Address::parse("s3://b-{region}/x.tar.gz").unwrap().filled(&identity);
        assert!(matches!(missing, Err(AddressError::Fill(_))));
    }
}
