//! Names inside a playbook that comes from elsewhere. Whoever writes an archive
//! or a bucket chooses them; so a name is only one that stays inside, whatever
//! it is joined to, and that a terminal can show.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The longest name in bytes.
const LONGEST: usize = 1024;

/// The longest part of a name in bytes, which is what file systems take.
const LONGEST_PART: usize = 255;

/// The most parts of a name.
const DEEPEST: usize = 64;

/// How much of a hostile name a message shows, in characters.
const SHOWN: usize = 120;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It is no text.
    #[error("it is not UTF-8")]
    NotText,
    /// It holds what is not to be seen.
    #[error("it holds control characters")]
    Control,
    /// It is too long, or one of its parts is.
    #[error("it is longer than {LONGEST} bytes, or a part of it than {LONGEST_PART}")]
    TooLong,
    /// It has too many parts.
    #[error("it has more than {DEEPEST} parts")]
    TooDeep,
    /// It is absolute.
    #[error("it is absolute")]
    Absolute,
    /// It leads upwards.
    #[error("it leads out with '..'")]
    Up,
    /// A part of it is empty or `.`.
    #[error("a part of it is empty or '.'")]
    Empty,
}

/// A relative path of plain parts. The empty one is the directory itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(PathBuf);

impl Name {
    /// The name of an archive's entry; a `.` in it means nothing.
    pub fn of_entry(bytes: &[u8]) -> Result<Self, BadName> {
        let mut plain = PathBuf::new();
        for part in parts(bytes)? {
            match part {
                Component::Normal(part) => plain.push(part),
                Component::CurDir => {}
                Component::ParentDir => return Err(BadName::Up),
                Component::RootDir | Component::Prefix(_) => return Err(BadName::Absolute),
            }
        }
        Ok(Self(plain))
    }

    /// The name that an object's key says below a prefix, which must be exactly
    /// that: no part of it means nothing.
    pub fn of_key(key: &str) -> Result<Self, BadName> {
        if key.starts_with('/') {
            return Err(BadName::Absolute);
        }
        if key.split('/').any(|part| part.is_empty() || part == ".") {
            return Err(BadName::Empty);
        }
        Self::of_entry(key.as_bytes())
    }

    /// The path, relative.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether this is the directory itself.
    pub fn is_root(&self) -> bool {
        self.0.as_os_str().is_empty()
    }

    /// Whether a part of it begins with a dot.
    pub fn is_hidden(&self) -> bool {
        self.0.iter().any(|part| part.as_bytes().starts_with(b"."))
    }

    /// The directories above it, the highest first, without the root.
    pub fn parents(&self) -> Vec<&Path> {
        let mut above: Vec<_> =
            self.0.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        above
    }

    /// The target of a symbolic link of this name, if it stays inside.
    ///
    /// `..` may stand at its beginning alone, where it is counted from the real
    /// directories that hold the link. After a part of its own it could lead
    /// through another link to anywhere, however harmless the text looks.
    pub fn target(&self, bytes: &[u8]) -> Result<PathBuf, BadName> {
        let mut above = self.parents().len();
        let mut down = false;
        for part in parts(bytes)? {
            match part {
                Component::Normal(_) => down = true,
                Component::CurDir => {}
                Component::ParentDir if down || above == 0 => return Err(BadName::Up),
                Component::ParentDir => above -= 1,
                Component::RootDir | Component::Prefix(_) => return Err(BadName::Absolute),
            }
        }
        if bytes.is_empty() { Err(BadName::Empty) } else { Ok(OsStr::from_bytes(bytes).into()) }
    }
}

/// The parts of a path that can be shown and is not too long.
fn parts(bytes: &[u8]) -> Result<impl Iterator<Item = Component<'_>>, BadName> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadName::NotText)?;
    if text.chars().any(char::is_control) {
        return Err(BadName::Control);
    }
    let path = Path::new(text);
    if text.len() > LONGEST || path.iter().any(|part| part.len() > LONGEST_PART) {
        return Err(BadName::TooLong);
    }
    if path.components().count() > DEEPEST {
        return Err(BadName::TooDeep);
    }
    Ok(path.components())
}

/// A hostile name as a message may show it.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_stays_inside() {
        for (text, name) in
            [("a/b", "a/b"), ("./a/./b/", "a/b"), ("./", ""), ("a//b", "a/b"), ("..a", "..a")]
        {
            assert_eq!(Name::of_entry(text.as_bytes()).unwrap().path(), Path::new(name));
        }
        let long = "x".repeat(256);
        let deep = "x/".repeat(65);
        for (text, why) in [
            ("/etc/passwd", BadName::Absolute),
            ("../x", BadName::Up),
            ("a/../../x", BadName::Up),
            ("a/..", BadName::Up),
            ("a\nb", BadName::Control),
            ("\u{1b}[2J", BadName::Control),
            (&long, BadName::TooLong),
            (&deep, BadName::TooDeep),
        ] {
            assert_eq!(Name::of_entry(text.as_bytes()), Err(why), "{text}");
        }
        assert_eq!(Name::of_entry(b"\xff"), Err(BadName::NotText));
    }

    #[test]
    fn a_key_is_a_name_to_the_letter() {
        assert_eq!(Name::of_key("a/b.yml").unwrap().path(), Path::new("a/b.yml"));
        for key in ["", "a//b", "/a", "a/./b", "a/../b", "..", "a/"] {
            assert!(Name::of_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_link_leads_to_a_place_inside() {
        let name = |text: &str| Name::of_entry(text.as_bytes()).unwrap();
        for (link, target) in
            [("a/b/l", "../../x"), ("l", "x/y"), ("a/l", "."), ("a/l", "./../x"), ("a/l", "../..x")]
        {
            assert_eq!(name(link).target(target.as_bytes()).unwrap(), Path::new(target));
        }
        for (link, target) in [
            ("l", ".."),
            ("a/l", "../../x"),
            ("l", "/etc"),
            ("l", ""),
            // Harmless as a text; through a link that leads to the root, not.
            ("l", "d/e/../x"),
        ] {
            assert!(name(link).target(target.as_bytes()).is_err(), "{link} -> {target}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_directory_that_it_is_joined_to(bytes in prop::collection::vec(
            prop::sample::select(b"./a\\\0\n-".to_vec()), 0..40
        )) {
            let Ok(name) = Name::of_entry(&bytes) else { return Ok(()) };
            prop_assert!(name.path().is_relative());
            prop_assert!(name.path().iter().all(|part| part != "..") );
        }
    }
}
