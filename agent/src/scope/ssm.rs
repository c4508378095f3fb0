//! `ssm:/name`, one parameter that holds a document, and `ssm:/path/`, a
//! subtree in which each parameter is one leaf: the name below the path is the
//! key, `/` for `.`, and the text is read by what the key holds.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};

use super::aws::LazyAws;
use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use super::units::{Gatherer, Units};
use crate::config::KeyPath;
use crate::config::document::{MAX_BYTES, MAX_KEYS};
use crate::config::format::Format;
use crate::platform::aws::AwsError;

/// Asks for a parameter that holds a document.
pub async fn parameter(
    aws: &LazyAws,
    name: &str,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let client = Client::new(&aws.get().await?.config);
    let request = client.get_parameter().name(name).with_decryption(false);
    let answer = match request.send().await.map_err(AwsError::from) {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ParameterNotFound") => return Ok(Found::Absent),
        Err(source) => return Err(SourceError::Aws { operation: "GetParameter", source }),
    };
    document(answer.parameter.as_ref(), name, format)
}

/// The document in a parameter. A SecureString is none: what it says would stand
/// in files, on the socket and in reports, which is no place for secrets. It is
/// not even decrypted.
pub(super) fn document(
    parameter: Option<&Parameter>,
    name: &str,
    format: Option<Format>,
) -> Result<Found, SourceError> {
    let Some(parameter) = parameter else { return Ok(Found::Absent) };
    if parameter.r#type() == Some(&ParameterType::SecureString) {
        return Err(SourceError::SecureDocument { name: name.to_owned() });
    }
    let body = parameter.value().unwrap_or_default().as_bytes().to_vec();
    Ok(Found::Texts(vec![Text {
        name: format!("ssm:{name}"),
        version: Some(parameter.version().to_string()),
        etag: None,
        kind: Kind::Document(format_of(format, name, None, &body)),
        body,
    }]))
}

/// Asks for a subtree, page by page. `into` is where its keys will stand.
pub async fn subtree(
    aws: &LazyAws,
    path: &str,
    into: Option<&KeyPath>,
) -> Result<Found, SourceError> {
    let client = Client::new(&aws.get().await?.config);
    let mut gatherer = Gatherer::new(into);
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
            leaf(parameter, path, &mut gatherer);
        }
        let Units { texts, left_out } = &gatherer.units;
        if texts.len() + left_out.len() > MAX_KEYS {
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
    gatherer.units.texts.sort_by(|a, b| a.name.cmp(&b.name));
    gatherer.units.left_out.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(gatherer.found())
}

fn leaf(parameter: &Parameter, path: &str, gatherer: &mut Gatherer<'_>) {
    let Some(name) = parameter.name() else { return };
    let Some(below) = name.strip_prefix(path) else { return };
    let key: KeyPath = below.split('/').filter(|segment| !segment.is_empty()).collect();
    if key.segments().is_empty() {
        return;
    }
    let version = Some(parameter.version().to_string());
    let shown = format!("ssm:{name}");
    if parameter.r#type() == Some(&ParameterType::SecureString) {
        gatherer.value(&shown, version, &key, serde_json::json!({ "ssm": name }));
    } else {
        gatherer.spelled(&shown, version, &key, parameter.value().unwrap_or_default());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(name: &str, kind: ParameterType, value: &str) -> Gatherer<'static> {
        let parameter =
            Parameter::builder().name(name).r#type(kind).value(value).version(7).build();
        let mut gatherer = Gatherer::new(None);
        leaf(&parameter, "/gild/tree/", &mut gatherer);
        gatherer
    }

    #[test]
    fn a_parameter_is_a_leaf_typed_by_its_key() {
        let read = |value| read("/gild/tree/sink/cw/max_metrics", ParameterType::String, value);
        let texts = read("12").units.texts;
        assert_eq!(texts[0].body, br#"{"sink":{"cw":{"max_metrics":12}}}"#);
        assert_eq!(texts[0].version.as_deref(), Some("7"));
        let wrong = read("many").units;
        assert_eq!(wrong.texts, []);
        assert_eq!(
            wrong.left_out[0].to_string(),
            "ssm:/gild/tree/sink/cw/max_metrics: sink.cw.max_metrics must be a whole number"
        );
    }

    #[test]
    fn a_secure_string_becomes_a_reference() {
        let texts = read("/gild/tree/vars/pw", ParameterType::SecureString, "AQICAH").units.texts;
        assert_eq!(texts[0].body, br#"{"vars":{"pw":{"ssm":"/gild/tree/vars/pw"}}}"#);
    }
}
