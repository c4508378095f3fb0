//! The plain types that settings are made of.
//!
//! To add a type: one `impl Setting`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::node::Node;
use super::path::KeyPath;
use super::schema::{Reader, Setting, Shape};

/// Reads a leaf by `convert`, or notes what would be right.
fn leaf<T>(
    node: &Node,
    path: &KeyPath,
    reader: &mut Reader,
    expected: &str,
    convert: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    let value = match node {
        Node::Leaf(leaf) => convert(&leaf.value),
        Node::Table { .. } => None,
    };
    if value.is_none() {
        reader.problem(node, path, &format!("must be {expected}"));
    }
    value
}

impl Setting for String {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        leaf(node, path, reader, "a text", |value| value.as_str().map(str::to_owned))
    }
}

impl Setting for bool {
    fn shape() -> Shape {
        Shape::Truth
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        leaf(node, path, reader, "true or false", Value::as_bool)
    }
}

macro_rules! integers {
    ($($type:ty),+) => { $(
        impl Setting for $type {
            fn shape() -> Shape {
                Shape::Integer
            }

            fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
                let expected = format!("a whole number from 0 to {}", <$type>::MAX);
                leaf(node, path, reader, &expected, |value| value.as_u64()?.try_into().ok())
            }
        }
    )+ };
}

integers!(u16, u32, u64);

/// The longest length of time that a setting may have.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The shortest length of time that a setting may have. Less is a slip: nothing
/// that gild waits for comes faster.
const SHORTEST: Duration = Duration::from_millis(100);

/// Reads a length of time from `least` to `LONGEST`.
fn length(node: &Node, path: &KeyPath, reader: &mut Reader, least: Duration) -> Option<Duration> {
    let length = leaf(node, path, reader, &Shape::Duration.expected(), |value| {
        humantime::parse_duration(value.as_str()?).ok()
    })?;
    let limits = [(length < least, "at least", least), (length > LONGEST, "at most", LONGEST)];
    match limits.into_iter().find(|(beyond, ..)| *beyond) {
        Some((_, word, limit)) => {
            let limit = humantime::format_duration(limit);
            reader.problem(node, path, &format!("must be {word} {limit}"));
            None
        }
        None => Some(length),
    }
}

impl Setting for Duration {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        length(node, path, reader, SHORTEST)
    }
}

/// How often something is done again and again, as in `interval: Duration as
/// Period`. What a document says is held to a floor: everything runs on one
/// thread, and one tag must not keep that busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(Duration);

impl Period {
    /// The shortest period.
    pub const SHORTEST: Duration = Duration::from_secs(1);
}

impl Setting for Period {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        length(node, path, reader, Self::SHORTEST).map(Self)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

/// An account's twelve digits. A text, because it may begin with a zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountId(pub String);

impl Setting for AccountId {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let expected = "the twelve digits of an account, as a text such as \"123456789012\"";
        leaf(node, path, reader, expected, |value| {
            let digits = |text: &&str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
            value.as_str().filter(digits).map(|text| Self(text.to_owned()))
        })
    }
}

impl<T: Setting> Setting for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        T::read(node, path, reader).map(Some)
    }

    fn absent(_: &Node, _: &KeyPath, _: &mut Reader) -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let expected = Self::shape().expected();
        let items = leaf(node, path, reader, &expected, |value| value.as_array().cloned())?;
        // Every item is read before the first one that fails ends the list.
        let read: Vec<Option<T>> = items
            .iter()
            .map(|item| T::read(&Node::from_value(item, node.origin()), path, reader))
            .collect();
        read.into_iter().collect()
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn shape() -> Shape {
        Shape::Map(Box::new(T::shape()))
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let entries = reader.table(node, path, "a table of named entries")?;
        let read: Vec<_> = entries
            .iter()
            .map(|(key, node)| {
                T::read(node, &path.child(key), reader).map(|value| (key.clone(), value))
            })
            .collect();
        read.into_iter().collect()
    }

    fn absent(_: &Node, _: &KeyPath, _: &mut Reader) -> Option<Self> {
        Some(Self::new())
    }
}

/// The user's own data, which gild passes on and never interprets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Free(pub Map<String, Value>);

impl Setting for Free {
    fn shape() -> Shape {
        Shape::Free
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        reader.table(node, path, "a table")?;
        match node.to_value() {
            Value::Object(table) => Some(Self(table)),
            _ => None,
        }
    }

    fn absent(_: &Node, _: &KeyPath, _: &mut Reader) -> Option<Self> {
        Some(Self::default())
    }
}
