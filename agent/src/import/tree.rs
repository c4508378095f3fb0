//! A document of another agent as a tree in which each value knows its line and what became of
//! it. A value that nobody asked for is listed in the end: so nothing is dropped silently, also
//! what this version of gild has never heard of.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::Value;

/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 32;

/// The most values that one document may have.
pub(super) const MAX_ITEMS: usize = 20_000;

/// What became of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody asked for it.
    #[default]
    Unread,
    /// It is in the configuration that is written.
    Carried,
    /// It is not, or not fully, and this is to be done about it.
    Left(Cow<'static, str>),
    /// It is not, and nothing is to be done about it: this is why.
    Needless(Cow<'static, str>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Item {
    /// The key; empty for what stands in a list.
    pub(super) key: String,
    /// The line of the key, counted from 1.
    pub(super) line: u32,
    /// The value.
    pub(super) body: Body,
    fate: RefCell<Fate>,
}

/// A value.
#[derive(Debug)]
pub(super) enum Body {
    /// A text, a number, a truth.
    Plain(Value),
    /// A list.
    List(Vec<Item>),
    /// A table.
    Table(Vec<Item>),
}

impl Item {
    /// A key with its value.
    pub(super) fn new(key: &str, line: u32, body: Body) -> Self {
        Self { key: key.to_owned(), line, body, fate: RefCell::default() }
    }

    /// What became of it.
    pub(super) fn fate(&self) -> Fate {
        self.fate.borrow().clone()
    }

    /// Notes that it is carried, unless something is to be done about it.
    pub(super) fn carried(&self) {
        let mut fate = self.fate.borrow_mut();
        if *fate == Fate::Unread {
            *fate = Fate::Carried;
        }
    }

    /// Notes what is to be done about it.
    pub(super) fn left(&self, advice: impl Into<Cow<'static, str>>) {
        *self.fate.borrow_mut() = Fate::Left(advice.into());
    }

    /// Notes why nothing is to be done about it.
    pub(super) fn needless(&self, reason: impl Into<Cow<'static, str>>) {
        *self.fate.borrow_mut() = Fate::Needless(reason.into());
    }

    /// What it holds: the entries of a table, or the items of a list.
    pub(super) fn items(&self) -> &[Item] {
        match &self.body {
            Body::Table(items) | Body::List(items) => items,
            Body::Plain(_) => &[],
        }
    }

    /// Whether it has a value of its own: a plain one, a list of plain ones, or nothing at all.
    pub(super) fn is_leaf(&self) -> bool {
        match &self.body {
            Body::Plain(_) => true,
            Body::Table(items) => items.is_empty(),
            Body::List(items) => items.iter().all(|item| matches!(item.body, Body::Plain(_))),
        }
    }

    /// The last entry of that name, which is the one that counts.
    pub(super) fn get(&self, key: &str) -> Option<&Item> {
        match &self.body {
            Body::Table(items) => items.iter().rev().find(|item| item.key == key),
            _ => None,
        }
    }

    /// Its tables: itself, or those of its list, as in `[[inputs.cpu]]`.
    pub(super) fn tables(&self) -> Vec<&Item> {
        let is_table = |item: &&Item| matches!(item.body, Body::Table(_));
        match &self.body {
            Body::List(items) => items.iter().filter(is_table).collect(),
            _ => Some(self).filter(is_table).into_iter().collect(),
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Plain(value) => value.as_str(),
            _ => None,
        }
    }

    /// The truth, if it is one.
    pub(super) fn truth(&self) -> Option<bool> {
        match &self.body {
            Body::Plain(value) => value.as_bool(),
            _ => None,
        }
    }

    /// The texts of a list, or the one text.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match &self.body {
            Body::List(items) => items.iter().map(Item::text).collect(),
            _ => self.text().map(|text| vec![text]),
        }
    }

    /// The value as it would stand in JSON.
    pub(super) fn value(&self) -> Value {
        match &self.body {
            Body::Plain(value) => value.clone(),
            Body::List(items) => items.iter().map(Item::value).collect(),
            Body::Table(items) => {
                Value::Object(items.iter().map(|item| (item.key.clone(), item.value())).collect())
            }
        }
    }
}
