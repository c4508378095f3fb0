//! One line of the text format, version 0.0.4, read strictly: what Prometheus
//! would stumble over is a fault here too.
//!
//! To add a kind of line: a variant of `Line`, and an arm in `read`.

use std::borrow::Cow;

use crate::metrics::sink::remote_write::encode::{is_label_name, is_metric_name};

/// A series has no more labels than a receiver takes, and no longer ones.
const MOST_LABELS: usize = 30;
const LONGEST_NAME: usize = 256;
const LONGEST_VALUE: usize = 2048;

/// What a `TYPE` line says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Up and down, or not said.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
    /// Quantiles, a sum and a count.
    Summary,
}

/// What a line says.
#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// Nothing, or a comment.
    Nothing,
    /// The type of a metric.
    Type(&'a str, Type),
    /// A measurement.
    Sample(Measured<'a>),
}

/// A measurement.
#[derive(Debug, PartialEq)]
pub struct Measured<'a> {
    /// The name.
    pub name: &'a str,
    /// The labels, sorted by name. An empty value stands for no label.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// The value.
    pub value: f64,
    /// Whether a time stands after it.
    pub timed: bool,
}

/// Reads a line without its end; what is not right about it, where it is none.
pub fn read(line: &str) -> Result<Line<'_>, &'static str> {
    let line = line.trim_matches(BLANK);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    match line.strip_prefix('#') {
        Some(comment) => read_comment(comment),
        None => read_sample(line).map(Line::Sample),
    }
}

const BLANK: [char; 2] = [' ', '\t'];

fn read_comment(comment: &str) -> Result<Line<'_>, &'static str> {
    let mut words = comment.split(BLANK).filter(|word| !word.is_empty());
    if words.next() != Some("TYPE") {
        return Ok(Line::Nothing);
    }
    let (Some(name), Some(word), None) = (words.next(), words.next(), words.next()) else {
        return Err("a TYPE is a name and a word");
    };
    if !is_metric_name(name) {
        return Err("a TYPE is of no name");
    }
    let kind = match word {
        "counter" => Type::Counter,
        "gauge" | "untyped" => Type::Gauge,
        "histogram" => Type::Histogram,
        "summary" => Type::Summary,
        _ => return Err("there is no such TYPE"),
    };
    Ok(Line::Type(name, kind))
}

fn read_sample(line: &str) -> Result<Measured<'_>, &'static str> {
    let end = line.find(|letter| letter == '{' || BLANK.contains(&letter));
    let (name, rest) = line.split_at(end.ok_or("there is no value")?);
    if !is_metric_name(name) || name.len() > LONGEST_NAME {
        return Err("the name is none, or too long");
    }
    let (labels, rest) = match rest.trim_start_matches(BLANK).strip_prefix('{') {
        Some(rest) => read_labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split(BLANK).filter(|word| !word.is_empty());
    let value = read_value(words.next().ok_or("there is no value")?)?;
    let time = words.next();
    if words.next().is_some() || time.is_some_and(|time| time.parse::<i64>().is_err()) {
        return Err("what stands after the value is no time");
    }
    Ok(Measured { name, labels, value, timed: time.is_some() })
}

fn read_value(word: &str) -> Result<f64, &'static str> {
    let value: f64 = word.parse().map_err(|_| "the value is no number")?;
    // A number that does not fit is not the same as one without end.
    match value.is_infinite() && word.contains(|letter: char| letter.is_ascii_digit()) {
        true => Err("the value is too large"),
        false => Ok(value),
    }
}

type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// The labels up to the closing brace, and what stands behind it.
fn read_labels(mut rest: &str) -> Result<(Labels<'_>, &str), &'static str> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(BLANK);
        if let Some(rest) = rest.strip_prefix('}') {
            labels.sort_unstable_by_key(|(name, _)| *name);
            let twice = labels.windows(2).any(|pair| pair[0].0 == pair[1].0);
            labels.retain(|(_, value)| !value.is_empty());
            return if twice { Err("a label stands twice") } else { Ok((labels, rest)) };
        }
        let (name, behind) = rest.split_once('=').ok_or("a label has no value")?;
        let name = name.trim_end_matches(BLANK);
        if !is_label_name(name) || name.len() > LONGEST_NAME {
            return Err("the name of a label is none, or too long");
        }
        let quoted = behind.trim_start_matches(BLANK).strip_prefix('"');
        let (value, behind) = read_text(quoted.ok_or("the value of a label is not quoted")?)?;
        if labels.len() == MOST_LABELS || value.len() > LONGEST_VALUE {
            return Err("there are too many labels, or too long ones");
        }
        labels.push((name, value));
        let behind = behind.trim_start_matches(BLANK);
        rest = match behind.strip_prefix(',') {
            Some(next) => next,
            None if behind.starts_with('}') => behind,
            None => return Err("there is no comma between labels"),
        };
    }
}

/// A text up to its closing quote, and what stands behind it.
fn read_text(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    const ENDLESS: &str = "the value of a label has no end";
    let stop = text.find(['"', '\\']).ok_or(ENDLESS)?;
    if text[stop..].starts_with('"') {
        return Ok((Cow::Borrowed(&text[..stop]), &text[stop + 1..]));
    }
    let mut value = text[..stop].to_owned();
    let mut letters = text[stop..].chars();
    loop {
        match letters.next().ok_or(ENDLESS)? {
            '"' => return Ok((Cow::Owned(value), letters.as_str())),
            '\\' => value.push(match letters.next() {
                Some('n') => '\n',
                Some(letter @ ('"' | '\\')) => letter,
                _ => return Err("there is no such escape"),
            }),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
