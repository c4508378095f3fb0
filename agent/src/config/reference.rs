//! The reference page of all settings, made from their declarations: each key
//! with its doc and its default. A test holds `config/reference.toml` to it.

use serde_json::Value;

use super::schema::{Field, NAME, Shape};
use super::settings::Settings;

/// The reference page as TOML. Every key is commented out, so the page as it
/// is configures nothing.
pub fn toml() -> String {
    let mut page = String::from(
        "# Every setting of gild, with its default. Lines that begin with `#:` are keys.\n\
         # Layers, lowest first: builtin, image, global, account, service, local.\n",
    );
    table(&mut page, "", &Settings::fields());
    page
}

fn table(page: &mut String, path: &str, fields: &[Field]) {
    for field in fields {
        if let Some(below) = nested(&field.shape) {
            let path = join(path, field.key);
            let title = match below {
                Nested::Map(_) => format!("{path}.{NAME}"),
                _ => path.clone(),
            };
            match below {
                Nested::Table(fields) => {
                    heading(page, &title, field.doc);
                    table(page, &path, fields);
                }
                Nested::Map(Shape::Variants { tag, variants, .. }) => {
                    for (word, fields) in variants {
                        heading(page, &title, field.doc);
                        page.push_str(&format!("#: {tag} = \"{word}\"\n"));
                        table(page, &title, fields);
                    }
                }
                Nested::Map(Shape::Table(fields)) => {
                    heading(page, &title, field.doc);
                    table(page, &title, fields);
                }
                Nested::Map(_) | Nested::Free => heading(page, &title, field.doc),
            }
        } else {
            key(page, field);
        }
    }
}

enum Nested<'a> {
    Table(&'a [Field]),
    Map(&'a Shape),
    Free,
}

fn nested(shape: &Shape) -> Option<Nested<'_>> {
    match shape {
        Shape::Table(fields) => Some(Nested::Table(fields)),
        Shape::Map(entry) => match **entry {
            // A map of plain values is written on one line.
            Shape::Table(_) | Shape::Variants { .. } => Some(Nested::Map(entry)),
            _ => None,
        },
        Shape::Free => Some(Nested::Free),
        _ => None,
    }
}

fn heading(page: &mut String, path: &str, doc: &str) {
    page.push('\n');
    comment(page, doc);
    page.push_str(&format!("#: [{path}]\n"));
}

fn key(page: &mut String, field: &Field) {
    comment(page, field.doc);
    match &field.default {
        Some(default) => page.push_str(&format!("#: {} = {}\n", field.key, inline(default))),
        None => page.push_str(&format!("#: {} =   ({})\n", field.key, field.shape.expected())),
    }
}

fn comment(page: &mut String, doc: &str) {
    for line in doc.lines() {
        page.push_str("# ");
        page.push_str(line.trim());
        page.push('\n');
    }
}

/// A value as TOML writes it on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let entries: Vec<_> =
                table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            }
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    /// `GILD_REFRESH_GOLDEN=1 cargo test` rewrites the page.
    #[test]
    fn the_reference_page_is_what_the_declarations_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/reference.toml");
        let page = super::toml();
        if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == page, "config/reference.toml is stale; set GILD_REFRESH_GOLDEN=1 once");
    }
}
