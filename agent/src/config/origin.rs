//! Where a value came from: layer, source, version and line. Every leaf of the
//! merged configuration carries one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The layers of configuration, lowest first. Their order here is their
/// precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerName {
    /// Defaults in the code.
    Builtin,
    /// Documents baked into the image.
    Image,
    /// What all accounts share.
    Global,
    /// What one account shares.
    Account,
    /// What one service (an autoscaling group) is told.
    Service,
    /// The operator's last word on one host.
    Local,
}

impl LayerName {
    /// Every layer, lowest first.
    pub const ALL: [LayerName; 6] = [
        LayerName::Builtin,
        LayerName::Image,
        LayerName::Global,
        LayerName::Account,
        LayerName::Service,
        LayerName::Local,
    ];

    /// Whether other people than the host's own write this layer.
    pub fn is_remote(self) -> bool {
        matches!(self, LayerName::Global | LayerName::Account | LayerName::Service)
    }

    /// The name as documents and people write it.
    pub fn label(self) -> &'static str {
        match self {
            LayerName::Builtin => "builtin",
            LayerName::Image => "image",
            LayerName::Global => "global",
            LayerName::Account => "account",
            LayerName::Service => "service",
            LayerName::Local => "local",
        }
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.label())
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The layer.
    pub layer: LayerName,
    /// The document: a path, a URL, a parameter, a tag.
    pub source: Arc<str>,
    /// The document's version where it has one: an ETag, a parameter version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Arc<str>>,
    /// The line, counted from 1, where the format has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether the document is the last valid copy rather than a fresh one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last_good: bool,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.layer, self.source)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(version) = &self.version {
            write!(formatter, " ({version})")?;
        }
        if self.last_good {
            write!(formatter, " [last good copy]")?;
        }
        Ok(())
    }
}
