//! What `requirements.yml` names and is not on this host. Images have their roles
//! and collections baked in, so usually nothing is missing, and then nobody is
//! asked for anything. Only whether something is there counts, not its version.
//!
//! What has no name that tells where it would lie, such as a collection that is a
//! git address, is passed over: it can be neither found nor missed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::places::Places;
use crate::config::document::{DocumentError, MAX_BYTES};
use crate::config::format::{self, Format};
use crate::platform::fs::read_capped;

/// The file's names, the usual one first.
const NAMES: [&str; 2] = ["requirements.yml", "requirements.yaml"];

/// How many of each a failure names.
const SHOWN: usize = 10;

/// The requirements cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum RequirementsError {
    /// The file cannot be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what ansible-galaxy reads.
    #[error("failed to understand '{}'", path.display())]
    Understand {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// Something is missing, and nothing is to be fetched.
    #[error(
        "'{}' names what is not on this host: {missing}; bake it into the image or the playbook, \
         or see configuration.requirements",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What is missing.
        missing: String,
    },
    /// Something is missing, and its place must stay as it is.
    #[error(
        "'{}' names what is not on this host: {missing}; nothing is installed into a playbook that \
         was fetched, which must stay as it was checked: publish it with its roles and collections",
        path.display()
    )]
    Kept {
        /// The file.
        path: PathBuf,
        /// What is missing.
        missing: String,
    },
}

/// What is missing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The file that names it.
    pub(super) file: PathBuf,
    /// The roles.
    pub(super) roles: Vec<String>,
    /// The collections.
    pub(super) collections: Vec<String>,
}

impl Missing {
    /// What is missing, for people.
    pub(super) fn text(&self) -> String {
        let kinds = [("role", &self.roles), ("collection", &self.collections)];
        let mut parts: Vec<String> = Vec::new();
        for (kind, names) in kinds {
            parts.extend(names.iter().take(SHOWN).map(|name| format!("the {kind} {name}")));
            if names.len() > SHOWN {
                parts.push(format!("{} more {kind}s", names.len() - SHOWN));
            }
        }
        parts.join(", ")
    }
}

/// What the requirements in the first of these directories that has some name and
/// no place holds; `None` where nothing is missing.
pub(super) fn missing(
    directories: &[&Path],
    places: &Places,
) -> Result<Option<Missing>, RequirementsError> {
    let files = directories.iter().flat_map(|directory| NAMES.map(|name| directory.join(name)));
    let Some(file) = files.into_iter().find(|file| fs::symlink_metadata(file).is_ok()) else {
        return Ok(None);
    };
    let read = |source| RequirementsError::Read { path: file.clone(), source };
    let bytes = read_capped(&file, MAX_BYTES as u64).map_err(read)?.unwrap_or_default();
    let (mut roles, mut collections) = named(&bytes)
        .map_err(|source| RequirementsError::Understand { path: file.clone(), source })?;
    roles.retain(|name| !places.has_role(name));
    collections.retain(|name| !places.has_collection(name));
    let all_there = roles.is_empty() && collections.is_empty();
    Ok((!all_there).then_some(Missing { file, roles, collections }))
}

/// The names of roles and collections in the file.
fn named(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), DocumentError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DocumentError::NotText)?;
    let table = match format::parse(text, Format::Yaml) {
        // The older form: roles alone, as a list.
        Err(DocumentError::NotATable) => {
            let marks = |line: &&str| line.split(' ').next() == Some("---");
            let lines: Vec<&str> = text.lines().filter(|line| !marks(line)).collect();
            format::parse(&format!("roles:\n{}", lines.join("\n")), Format::Yaml)?.0
        }
        parsed => parsed?.0,
    };
    let names = |key: &str, name: fn(&Value) -> Option<String>| -> Vec<String> {
        let entries = table.get(key).and_then(Value::as_array);
        entries.into_iter().flatten().filter_map(name).collect()
    };
    Ok((names("roles", role), names("collections", collection)))
}

