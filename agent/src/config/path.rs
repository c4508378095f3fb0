//! The place of a value in a document: a dotted path of keys, written as TOML
//! writes it, so that a key which itself holds a dot is told apart.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path of keys, outermost first. The empty path is the whole document.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a dotted path; a segment in double quotes may hold dots.
    /// `None` where a segment is empty or a quote is left open.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let segment;
            if let Some(quoted) = rest.strip_prefix('"') {
                let end = quoted.find('"')?;
                segment = &quoted[..end];
                rest = &quoted[end + 1..];
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                segment = &rest[..end];
                rest = &rest[end..];
            }
            if segment.is_empty() {
                return None;
            }
            segments.push(segment.to_owned());
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Some(Self(segments)),
                None => return None,
            }
        }
    }

    /// The path of `key` below this one.
    pub fn child(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(key.to_owned());
        Self(segments)
    }

    /// The keys, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &KeyPath) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl<S: Into<String>> FromIterator<S> for KeyPath {
    fn from_iter<I: IntoIterator<Item = S>>(segments: I) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(".")?;
            }
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == ':';
            if !segment.is_empty() && segment.chars().all(bare) {
                formatter.write_str(segment)?;
            } else {
                write!(formatter, "{segment:?}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for KeyPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a key path"))
    }
}
