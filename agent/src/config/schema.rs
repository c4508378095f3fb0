//! How settings are declared, once. The `settings!` macro makes from one list
//! of keys the struct that the rooms use, the reader that finds every problem
//! of a configuration at once, and the description from which defaults, tag
//! values and the reference page come.
//!
//! To add a key: one line with its doc comment in the room's `settings!` block.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::node::Node;
use super::origin::Origin;
use super::path::KeyPath;

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

    /// The shape of the key at `path`; `None` where there is no such key.
    pub fn at(&self, path: &[String]) -> Option<Shape> {
        let Some((key, rest)) = path.split_first() else { return Some(self.clone()) };
        match self {
            Shape::Table(fields) => fields.iter().find(|field| field.key == key)?.shape.at(rest),
            Shape::Map(entry) => entry.at(rest),
            Shape::Variants { tag, variants } => {
                if key == tag {
                    return Shape::Text.at(rest);
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

/// A value that is not what it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The key.
    pub path: KeyPath,
    /// The value as people write it; `None` where there is none or it is hidden.
    pub value: Option<String>,
    /// Who set it.
    pub origin: Origin,
    /// What would be right.
    pub message: String,
}

/// A key that nothing reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// The key.
    pub path: KeyPath,
    /// Who set it.
    pub origin: Origin,
    /// The nearest key that is known, if one is near.
    pub nearest: Option<String>,
}

/// Collects what is wrong while settings are read.
#[derive(Debug, Default)]
pub struct Reader {
    /// Values that are not what they should be.
    pub problems: Vec<Problem>,
    /// Keys that nothing reads.
    pub unknown: Vec<Unknown>,
}

impl Reader {
    /// Notes a problem and shows the value.
    pub fn problem(&mut self, node: &Node, path: &KeyPath, message: &str) {
        let value = Some(node.to_value().to_string());
        self.push(node, path, value, message);
    }

    /// Notes a problem with a value that must not be shown.
    pub fn hidden_problem(&mut self, node: &Node, path: &KeyPath, message: &str) {
        self.push(node, path, None, message);
    }

    fn push(&mut self, node: &Node, path: &KeyPath, value: Option<String>, message: &str) {
        self.problems.push(Problem {
            path: path.clone(),
            value,
            origin: node.origin().clone(),
            message: message.to_owned(),
        });
    }

    /// The entries of a table; a problem where the node is none.
    pub fn table<'a>(
        &mut self,
        node: &'a Node,
        path: &KeyPath,
        expected: &str,
    ) -> Option<&'a BTreeMap<String, Node>> {
        match node {
            Node::Table { entries, .. } => Some(entries),
            Node::Leaf(_) => {
                self.problem(node, path, &format!("must be {expected}"));
                None
            }
        }
    }

    /// Notes every key of a table that is not among `known`.
    pub fn unknown_keys(
        &mut self,
        entries: &BTreeMap<String, Node>,
        path: &KeyPath,
        known: &[&'static str],
    ) {
        for (key, node) in entries {
            if !known.contains(&key.as_str()) {
                self.unknown.push(Unknown {
                    path: path.child(key),
                    origin: node.origin().clone(),
                    nearest: nearest(key, known).map(|key| path.child(key).to_string()),
                });
            }
        }
    }
}

/// The known word nearest to one that is not known, if it is near enough to be
/// meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let best = known.iter().copied().min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= 1 + word.chars().count() / 4).then_some(best)
}

