//! How values and their origins stand on lines for people: in columns where
//! they fit, below each other where they do not. What comes from outside is
//! shown without control characters.

use crate::cli::paint::Paint;
use crate::config::node::{Leaf, Node};
use crate::config::path::KeyPath;
use crate::config::{LayerName, Origin};
use crate::status::render::plain;

/// The width that lines are laid out for.
pub(super) const WIDTH: usize = 80;

/// The widest columns of keys and of values. What is wider has its origin on
/// the next line.
const WIDEST_KEY: usize = 32;
const WIDEST_VALUE: usize = 16;

/// The path of a key below another one.
pub(super) fn join(path: &KeyPath, below: &KeyPath) -> KeyPath {
    path.segments().iter().chain(below.segments()).cloned().collect()
}

/// The values as lines for people, each with its origins where they are asked
/// for. `configured` leaves out what nobody set.
pub(in crate::cli) fn table(
    node: &Node,
    path: &KeyPath,
    origins: bool,
    configured: bool,
    paint: Paint,
) -> String {
    let rows: Vec<(String, String, &Leaf)> = node
        .leaves()
        .into_iter()
        .filter(|(_, leaf)| !configured || leaf.origin.layer != LayerName::Builtin)
        .map(|(below, leaf)| (join(path, &below).to_string(), plain(&leaf.value.to_string()), leaf))
        .collect();
    let widest = |cells: &mut dyn Iterator<Item = &String>| cells.map(|cell| length(cell)).max();
    let keys = widest(&mut rows.iter().map(|row| &row.0)).unwrap_or_default().min(WIDEST_KEY);
    let values = widest(&mut rows.iter().map(|row| &row.1)).unwrap_or_default().min(WIDEST_VALUE);
    let column = keys + " = ".len() + values + 2;
    let mut text = String::new();
    for (key, value, leaf) in &rows {
        let head = format!("{} = {value}", padded(key, keys));
        let default = leaf.origin.layer == LayerName::Builtin;
        let shown = |line: &str| if default { paint.dim(line) } else { line.to_owned() };
        if !origins {
            text.push_str(&shown(&head));
            text.push('\n');
            continue;
        }
        let origin = origin_text(&leaf.origin, paint);
        let fits = length(&head) + 2 <= column && column + length(&origin) <= WIDTH;
        if fits {
            text.push_str(&shown(&padded(&head, column)));
            text.push_str(&shown(&origin));
        } else {
            text.push_str(&format!("{}\n    from {}", shown(&head), shown(&origin)));
        }
        text.push('\n');
        for loser in &leaf.overrode {
            let value = plain(&loser.value.to_string());
            let over = format!("    over {value} from {}", plain(&loser.origin.to_string()));
            text.push_str(&paint.dim(&over));
            text.push('\n');
        }
    }
    text
}

/// An origin for people. A copy in the place of a fresh document stands out.
pub(super) fn origin_text(origin: &Origin, paint: Paint) -> String {
    let text = plain(&origin.to_string());
    if origin.last_good { paint.yellow(&text) } else { text }
}

/// How many columns a text takes, as far as one character is one column. Colour
/// takes none.
pub(super) fn length(text: &str) -> usize {
    let mut coloured = text.split('\x1b');
    let first = coloured.next().map_or(0, |part| part.chars().count());
    let rest = coloured.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
    first + rest.map(|part| part.chars().count()).sum::<usize>()
}

/// A text, filled up with spaces.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(length(text))))
}

/// A text on lines of the usual width: the first one begins with `first`, the
/// others with `next`. A word that is longer than a line is left whole.
pub(super) fn wrapped(text: &str, first: &str, next: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && length(&line) + 1 + length(word) > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = next.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines + &line + "\n"
}

/// A number and its noun: `1 problem`, `2 problems`.
pub(in crate::cli) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_takes_no_room() {
        assert_eq!(length("\x1b[1;33mab\x1b[0m c\x1b[2md\x1b[0m"), 5);
        assert_eq!(padded("\x1b[1mé\x1b[0m", 3), "\x1b[1mé\x1b[0m  ");
    }

    #[test]
    fn a_text_is_broken_between_words_and_a_long_word_is_left_whole() {
        let long = "x".repeat(90);
        let text = format!("{} {long} end", "word ".repeat(20));
        let lines = wrapped(&text, "a: ", "   ");
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("a: word") && length(lines[0]) <= WIDTH);
        assert_eq!(lines[2], format!("   {long}"));
        assert_eq!(lines[3], "   end");
        assert_eq!(wrapped("", "a", "b"), "a\n");
    }
}
