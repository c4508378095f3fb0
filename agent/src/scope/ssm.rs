//! `ssm:/name`, one parameter that holds a document, and `ssm:/path/`, a
//! subtree in which each parameter is one leaf: the name below the path is the
//! key, `/` for `.`, and the text is read by what the key holds.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};

use super::aws::LazyAws;
use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use crate::config::KeyPath;
use crate::config::Settings;
use crate::config::document::{MAX_BYTES, MAX_KEYS};
use crate::config::format::Format;
use crate::config::schema::{Setting, Shape};
use crate::platform::aws::AwsError;

/// Asks for a parameter that holds a document. A SecureString is decrypted and
/// no copy of it is kept.
pub async fn parameter(
    aws: &LazyAws,
    name: &str,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let client = Client::new(&aws.get().await?.config);
    let request = client.get_parameter().name(name).with_decryption(true);
    let answer = match request.send().await.map_err(AwsError::from) {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ParameterNotFound") => return Ok(Found::Absent),
        Err(source) => return Err(SourceError::Aws { operation: "GetParameter", source }),
    };
    let Some(parameter) = answer.parameter else { return Ok(Found::Absent) };
    let body = parameter.value().unwrap_or_default().as_bytes().to_vec();
    Ok(Found::Texts(vec![Text {
        name: format!("ssm:{name}"),
        version: Some(parameter.version().to_string()),
        etag: None,
        kind: Kind::Document(format_of(format, name, None, &body)),
        body,
        keep: parameter.r#type() != Some(&ParameterType::SecureString),
    }]))
}

/// Asks for a subtree, page by page. `into` is where its keys will stand.
pub async fn subtree(
    aws: &LazyAws,
    path: &str,
    into: Option<&KeyPath>,
) -> Result<Found, SourceError> {
    let client = Client::new(&aws.get().await?.config);
    let shape = Settings::shape();
    let mut texts = Vec::new();
    let mut next = None;
    loop {
        let page = client
            .get_parameters_by_path()
            // The service takes the root with its slash and all else without.
            .path(if path == "/" { path } else { path.trim_end_matches('/') })
            .recursive(true)
            .with_decryption(false)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| SourceError::Aws {
                operation: "GetParametersByPath",
                source: error.into(),
            })?;
        for parameter in page.parameters() {
            texts.extend(leaf(parameter, path, into, &shape)?);
        }
        if texts.len() > MAX_KEYS {
            return Err(SourceError::TooMany { limit: MAX_KEYS });
        }
        if texts.iter().map(|text| text.body.len()).sum::<usize>() > MAX_BYTES {
            return Err(SourceError::TooLarge { limit: MAX_BYTES });
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    // The service's order is its own.
    texts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(if texts.is_empty() { Found::Absent } else { Found::Texts(texts) })
}

fn leaf(
    parameter: &Parameter,
    path: &str,
    into: Option<&KeyPath>,
    shape: &Shape,
) -> Result<Option<Text>, SourceError> {
    let Some(name) = parameter.name() else { return Ok(None) };
    let Some(below) = name.strip_prefix(path) else { return Ok(None) };
    let key: KeyPath = below.split('/').filter(|segment| !segment.is_empty()).collect();
    if key.segments().is_empty() {
        return Ok(None);
    }
    let value = if parameter.r#type() == Some(&ParameterType::SecureString) {
        serde_json::json!({ "ssm": name })
    } else {
        let whole: Vec<String> =
            into.into_iter().flat_map(KeyPath::segments).chain(key.segments()).cloned().collect();
        // A key that nothing reads is a text, and is reported as unknown later.
        let shape = shape.at(&whole).unwrap_or(Shape::Text);
        shape
            .parse_text(parameter.value().unwrap_or_default())
            .map_err(|expected| SourceError::Parameter { name: name.to_owned(), expected })?
    };
    let version = Some(parameter.version().to_string());
    Ok(Some(Text::of_value(format!("ssm:{name}"), version, &key, value)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(name: &str, kind: ParameterType, value: &str) -> Result<Option<Text>, SourceError> {
        let parameter =
            Parameter::builder().name(name).r#type(kind).value(value).version(7).build();
        leaf(&parameter, "/gild/tree/", None, &Settings::shape())
    }

    #[test]
    fn a_parameter_is_a_leaf_typed_by_its_key() {
        let text = read("/gild/tree/sink/cw/max_metrics", ParameterType::String, "12").unwrap();
        let text = text.unwrap();
        assert_eq!(text.body, br#"{"sink":{"cw":{"max_metrics":12}}}"#);
        assert_eq!(text.version.as_deref(), Some("7"));
        let wrong = read("/gild/tree/sink/cw/max_metrics", ParameterType::String, "many");
        assert!(wrong.unwrap_err().to_string().contains("max_metrics"));
    }

    #[test]
    fn a_secure_string_becomes_a_reference() {
        let text = read("/gild/tree/vars/pw", ParameterType::SecureString, "AQICAH").unwrap();
        assert_eq!(text.unwrap().body, br#"{"vars":{"pw":{"ssm":"/gild/tree/vars/pw"}}}"#);
    }
}
