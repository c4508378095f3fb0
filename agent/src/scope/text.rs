//! What a source answers: texts with a name, a version and a format, which
//! nobody has read yet.

use serde_json::Value;

use super::units::Units;
use crate::config::KeyPath;
use crate::config::document::{Document, DocumentError};
use crate::config::format::Format;

/// What a source answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// These texts, each a layer of its own.
    Texts(Vec<Text>),
    /// Single values, each a layer of its own that stands by itself.
    Units(Units),
    /// The copy that the question named is current.
    Unchanged,
    /// There is nothing.
    Absent,
}

/// One text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Its name for people: a path, a URL, a parameter, a tag.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// What makes the next question a conditional one.
    pub etag: Option<String>,
    /// What the text is written in.
    pub kind: Kind,
    /// The text.
    pub body: Vec<u8>,
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A document in this format.
    Document(Format),
    /// JSON that gild made of single values: it has no lines worth showing.
    Values,
}

impl Kind {
    /// The word for files.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Document(Format::Toml) => "toml",
            Kind::Document(Format::Yaml) => "yaml",
            Kind::Document(Format::Json) => "json",
            Kind::Values => "values",
        }
    }

    /// The kind that a word from a file names.
    pub fn from_label(label: &str) -> Option<Self> {
        match label {
            "values" => Some(Kind::Values),
            other => Format::from_label(other).map(Kind::Document),
        }
    }
}

impl Text {
    /// A text that gild makes of one value at `path`.
    pub fn of_value(name: String, version: Option<String>, path: &KeyPath, value: Value) -> Self {
        let whole =
            path.segments().iter().rev().fold(value, |below, key| {
                Value::Object([(key.clone(), below)].into_iter().collect())
            });
        let body = whole.to_string().into_bytes();
        Self { name, version, etag: None, kind: Kind::Values, body }
    }

    /// Reads the text, with its values below `into`.
    pub fn parse(&self, into: Option<&KeyPath>) -> Result<Document, DocumentError> {
        let document = match self.kind {
            Kind::Document(format) => Document::parse(&self.body, format)?,
            Kind::Values => match serde_json::from_slice(&self.body) {
                Ok(Value::Object(root)) => Document::from_values(root)?,
                _ => return Err(DocumentError::NotATable),
            },
        };
        Ok(match into {
            Some(path) => document.below(path),
            None => document,
        })
    }
}

/// The format of a document, by the first of these that tells: what the
/// configuration says, the end of its name, the content type, its first line.
///
/// By the first line that is neither empty nor a comment: `{` begins JSON, `[`
/// a TOML table, `key =` a TOML value, and everything else is YAML.
pub fn format_of(
    said: Option<Format>,
    name: &str,
    content_type: Option<&str>,
    body: &[u8],
) -> Format {
    said.or_else(|| Format::from_name(name))
        .or_else(|| content_type.and_then(Format::from_content_type))
        .unwrap_or_else(|| by_first_line(body))
}

fn by_first_line(body: &[u8]) -> Format {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match first {
        Some(line) if line.starts_with('{') => Format::Json,
        Some(line) if line.starts_with('[') => Format::Toml,
        Some(line) => match line.find(['=', ':']) {
            Some(at) if line[at..].starts_with('=') => Format::Toml,
            _ => Format::Yaml,
        },
        None => Format::Toml,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thing_that_tells_the_format_decides() {
        let sniff = |body: &str| format_of(None, "x", None, body.as_bytes());
        assert_eq!(sniff("\n# c\n{\"a\": 1}"), Format::Json);
        assert_eq!(sniff("# c\n[metrics]\n"), Format::Toml);
        assert_eq!(sniff("vars.a = \"x: y\"\n"), Format::Toml);
        assert_eq!(sniff("topic_name: a=b\n"), Format::Yaml);
        assert_eq!(sniff("---\na: 1\n"), Format::Yaml);
        let named = format_of(None, "https://h/x.yml?v=1", Some("application/json"), b"{}");
        assert_eq!(named, Format::Yaml);
        assert_eq!(format_of(None, "x", Some("application/json"), b"a = 1"), Format::Json);
        assert_eq!(format_of(Some(Format::Toml), "x.json", None, b""), Format::Toml);
    }
}
