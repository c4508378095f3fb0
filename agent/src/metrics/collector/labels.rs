//! Label values, shared between ticks: the same few words label every tick, so
//! each is allocated once.

use std::collections::HashSet;
use std::sync::Arc;

/// More words than this are not kept: something makes new ones all the time.
const MOST: usize = 4096;

/// Words that were used before.
#[derive(Debug, Default)]
pub struct Labels(HashSet<Arc<str>>);

impl Labels {
    /// The word, shared with everyone who asked for it before.
    pub fn get(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let word: Arc<str> = Arc::from(word);
        self.0.insert(Arc::clone(&word));
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_allocated_once() {
        let mut labels = Labels::default();
        assert!(Arc::ptr_eq(&labels.get("eth0"), &labels.get("eth0")));
    }

    #[test]
    fn ever_new_words_do_not_fill_memory() {
        let mut labels = Labels::default();
        for number in 0..3 * MOST {
            labels.get(&number.to_string());
        }
        assert!(labels.0.len() <= MOST);
    }
}
