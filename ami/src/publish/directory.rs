//! A playbook's directory, as it is published: files, directories and links that stay inside, in
//! the order of their names. Names that begin with a dot are left out, as they are on the way to a
//! prefix: `.git` and what editors leave are nobody's business.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use gild::configure::playbook::{MOST_BYTES, MOST_ENTRIES};
use gild::platform::fs::read_capped;

/// A directory that cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A link leads out.
    #[error("'{}' is a link to '{}', which leads out of the playbook", path.display(), target.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// What it leads to.
        target: PathBuf,
    },
    /// Something is neither file nor directory nor link.
    #[error("'{}' is neither a file nor a directory nor a link", path.display())]
    Strange {
        /// It.
        path: PathBuf,
    },
    /// A name is no text.
    #[error("the name '{}' is not UTF-8", path.display())]
    Name {
        /// It.
        path: PathBuf,
    },
    /// There is more than instances take.
    #[error(
        "it holds more than {MOST_ENTRIES} files or {MOST_BYTES} bytes, which no instance takes"
    )]
    TooLarge,
    /// The playbook itself is missing.
    #[error("there is no '{entry}' at its top: is it a playbook's directory?")]
    NoEntry {
        /// What is looked for.
        entry: String,
    },
}

/// What stands in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// What it holds.
        content: Vec<u8>,
        /// Whether it is a program.
        is_program: bool,
    },
    /// A link, and what it leads to.
    Link(String),
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the playbook, with `/` between its parts.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// All of a directory, which must have `entry` at its top.
pub fn read(root: &Path, entry: &str) -> Result<Vec<Entry>, DirectoryError> {
    let mut entries = Vec::new();
    let mut left = MOST_BYTES;
    walk(root, Path::new(""), &mut entries, &mut left)?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let is_it = |one: &Entry| one.name == entry && matches!(one.kind, Kind::File { .. });
    match entries.iter().any(is_it) {
        true => Ok(entries),
        false => Err(DirectoryError::NoEntry { entry: entry.to_owned() }),
    }
}

fn walk(
    root: &Path,
    below: &Path,
    entries: &mut Vec<Entry>,
    left: &mut u64,
) -> Result<(), DirectoryError> {
    let directory = root.join(below);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DirectoryError::Read { path, source }
    };
    for found in fs::read_dir(&directory).map_err(failed(&directory))? {
        let found = found.map_err(failed(&directory))?;
        let path = found.path();
        let short = below.join(found.file_name());
        let name = short.to_str().ok_or_else(|| DirectoryError::Name { path: path.clone() })?;
        if found.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let about = fs::symlink_metadata(&path).map_err(failed(&path))?;
        let kind = if about.is_dir() {
            Kind::Directory
        } else if about.is_symlink() {
            let target = fs::read_link(&path).map_err(failed(&path))?;
            match target.to_str().filter(|_| stays_inside(&short, &target)) {
                Some(text) => Kind::Link(text.to_owned()),
                None => return Err(DirectoryError::Link { path, target }),
            }
        } else if about.is_file() {
            if about.len() > *left {
                return Err(DirectoryError::TooLarge);
            }
            let content = read_capped(&path, *left).map_err(failed(&path))?.unwrap_or_default();
            *left = left.saturating_sub(content.len() as u64);
            Kind::File { content, is_program: about.permissions().mode() & 0o111 != 0 }
        } else {
            return Err(DirectoryError::Strange { path });
        };
        if entries.len() == MOST_ENTRIES {
            return Err(DirectoryError::TooLarge);
        }
        let is_directory = kind == Kind::Directory;
        entries.push(Entry { name: name.to_owned(), kind });
        if is_directory {
            walk(root, &short, entries, left)?;
        }
    }
    Ok(())
}

/// Whether a link leads to a name inside, wherever it stands. As instances have it, nothing leads
/// upwards after a name: that name may be a link itself.
fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut above = link.components().count().saturating_sub(1);
    let mut is_below = false;
    target.components().all(|part| match part {
        Component::Normal(_) => {
            is_below = true;
            true
        }
        Component::CurDir => true,
        Component::ParentDir if is_below => false,
        Component::ParentDir => match above.checked_sub(1) {
            Some(left) => {
                above = left;
                true
            }
            None => false,
        },
        Component::RootDir | Component::Prefix(_) => false,
    })
}
