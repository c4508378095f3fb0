use serde_json::json;

use crate::config::document::{Document, DocumentError, MAX_DEPTH, MAX_PATH};
use crate::config::format::Format;
use crate::config::path::KeyPath;

fn yaml(text: &str) -> Result<Document, DocumentError> {
    Document::parse(text.as_bytes(), Format::Yaml)
}

fn toml(text: &str) -> Result<Document, DocumentError> {
    Document::parse(text.as_bytes(), Format::Toml)
}

#[test]
fn the_three_formats_give_the_same_values_and_lines() {
    let from_toml = toml("a = 1\n[b]\nc = \"x\"\nd = [true, 2.5]\n").unwrap();
    let from_yaml = yaml("a: 1\nb:\n  c: x\n  d: [true, 2.5]\n").unwrap();
    let text = "{\"a\": 1,\n\"b\": {\n\"c\": \"x\",\n\"d\": [true, 2.5]}}";
    let from_json = Document::parse(text.as_bytes(), Format::Json).unwrap();
    assert_eq!(from_toml.root, from_yaml.root);
    assert_eq!(from_toml.root, from_json.root);
    let line = |document: &Document| document.lines[&KeyPath::parse("b.c").unwrap()];
    assert_eq!((line(&from_toml), line(&from_yaml), line(&from_json)), (3, 3, 3));
}

#[test]
fn yaml_has_no_truthy_words_and_no_octal_surprises() {
    let document =
        yaml("a: on\nb: yes\nc: 012\nd: 0o17\ne: 1.2.3\nf: 2026-01-02\ng: -5\nh: 1e3\ni: '7'\n")
            .unwrap();
    assert_eq!(
        serde_json::Value::Object(document.root),
        json!({
            "a": "on", "b": "yes", "c": "012", "d": 15, "e": "1.2.3", "f": "2026-01-02",
            "g": -5, "h": 1000.0, "i": "7"
        })
    );
}

#[test]
fn a_comment_that_mentions_a_key_is_a_comment() {
    let document =
        yaml("# environment_id: nonsense topic_name\nenvironment_id: \"stg.local\"\n").unwrap();
    assert_eq!(serde_json::Value::Object(document.root), json!({ "environment_id": "stg.local" }));
}

