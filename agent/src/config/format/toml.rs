//! TOML, by the `toml` crate's spanned tree. Dates become text, because the
//! other formats have none.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Format, Parsed};
use crate::config::document::{DocumentError, MAX_DEPTH, within_limits};
use crate::config::path::KeyPath;

pub(super) fn parse(text: &str) -> Result<Parsed, DocumentError> {
    let mut reader = Reader { starts: line_starts(text), lines: BTreeMap::new() };
    let table = DeTable::parse(text).map_err(|error| DocumentError::Syntax {
        format: Format::Toml,
        line: error.span().map_or(1, |span| reader.line(span.start)),
        reason: error.message().to_owned(),
    })?;
    let root = reader.table(table.get_ref(), &KeyPath::root(), 0)?;
    Ok((root, reader.lines))
}

/// Offsets at which lines start, so that many keys cost one scan.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

struct Reader {
    starts: Vec<usize>,
    lines: BTreeMap<KeyPath, u32>,
}

impl Reader {
    /// The line of a byte offset, counted from 1.
    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    fn table(
        &mut self,
        table: &DeTable<'_>,
        path: &KeyPath,
        depth: usize,
    ) -> Result<Map<String, Value>, DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::TooDeep);
        }
        let mut values = Map::new();
        for (key, value) in table {
            let below = path.child(key.get_ref());
            within_limits(&below, self.lines.len() + 1)?;
            let line = self.line(key.span().start);
            self.lines.insert(below.clone(), line);
            values.insert(key.get_ref().to_string(), self.value(value, &below, depth + 1)?);
        }
        Ok(values)
    }

    fn value(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        path: &KeyPath,
        depth: usize,
    ) -> Result<Value, DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::TooDeep);
        }
        let fault = |reader: &Self, reason: &str| DocumentError::Syntax {
            format: Format::Toml,
            line: reader.line(value.span().start),
            reason: reason.to_owned(),
        };
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Datetime(moment) => Value::from(moment.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Value::from)
                .map_err(|_| fault(self, "an integer beyond 64 bits"))?,
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .ok()
                .and_then(Number::from_f64)
                .map(Value::Number)
                .ok_or_else(|| fault(self, "a number that is not finite"))?,
            DeValue::Array(items) => items
                .iter()
                .map(|item| self.value(item, path, depth + 1))
                .collect::<Result<_, _>>()?,
            DeValue::Table(table) => Value::Object(self.table(table, path, depth)?),
        })
    }
}
