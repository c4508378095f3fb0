//! JSON, strictly by `serde_json`. A JSON text is a YAML text too, so where the
//! YAML reader agrees about the values, its lines are used.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Format, Parsed, yaml};
use crate::config::document::DocumentError;

pub(super) fn parse(text: &str) -> Result<Parsed, DocumentError> {
    let value: Value = serde_json::from_str(text).map_err(|error| DocumentError::Syntax {
        format: Format::Json,
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
        reason: error.to_string(),
    })?;
    let Value::Object(root) = value else { return Err(DocumentError::NotATable) };
    let lines = match yaml::parse(text) {
        Ok((same, lines)) if same == root => lines,
        _ => BTreeMap::new(),
    };
    Ok((root, lines))
}
