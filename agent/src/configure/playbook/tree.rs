//! The directory that a playbook is unpacked into. Nothing is written through a
//! link, nothing is replaced, and nothing is anybody else's: whatever the
//! order of the names, what is written lies inside.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::name::Name;

/// What a file's or directory's mode may be at most: nobody but its owner
/// writes, and no program becomes somebody else.
const MOST: u32 = 0o755;

/// An entry that cannot be written.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// There is something of that name already.
    Taken,
    /// Something above it is no directory.
    NotBelow,
    /// There are too many entries.
    TooMany,
    /// The target of a hard link is no file of the playbook.
    NoTarget,
    /// The file system refuses.
    Io(PathBuf, io::Error),
}

/// A directory that is being filled.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    left: usize,
}

impl Tree {
    /// The directory of this path, which must be new, for at most so many
    /// entries.
    pub(super) fn create(root: &Path, entries: usize) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(root)?;
        Ok(Self { root: root.to_owned(), left: entries })
    }

    /// Makes a directory; the same one twice is no harm.
    pub(super) fn directory(&mut self, name: &Name, mode: u32) -> Result<(), Unwritten> {
        if name.is_root() {
            return Ok(());
        }
        self.above(name)?;
        let path = self.root.join(name.path());
        self.one_directory(&path).map_err(|error| match error {
            Unwritten::NotBelow => Unwritten::Taken,
            other => other,
        })?;
        let mode = Permissions::from_mode((mode & MOST) | 0o700);
        fs::set_permissions(&path, mode).map_err(|source| Unwritten::Io(path, source))
    }

    /// Makes a file and gives it for writing.
    pub(super) fn file(&mut self, name: &Name, mode: u32) -> Result<(File, PathBuf), Unwritten> {
        let path = self.new_path(name)?;
        let mode = (mode & MOST) | 0o600;
        // Exclusive: what is there already, a link included, is not opened.
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let file = file.map_err(|source| taken(&path, source))?;
        file.set_permissions(Permissions::from_mode(mode))
            .map_err(|source| Unwritten::Io(path.clone(), source))?;
        Ok((file, path))
    }

    /// Makes a symbolic link, whose target has been checked.
    pub(super) fn symbolic(&mut self, name: &Name, target: &Path) -> Result<(), Unwritten> {
        let path = self.new_path(name)?;
        std::os::unix::fs::symlink(target, &path).map_err(|source| taken(&path, source))
    }

    /// Makes another name for a file that is there already.
    pub(super) fn hard(&mut self, name: &Name, target: &Name) -> Result<(), Unwritten> {
        let path = self.new_path(name)?;
        let plain = target.parents().iter().all(|above| is(&self.root.join(above), |a| a.is_dir()));
        let target = self.root.join(target.path());
        if !plain || !is(&target, |about| about.is_file()) {
            return Err(Unwritten::NoTarget);
        }
        fs::hard_link(&target, &path).map_err(|source| taken(&path, source))
    }

    fn new_path(&mut self, name: &Name) -> Result<PathBuf, Unwritten> {
        if name.is_root() {
            return Err(Unwritten::Taken);
        }
        self.above(name)?;
        self.count()?;
        Ok(self.root.join(name.path()))
    }

    /// Makes the directories above a name.
    pub(super) fn above(&mut self, name: &Name) -> Result<(), Unwritten> {
        name.parents().into_iter().try_for_each(|above| self.one_directory(&self.root.join(above)))
    }

    fn one_directory(&mut self, path: &Path) -> Result<(), Unwritten> {
        match DirBuilder::new().mode(MOST).create(path) {
            Ok(()) => self.count(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if is(path, |about| about.is_dir()) { Ok(()) } else { Err(Unwritten::NotBelow) }
            }
            Err(source) => Err(Unwritten::Io(path.to_owned(), source)),
        }
    }

    fn count(&mut self) -> Result<(), Unwritten> {
        self.left = self.left.checked_sub(1).ok_or(Unwritten::TooMany)?;
        Ok(())
    }
}

/// Whether what the path itself names, and not what it links to, is of a kind.
fn is(path: &Path, kind: impl Fn(&fs::Metadata) -> bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| kind(&about))
}

fn taken(path: &Path, source: io::Error) -> Unwritten {
    match source.kind() {
        io::ErrorKind::AlreadyExists => Unwritten::Taken,
        _ => Unwritten::Io(path.to_owned(), source),
    }
}
