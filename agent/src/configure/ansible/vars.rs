//! The variables of a play, as YAML that Ansible cannot mistake for anything
//! else. Strings are tagged `!unsafe`, so that a `{{ }}` in a tag or a parameter
//! stays text instead of running as a template; so are keys, which a playbook may
//! turn into values. The file holds nothing but ASCII and needs no knowledge of
//! YAML's many plain scalars: keys and strings are always quoted, and keys are
//! written in the explicit form, whose length is not limited.
//!
//! One kind of string goes without the tag: from ansible-core 2.19 on, `!unsafe`
//! makes a quoted `"yes"` a truth and a quoted `"0x10"` a number. Such strings
//! consist of letters, digits and a few signs that no template is made of, so
//! they are safe as they are.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// The table as a YAML document.
pub(crate) fn document(table: &Map<String, Value>) -> String {
    let mut text = String::new();
    mapping(&mut text, table);
    text.push('\n');
    text
}

fn value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(value) => number(out, value),
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                self::value(out, item);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Object(table) => mapping(out, table),
    }
}

fn mapping(out: &mut String, table: &Map<String, Value>) {
    out.push('{');
    for (key, below) in table {
        out.push_str("\n? ");
        string(out, key);
        out.push_str("\n: ");
        value(out, below);
        out.push(',');
    }
    out.push('}');
}

fn string(out: &mut String, text: &str) {
    if !reads_as_another_type(text) {
        out.push_str("!unsafe ");
    }
    quoted(out, text);
}

/// Whether a text might be taken for a truth, a number, a time, or nothing, by
/// the rules of YAML 1.1. It may say yes too often, but only to texts without a
/// brace, a bracket, a hash or a percent sign.
fn reads_as_another_type(text: &str) -> bool {
    // Those rules are Python patterns, whose end may stand before a line break.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let words = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"];
    let signs = ["", "~", "<<", "=", "!", "&", "*"];
    signs.contains(&text)
        || words.iter().any(|word| text.eq_ignore_ascii_case(word))
        || (text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
            && text.chars().all(|character| {
                character.is_ascii_alphanumeric() || "+-._: \t".contains(character)
            }))
}

/// A double-quoted scalar. Whatever is not plain ASCII is escaped: a quoted
/// line break would be folded, and some characters may not stand in YAML at all.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(character),
            _ => {
                let code = u32::from(character);
                // Writing to a String cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
}

/// A number. PyYAML takes `1e30` for text: a float must have a point and its
/// exponent a sign.
fn number(out: &mut String, number: &Number) {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        out.push_str(&number.to_string());
        return;
    };
    let text = format!("{float:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    let _ = write!(out, "{digits}{point}e{sign}{exponent}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn written(value: Value) -> String {
        document(value.as_object().unwrap()).replace('\n', "")
    }

    #[test]
    fn strings_and_keys_are_unsafe() {
        assert_eq!(
            written(json!({ "a b": "{{ x }}", "list": ["z", 2, null, true], "t": { "k": "v" } })),
            "{? !unsafe \"a b\": !unsafe \"{{ x }}\",\
             ? !unsafe \"list\": [!unsafe \"z\", 2, null, true, ],\
             ? !unsafe \"t\": {? !unsafe \"k\": !unsafe \"v\",},}"
        );
    }

    #[test]
    fn what_is_not_plain_ascii_is_escaped() {
        assert_eq!(
            written(json!({ "k": "a\"b\\c\nd\té\u{2028}😀\u{0}" })),
            "{? !unsafe \"k\": !unsafe \"a\\\"b\\\\c\\x0ad\\x09\\xe9\\u2028\\U0001f600\\x00\",}"
        );
    }

    #[test]
    fn floats_have_a_point_and_a_signed_exponent() {
        for (float, text) in
            [(1e30, "1.0e+30"), (0.5, "5.0e-1"), (-1.25, "-1.25e+0"), (1.5e-7, "1.5e-7")]
        {
            assert_eq!(written(json!({ "f": float })), format!("{{? !unsafe \"f\": {text},}}"));
        }
        assert_eq!(written(json!({ "i": -7 })), "{? !unsafe \"i\": -7,}");
    }

    #[test]
    fn what_reads_as_another_type_is_only_quoted() {
        for text in [
            "",
            "~",
            "yes",
            "Off",
            "NULL",
            "no\n",
            "0x10",
            "-5",
            "1_000",
            "1:30",
            ".inf",
            "-.INF",
            "1e3",
            "1.5e+3",
            "2001-01-01",
            "2001-01-01 10:00:00.5 +01:00",
            "<<",
            "=",
        ] {
            assert!(reads_as_another_type(text), "{text:?}");
        }
        for text in ["{{ x }}", "1{{ x }}", "yes {% x %}", "#jinja2:", "-[[x]]", "eth0", "no\n\n"] {
            assert!(!reads_as_another_type(text), "{text:?}");
        }
        assert_eq!(written(json!({ "k": "0x10" })), "{? !unsafe \"k\": \"0x10\",}");
    }

    #[test]
    fn an_empty_table_is_a_document() {
        assert_eq!(document(&Map::new()), "{}\n");
    }
}