/// Words as a list for people: `"a", "b" or "c"`.
pub fn quoted(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

/// A type that settings may have.
pub trait Setting: Sized {
    /// What a key of this type may hold.
    fn shape() -> Shape;

    /// The typed value of a node; `None` after noting a problem.
    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self>;

    /// The value where nobody set the key and it has no default; `None` after
    /// noting that it is missing from `table`.
    fn absent(table: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let message = format!("is missing; it must be {}", Self::shape().expected());
        reader.hidden_problem(table, path, &message);
        None
    }
}

/// Reads one key of a table. Used by `settings!`.
pub fn read_field<T: Setting>(
    table: &Node,
    path: &KeyPath,
    key: &'static str,
    default: Option<Value>,
    reader: &mut Reader,
) -> Option<T> {
    let below = path.child(key);
    if let Some(node) = table.get(&KeyPath::root().child(key)) {
        return T::read(node, &below, reader);
    }
    match default {
        Some(value) => T::read(&Node::from_value(&value, table.origin()), &below, reader),
        None => T::absent(table, &below, reader),
    }
}

/// Declares tables of settings: `/// doc`, `Name { /// doc  key: Type = default; }`.
/// A key that is a Rust keyword is written `field @ "key": Type`.
#[macro_export]
macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+
               $field:ident $(@ $key:literal)? : $type:ty $(= $default:tt)? ; )*
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl $name {
            /// The keys of this table, in the order of the reference page.
            pub fn fields() -> Vec<$crate::config::schema::Field> {
                vec![ $( $crate::config::schema::Field {
                    key: $crate::settings!(@key $field $($key)?),
                    doc: concat!($($doc, "\n"),+),
                    shape: <$type as $crate::config::schema::Setting>::shape(),
                    default: $crate::settings!(@default $($default)?),
                }, )* ]
            }

            /// Reads the table; every problem in it is noted.
            pub fn read_table(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                // All fields are read before the first `?`, so that no problem
                // hides another.
                $( let $field = $crate::config::schema::read_field::<$type>(
                    node,
                    path,
                    $crate::settings!(@key $field $($key)?),
                    $crate::settings!(@default $($default)?),
                    reader,
                ); )*
                Some(Self { $( $field: $field?, )* })
            }
        }

        impl $crate::config::schema::Setting for $name {
            fn shape() -> $crate::config::schema::Shape {
                $crate::config::schema::Shape::Table(Self::fields())
            }

            fn read(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                let entries = reader.table(node, path, "a table")?;
                let known = [ $( $crate::settings!(@key $field $($key)?), )* ];
                reader.unknown_keys(entries, path, &known);
                Self::read_table(node, path, reader)
            }

            fn absent(
                table: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                let empty = serde_json::Value::Object(Default::default());
                let node = $crate::config::node::Node::from_value(&empty, table.origin());
                Self::read_table(&node, path, reader)
            }
        }
    )+ };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@default) => { None };
    (@default $default:tt) => { Some(serde_json::json!($default)) };
}

/// Declares a word of settings: `Name { "word" => Variant, … }` with docs.
#[macro_export]
macro_rules! choices {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $( $(#[doc = $doc:literal])+ $word:literal => $variant:ident, )+ }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// The words, in the order of the reference page.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of this choice.
            pub fn word(self) -> &'static str {
                match self { $( $name::$variant => $word, )+ }
            }
        }

        impl $crate::config::schema::Setting for $name {
            fn shape() -> $crate::config::schema::Shape {
                $crate::config::schema::Shape::Choice(Self::WORDS)
            }

            fn read(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                $crate::config::schema::read_choice(node, path, reader, |word| match word {
                    $( $word => Some($name::$variant), )+
                    _ => None,
                }, Self::WORDS)
            }
        }
    )+ };
}

/// Reads a word among a few. Used by `choices!`.
pub fn read_choice<T>(
    node: &Node,
    path: &KeyPath,
    reader: &mut Reader,
    variant: impl Fn(&str) -> Option<T>,
    words: &'static [&'static str],
) -> Option<T> {
    let found = match node {
        Node::Leaf(leaf) => leaf.value.as_str().and_then(variant),
        Node::Table { .. } => None,
    };
    if found.is_none() {
        reader.problem(node, path, &format!("must be {}", Shape::Choice(words).expected()));
    }
    found
}
