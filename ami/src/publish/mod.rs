//! Publishing: a playbook's directory becomes one archive in a bucket, where instances find it and
//! nobody finds half of it.
//!
//! ```text
//! <base>/<name>/<version>/<SHA-256>.tar.gz            what instances fetch
//! <base>/<name>/<version>/<SHA-256>.tar.gz.minisig    who made it
//! <base>/<name>/<version>/manifest.json               last: the version is published
//! <base>/<name>/latest.tar.gz, .minisig, .json        only with --latest, after all of it
//! ```
//!
//! The same directory gives the same bytes, and so the same names. A version that is published never
//! changes, and nothing is ever taken away.

mod archive;
mod directory;
mod prefix;
mod signing;
mod survey;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::archive::{Archive, pack};
pub use self::directory::{DirectoryError, Entry, Kind, read};
pub use self::prefix::files;
pub use self::signing::{Signer, SigningError};
pub use self::survey::survey;

use crate::cloud::Place;
use crate::plan::{Action, Content, Plan};
use crate::version::Version;

/// The verb.
pub const VERB: &str = "publish";

/// The object that is put last.
pub const MANIFEST: &str = "manifest.json";

/// Where a version goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The bucket.
    pub bucket: String,
    /// What stands before the playbook's name, with a `/` at its end unless it is empty.
    pub base: String,
    /// The playbook.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Destination {
    /// A key below this version's.
    fn key(&self, name: &str) -> String {
        format!("{}{}/{}/{name}", self.base, self.name, self.version)
    }

    /// What all keys of this version begin with.
    pub fn prefix(&self) -> String {
        self.key("")
    }

    /// A key of what the newest version is found by.
    pub fn latest(&self, ending: &str) -> String {
        format!("{}{}/latest{ending}", self.base, self.name)
    }
}

/// What a version consists of, as its last object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The playbook.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The archive's key.
    pub archive: String,
    /// Its SHA-256: what `configuration.sha256` pins.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// The signature's key, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// An object of the version's, in the order in which it is put.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// What it holds.
    pub content: Arc<[u8]>,
}

/// What there is in the bucket.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The objects of this version, each with its size.
    pub there: BTreeMap<String, u64>,
    /// The version's last object, where it is published.
    pub manifest: Option<Vec<u8>>,
    /// What the newest version is, by the last object of that.
    pub latest: Option<Vec<u8>>,
}

/// The objects of an archive: it, its signature, and the manifest at the end.
pub fn objects(to: &Destination, archive: &Archive, signature: Option<String>) -> Vec<Object> {
    let key = to.key(&format!("{}.tar.gz", archive.sha256));
    let mut objects = vec![Object { key: key.clone(), content: archive.bytes.clone() }];
    let signature = signature.map(|text| {
        let key = format!("{key}.minisig");
        objects.push(Object { key: key.clone(), content: text.into_bytes().into() });
        key
    });
    let manifest = Manifest {
        name: to.name.clone(),
        version: to.version.clone(),
        archive: key,
        sha256: archive.sha256.clone(),
        bytes: archive.bytes.len() as u64,
        signature,
    };
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    objects.push(Object { key: to.key(MANIFEST), content: text.into() });
    objects
}

/// What would be put. `objects` end with the manifest.
pub fn plan(
    place: &Place,
    survey: &Survey,
    to: &Destination,
    objects: &[Object],
    is_latest: bool,
) -> Plan {
    let mut plan = Plan::new(VERB, place);
    let Some(manifest) = objects.last() else { return plan };
    let shown = format!("{} {}", to.name, to.version);
    match &survey.manifest {
        Some(there) if there[..] != manifest.content[..] => {
            let why = format!(
                "{shown} is published already with other content{}, and never changes",
                differs(there, &manifest.content)
            );
            return Plan::refused(VERB, Some(place), why);
        }
        Some(_) => plan.keep(&manifest.key, &shown, "published already"),
        None => {
            // Nothing is ever taken away here: what no manifest names may be a version of the older
            // layout, which instances run, or another publisher's that is on its way.
            let is_ours = |key: &String| objects.iter().any(|object| object.key == *key);
            let mut others = survey.there.keys().filter(|key| !is_ours(key));
            let is_harmless = |key: &&String| is_archive(key.strip_prefix(&to.prefix()));
            if let Some(key) = others.clone().find(|key| !is_harmless(key)) {
                let why = format!(
                    "'{key}' is there, and no manifest: {shown} may be published in another way; \
                     choose another version, or take away what is there"
                );
                return Plan::refused(VERB, Some(place), why);
            }
            if let Some(key) = others.next() {
                plan.notes.push(format!("'{key}' is of no version, as a run that died leaves it"));
            }
            for object in objects {
                let is_last = object.key == manifest.key;
                let why =
                    if is_last { "last: from now on it is published" } else { "not there yet" };
                plan.step(put(to, object, is_last), &shown, why);
            }
        }
    }
    if is_latest {
        let before = survey.latest.as_deref().and_then(|it| serde_json::from_slice(it).ok());
        let before = before.map(|before: Manifest| before.version);
        let is_older = |before: &String| Version::parse(before) > Version::parse(&to.version);
        if let Some(before) = before.filter(is_older) {
            plan.notes.push(format!("the newest is {before} now: --latest goes back"));
        }
        let is_it = survey.latest.as_deref() == Some(&manifest.content[..]);
        if is_it {
            plan.keep(&to.latest(".json"), &shown, "the newest already");
        } else {
            for object in objects {
                let ending = match object.key.strip_prefix(&to.prefix()) {
                    Some(name) if name == MANIFEST => ".json",
                    Some(name) if name.ends_with(".minisig") => ".tar.gz.minisig",
                    _ => ".tar.gz",
                };
                let latest = Object { key: to.latest(ending), content: object.content.clone() };
                plan.step(put(to, &latest, false), &shown, "--latest");
            }
        }
    }
    plan
}

/// What differs, where the archive does not.
fn differs(there: &[u8], wanted: &[u8]) -> &'static str {
    let read = |bytes| serde_json::from_slice::<Manifest>(bytes).ok();
    match (read(there), read(wanted)) {
        (Some(there), Some(wanted)) if there.sha256 == wanted.sha256 => {
            match there.signature.is_some() {
                true => " (it is signed)",
                false => " (it is not signed)",
            }
        }
        _ => "",
    }
}

/// Whether a name is one that only an archive or its signature has: what no manifest names is seen
/// by nobody.
fn is_archive(name: Option<&str>) -> bool {
    let bare = name.map(|name| name.strip_suffix(".minisig").unwrap_or(name));
    let digest = bare.and_then(|name| name.strip_suffix(".tar.gz"));
    digest.is_some_and(|it| it.len() == 64 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn put(to: &Destination, object: &Object, once: bool) -> Action {
    Action::PutObject {
        bucket: to.bucket.clone(),
        key: object.key.clone(),
        sha256: digest(&object.content),
        bytes: object.content.len() as u64,
        once,
        content: Content(object.content.clone()),
    }
}

/// A SHA-256 as `sha256sum` prints it.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
