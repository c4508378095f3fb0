//! The place of a value in a document: a dotted path of keys, written as TOML
//! writes it, so that a key which itself holds a dot is told apart.

use std::fmt::{self, Write};
use std::str::Chars;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path of keys, outermost first. The empty path is the whole document.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads what `Display` writes: keys with dots between them. A key in double
    /// quotes may hold anything, with the escapes of TOML. The empty text is the
    /// whole document. `None` where a bare key is empty or a quote is left open.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, after) = match rest.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            if segment.is_empty() && !rest.starts_with('"') {
                return None;
            }
            segments.push(segment);
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Some(Self(segments)),
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

    /// The length of all keys together, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &KeyPath) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// Writes a key in double quotes. What a terminal would not show as it is, is
/// escaped.
fn quote(segment: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_char('"')?;
    for character in segment.chars() {
        match character {
            '"' | '\\' => write!(formatter, "\\{character}")?,
            '\'' => formatter.write_char(character)?,
            shown if shown.escape_debug().len() == 1 => formatter.write_char(shown)?,
            other => match u32::from(other) {
                code @ 0..=0xffff => write!(formatter, "\\u{code:04x}")?,
                code => write!(formatter, "\\U{code:08x}")?,
            },
        }
    }
    formatter.write_char('"')
}

/// Reads a key up to its closing quote; gives the key and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut segment = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((segment, rest.as_str())),
            '\\' => segment.push(match rest.next()? {
                same @ ('"' | '\\') => same,
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                'u' => code(&mut rest, 4)?,
                'U' => code(&mut rest, 8)?,
                _ => return None,
            }),
            other => segment.push(other),
        }
    }
}

/// The character that the next `digits` hexadecimal digits name.
fn code(rest: &mut Chars<'_>, digits: u32) -> Option<char> {
    let code = (0..digits).try_fold(0, |code, _| Some(code << 4 | rest.next()?.to_digit(16)?));
    char::from_u32(code?)
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
                quote(segment, formatter)?;
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
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(segments: &[&str]) -> KeyPath {
        segments.iter().copied().collect()
    }

    #[test]
    fn a_path_is_written_as_toml_writes_it() {
        for (segments, text) in [
            (&["a", "b-c", "d:e"] as &[&str], "a.b-c.d:e"),
            (&[], ""),
            (&["", "a"], "\"\".a"),
            (&["a.b", "it's"], "\"a.b\".\"it's\""),
            (&["a\"b\\"], r#""a\"b\\""#),
            (&["\n\u{7}\u{2028}\u{e0001}é"], r#""\u000a\u0007\u2028\U000e0001é""#),
        ] {
            assert_eq!(path(segments).to_string(), text);
            assert_eq!(KeyPath::parse(text), Some(path(segments)));
        }
        assert_eq!(KeyPath::parse(r#""\t\u00e9".b"#), Some(path(&["\té", "b"])));
    }

    #[test]
    fn what_is_not_a_path_is_told() {
        for text in [".", "a.", ".a", "a..b", "\"a", "\"a\"b", r#""\x""#, r#""\ud800""#, "\"\\"] {
            assert_eq!(KeyPath::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            segments in prop::collection::vec(
                prop_oneof![any::<String>(), "[a.\"\\\\\n']{0,4}"],
                0..4,
            )
        ) {
            let path: KeyPath = segments.into_iter().collect();
            prop_assert_eq!(KeyPath::parse(&path.to_string()), Some(path.clone()));
            let json = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<KeyPath>(&json).unwrap(), path);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}|[a.\"\\\\uU0]{0,20}") {
            let _ = KeyPath::parse(&text);
        }
    }
}
