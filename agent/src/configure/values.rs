//! The types of the step's settings that are held to more than their kind.
//!
//! To add one: a type here with its `Setting`, and `as` in `settings`.

use super::playbook::address::Address;
use super::playbook::signature::TrustedKey;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::platform::error::chain_text;

/// What `playbook` may say, as `Address` reads it.
#[derive(Debug)]
pub struct PlaybookAddress(String);

impl Setting for PlaybookAddress {
    fn shape() -> Shape {
        String::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let text = String::read(node, path, reader)?;
        match Address::parse(&text) {
            Ok(_) => Some(Self(text)),
            Err(error) => {
                reader.problem(node, path, &format!("cannot be used: {}", chain_text(&error)));
                None
            }
        }
    }
}

impl From<PlaybookAddress> for String {
    fn from(address: PlaybookAddress) -> Self {
        address.0
    }
}

/// A SHA-256 as 64 hexadecimal digits, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256Text(String);

impl Sha256Text {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Sha256Text {
    fn shape() -> Shape {
        String::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let text = String::read(node, path, reader)?;
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(Self(text.to_ascii_lowercase()));
        }
        reader.problem(node, path, "must be 64 hexadecimal digits, as sha256sum prints them");
        None
    }
}

impl Setting for TrustedKey {
    fn shape() -> Shape {
        String::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let key = Self::parse(&String::read(node, path, reader)?);
        if key.is_none() {
            reader.problem(
                node,
                path,
                "must be public keys of minisign: the second line of a .pub file, as in RWQ…",
            );
        }
        key
    }
}

/// A text that no program takes for an option.
#[derive(Debug)]
pub struct Word(String);

impl Setting for Word {
    fn shape() -> Shape {
        String::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let text = String::read(node, path, reader)?;
        let plain = !text.trim().is_empty()
            && !text.trim_start().starts_with('-')
            && !text.chars().any(char::is_control);
        if !plain {
            let right = "must not be empty, begin with '-' or hold control characters";
            reader.problem(node, path, right);
        }
        plain.then_some(Self(text))
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.0
    }
}

/// Texts that no program takes for options.
#[derive(Debug)]
pub struct Words(Vec<Word>);

impl Setting for Words {
    fn shape() -> Shape {
        Vec::<String>::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        Vec::read(node, path, reader).map(Self)
    }
}

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Self {
        words.0.into_iter().map(String::from).collect()
    }
}

/// A whole number from 0 to `MOST`.
#[derive(Debug)]
pub struct UpTo<const MOST: u16>(u16);

impl<const MOST: u16> Setting for UpTo<MOST> {
    fn shape() -> Shape {
        u16::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let number = u16::read(node, path, reader)?;
        if number > MOST {
            reader.problem(node, path, &format!("must be from 0 to {MOST}"));
            return None;
        }
        Some(Self(number))
    }
}

impl<const MOST: u16> From<UpTo<MOST>> for u16 {
    fn from(number: UpTo<MOST>) -> Self {
        number.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::origin::{LayerName, Origin};
    use crate::configure::settings::ConfigurationSettings;

    fn read(settings: Value) -> (Option<ConfigurationSettings>, Vec<String>) {
        let origin = Origin {
            layer: LayerName::Local,
            source: "test".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let node = Node::from_value(&settings, &origin);
        let mut reader = Reader::default();
        let read = ConfigurationSettings::read(&node, &KeyPath::root(), &mut reader);
        (read, reader.problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn what_would_be_an_option_is_refused() {
        for settings in [
            json!({ "limit": "-v" }),
            json!({ "limit": "" }),
            json!({ "limit": " --step" }),
            json!({ "skip_tags": ["a", "--vault-id=x"] }),
            json!({ "tags": ["-x"] }),
            json!({ "verbosity": 5 }),
            json!({ "retries": 6 }),
            json!({ "rollback": "next" }),
            json!({ "requirements": "fetch" }),
        ] {
            let (read, problems) = read(settings.clone());
            assert!(read.is_none() && problems.len() == 1, "{settings}: {problems:?}");
        }
        let (read, _) =
            read(json!({ "limit": "127.0.0.1", "skip_tags": ["slow"], "verbosity": 4 }));
        assert_eq!(read.unwrap().skip_tags, ["slow"]);
    }

    #[test]
    fn what_names_the_playbook_is_checked_with_the_configuration() {
        for (settings, right) in [
            (json!({ "playbook": "s3://b/{tag:playbook_name}/" }), "{account}"),
            (json!({ "playbook": "s3://b/x.zip" }), ".tar.gz"),
            (json!({ "sha256": "abc" }), "64 hexadecimal digits"),
            (json!({ "trusted_keys": ["abc"] }), "minisign"),
        ] {
            let (read, problems) = read(settings.clone());
            assert!(read.is_none(), "{settings}");
            assert!(problems.iter().any(|problem| problem.contains(right)), "{problems:?}");
        }
        let (read, problems) = read(json!({ "sha256": "AB".repeat(32) }));
        assert!(problems.is_empty());
        assert_eq!(read.unwrap().sha256.unwrap().as_str(), "ab".repeat(32));
    }
}
