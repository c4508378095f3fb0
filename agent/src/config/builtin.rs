//! The lowest layer: the defaults in the code, as a document like any other, so
//! that they show up with an origin too.

use std::sync::Arc;

use super::document::Document;
use super::merge::Layer;
use super::origin::LayerName;
use super::schema;
use super::settings::Settings;

/// The layer of defaults.
pub fn layer() -> Layer {
    let document = Document { root: schema::defaults(&Settings::fields()), ..Document::default() };
    Layer {
        name: LayerName::Builtin,
        source: Arc::from("defaults"),
        version: None,
        last_good: false,
        document,
    }
}
