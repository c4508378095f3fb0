//! `file:PATH`: a document, or a directory of them in the order of their names.

use std::fs;
use std::io;
use std::path::Path;

use super::error::SourceError;
use super::text::{Found, Kind, Text, format_of};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::platform::fs::read_capped;

/// Reads the file or directory at `path`, which people know as `shown`.
pub fn read(path: &Path, shown: &str, format: Option<Format>) -> Result<Found, SourceError> {
    let fault = |source| SourceError::File { path: shown.to_owned(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Absent),
        Err(error) => Err(fault(error)),
        Ok(meta) if meta.is_dir() => directory(path, shown, format),
        // A pipe or a device would never end.
        Ok(meta) if !meta.is_file() => Err(fault(io::Error::other("it is not a file"))),
        Ok(_) => Ok(match document(path, shown, format)? {
            Some(text) => Found::Texts(vec![text]),
            None => Found::Absent,
        }),
    }
}

fn directory(path: &Path, shown: &str, format: Option<Format>) -> Result<Found, SourceError> {
    let fault = |source| SourceError::File { path: shown.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(fault)? {
        // A name that is not text names no document of ours.
        let Ok(name) = entry.map_err(fault)?.file_name().into_string() else { continue };
        if !name.starts_with('.') && Format::from_name(&name).is_some() {
            names.push(name);
        }
    }
    names.sort();
    let mut texts = Vec::new();
    for name in names {
        let file = path.join(&name);
        let shown = format!("{}/{name}", shown.trim_end_matches('/'));
        if file.is_file() {
            texts.extend(document(&file, &shown, format)?);
        }
    }
    Ok(if texts.is_empty() { Found::Absent } else { Found::Texts(texts) })
}

fn document(path: &Path, shown: &str, format: Option<Format>) -> Result<Option<Text>, SourceError> {
    let body = read_capped(path, MAX_BYTES as u64)
        .map_err(|source| SourceError::File { path: shown.to_owned(), source })?;
    Ok(body.map(|body| Text {
        name: shown.to_owned(),
        version: None,
        etag: None,
        kind: Kind::Document(format_of(format, shown, None, &body)),
        body,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_its_documents_in_the_order_of_their_names() {
        let root = tempfile::tempdir().unwrap();
        for name in ["20-b.yaml", "10-a.toml", "30-c.json", ".hidden.toml", "notes.txt"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let Found::Texts(texts) = read(root.path(), "/d/", None).unwrap() else { panic!() };
        let names: Vec<&str> = texts.iter().map(|text| text.name.as_str()).collect();
        assert_eq!(names, ["/d/10-a.toml", "/d/20-b.yaml", "/d/30-c.json"]);
    }

    #[test]
    fn what_is_not_there_is_absent_and_a_device_is_refused() {
        assert_eq!(read(Path::new("/nonexistent/x"), "x", None).unwrap(), Found::Absent);
        assert!(read(Path::new("/dev/null"), "x", None).is_err());
    }
}
