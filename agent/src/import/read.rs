//! What readers of several parts do in the same way with a value: take it if gild can have it,
//! and note why where it cannot.

use std::time::Duration;

use super::tree::{Body, Item};
use crate::config::types::Period;

/// The longest length of time that is carried.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A length of time: a text such as `"10s"`, or a number of seconds.
pub(super) fn duration(item: &Item) -> Option<Duration> {
    let length = match &item.body {
        Body::Plain(value) => match (value.as_str(), value.as_f64()) {
            (Some(text), _) => match text.parse::<f64>() {
                Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
                Err(_) => humantime::parse_duration(text).ok(),
            },
            (None, Some(seconds)) => Duration::try_from_secs_f64(seconds).ok(),
            (None, None) => None,
        },
        _ => None,
    };
    length.filter(|length| *length <= LONGEST)
}

/// How often something is done, if gild does it as often.
pub(super) fn period(item: &Item) -> Option<Duration> {
    match duration(item).filter(|length| *length >= Period::SHORTEST) {
        Some(length) => {
            item.carried();
            Some(length)
        }
        None => {
            item.left("write a length of time from \"1s\" on, such as \"10s\"");
            None
        }
    }
}

/// How long something may take, if gild can wait as long.
pub(super) fn timeout(item: &Item) -> Option<Duration> {
    match duration(item).filter(|length| *length >= Duration::from_millis(100)) {
        Some(length) => {
            item.carried();
            Some(length)
        }
        None => {
            item.left("write a length of time from \"100ms\" on, such as \"5s\"");
            None
        }
    }
}

/// The text, with a note where variables of the environment stand in it.
pub(super) fn text(item: &Item) -> Option<&str> {
    let Some(text) = item.text() else {
        item.left("it is no text; write what it should be");
        return None;
    };
    if has_variable(text) {
        item.left(
            "it stands there as it is: gild fills in no variables of the environment; write the \
             value, or {instance_id}, {tag:NAME} and the like where that is possible",
        );
    } else {
        item.carried();
    }
    Some(text)
}

/// Whether a text names a variable of the environment or a secret of telegraf's stores.
pub(super) fn has_variable(text: &str) -> bool {
    let named = |behind: &str| {
        behind.starts_with(|letter: char| {
            letter == '{' || letter == '_' || letter.is_ascii_alphabetic()
        })
    };
    text.split('$').skip(1).any(named) || text.contains("@{")
}

/// Notes for the keys that are there why nothing is to be done about them.
pub(super) fn needless(table: &Item, keys: &[&str], reason: &'static str) {
    for key in keys {
        if let Some(item) = table.get(key) {
            item.needless(reason);
        }
    }
}

/// Notes for the keys that are there what is to be done about them.
pub(super) fn left(table: &Item, keys: &[&str], advice: &'static str) {
    for key in keys {
        if let Some(item) = table.get(key) {
            everything(item, advice);
        }
    }
}

/// Notes of every value below what is to be done about it.
pub(super) fn everything(item: &Item, advice: &'static str) {
    if item.is_leaf() {
        item.left(advice);
    }
    for below in item.items() {
        everything(below, advice);
    }
}

/// Whether a truth is there and is as wanted; it is carried then, and noted where it is no truth.
pub(super) fn truth(table: &Item, key: &str, usual: bool) -> bool {
    let Some(item) = table.get(key) else { return usual };
    match item.truth() {
        Some(truth) => {
            item.carried();
            truth
        }
        None => {
            item.left("it is neither true nor false, and counts as it would without it");
            usual
        }
    }
}
