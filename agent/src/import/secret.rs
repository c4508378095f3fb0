//! What must not be copied from another agent's files: neither into gild's configuration, which
//! holds references to secrets only, nor onto a terminal.

use serde_json::Value;

use super::tree::{Body, Item};
use crate::platform::redact::{CUT, MASK};

/// Words that make a key's value a secret, or a text one that may hold one.
const WORDS: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "access_key",
    "accesskey",
    "access-key",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "bearer",
    "credential",
    "community",
    "cookie",
    "private_key",
    "webhook",
];

/// Lists and tables whose values are of any kind.
const OF_ANY_KIND: [&str; 4] = ["headers", "http_headers", "environment", "env"];

/// The longest value that is shown.
const LONGEST: usize = 160;

/// Whether what stands under a key is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}

/// Whether nothing below an item is to be shown.
pub(super) fn holds_secrets(item: &Item) -> bool {
    let many = !matches!(item.body, Body::Plain(_));
    is_secret(&item.key) || many && OF_ANY_KIND.contains(&item.key.to_ascii_lowercase().as_str())
}

/// Whether a text is nothing but one variable of the environment, which tells nothing.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or_default();
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text may hold a secret as a whole: it speaks of one, it is a key of AWS, or a user
/// stands in it, as in `user:word@host`.
pub(super) fn is_suspect(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
        || ["AKIA", "ASIA"].iter().any(|start| text.starts_with(start))
        || text.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
        || text.contains("://") && text.contains('?')
}

/// The value as it may be shown, on one line.
pub(super) fn shown(item: &Item, secret: bool) -> String {
    let text = masked(&item.value(), secret).to_string();
    let mut shown: String = text
        .chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .take(LONGEST)
        .collect();
    if shown.len() < text.len() {
        shown.push(CUT);
    }
    shown
}

fn masked(value: &Value, secret: bool) -> Value {
    match value {
        Value::String(text) if is_variable(text) => value.clone(),
        Value::String(text) if secret => Value::from(if text.is_empty() { "" } else { MASK }),
        Value::String(text) if is_suspect(text) => Value::from(partly(text)),
        Value::Number(_) if secret => Value::from(MASK),
        Value::Array(items) => items.iter().map(|item| masked(item, secret)).collect(),
        Value::Object(table) => {
            let entry = |(key, value): (&String, &Value)| {
                (key.clone(), masked(value, secret || is_secret(key)))
            };
            Value::Object(table.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// A URL without its user, password and query; of another text nothing.
fn partly(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let Some((scheme, rest)) =
        text.split_once("://").filter(|_| !WORDS.iter().any(|word| lower.contains(word)))
    else {
        return MASK.to_owned();
    };
    let (place, query) = rest.split_once('?').map_or((rest, ""), |(place, _)| (place, MASK));
    let host = place.split('/').next().unwrap_or_default();
    let (user, bare) = host.rsplit_once('@').map_or(("", host), |(_, bare)| (MASK, bare));
    let path = &place[host.len()..];
    if path.contains('@') {
        return MASK.to_owned();
    }
    let (at, mark) =
        (if user.is_empty() { "" } else { "@" }, if query.is_empty() { "" } else { "?" });
    [scheme, "://", user, at, bare, path, mark, query].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn secrets_are_masked_and_variables_are_not() {
        let root = super::super::toml::parse(
            "password = 'hush'\nb = '$PASSWORD'\nc = ['postgres://u:hush@h/d']\n\
             d = 'https://h/?k=hush'\ne = 7\n",
        );
        let root = root.unwrap();
        for (key, expected) in [
            ("password", "\"‹secret›\""),
            ("b", "\"$PASSWORD\""),
            ("c", "[\"postgres://‹secret›@h/d\"]"),
            ("d", "\"https://h/?‹secret›\""),
            ("e", "7"),
        ] {
            let shown = shown(root.get(key).unwrap(), is_secret(key));
            assert_eq!(shown, expected, "{key}");
        }
        assert!(["aws_secret_access_key", "X-Api-Key", "bearer_token"].into_iter().all(is_secret));
        assert!(!["url", "namespace", "interval"].into_iter().any(is_secret));
    }
}
