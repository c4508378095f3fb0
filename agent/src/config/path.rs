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

    /// Reads a dotted path; a segment in double quotes may hold anything, as
    /// `Display` writes it. `None` where a segment without quotes is empty or a
    /// quote is left open.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (segment, after) = unquoted(quoted)?;
                segments.push(segment);
                rest = after;
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                segments.push(rest[..end].to_owned());
                rest = &rest[end..];
            }
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

    /// How long the keys are together, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &KeyPath) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// Reads what follows a double quote up to the next one, by the escapes of
/// Rust's `Debug`, and gives it with what is left.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut plain = String::new();
    let mut letters = text.chars();
    loop {
        plain.push(match letters.next()? {
            '"' => return Some((plain, letters.as_str())),
            '\\' => match letters.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let (code, after) = letters.as_str().strip_prefix('{')?.split_once('}')?;
                    letters = after.chars();
                    char::from_u32(u32::from_str_radix(code, 16).ok()?)?
                }
                same @ ('"' | '\\') => same,
                _ => return None,
            },
            letter => letter,
        });
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quoted_key_may_hold_anything() {
        let path = KeyPath::from_iter(["", "a.b", "c\"d\\", "\u{1b}\n\u{301}"]);
        assert_eq!(path.to_string(), r#"""."a.b"."c\"d\\"."\u{1b}\n\u{301}""#);
        assert_eq!(KeyPath::parse(&path.to_string()), Some(path));
        for wrong in ["", "a.", ".a", "a..b", "\"a", "\"a\"b", r#""\x""#, r#""\u{d800}""#, r#""\"#]
        {
            assert_eq!(KeyPath::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_path_is_read_as_it_is_written(keys in proptest::collection::vec(any::<String>(), 1..4)) {
            let path = KeyPath::from_iter(keys);
            prop_assert_eq!(KeyPath::parse(&path.to_string()), Some(path));
        }
    }
}
