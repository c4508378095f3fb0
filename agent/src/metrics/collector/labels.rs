//! Label values, shared between ticks: the same few words label every tick, so
//! each is allocated once.

use std::collections::HashSet;
use std::sync::Arc;

/// With fewer words than this nobody looks which of them are still in use.
const FEW: usize = 4096;

/// Words that were used before.
#[derive(Debug)]
pub struct Labels {
    words: HashSet<Arc<str>>,
    /// At so many, those that nobody else holds any more are let go: something may make new
    /// ones all the time. Twice as many as were in use then, so that looking costs each word
    /// the same however many there are.
    most: usize,
}

impl Default for Labels {
    fn default() -> Self {
        Self { words: HashSet::new(), most: FEW }
    }
}

impl Labels {
    /// The word, shared with everyone who asked for it before.
    pub fn get(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        if self.words.len() >= self.most {
            self.words.retain(|word| Arc::strong_count(word) > 1);
            self.most = FEW.max(2 * self.words.len());
            self.words.shrink_to(self.most);
        }
        let word: Arc<str> = Arc::from(word);
        self.words.insert(Arc::clone(&word));
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
    fn a_word_in_use_is_allocated_once_however_many_there_are() {
        let mut labels = Labels::default();
        let mut tick =
            || (0..10 * FEW).map(|number| labels.get(&number.to_string())).collect::<Vec<_>>();
        let (first, second) = (tick(), tick());
        assert!(first.iter().zip(&second).all(|(one, other)| Arc::ptr_eq(one, other)));
    }

    #[test]
    fn ever_new_words_do_not_fill_memory() {
        let mut labels = Labels::default();
        let many: Vec<_> = (0..10 * FEW).map(|number| labels.get(&number.to_string())).collect();
        assert!(labels.words.len() == many.len());
        drop(many);
        for number in 10 * FEW..100 * FEW {
            labels.get(&number.to_string());
        }
        assert!(labels.words.len() <= FEW && labels.words.capacity() <= 4 * FEW);
    }
}
