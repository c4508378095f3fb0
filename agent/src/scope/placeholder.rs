//! What a source says about the instance that reads it: `{account}`,
//! `{region}`, `{tag:KEY}` and their like.
//!
//! A value is never part of the structure of an address: it fills one segment
//! and cannot leave it, because many people may tag an instance.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::identity::Identity;

/// The placeholders that can be filled, for messages.
const KNOWN: &str = "{account}, {region}, {az}, {instance_id}, {asg}, {environment} and {tag:KEY}";

/// What RFC 3986 calls unreserved may stand in a URL as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A placeholder that cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// There is no such placeholder.
    #[error("there is no placeholder {{{name}}}; there are {KNOWN}")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A brace is not closed.
    #[error("a '{{' is not closed; a placeholder is written as in {{account}}")]
    Open,
    /// The instance has no such value.
    #[error("{{{name}}} has no value here")]
    Missing {
        /// Its name.
        name: String,
    },
    /// Nobody says which environment this is.
    #[error(
        "{{environment}} has no value here: the image, local, global and account layers set \
         neither vars.environment_id nor vars.environment to a text (tags are not asked)"
    )]
    NoEnvironment,
    /// The value may not stand where the placeholder stands.
    #[error("the value of {{{name}}} cannot be one part of an address: {reason}")]
    Unfit {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

/// Where in a source a value would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a host or a bucket: letters, digits, `-` and `.` only.
    Host,
    /// In a URL after its host: percent-encoded.
    Url,
    /// In a file path, an object's key or a parameter's name: as it is.
    Path,
}

/// The values of one instance.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// `vars.environment_id` or `vars.environment`, as the image and local
    /// layers say, or else the global and account layers.
    pub environment: Option<&'a str>,
}

impl Values<'_> {
    /// Fills every placeholder in a text.
    pub fn fill(&self, text: &str, place: Place) -> Result<String, PlaceholderError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(PlaceholderError::Open)?;
            filled.push_str(before);
            filled.push_str(&self.value(name, place)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str, place: Place) -> Result<String, PlaceholderError> {
        let identity = self.identity;
        let tags: &BTreeMap<String, String> = &identity.tags;
        let value = match name {
            "account" => identity.account.as_deref(),
            "region" => identity.region.as_deref(),
            "az" => identity.availability_zone.as_deref(),
            "instance_id" => Some(identity.instance_id.as_str()),
            "asg" => identity.autoscaling_group.as_deref(),
            "environment" => Some(self.environment.ok_or(PlaceholderError::NoEnvironment)?),
            other => match other.strip_prefix("tag:").filter(|key| !key.is_empty()) {
                Some(key) => tags.get(key).map(String::as_str),
                None => return Err(PlaceholderError::Unknown { name: name.to_owned() }),
            },
        };
        let value = value.ok_or_else(|| PlaceholderError::Missing { name: name.to_owned() })?;
        fit(value, place)
            .map_err(|reason| PlaceholderError::Unfit { name: name.to_owned(), reason })
    }
}

fn fit(value: &str, place: Place) -> Result<String, &'static str> {
    if value.is_empty() {
        return Err("it is empty");
    }
    if value == "." || value == ".." {
        return Err("it is a step in a path");
    }
    if value.contains(['/', '\\']) {
        return Err("it holds a separator");
    }
    if value.chars().any(char::is_control) {
        return Err("it holds control characters");
    }
    let for_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    match place {
        Place::Host if !value.chars().all(for_host) => {
            Err("in a host there may be letters, digits, '-' and '.' only")
        }
        Place::Host if value.starts_with('.') || value.ends_with('.') || value.contains("..") => {
            Err("a part of a host must not be empty")
        }
        Place::Url => Ok(utf8_percent_encode(value, SEGMENT).to_string()),
        Place::Host | Place::Path => Ok(value.to_owned()),
    }
}

/// Whether a text's placeholders need the environment.
pub fn needs_environment(text: &str) -> bool {
    text.contains("{environment}")
}

/// The tags that a text's placeholders need.
pub fn tags_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')?.0.strip_prefix("tag:"))
}

/// Whether a text's placeholders need the tags, or what is asked for with them.
pub fn names_tags(text: &str) -> bool {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .any(|(name, _)| is_of_tags(name))
}

/// Whether a placeholder's value comes with the tags.
pub(super) fn is_of_tags(name: &str) -> bool {
    name == "asg" || name.starts_with("tag:")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::identity::Provenance;

    fn identity(tag: &str) -> Identity {
        Identity {
            provenance: Provenance::Imds,
            instance_id: "i-1".into(),
            instance_type: None,
            region: Some("eu-west-1".into()),
            availability_zone: None,
            account: Some("123456789012".into()),
            image_id: None,
            private_ip: None,
            public_ip: None,
            hostname: "h".into(),
            autoscaling_group: None,
            tags: BTreeMap::from([("t".to_owned(), tag.to_owned())]),
        }
    }

    fn fill(tag: &str, text: &str, place: Place) -> Result<String, PlaceholderError> {
        Values { identity: &identity(tag), environment: None }.fill(text, place)
    }

    #[test]
    fn values_fill_their_places() {
        let url = fill("a b%?#&ü", "/{account}/{tag:t}.toml", Place::Url).unwrap();
        assert_eq!(url, "/123456789012/a%20b%25%3F%23%26%C3%BC.toml");
        assert_eq!(fill("x", "internal-{region}", Place::Host).unwrap(), "internal-eu-west-1");
    }

    #[test]
    fn what_cannot_be_filled_is_named() {
        let error = |tag, text| fill(tag, text, Place::Host).unwrap_err().to_string();
        assert!(error("x", "{nope}").contains("{nope}"));
        assert!(error("x", "{az}").contains("{az} has no value"));
        assert!(error("x", "{account").contains("not closed"));
        assert!(error("x", "{tag:}").contains("no placeholder"));
        for hostile in ["a/b", "..", "", "a\nb", "evil.example#", "a@b", "a:1", "x.."] {
            assert!(fill(hostile, "{tag:t}", Place::Host).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_value_is_not_filled_again() {
        assert_eq!(fill("{account}", "{tag:t}", Place::Path).unwrap(), "{account}");
    }

    proptest! {
        #[test]
        fn a_value_in_a_url_stays_one_segment(value in "\\PC{1,40}") {
            let Ok(url) = fill(&value, "/a/{tag:t}/b", Place::Url) else { return Ok(()) };
            let segments: Vec<&str> = url.split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert!(!url.contains(['?', '#', ' ', '\\']));
            prop_assert_eq!(percent_decode_str(segments[2]).decode_utf8().unwrap(), value);
        }
    }
}
