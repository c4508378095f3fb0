//! YAML 1.2 with the core schema: only `true` and `false` are booleans, so that
//! `on`, `yes` and `012` are what they look like. Duplicate keys, aliases,
//! anchors and tags are refused: a document that root reads at boot needs none,
//! and each has hidden a surprise somewhere.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::{Format, Parsed};
use crate::config::document::{DocumentError, MAX_DEPTH, within_limits};
use crate::config::path::KeyPath;

pub(super) fn parse(text: &str) -> Result<Parsed, DocumentError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), lines: BTreeMap::new() };
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok((Map::new(), reader.lines)),
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
            Event::MappingStart(anchor, tag) => {
                plain(anchor, tag.is_some(), at)?;
                let root = reader.mapping(&KeyPath::root(), 1)?;
                reader.end()?;
                return Ok((root, reader.lines));
            }
            // An empty document with a comment or `---` alone.
            Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty() => {}
            _ => return Err(DocumentError::NotATable),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    lines: BTreeMap<KeyPath, u32>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), DocumentError> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(DocumentError::Syntax {
                format: Format::Yaml,
                line: line(error.marker().line()),
                reason: error.info().to_owned(),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Nothing may follow the one document.
    fn end(&mut self) -> Result<(), DocumentError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentEnd, _) => {}
                (_, at) => return Err(syntax(at, "a second document in one text")),
            }
        }
    }

    fn mapping(
        &mut self,
        path: &KeyPath,
        depth: usize,
    ) -> Result<Map<String, Value>, DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::TooDeep);
        }
        let mut table = Map::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(table),
                Event::Scalar(key, _, anchor, tag) => {
                    plain(anchor, tag.is_some(), at)?;
                    key.into_owned()
                }
                _ => return Err(syntax(at, "a key must be a plain text")),
            };
            if table.contains_key(&key) {
                return Err(syntax(at, &format!("the key {key:?} stands twice")));
            }
            let below = path.child(&key);
            within_limits(&below, self.lines.len() + 1)?;
            self.lines.insert(below.clone(), line(at.start.line()));
            let value = self.value(&below, depth + 1)?;
            table.insert(key, value);
        }
    }

    fn value(&mut self, path: &KeyPath, depth: usize) -> Result<Value, DocumentError> {
        let (event, at) = self.next()?;
        self.value_of(event, at, path, depth)
    }

    fn value_of(
        &mut self,
        event: Event<'a>,
        at: Span,
        path: &KeyPath,
        depth: usize,
    ) -> Result<Value, DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::TooDeep);
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some(), at)?;
                if style == ScalarStyle::Plain { core(&text, at) } else { Ok(Value::from(&*text)) }
            }
            Event::MappingStart(anchor, tag) => {
                plain(anchor, tag.is_some(), at)?;
                Ok(Value::Object(self.mapping(path, depth)?))
            }
            Event::SequenceStart(anchor, tag) => {
                plain(anchor, tag.is_some(), at)?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                        (event, at) => items.push(self.value_of(event, at, path, depth + 1)?),
                    }
                }
            }
            Event::Alias(_) => Err(syntax(at, "an alias (`*name`); write the value out")),
            _ => Err(syntax(at, "a value is missing")),
        }
    }
}

/// Refuses anchors and tags.
fn plain(anchor: usize, tagged: bool, at: Span) -> Result<(), DocumentError> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(syntax(at, "a tag (`!name`); values are plain text, numbers or truths")),
        _ => Err(syntax(at, "an anchor (`&name`); write the value out")),
    }
}

/// The core schema of YAML 1.2.2, section 10.3.2.
fn core(text: &str, at: Span) -> Result<Value, DocumentError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::from(true),
        "false" | "False" | "FALSE" => Value::from(false),
        _ => match number(text) {
            Some(Some(number)) => Value::Number(number),
            Some(None) => return Err(syntax(at, "a number that does not fit or is not finite")),
            None => Value::from(text),
        },
    })
}

/// `None` where the text is no number, `Some(None)` where it is one that
/// cannot be held.
fn number(text: &str) -> Option<Option<Number>> {
    let integer = |digits: &str, radix| {
        (!digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix)))
            .then(|| i64::from_str_radix(digits, radix).ok().map(Number::from))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return integer(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return integer(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(None);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        // `012` is a number to the core schema and an octal one to older
        // parsers: as text it is what was written, for both.
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return None;
        }
        return Some(text.parse::<i64>().ok().map(Number::from));
    }
    let float = unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if !float {
        return None;
    }
    // A date or a version such as 1.2.3 does not parse and stays text.
    text.parse::<f64>().ok().map(Number::from_f64)
}

fn syntax(at: Span, reason: &str) -> DocumentError {
    DocumentError::Syntax {
        format: Format::Yaml,
        line: line(at.start.line()),
        reason: reason.to_owned(),
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
