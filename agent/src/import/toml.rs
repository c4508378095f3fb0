//! telegraf's TOML as a tree. telegraf replaces `$NAME` and `${NAME}` before it reads the file,
//! so that they may stand without quotation marks; here they get some and stay what they are.

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ImportError;
use super::tree::{Body, Item, MAX_DEPTH, MAX_ITEMS};

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Item, ImportError> {
    let quoted = quoted(text);
    let starts = std::iter::once(0).chain(quoted.match_indices('\n').map(|(at, _)| at + 1));
    let mut reader = Reader { starts: starts.collect(), items: 0 };
    let table = DeTable::parse(&quoted).map_err(|error| ImportError::Syntax {
        line: error.span().map_or(1, |span| reader.line(span.start)),
        reason: error.message().to_owned(),
    })?;
    let entries = reader.table(table.get_ref(), 0)?;
    Ok(Item::new("", 1, Body::Table(entries)))
}

struct Reader {
    starts: Vec<usize>,
    items: usize,
}

impl Reader {
    /// The line of a byte offset, counted from 1.
    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    fn count(&mut self, depth: usize) -> Result<(), ImportError> {
        self.items += 1;
        if self.items > MAX_ITEMS || depth > MAX_DEPTH {
            return Err(ImportError::TooMuch { limit: MAX_ITEMS, depth: MAX_DEPTH });
        }
        Ok(())
    }

    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Result<Vec<Item>, ImportError> {
        let mut items = Vec::with_capacity(table.len());
        for (key, value) in table {
            let line = self.line(key.span().start);
            let body = self.body(value, depth + 1)?;
            items.push(Item::new(key.get_ref(), line, body));
        }
        // The reader gives them by name; people read them as they stand.
        items.sort_by_key(|item| item.line);
        Ok(items)
    }

    fn body(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Body, ImportError> {
        self.count(depth)?;
        Ok(Body::Plain(match value.get_ref() {
            DeValue::Table(table) => return Ok(Body::Table(self.table(table, depth)?)),
            DeValue::Array(values) => {
                let mut items = Vec::with_capacity(values.len());
                for value in values {
                    let line = self.line(value.span().start);
                    items.push(Item::new("", line, self.body(value, depth + 1)?));
                }
                return Ok(Body::List(items));
            }
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Datetime(moment) => Value::from(moment.to_string()),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                read.map_or_else(|_| Value::from(number.as_str()), Value::from)
            }
            DeValue::Float(number) => {
                let read = number.as_str().parse().ok().and_then(Number::from_f64);
                read.map_or_else(|| Value::from(number.as_str()), Value::Number)
            }
        }))
    }
}

/// The text with quotation marks around variables that stand outside of texts and comments.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => text_length(rest, first),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '$' => {
                let length = variable_length(rest);
                if length > 1 {
                    out.push('"');
                    out.push_str(&rest[..length]);
                    out.push('"');
                    rest = &rest[length..];
                    continue;
                }
                length
            }
            other => other.len_utf8(),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

/// How long a text in quotation marks is, with them.
fn text_length(text: &str, mark: char) -> usize {
    let triple = [mark; 3].iter().collect::<String>();
    let (end, from) = match text.starts_with(&triple) {
        true => (triple.as_str(), 3),
        false => (&triple[..1], 1),
    };
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        if bytes[at] == b'\\' && mark == '"' {
            at += 2;
        } else if bytes[at..].starts_with(end.as_bytes()) {
            // One or two more belong to a long text's end.
            let more = bytes[at + end.len()..].iter().take(from.saturating_sub(1));
            return at + end.len() + more.take_while(|byte| **byte == mark as u8).count();
        } else if bytes[at] == b'\n' && from == 1 {
            break;
        } else {
            at += 1;
        }
    }
    // Without an end: the reader of TOML says so. A step over an escape may have left the text,
    // or ended within a letter.
    let mut at = at.min(bytes.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// How long `$NAME` or `${…}` is; 1 where it is neither.
fn variable_length(text: &str) -> usize {
    let behind = &text[1..];
    if let Some(braced) = behind.strip_prefix('{') {
        let end = braced.find(['}', '\n', '"', '\\']);
        return match end {
            Some(end) if braced[end..].starts_with('}') => end + 3,
            _ => 1,
        };
    }
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    1 + behind.bytes().take_while(part).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_value_has_its_line_also_in_lists_of_tables() {
        let root = parse("a = 1\n\n[[b.c]]\n  d = true\n[[b.c]]\n  e = ['x',\n 'y']\n").unwrap();
        let tables = root.get("b").unwrap().get("c").unwrap().tables();
        assert_eq!(tables.len(), 2);
        assert_eq!(tables[0].get("d").unwrap().line, 4);
        let texts = tables[1].get("e").unwrap();
        assert_eq!((texts.line, texts.items()[1].line), (6, 7));
        assert_eq!(root.get("a").unwrap().value(), Value::from(1));
    }

    #[test]
    fn variables_may_stand_without_quotation_marks() {
        let text = "a = $A\nb = [${B:-x}, \"$C\"] # $D\nc = '''\n$E'''\nd = \"\\\"$F\"\ne = \"\"\"x\"\"\"\"\nf = $G\n";
        let root = parse(text).unwrap();
        let value = |key: &str| root.get(key).unwrap().value();
        assert_eq!(value("a"), "$A");
        assert_eq!(value("b"), Value::from(vec!["${B:-x}", "$C"]));
        assert_eq!(value("c"), "$E");
        assert_eq!(value("d"), "\"$F");
        assert_eq!((value("e"), value("f")), ("x\"".into(), "$G".into()));
    }

    #[test]
    fn what_is_no_toml_is_a_line_and_a_reason() {
        for text in ["a = ", "\n\nx", "a = \"\\", "a = $", "\"ü", "'''ü", "a = \"\\ü"] {
            assert!(matches!(parse(text), Err(ImportError::Syntax { .. })), "{text}");
        }
        let deep = format!("a = {}{}", "[".repeat(40), "]".repeat(40));
        assert!(parse(&deep).is_err());
    }
}
