//! The documents that are on the host already: the image's, the operator's,
//! and those of a directory that stands for all scopes.

use std::path::Path;

use super::answer::layers;
use super::arrived::Arrived;
use super::error::SourceError;
use super::file;
use super::text::{Found, Text};
use crate::config::LayerName;
use crate::configure::report::SourceOutcome;
use crate::platform::paths::Paths;

/// The endings of a scope's document, in the order of precedence.
const ENDINGS: [&str; 4] = ["json", "toml", "yaml", "yml"];

/// The documents of the image and local layers, lowest first, each by itself:
/// one that is wrong does not take the others with it.
pub fn of_host(paths: &Paths) -> Vec<Arrived> {
    let image = directory(LayerName::Image, &paths.image_layer());
    let local = directory(LayerName::Local, &paths.local_layer());
    image.into_iter().chain(local).collect()
}

/// The documents `global`, `account` and `service` of one directory.
pub fn of_scopes(directory: &Path) -> Vec<Arrived> {
    let scopes = [LayerName::Global, LayerName::Account, LayerName::Service];
    let files = scopes.into_iter().flat_map(|layer| {
        ENDINGS.map(|ending| (layer, directory.join(format!("{layer}.{ending}"))))
    });
    files.flat_map(|(layer, file)| self::directory(layer, &file)).collect()
}

fn directory(layer: LayerName, path: &Path) -> Vec<Arrived> {
    let shown = path.display().to_string();
    match file::read(path, &shown, None) {
        Ok(Found::Texts(texts)) => texts.into_iter().map(|text| document(layer, text)).collect(),
        Ok(Found::Units(_) | Found::Absent | Found::Unchanged) => Vec::new(),
        Err(error) => vec![failed(layer, &shown, error)],
    }
}

fn document(layer: LayerName, text: Text) -> Arrived {
    let mut arrived = Arrived::nothing(layer, &text.name);
    arrived.report.attempts = 1;
    match layers(std::slice::from_ref(&text), layer, None, false) {
        Ok(layers) => {
            arrived.layers = layers;
            arrived.report.state = SourceOutcome::Fetched;
        }
        Err(error) => arrived.fail(error),
    }
    arrived
}

fn failed(layer: LayerName, shown: &str, error: SourceError) -> Arrived {
    let mut arrived = Arrived::nothing(layer, shown);
    arrived.report.attempts = 1;
    arrived.fail(error);
    arrived
}
