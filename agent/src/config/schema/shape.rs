//! What a key may hold, as a value: for defaults, for the reference page, and
//! for texts (tags, parameters) that must become values of the right type.

use serde_json::{Map, Value};

use super::words::quoted;

/// What a key may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number that is not negative.
    Integer,
    /// `true` or `false`.
    Truth,
    /// A length of time such as `10s`, `15m` or `1h 30m`.
    Duration,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An array.
    List(Box<Shape>),
    /// A table with these keys.
    Table(Vec<Field>),
    /// A table of entries, each under a name of the user's.
    Map(Box<Shape>),
    /// A table whose other keys depend on the word under `tag`.
    Variants {
        /// The key that holds the word.
        tag: &'static str,
        /// The words, in the order of the reference page.
        words: &'static [&'static str],
        /// The words and their tables.
        variants: Vec<(&'static str, Vec<Field>)>,
    },
    /// A reference to a secret.
    Secret,
    /// Text, or a table with more about it.
    TextOr(Vec<Field>),
    /// Anything: the user's own data.
    Free,
}

/// One key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it is for, as the reference page says it.
    pub doc: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// What it is where nobody sets it.
    pub default: Option<Value>,
}

impl Shape {
    /// What would be right, in words.
    pub fn expected(&self) -> String {
        match self {
            Shape::Text => "a text".to_owned(),
            Shape::Integer => "a whole number".to_owned(),
            Shape::Truth => "true or false".to_owned(),
            Shape::Duration => "a length of time such as \"10s\" or \"15m\"".to_owned(),
            Shape::Choice(words) => format!("one of {}", quoted(words)),
            Shape::List(item) => format!("an array, each item {}", item.expected()),
            Shape::Table(_) | Shape::Variants { .. } => "a table".to_owned(),
            Shape::Map(_) => "a table of named entries".to_owned(),
            Shape::Secret => "a reference to a secret".to_owned(),
            Shape::TextOr(_) => "a text or a table".to_owned(),
            Shape::Free => "anything".to_owned(),
        }
    }

    /// The keys of a table that has known ones, each once.
    pub fn keys(&self) -> Vec<&'static str> {
        let mut keys: Vec<&'static str> = Vec::new();
        let mut add = |key: &'static str| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        match self {
            Shape::Table(fields) => fields.iter().for_each(|field| add(field.key)),
            Shape::Variants { tag, variants, .. } => {
                add(tag);
                variants.iter().flat_map(|(_, fields)| fields).for_each(|field| add(field.key));
            }
            _ => {}
        }
        keys
    }

    /// The shape of the key at `path`; `None` where there is no such key.
    pub fn at(&self, path: &[String]) -> Option<Shape> {
        let Some((key, rest)) = path.split_first() else { return Some(self.clone()) };
        match self {
            Shape::Table(fields) => fields.iter().find(|field| field.key == key)?.shape.at(rest),
            Shape::Map(entry) => entry.at(rest),
            Shape::Variants { tag, words, variants } => {
                if key == tag {
                    return Shape::Choice(words).at(rest);
                }
                variants
                    .iter()
                    .flat_map(|(_, fields)| fields)
                    .find(|field| field.key == key)?
                    .shape
                    .at(rest)
            }
            Shape::Free => Some(Shape::Free),
            _ => None,
        }
    }

    /// The value that a text spells where this shape is expected, as in a tag.
    pub fn parse_text(&self, text: &str) -> Result<Value, String> {
        let expected = || self.expected();
        match self {
            Shape::Text | Shape::Free | Shape::Duration | Shape::Choice(_) => Ok(Value::from(text)),
            Shape::Integer => text.parse::<u64>().map(Value::from).map_err(|_| expected()),
            Shape::Truth => text.parse::<bool>().map(Value::from).map_err(|_| expected()),
            Shape::TextOr(_) if !text.trim_start().starts_with('{') => Ok(Value::from(text)),
            _ => match serde_json::from_str(text) {
                Ok(value @ (Value::Array(_) | Value::Object(_))) => Ok(value),
                _ => Err(format!("{}, written as JSON", expected())),
            },
        }
    }
}

/// The defaults of a list of fields, as a table of values.
pub fn defaults(fields: &[Field]) -> Map<String, Value> {
    let mut table = Map::new();
    for field in fields {
        if let Some(default) = &field.default {
            table.insert(field.key.to_owned(), default.clone());
        } else if let Shape::Table(below) = &field.shape {
            table.insert(field.key.to_owned(), Value::Object(defaults(below)));
        }
    }
    table
}
