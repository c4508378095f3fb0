//! The list of what is not carried: a row for each value that is not in the new configuration as
//! it was in the old one.

use std::fmt;

use serde::Serialize;

use super::secret;
use super::tree::{Body, Fate, Item};

/// What is said of a value that nobody asked for.
const UNKNOWN: &str = "gild has no setting for this";

/// A setting that is not carried, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What it belongs to, such as `inputs.cpu`.
    pub plugin: String,
    /// The key below that; empty where all of it is meant.
    pub key: String,
    /// The value, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What to do about it, or why nothing is to be done.
    pub advice: String,
    /// Whether something is to be done or decided.
    pub matters: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.plugin)?;
        if !self.key.is_empty() {
            write!(formatter, " {}", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(formatter, " = {value}")?;
        }
        write!(formatter, ": {}", self.advice)
    }
}

/// The rows of a document, in its order. `owner` says how many keys at the beginning of a path name
/// what a value belongs to.
pub(super) fn rows(file: &str, root: &Item, owner: fn(&[&str]) -> usize) -> Vec<Row> {
    let mut walk = Walk { file, owner, rows: Vec::new() };
    for item in root.items() {
        walk.item(item, &mut Vec::new(), false);
    }
    walk.rows.sort_by_key(|row| row.line);
    walk.rows
}

struct Walk<'a> {
    file: &'a str,
    owner: fn(&[&str]) -> usize,
    rows: Vec<Row>,
}

impl<'a> Walk<'a> {
    fn item(&mut self, item: &'a Item, path: &mut Vec<&'a str>, secret: bool) {
        // What stands in a list is called as the list is.
        if !item.key.is_empty() {
            path.push(&item.key);
        }
        let secret = secret || secret::holds_secrets(item) && path.len() > (self.owner)(path);
        let fate = item.fate();
        if item.is_leaf() {
            self.row(item, path, fate, Some(secret));
        } else {
            if fate != Fate::Unread {
                self.row(item, path, fate, None);
            }
            for below in item.items() {
                self.item(below, path, secret);
            }
        }
        if !item.key.is_empty() {
            path.pop();
        }
    }

    fn row(&mut self, item: &Item, path: &[&str], fate: Fate, secret: Option<bool>) {
        let (advice, matters) = match fate {
            Fate::Carried => return,
            Fate::Unread => (UNKNOWN.into(), true),
            Fate::Left(advice) => (advice, true),
            Fate::Needless(advice) => (advice, false),
        };
        let (plugin, key) = path.split_at(path.len().min((self.owner)(path)));
        let plain = |keys: &[&str]| keys.join(".").replace(char::is_control, "?");
        self.rows.push(Row {
            file: self.file.replace(char::is_control, "?"),
            line: item.line,
            plugin: plain(plugin),
            key: plain(key),
            value: secret
                .filter(|_| !matches!(item.body, Body::Table(_)))
                .map(|secret| secret::shown(item, secret)),
            advice: advice.into_owned(),
            matters,
        });
    }
}
