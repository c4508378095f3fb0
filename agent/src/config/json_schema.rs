//! The JSON Schema of a document, made from the declarations of the settings,
//! for editors that complete and check TOML, YAML and JSON. A test holds
//! `config/schema.json` to it.
//!
//! A document is one layer of several, so no key is required: another layer may
//! have it. What no schema can say (a merge, a reference, a range of a length of
//! time) is for `gild config check`.

use serde_json::{Map, Value, json};

use super::document::{DIRECTIVES, Directive, Holds};
use super::schema::{Declared, Field, NAME, Shape};
use super::settings::Settings;

/// How lengths of time are written.
const DURATION: &str = concat!(
    r"^\s*(?:[0-9]+(?:\.[0-9]+)?\s*",
    "(?:nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|",
    r"days?|d|weeks?|wks?|w|months?|M|years?|yrs?|y)\s*)+$",
);

/// The schema of a document.
pub fn schema() -> Value {
    let mut schema = table(&Settings::fields(), "");
    schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".into(), json!("A configuration document of gild"));
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.extend(directives());
    }
    Value::Object(schema)
}

/// What a document may say about itself beside its settings.
fn directives() -> impl Iterator<Item = (String, Value)> {
    DIRECTIVES.into_iter().map(|Directive { key, holds, doc }| {
        let mut schema = match holds {
            Holds::KeyPaths => json!({ "type": "array", "items": { "type": "string" } }),
            Holds::Truth => json!({ "type": "boolean" }),
        };
        schema["title"] = json!(key);
        schema["description"] = json!(doc);
        (key.to_owned(), schema)
    })
}

fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A table with these keys and no others.
fn table(fields: &[Field], path: &str) -> Map<String, Value> {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.key.to_owned(), key(field, path))).collect();
    object(json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    }))
}

/// A key with its doc and its default.
fn key(field: &Field, path: &str) -> Value {
    let path = if path.is_empty() { field.key.to_owned() } else { format!("{path}.{}", field.key) };
    let mut schema = of(&field.shape, &path);
    schema.insert("title".into(), json!(path));
    schema.insert("description".into(), json!(field.doc_line()));
    if let Some(default) = &field.default {
        schema.insert("default".into(), default.clone());
    }
    Value::Object(schema)
}

/// What a value of this shape may be.
fn of(shape: &Shape, path: &str) -> Map<String, Value> {
    object(match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Integer => json!({ "type": "integer", "minimum": 0 }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": DURATION }),
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::List(item) => json!({ "type": "array", "items": of(item, path) }),
        Shape::Table(fields) => return table(fields, path),
        Shape::Map(entry) => json!({
            "type": "object",
            "additionalProperties": of(entry, &format!("{path}.{NAME}")),
        }),
        Shape::Variants { tag, variants, .. } => return choose(shape, tag, variants, path),
        Shape::Secret => secret(),
        Shape::TextOr(fields) => json!({ "anyOf": [{ "type": "string" }, table(fields, path)] }),
        Shape::Free => json!({ "type": "object" }),
    })
}

/// A table whose keys depend on a word. A document that does not say the word
/// may have the keys of all.
fn choose(
    shape: &Shape,
    tag: &str,
    variants: &[(&'static str, Vec<Field>)],
    path: &str,
) -> Map<String, Value> {
    let any: Map<String, Value> = shape
        .keys()
        .into_iter()
        .map(|key| (key.to_owned(), any_of(&shape.declared(&[key.to_owned()], None), key, path)))
        .collect();
    let each: Vec<Value> = variants
        .iter()
        .map(|(word, fields)| {
            let keys: Vec<&str> =
                std::iter::once(tag).chain(fields.iter().map(|field| field.key)).collect();
            let properties = table(fields, path).remove("properties").unwrap_or_default();
            let mut only = Map::new();
            only.insert(tag.to_owned(), json!({ "const": word }));
            json!({
                "if": { "properties": only, "required": [tag] },
                "then": { "properties": properties, "propertyNames": { "enum": keys } },
            })
        })
        .collect();
    object(json!({
        "type": "object",
        "properties": any,
        "additionalProperties": false,
        "allOf": each,
    }))
}

/// A key of which there are several declarations.
fn any_of(declared: &[Declared], key: &str, path: &str) -> Value {
    let path = format!("{path}.{key}");
    let mut shapes: Vec<Value> = Vec::new();
    for one in declared {
        let schema = Value::Object(of(&one.shape, &path));
        if !shapes.contains(&schema) {
            shapes.push(schema);
        }
    }
    let doc = |one: &Declared| match (one.when, declared.len()) {
        (Some((_, word)), 2..) => format!("{word}: {}", one.doc_line()),
        _ => one.doc_line(),
    };
    let docs: Vec<String> = declared.iter().map(doc).collect();
    let mut schema = match shapes.as_slice() {
        [one] => one.clone(),
        _ => json!({ "anyOf": shapes }),
    };
    schema["title"] = json!(path);
    schema["description"] = json!(docs.join(" "));
    if let [Declared { default: Some(default), .. }] = declared {
        schema["default"] = default.clone();
    }
    schema
}

/// A reference to a secret, in one of its shapes.
fn secret() -> Value {
    let text = json!({ "type": "string" });
    let shape = |keys: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": keys,
            "required": required,
            "additionalProperties": false,
        })
    };
    json!({ "oneOf": [
        shape(json!({ "ssm": text }), &["ssm"]),
        shape(json!({ "secretsmanager": text, "key": text }), &["secretsmanager"]),
        shape(json!({ "file": text }), &["file"]),
    ] })
}

#[cfg(test)]
mod tests;
