//! Tests of the configuration engine, by the part that they are about.
#![allow(clippy::unwrap_used)]

mod documents;
mod layers;
mod merging;
mod properties;
mod typing;

use std::sync::Arc;

use serde_json::{Value, json};

use super::document::Document;
use super::format::Format;
use super::merge::Layer;
use super::origin::LayerName;

/// A layer from values, without lines.
fn layer(name: LayerName, source: &str, values: Value) -> Layer {
    let Value::Object(root) = values else { panic!("a layer is a table, not {values}") };
    Layer {
        name,
        source: Arc::from(source),
        version: None,
        last_good: false,
        document: Document::from_values(root).unwrap(),
    }
}

/// A layer from TOML text, with lines.
fn toml_layer(name: LayerName, source: &str, text: &str) -> Layer {
    let mut layer = layer(name, source, json!({}));
    layer.document = Document::parse(text.as_bytes(), Format::Toml).unwrap();
    layer
}
