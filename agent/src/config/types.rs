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

impl Setting for Duration {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        leaf(node, path, reader, &Shape::Duration.expected(), |value| {
            let length = humantime::parse_duration(value.as_str()?).ok()?;
            (!length.is_zero() && length <= LONGEST).then_some(length)
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
