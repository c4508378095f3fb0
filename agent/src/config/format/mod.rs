//! The formats that a document may come in. All of them end as the same table
//! of values with lines, so nothing after this knows which one it was.
//!
//! To add a format: one file with a `parse`, one variant, one arm.

mod json;
mod toml;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::document::DocumentError;
use super::path::KeyPath;

/// A table of values and the line of each.
pub(crate) type Parsed = (Map<String, Value>, BTreeMap<KeyPath, u32>);

/// A format of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.0.
    Toml,
    /// YAML 1.2 with the core schema.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file name or URL ends in.
    pub fn from_name(name: &str) -> Option<Self> {
        let path = name.split(['?', '#']).next().unwrap_or(name);
        let (_, suffix) = path.rsplit_once('.')?;
        Self::from_label(suffix)
    }

    /// The format that a `format =` key names.
    pub fn from_label(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "toml" => Some(Format::Toml),
            "yaml" | "yml" => Some(Format::Yaml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// The format that an HTTP content type names.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        let (_, subtype) = media.split_once('/')?;
        Self::from_label(subtype.trim_start_matches("x-").trim_start_matches("vnd."))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Format::Toml => "TOML",
            Format::Yaml => "YAML",
            Format::Json => "JSON",
        })
    }
}

/// Reads text in the given format.
pub(crate) fn parse(text: &str, format: Format) -> Result<Parsed, DocumentError> {
    match format {
        Format::Toml => toml::parse(text),
        Format::Yaml => yaml::parse(text),
        Format::Json => json::parse(text),
    }
}
