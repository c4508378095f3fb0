//! An explanation as text for people: the value first, then whose it is.

use serde_json::Value;

use super::known::{Declaration, Explanation, Key};
use crate::cli::config::layout::{WIDTH, length, padded, table, wrapped};
use crate::cli::paint::Paint;
use crate::config::difference::Side;
use crate::config::node::Node;
use crate::config::{LayerName, Origin};
use crate::configure::report::SourceOutcome;
use crate::status::render::plain;

/// The widest column of values; a wider one has its origin on the next line.
const WIDEST: usize = 24;

/// The explanation as text.
pub(super) fn of(explanation: &Explanation, config: &Node, paint: Paint) -> String {
    let mut text = head(explanation, paint);
    for declaration in &explanation.declared {
        text.push_str(&declared(declaration, paint));
    }
    if !explanation.chain.is_empty() {
        text.push_str(&heading("set by, the winner first", paint));
        text.push_str(&chain(&explanation.chain, paint));
    }
    if let Some(node) = config.get(&explanation.key).filter(|_| !explanation.below.is_empty()) {
        let below = table(node, &explanation.key, true, true, paint);
        if !below.is_empty() {
            text.push_str(&heading("set below it", paint));
            text.push_str(&indented(&below));
        }
    }
    text.push_str(&findings(explanation, paint));
    if let Some(at) = &explanation.resolved_at {
        text.push_str(&format!("\n{}\n", paint.dim(&format!("resolved at {}", plain(at)))));
    }
    text
}

fn head(explanation: &Explanation, paint: Paint) -> String {
    let key = paint.bold(&explanation.key.to_string());
    let key = if explanation.key.segments().is_empty() { paint.bold("all keys") } else { key };
    match (&explanation.value, explanation.below.is_empty()) {
        (Some(Value::Object(_)), false) => format!("{key}\n"),
        (Some(value), _) => format!("{key} = {}\n", shown(value)),
        (None, _) => format!("{key} is not set\n"),
    }
}

/// What is declared: the doc, what it may hold, the default, the keys.
fn declared(declaration: &Declaration, paint: Paint) -> String {
    let mut text = String::new();
    for (tag, word) in &declaration.when {
        text.push_str(&heading(&format!("where {tag} = {word}"), paint));
    }
    text.push_str(&wrapped(&declaration.doc, "", ""));
    text.push('\n');
    text.push_str(&wrapped(&declaration.expected, "  type     ", "           "));
    if let Some(default) = &declaration.default {
        text.push_str(&format!("  default  {}\n", shown(default)));
    }
    if !declaration.keys.is_empty() {
        text.push_str(&heading("keys", paint));
        let width = declaration.keys.iter().map(|key| length(&key.key)).max().unwrap_or_default();
        for key in &declaration.keys {
            text.push_str(&line(key, width));
        }
    }
    text
}

/// A key of a table, on one line.
fn line(key: &Key, width: usize) -> String {
    let words: Vec<_> = key.declared.when.values().filter_map(Value::as_str).collect();
    let when = if words.is_empty() { String::new() } else { format!("({}) ", words.join(", ")) };
    let doc = key.declared.doc.split_inclusive(". ").next().unwrap_or_default().trim_end();
    let line = format!("  {}  {when}{doc}", padded(&key.key, width));
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…\n", line[..end].trim_end_matches(|c: char| c != ' ')),
        None => line + "\n",
    }
}

/// Who set the value, one line each where there is room.
fn chain(chain: &[Side], paint: Paint) -> String {
    let values: Vec<String> = chain.iter().map(|side| shown(&side.value)).collect();
    let width = values.iter().map(|value| length(value)).filter(|width| *width <= WIDEST).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (position, (side, value)) in chain.iter().zip(&values).enumerate() {
        let fits = length(value) <= width;
        let value = padded(value, width);
        let value = if position == 0 { value } else { paint.dim(&value) };
        let column = format!("  {}  ", " ".repeat(width));
        let first = if fits { format!("  {value}  ") } else { column.clone() };
        if !fits {
            text.push_str(&format!("  {value}\n"));
        }
        // What follows the layer stands below the document.
        let first = format!("{first}{}", padded(&layer(&side.origin, paint), LAYER));
        let next = format!("{column}{}", " ".repeat(LAYER));
        text.push_str(&wrapped(&place(&side.origin, paint), &first, &next));
    }
    text
}

/// The column of layers.
const LAYER: usize = 9;

fn layer(origin: &Origin, paint: Paint) -> String {
    match origin.layer {
        LayerName::Builtin => paint.dim(origin.layer.label()),
        layer => layer.label().to_owned(),
    }
}

/// Document, line and version, and whether it is a copy.
fn place(origin: &Origin, paint: Paint) -> String {
    let mut text = plain(&origin.source);
    if let Some(line) = origin.line {
        text.push_str(&format!(", line {line}"));
    }
    if let Some(version) = &origin.version {
        text.push_str(&format!(", version {}", plain(version)));
    }
    if origin.layer == LayerName::Builtin {
        text = paint.dim(&text);
    }
    if origin.last_good {
        text.push_str(&paint.yellow(", last good copy"));
    }
    text
}

/// What the report of the boot says.
fn findings(explanation: &Explanation, paint: Paint) -> String {
    let found = &explanation.findings;
    let refused = found.refused.iter().map(|refused| {
        let (key, origin, reason) = (&refused.key, &refused.origin, &refused.reason);
        format!("{key} from {origin}: {reason}")
    });
    let unknown = found.unknown.iter().map(|unknown| {
        let (key, origin) = (&unknown.key, &unknown.origin);
        let nearest = unknown.nearest.as_ref().map(|key| format!("; did you mean {key}?"));
        format!("{key} from {origin}{}", nearest.unwrap_or_default())
    });
    let sources = found.sources.iter().map(|source| {
        let state = match source.state {
            SourceOutcome::LastGood => "its last good copy is used",
            SourceOutcome::Kept => "its copy is current",
            SourceOutcome::Bad => "it cannot be used",
            _ => "it could not be read",
        };
        let why = source.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} {}: {state}{why}", source.layer, source.source)
    });
    let mut text = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&heading(title, paint));
            for line in &lines {
                text.push_str(&wrapped(&plain(line), "  ", "      "));
            }
        }
    };
    section("refused", refused.collect());
    section("left out", found.problems.clone());
    section("set, and read by nothing", unknown.collect());
    section("sources that may have had a say", sources.collect());
    text
}

fn heading(title: &str, paint: Paint) -> String {
    format!("\n{}\n", paint.bold(title))
}

fn shown(value: &Value) -> String {
    plain(&value.to_string())
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}
