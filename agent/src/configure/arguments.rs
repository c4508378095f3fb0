//! The arguments of a command: one that is exactly `{vars.KEY}` becomes that
//! value, whole, as one argument. No shell ever sees it.

use std::ffi::OsString;

use serde_json::{Map, Value};

use crate::config::path::KeyPath;
use crate::platform::redact::Redactor;

/// An argument that cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// There is no such value.
    #[error("nothing is set for '{0}'")]
    Missing(String),
    /// Everybody on the host can read the arguments of a process.
    #[error("'{0}' holds a secret, which must not be an argument; read it from GILD_VARS")]
    Secret(String),
}

/// The arguments with their values.
pub(super) fn fill(
    arguments: &[String],
    variables: &Map<String, Value>,
    redactor: &Redactor,
) -> Result<Vec<OsString>, ArgumentError> {
    arguments.iter().map(|argument| one(argument, variables, redactor)).collect()
}

fn one(
    argument: &str,
    variables: &Map<String, Value>,
    redactor: &Redactor,
) -> Result<OsString, ArgumentError> {
    let named = argument.strip_prefix("{vars.").and_then(|rest| rest.strip_suffix('}'));
    let path = named.and_then(KeyPath::parse);
    let Some((first, rest)) = path.as_ref().and_then(|path| path.segments().split_first()) else {
        return Ok(argument.into());
    };
    let value =
        rest.iter().try_fold(variables.get(first), |value, key| Some(value?.get(key))).flatten();
    let text = match value {
        None => return Err(ArgumentError::Missing(argument.to_owned())),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if redactor.text(&text) != text {
        return Err(ArgumentError::Secret(argument.to_owned()));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn fill_one(argument: &str) -> Result<OsString, ArgumentError> {
        let redactor = Redactor::default();
        redactor.add("hunter22");
        let Value::Object(variables) = json!({
            "name": "$(id) \"x\"\n{vars.port}", "port": 80, "deep": { "list": [1, "a"] },
            "password": "hunter22"
        }) else {
            unreachable!()
        };
        fill(&[argument.to_owned()], &variables, &redactor).map(|mut filled| filled.remove(0))
    }

    #[test]
    fn a_value_becomes_one_argument_and_is_not_looked_into() {
        assert_eq!(fill_one("{vars.name}").unwrap(), "$(id) \"x\"\n{vars.port}");
        assert_eq!(fill_one("{vars.port}").unwrap(), "80");
        assert_eq!(fill_one("{vars.deep.list}").unwrap(), "[1,\"a\"]");
        for plain in ["--port={vars.port}", "{vars.}", "{port}", "vars.port"] {
            assert_eq!(fill_one(plain).unwrap(), plain);
        }
    }

    #[test]
    fn what_is_missing_or_secret_is_refused() {
        assert!(matches!(fill_one("{vars.nothing}"), Err(ArgumentError::Missing(_))));
        let error = fill_one("{vars.password}").unwrap_err();
        assert!(!error.to_string().contains("hunter22"));
        assert!(matches!(error, ArgumentError::Secret(_)));
    }
}
