//! The CloudWatch agent's JSON as a tree. serde_json says whether it is JSON; it says no lines,
//! so the tree is made by a second look at the same text.

use serde_json::Value;

use super::error::ImportError;
use super::tree::{Body, Item, MAX_DEPTH, MAX_ITEMS};

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Item, ImportError> {
    // This also holds the nesting to 128, before anything below follows it.
    let value: Value = serde_json::from_str(text).map_err(|error| ImportError::Syntax {
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
        reason: error.to_string(),
    })?;
    if !value.is_object() {
        return Err(ImportError::NotATable);
    }
    let mut reader = Reader { text, at: 0, line: 1, items: 0 };
    let body = reader.body(0)?;
    Ok(Item::new("", 1, body))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    items: usize,
}

impl Reader<'_> {
    /// The next byte that is no space.
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at).filter(|byte| byte.is_ascii_whitespace()) {
            self.line = self.line.saturating_add(u32::from(*byte == b'\n'));
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or_default()
    }

    fn fault(&self) -> ImportError {
        ImportError::Syntax { line: self.line, reason: "it ends too early".to_owned() }
    }

    fn body(&mut self, depth: usize) -> Result<Body, ImportError> {
        self.items += 1;
        if self.items > MAX_ITEMS || depth > MAX_DEPTH {
            return Err(ImportError::TooMuch { limit: MAX_ITEMS, depth: MAX_DEPTH });
        }
        let end = match self.peek() {
            b'{' => b'}',
            b'[' => b']',
            _ => return self.plain().map(Body::Plain),
        };
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.peek() {
                b',' => self.at += 1,
                0 => return Err(self.fault()),
                byte if byte == end => break,
                _ => {
                    let line = self.line;
                    let key = match end {
                        b'}' => self.plain()?,
                        _ => Value::from(""),
                    };
                    if end == b'}' && self.peek() == b':' {
                        self.at += 1;
                    }
                    let body = self.body(depth + 1)?;
                    items.push(Item::new(key.as_str().unwrap_or_default(), line, body));
                }
            }
        }
        self.at += 1;
        Ok(if end == b'}' { Body::Table(items) } else { Body::List(items) })
    }

    /// A text, a number, a word.
    fn plain(&mut self) -> Result<Value, ImportError> {
        let first = self.peek();
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = if first == b'"' {
            let mut at = 1;
            while rest.get(at).is_some_and(|byte| *byte != b'"') {
                at += if rest[at] == b'\\' { 2 } else { 1 };
            }
            at + 1
        } else {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b",]}:".contains(byte);
            rest.iter().position(ends).unwrap_or(rest.len())
        };
        let word = self.text.get(self.at..self.at + length).filter(|word| !word.is_empty());
        let value = word.and_then(|word| serde_json::from_str(word).ok());
        self.at += length;
        value.ok_or_else(|| self.fault())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_tree_is_what_serde_json_reads_with_lines() {
        let text =
            "{\"a\": {\n \"b\\\"\\\\\": [1, -2.5e3,\n {\"c\": null}, true],\n\"d\":\"x\\\"y\"}}";
        let root = parse(text).unwrap();
        assert_eq!(root.value(), serde_json::from_str::<Value>(text).unwrap());
        let list = root.get("a").unwrap().get("b\"\\").unwrap();
        assert_eq!((list.line, list.items()[2].line), (2, 3));
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_counts_and_both_are_there() {
        let root = parse("{\"a\": 1, \"a\": 2}").unwrap();
        assert_eq!(root.items().len(), 2);
        assert_eq!(root.get("a").unwrap().value(), 2);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "[]", "1", "{", "{\"a\"}", "{\"a\": 01}", "{} x"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(matches!(parse(&deep), Err(ImportError::TooMuch { .. })));
    }
}