#[test]
fn yaml_refuses_what_has_hidden_surprises() {
    for (text, reason) in [
        ("a: 1\na: 2\n", "stands twice"),
        ("a: &x 1\nb: *x\n", "anchor"),
        ("a: !!int 1\n", "tag"),
        ("a: .inf\n", "not finite"),
        ("a: 99999999999999999999\n", "does not fit"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("? [a, b]\n: 1\n", "plain text"),
    ] {
        let error = yaml(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text:?} gave {error:?}");
    }
}

#[test]
fn a_key_without_a_value_is_an_error_with_its_line() {
    let error = yaml("a: 1\nb:\n  c:\n").unwrap_err();
    assert_eq!(error.line(), Some(3));
    assert!(error.to_string().contains("'b.c' has no value"), "{error}");
}

#[test]
fn a_syntax_error_names_its_line() {
    assert_eq!(toml("a = 1\nb = \n").unwrap_err().line(), Some(2));
    assert!(yaml("a: 1\nb: [1\n").unwrap_err().line().is_some());
    let json = Document::parse(b"{\"a\": 1,\n\"b\": }", Format::Json).unwrap_err();
    assert_eq!(json.line(), Some(2));
}

#[test]
fn nesting_is_capped_in_every_format() {
    let deep = MAX_DEPTH + 10;
    let json = format!("{{\"a\":{}1{}}}", "[".repeat(deep), "]".repeat(deep));
    for (text, format) in [
        (json.clone(), Format::Json),
        (format!("a: {}1{}", "[".repeat(deep), "]".repeat(deep)), Format::Yaml),
        (format!("a = {}1{}", "[".repeat(deep), "]".repeat(deep)), Format::Toml),
    ] {
        assert_eq!(Document::parse(text.as_bytes(), format), Err(DocumentError::TooDeep));
    }
}

#[test]
fn very_deep_nesting_ends_in_an_error_and_not_in_a_crash() {
    let deep = 100_000;
    for (text, format) in [
        (format!("{{\"a\":{}", "[".repeat(deep)), Format::Json),
        (format!("a: {}", "[".repeat(deep)), Format::Yaml),
        (format!("a: {}", "{b: ".repeat(deep)), Format::Yaml),
        (format!("a = {}", "[".repeat(deep)), Format::Toml),
        (format!("a = {}", "{b=".repeat(deep)), Format::Toml),
        (format!("[{}a]", "a.".repeat(deep)), Format::Toml),
    ] {
        assert!(Document::parse(text.as_bytes(), format).is_err());
    }
}

#[test]
fn size_keys_and_encoding_are_capped() {
    let many: String = (0..10_001).map(|n| format!("k{n} = 1\n")).collect();
    assert_eq!(toml(&many), Err(DocumentError::TooManyKeys));
    let large = format!("a = \"{}\"", "x".repeat(1024 * 1024));
    assert_eq!(toml(&large), Err(DocumentError::TooLarge));
    assert_eq!(Document::parse(b"a = \"\xff\"", Format::Toml), Err(DocumentError::NotText));
    assert_eq!(yaml("- 1\n- 2\n"), Err(DocumentError::NotATable));
}

#[test]
fn a_document_may_be_put_below_a_key() {
    let document = yaml("environment_id: stg\n").unwrap();
    let below = document.below(&KeyPath::parse("vars.old").unwrap());
    assert_eq!(
        serde_json::Value::Object(below.root.clone()),
        json!({ "vars": { "old": { "environment_id": "stg" } } })
    );
    assert_eq!(below.lines[&KeyPath::parse("vars.old.environment_id").unwrap()], 1);
}

#[test]
fn directives_are_about_the_document_and_no_settings() {
    let text = "unset = ['a.b']\nfinal = ['c']\naccept_shrink = true\nd = 1\n";
    let document = toml(text).unwrap();
    assert_eq!(document.keys(), 1);
    assert!(document.accept_shrink);
    assert_eq!(document.directives[&"final"], 2);
    let below = document.below(&KeyPath::parse("vars").unwrap());
    let paths = |paths: &[KeyPath]| paths.iter().map(KeyPath::to_string).collect::<Vec<_>>();
    assert_eq!(
        (paths(&below.unset), paths(&below.finals)),
        (vec!["vars.a.b".into()], vec!["vars.c".into()])
    );
    for (text, message) in [
        ("unset = 'a'", "`unset` must be a list of key paths"),
        ("unset = ['a..b']", "`unset` must be a list of key paths"),
        ("final = [1]", "`final` must be a list of key paths"),
        ("final = ['']", "`final` must be a list of key paths"),
        ("final = ['sink.*.url']", "`final` must be a list of key paths"),
        ("accept_shrink = 'yes'", "`accept_shrink` must be true or false"),
    ] {
        assert!(toml(text).unwrap_err().to_string().starts_with(message), "{text}");
    }
    let many = format!("final = [{}]", "'a',".repeat(10_001));
    assert_eq!(toml(&many), Err(DocumentError::TooManyKeys));
}

#[test]
fn keys_below_a_long_one_are_refused_before_each_holds_a_copy_of_it() {
    let long = "k".repeat(MAX_PATH);
    assert!(toml(&format!("{long} = 1")).is_ok());
    for text in [format!("vars.{long} = 1"), format!("[{long}]\na = 1")] {
        assert_eq!(toml(&text), Err(DocumentError::PathTooLong));
    }
    for (text, format) in [
        (format!("? {long}\n: {{a: 1}}"), Format::Yaml),
        (format!("{{\"{long}\": {{\"a\": 1}}}}"), Format::Json),
    ] {
        let read = Document::parse(text.as_bytes(), format);
        assert_eq!(read, Err(DocumentError::PathTooLong), "{format}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,200}", pick in 0..3usize) {
            let format = [Format::Toml, Format::Yaml, Format::Json][pick];
            let _ = Document::parse(text.as_bytes(), format);
        }

        #[test]
        fn no_structure_makes_a_parser_panic(
            text in "[\\[\\]{}:,=\"'#&*!|> \na1.-]{0,120}",
            pick in 0..3usize,
        ) {
            let format = [Format::Toml, Format::Yaml, Format::Json][pick];
            let _ = Document::parse(text.as_bytes(), format);
        }

        #[test]
        fn a_text_survives_json_read_as_yaml(text in any::<String>()) {
            let document = json!({ "key": text });
            let written = document.to_string();
            let read = Document::parse(written.as_bytes(), Format::Json).unwrap();
            prop_assert_eq!(serde_json::Value::Object(read.root), document);
        }
    }
}
