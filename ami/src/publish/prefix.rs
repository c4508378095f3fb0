//! The older layout: a prefix with one object for each file, and a manifest at the end that lists
//! them, without which an instance cannot tell that all of them are there.

use std::collections::BTreeMap;

use serde_json::json;

use super::directory::{Entry, Kind};
use super::{Destination, MANIFEST, Object, digest};

/// The objects of a directory, the manifest last; or the name of what cannot be one: a link, or a
/// file in the manifest's place.
pub fn files(to: &Destination, entries: &[Entry]) -> Result<Vec<Object>, String> {
    let mut objects = Vec::new();
    let mut digests = BTreeMap::new();
    for entry in entries {
        if entry.name == MANIFEST {
            return Err(entry.name.clone());
        }
        match &entry.kind {
            Kind::Directory => {}
            Kind::Link(_) => return Err(entry.name.clone()),
            Kind::File { content, .. } => {
                digests.insert(&entry.name, digest(content));
                let content = content.as_slice().into();
                objects.push(Object { key: to.key(&entry.name), content });
            }
        }
    }
    let manifest = json!({ "files": digests });
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    objects.push(Object { key: to.key(MANIFEST), content: text.into() });
    Ok(objects)
}
