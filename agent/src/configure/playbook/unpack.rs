//! A tar archive becomes a directory, by rules of our own: only files,
//! directories and links that stay inside, each name once, nobody's but the
//! owner's, within caps.
//!
//! The `tar` crate gives the raw headers; long names and their like are put
//! together by `headers`, where they have a cap. What is not known is refused.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tar::{Archive, Entry, EntryType};

use super::headers::Said;
use super::name::{BadName, Name, shown};
use super::tree::{Tree, Unwritten};

/// What an archive may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most files, directories and links.
    pub entries: usize,
    /// The most bytes, headers included.
    pub bytes: u64,
    /// When it must be over.
    pub deadline: Option<Instant>,
}

/// An archive that is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It breaks off or is no archive.
    #[error("failed to read the archive")]
    Read(#[source] io::Error),
    /// The file system refuses.
    #[error("failed to write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An entry's name leads out or is otherwise unfit.
    #[error("the archive holds an entry with a name that is refused, '{name}'")]
    Name {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: BadName,
    },
    /// A link leads out.
    #[error("the archive holds a link that is refused, '{name}' to '{target}'")]
    Link {
        /// The link.
        name: String,
        /// What it leads to.
        target: String,
        /// Why.
        #[source]
        source: BadName,
    },
    /// A hard link to what is no file of the archive.
    #[error("the archive's link '{name}' leads to no file that comes before it, '{target}'")]
    Target {
        /// The link.
        name: String,
        /// What it leads to.
        target: String,
    },
    /// An entry of a kind that no playbook needs.
    #[error("the archive's entry '{name}' is {kind}; it may hold files, directories and links")]
    Kind {
        /// The entry.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// Two entries of one name.
    #[error("the archive holds '{name}' twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// An entry below something that is no directory.
    #[error("the archive's entry '{name}' lies below what is no directory")]
    NotBelow {
        /// The name.
        name: String,
    },
    /// A header of long names and their like that cannot be right.
    #[error("the archive holds a header that is refused: {0}")]
    Extension(&'static str),
    /// There are too many entries.
    #[error("the archive holds more than {0} entries")]
    TooMany(usize),
    /// It is too large when unpacked.
    #[error("the archive holds more than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// It takes too long.
    #[error("the archive was not unpacked in time")]
    TooLate,
}

/// Unpacks an archive into a directory, which must not be there yet.
pub fn unpack(archive: impl Read, into: &Path, limits: &Limits) -> Result<(), UnpackError> {
    let failed = |error| UnpackError::Read(error);
    let mut tree = Tree::create(into, limits.entries)
        .map_err(|source| UnpackError::Write { path: into.to_owned(), source })?;
    let counted = Counted { inner: archive, left: limits.bytes, deadline: limits.deadline };
    let mut archive = Archive::new(counted);
    let mut said = Said::default();
    let mut seen = 0;
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(|error| reason(error, limits))?;
        seen += 1;
        // Headers are entries too: a file of nothing else ends here.
        if seen > limits.entries.saturating_mul(4) {
            return Err(UnpackError::TooMany(limits.entries));
        }
        if !said.take(&mut entry, limits)? {
            let said = std::mem::take(&mut said);
            one(&mut entry, said, &mut tree, limits)?;
        }
    }
    if said.path.is_some() || said.link.is_some() {
        return Err(UnpackError::Extension("a long name that belongs to no entry"));
    }
    // To its very end, where the packing has its own sum.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| reason(error, limits))?;
    Ok(())
}

/// Puts one entry into the tree.
fn one<R: Read>(
    entry: &mut Entry<'_, R>,
    said: Said,
    tree: &mut Tree,
    limits: &Limits,
) -> Result<(), UnpackError> {
    let header = entry.header();
    let mode = header.mode().map_err(UnpackError::Read)?;
    let kind = header.entry_type();
    if said.size.is_some_and(|size| size != entry.size()) {
        return Err(UnpackError::Extension("two sizes of one entry that differ"));
    }
    let bytes = said.path.unwrap_or_else(|| header.path_bytes().into_owned());
    let name = Name::of_entry(&bytes)
        .map_err(|source| UnpackError::Name { name: shown(&bytes), source })?;
    let target = said.link.or_else(|| header.link_name_bytes().map(|target| target.into_owned()));
    let target = target.unwrap_or_default();
    let link = |source| UnpackError::Link { name: shown(&bytes), target: shown(&target), source };
    // Archives of the oldest kind mark a directory by its name alone.
    let kind = if kind.is_file() && bytes.ends_with(b"/") { EntryType::Directory } else { kind };
    if kind != EntryType::Regular && kind != EntryType::Continuous && entry.size() > 0 {
        return Err(UnpackError::Extension("an entry with content that is no file"));
    }
    let written = match kind {
        EntryType::Directory => tree.directory(&name, mode),
        EntryType::Regular | EntryType::Continuous => match tree.file(&name, mode) {
            Ok((file, path)) => return fill(entry, file, path, limits),
            Err(error) => Err(error),
        },
        EntryType::Symlink => tree.symbolic(&name, &name.target(&target).map_err(link)?),
        EntryType::Link => tree.hard(&name, &Name::of_entry(&target).map_err(link)?),
        other => {
            return Err(UnpackError::Kind { name: shown(&bytes), kind: word(other) });
        }
    };
    let name = shown(&bytes);
    written.map_err(|error| match error {
        Unwritten::Taken => UnpackError::Twice { name },
        Unwritten::NotBelow => UnpackError::NotBelow { name },
        Unwritten::TooMany => UnpackError::TooMany(limits.entries),
        Unwritten::NoTarget => UnpackError::Target { name, target: shown(&target) },
        Unwritten::Io(path, source) => UnpackError::Write { path, source },
    })
}

/// The content of a file, which must be as long as its header says.
fn fill<R: Read>(
    entry: &mut Entry<'_, R>,
    mut file: File,
    path: PathBuf,
    limits: &Limits,
) -> Result<(), UnpackError> {
    let mut left = entry.size();
    if left > limits.bytes {
        return Err(UnpackError::TooLarge(limits.bytes));
    }
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = entry.read(&mut buffer).map_err(|error| reason(error, limits))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        left = left.saturating_sub(count as u64);
        file.write_all(read).map_err(|source| UnpackError::Write { path: path.clone(), source })?;
    }
    if left > 0 { Err(UnpackError::Read(io::ErrorKind::UnexpectedEof.into())) } else { Ok(()) }
}

fn word(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "of an unknown kind",
    }
}

/// Why reading ended, as `Counted` says it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Ended {
    #[error("it is too large")]
    TooLarge,
    #[error("time is up")]
    TooLate,
}

pub(super) fn reason(error: io::Error, limits: &Limits) -> UnpackError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Ended>()) {
        Some(Ended::TooLarge) => UnpackError::TooLarge(limits.bytes),
        Some(Ended::TooLate) => UnpackError::TooLate,
        None => UnpackError::Read(error),
    }
}

/// A reader that ends at a cap in bytes or time. A bomb ends here.
struct Counted<R> {
    inner: R,
    left: u64,
    deadline: Option<Instant>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(io::Error::other(Ended::TooLate));
        }
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::Error::other(Ended::TooLarge))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
