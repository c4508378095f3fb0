//! An image, as it is told of, and what Packer's manifest says of one.
//!
//! The manifest is a file of whoever ran Packer. Nothing in it is believed: it is read up to
//! a size, its texts up to a length, and what is no image's id is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::{CHARACTERS, cut, line};
use crate::platform::fs::read_capped;

/// No manifest is larger.
const LARGEST: u64 = 1 << 20;

/// The most images that one message names: each region of each build.
const MOST: usize = 200;

/// The longest name, in characters.
const NAME: usize = 200;

/// What is told of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The service that it is of.
    pub service: Option<String>,
    /// The service's version.
    pub version: Option<String>,
    /// What it was made from.
    pub base: Option<String>,
    /// The commit that it was made from.
    pub revision: Option<String>,
    /// Its copies. None where it could not be made.
    pub amis: Vec<Ami>,
}

/// An image in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ami {
    /// The build that it came from, by Packer's name for it.
    pub build: String,
    /// The region.
    pub region: String,
    /// Its id.
    pub id: String,
}

impl Image {
    /// The copies, each on its line.
    pub fn text(&self) -> String {
        let lines = self.amis.iter().map(|ami| format!("{} {} {}", ami.build, ami.region, ami.id));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// All that others have written into it.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { service, version, base, revision, amis } = self;
        let builds = amis.iter_mut().map(|ami| &mut ami.build);
        [service, version, base, revision].into_iter().flatten().chain(builds)
    }
}

/// A manifest that cannot be told of.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error("failed to read the manifest '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not JSON.
    #[error("failed to understand the manifest '{}'", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It names no build that was asked for.
    #[error("the manifest '{}' has no such build of Packer's last run", path.display())]
    NoBuild {
        /// The file.
        path: PathBuf,
    },
    /// What came of a build is not what an image is called.
    #[error("the manifest '{}' names '{artifact}', which is no image in a region", path.display())]
    NoImage {
        /// The file.
        path: PathBuf,
        /// What is named.
        artifact: String,
    },
    /// It names more images than there are.
    #[error("the manifest '{}' names more than {MOST} images", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
    },
}

/// What a manifest says of Packer's last run: the image of its builds, or of the one of this
/// name, and how long that took.
pub fn of_manifest(
    path: &Path,
    build: Option<&str>,
) -> Result<(Image, Option<Duration>), ManifestError> {
    let read = |source| ManifestError::Read { path: path.to_owned(), source };
    let bytes = read_capped(path, LARGEST).map_err(read)?;
    let bytes = bytes.ok_or_else(|| read(io::ErrorKind::NotFound.into()))?;
    let manifest: Value = serde_json::from_slice(&bytes)
        .map_err(|source| ManifestError::Json { path: path.to_owned(), source })?;
    let is_meant = |found: &&Value| {
        found["packer_run_uuid"] == manifest["last_run_uuid"]
            && build.is_none_or(|name| found["name"] == name)
    };
    let builds = manifest["builds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let builds: Vec<&Value> = builds.iter().filter(is_meant).collect();
    let Some(first) = builds.first() else {
        return Err(ManifestError::NoBuild { path: path.to_owned() });
    };
    let said = |key: &str| text(&first["custom_data"][key]);
    let mut image = Image {
        service: said("app"),
        version: said("version"),
        base: said("base").filter(|_| builds.len() == 1),
        revision: said("revision"),
        amis: Vec::new(),
    };
    for build in &builds {
        let name = text(&build["name"]).unwrap_or_else(|| "build".to_owned());
        for artifact in build["artifact_id"].as_str().unwrap_or_default().split(',') {
            if image.amis.len() == MOST {
                return Err(ManifestError::TooMany { path: path.to_owned() });
            }
            let ami = ami(&name, artifact).ok_or_else(|| ManifestError::NoImage {
                path: path.to_owned(),
                artifact: cut(&line(artifact), NAME, CHARACTERS),
            })?;
            image.amis.push(ami);
        }
    }
    Ok((image, took(&builds)))
}

/// An artifact in the form `eu-west-1:ami-0123456789abcdef0`.
fn ami(build: &str, artifact: &str) -> Option<Ami> {
    let (region, id) = artifact.split_once(':')?;
    let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let digits = id.strip_prefix("ami-")?;
    let is_id = (8..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let fits = (1..=32).contains(&region.len()) && region.bytes().all(is_region);
    (is_id && fits).then(|| Ami {
        build: build.to_owned(),
        region: region.to_owned(),
        id: id.to_owned(),
    })
}

/// From the start of the first build to the end of the last one.
fn took(builds: &[&Value]) -> Option<Duration> {
    let started = builds.iter().filter_map(|build| {
        let text = build["custom_data"]["started"].as_str()?;
        humantime::parse_rfc3339(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()
    });
    let ended = builds.iter().filter_map(|build| build["build_time"].as_u64()).max()?;
    Duration::from_secs(ended).checked_sub(started.min()?)
}

/// A text on one line, of a bearable length; `None` where nothing is said.
fn text(value: &Value) -> Option<String> {
    let text = cut(&line(value.as_str()?), NAME, CHARACTERS);
    (!text.is_empty()).then_some(text)
}
