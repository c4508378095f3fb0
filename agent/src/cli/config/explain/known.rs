//! What the declarations and the merged tree say about a key.

use serde::Serialize;
use serde_json::{Map, Value};

use super::findings::Findings;
use crate::cli::config::show;
use crate::config::difference::Side;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Declared, NAME, Setting, Shape};
use crate::config::{LayerName, Origin, SecretRef, Settings};
use crate::configure::report::Report;

/// All that is known about a key.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) key: KeyPath,
    /// Several where they depend on a word that is not set.
    pub(super) declared: Vec<Declaration>,
    /// The value in force, whether somebody set it or it is the default.
    pub(super) value: Option<Value>,
    /// Who set it, the winner first, down to the default. Nothing for a table.
    pub(super) chain: Vec<Side>,
    /// What is set below a table, and the origins of that.
    pub(super) below: Vec<Value>,
    #[serde(flatten)]
    pub(super) findings: Findings,
    pub(super) resolved_at: Option<String>,
}

/// What is declared about a key.
#[derive(Debug, Serialize)]
pub(super) struct Declaration {
    /// The word on which this depends, such as `type = "log"`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) when: Map<String, Value>,
    pub(super) doc: String,
    #[serde(rename = "type")]
    pub(super) expected: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) choices: Vec<&'static str>,
    pub(super) default: Option<Value>,
    /// The keys of a table, or of each entry of a table of entries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<Key>,
}

/// A key of a table.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) declared: Declaration,
}

impl Explanation {
    /// What is known of a key that has declarations.
    pub(super) fn new(
        key: KeyPath,
        declared: &[Declared],
        config: &Node,
        resolved_at: Option<String>,
        report: Option<&Report>,
    ) -> Self {
        let node = config.get(&key);
        // Only one that is in force, or that something overrode.
        let default = match declared {
            [one] => one.default.clone().filter(|_| node.is_some() || holds(&key, config)),
            _ => None,
        };
        let chain = chain(node, default.as_ref());
        let reference = node.map(Node::to_value).filter(is_reference);
        let below = match node {
            Some(Node::Table { .. }) if reference.is_none() => {
                node.map(|node| show::origins(node, &key)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Self {
            declared: declared.iter().map(|one| Declaration::new(one, node)).collect(),
            value: node.map(Node::to_value).or(default),
            chain,
            below,
            findings: report.map(|report| Findings::about(&key, report)).unwrap_or_default(),
            resolved_at,
            key,
        }
    }
}

fn is_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|table| SecretRef::from_table(table).is_some())
}

/// Who set a value, the winner first. A reference to a secret is one value,
/// although it is a table.
fn chain(node: Option<&Node>, default: Option<&Value>) -> Vec<Side> {
    let side = |value: Value, origin: &Origin| Side { value, origin: origin.clone() };
    let mut chain = match node {
        None => Vec::new(),
        Some(Node::Leaf(leaf)) => {
            let losers = leaf.overrode.iter();
            let losers = losers.map(|loser| side(loser.value.clone(), &loser.origin));
            std::iter::once(side(leaf.value.clone(), &leaf.origin)).chain(losers).collect()
        }
        Some(table) if is_reference(&table.to_value()) => {
            let leaves = table.leaves();
            let origins = leaves.iter().map(|(_, leaf)| &leaf.origin);
            let winner = origins.max_by_key(|origin| origin.layer).unwrap_or(table.origin());
            let mut chain = vec![side(table.to_value(), winner)];
            for (key, leaf) in &leaves {
                let part = |value: &Value| Value::from_iter([(key.to_string(), value.clone())]);
                let losers = leaf.overrode.iter();
                chain.extend(losers.map(|loser| side(part(&loser.value), &loser.origin)));
            }
            chain
        }
        Some(_) => return Vec::new(),
    };
    // The defaults of entries are not in the tree, because the entries are the
    // user's own.
    let ends = chain.last().is_some_and(|last| last.origin.layer == LayerName::Builtin);
    if let Some(default) = default.filter(|_| !ends) {
        let origin = Origin {
            layer: LayerName::Builtin,
            source: "defaults".into(),
            version: None,
            line: None,
            last_good: false,
        };
        chain.push(Side { value: default.clone(), origin });
    }
    chain
}

/// Whether a default is in force: the entry that it belongs to is there.
fn holds(key: &KeyPath, config: &Node) -> bool {
    let shape = Settings::shape();
    let mut above = key.segments();
    while let Some((_, rest)) = above.split_last() {
        above = rest;
        let path: KeyPath = above.iter().cloned().collect();
        if config.get(&path).is_some() {
            return true;
        }
        if shape.declared(above, Some(config)).iter().all(|one| one.default.is_none()) {
            return false;
        }
    }
    true
}

impl Declaration {
    fn new(declared: &Declared, node: Option<&Node>) -> Self {
        let Declared { when, shape, default, .. } = declared;
        let when = when.map(|(tag, word)| (tag.to_owned(), Value::from(word)));
        let choices = match shape {
            Shape::Choice(words) => words.to_vec(),
            _ => Vec::new(),
        };
        Self {
            when: when.into_iter().collect(),
            doc: declared.doc_line(),
            expected: shape.expected(),
            choices,
            default: default.clone(),
            keys: keys(shape, node, ""),
        }
    }
}

/// The keys of a table, or of the entries of a table of entries.
fn keys(shape: &Shape, node: Option<&Node>, prefix: &str) -> Vec<Key> {
    if let Shape::Map(entry) = shape {
        return keys(entry, None, &format!("{prefix}{NAME}."));
    }
    let mut listed = Vec::new();
    for key in shape.keys() {
        let path = [key.to_owned()];
        let declared = shape.declared(&path, node);
        // Only what depends on another word than the one that is set is left out.
        let word = |tag: &str| node.and_then(|node| node.get(&KeyPath::root().child(tag)));
        let applies = |one: &&Declared| match one.when {
            Some((tag, wanted)) => word(tag).is_none_or(|word| word.to_value() == wanted),
            None => true,
        };
        for one in declared.iter().filter(applies) {
            let mut declared = Declaration { keys: Vec::new(), ..Declaration::new(one, None) };
            if one.when.is_some_and(|(tag, _)| word(tag).is_some()) {
                declared.when.clear();
            }
            listed.push(Key { key: format!("{prefix}{key}"), declared });
        }
    }
    listed
}
