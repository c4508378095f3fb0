//! The names of labels, which live as long as the process: few, and the same in every tick.

use std::sync::{Mutex, PoisonError};

/// No host has more names of labels; what has is damaged.
const MOST: usize = 256;

/// No name is longer.
const LONGEST: usize = 256;

static KNOWN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// The name of a label that was read; nothing where there are too many, or it is too long.
pub(super) fn label_name(text: &str) -> Option<&'static str> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.iter().find(|name| **name == text) {
        return Some(name);
    }
    if known.len() >= MOST || text.len() > LONGEST {
        return None;
    }
    let name: &'static str = String::leak(text.to_owned());
    known.push(name);
    Some(name)
}