/// The directory of a role, as ansible-galaxy names it.
fn role(entry: &Value) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let name = match entry.as_str() {
        Some(line) => {
            let mut parts = line.split(',').map(str::trim);
            let source = parts.next()?;
            parts.nth(1).unwrap_or(source)
        }
        None => text("name").or_else(|| text("src"))?,
    };
    let name = if name.contains("://") || name.contains('@') { last(name) } else { name };
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    plain.then(|| name.to_owned())
}

/// The last part of an address, without what it ends in.
fn last(address: &str) -> &str {
    let name = address.rsplit('/').next().unwrap_or_default();
    let name = name.split(',').next().unwrap_or_default();
    [".git", ".tar.gz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The full name of a collection.
fn collection(entry: &Value) -> Option<String> {
    let text = entry.as_str().or_else(|| entry.get("name")?.as_str())?;
    if let Some(file) = text.strip_suffix(".tar.gz") {
        // An archive of a collection is named NAMESPACE-NAME-VERSION.
        let mut parts = file.rsplit('/').next()?.split('-');
        return full_name(&format!("{}.{}", parts.next()?, parts.next()?));
    }
    full_name(text.split(':').next()?.trim())
}

fn full_name(text: &str) -> Option<String> {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
    };
    let (namespace, name) = text.split_once('.')?;
    (word(namespace) && word(name)).then(|| text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_form_that_ansible_galaxy_reads() {
        let text = "---\n# baked\nroles:\n  - geerlingguy.nginx\n  - name: own\n    src: https://x/y.git\n  \
                    - src: git@github.com:acme/ansible-web.git\n  - src: https://x/z.tar.gz\n  \
                    - a.b,1.0\n  - a.b,1.0,renamed\n  - include: more.yml\n  - name: ../up\n\
                    collections:\n  - community.general\n  - amazon.aws:>=5\n  \
                    - {name: ansible.posix, version: 1.5}\n  - name: /x/acme-web-1.2.3.tar.gz\n    \
                    type: file\n  - name: https://github.com/x/y.git\n    type: git\n";
        let (roles, collections) = named(text.as_bytes()).unwrap();
        assert_eq!(roles, ["geerlingguy.nginx", "own", "ansible-web", "z", "a.b", "renamed"]);
        assert_eq!(collections, ["community.general", "amazon.aws", "ansible.posix", "acme.web"]);
        for text in ["---\n- src: a.b\n- c.d\n", "- src: a.b\n- c.d"] {
            assert_eq!(named(text.as_bytes()).unwrap().0, ["a.b", "c.d"]);
        }
        for text in ["", "---\n", "roles:\n", "roles: []\ncollections: ~\n", "other: [x]\n"] {
            assert_eq!(named(text.as_bytes()).unwrap(), (vec![], vec![]), "{text:?}");
        }
    }

    #[test]
    fn what_is_hostile_is_refused() {
        let deep = format!("roles: {}{}", "[".repeat(500), "]".repeat(500));
        for text in ["roles: [", "roles: &a [*a]", "just text", deep.as_str()] {
            assert!(named(text.as_bytes()).is_err(), "{text:.40}");
        }
        assert!(named(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn what_no_place_holds_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let playbook = root.path();
        for directory in ["roles/a", "collections/ansible_collections/n/b"] {
            fs::create_dir_all(playbook.join(directory)).unwrap();
        }
        let places = Places {
            roles: vec![playbook.join("roles")],
            collections: vec![playbook.join("collections/ansible_collections")],
        };
        assert_eq!(missing(&[playbook], &places).unwrap(), None);
        let file = playbook.join("requirements.yml");
        fs::write(&file, "roles: [a]\ncollections: [n.b]\n").unwrap();
        assert_eq!(missing(&[playbook], &places).unwrap(), None);
        fs::write(&file, "roles: [a, x.y]\ncollections: [n.b, n.c]\n").unwrap();
        let found = missing(&[playbook], &places).unwrap().unwrap();
        assert_eq!(found.text(), "the role x.y, the collection n.c");
        let many: Vec<String> = (0..13).map(|number| format!("r{number}")).collect();
        let found = Missing { file, roles: many, collections: Vec::new() };
        assert!(found.text().ends_with("the role r9, 3 more roles"), "{}", found.text());
    }
}
