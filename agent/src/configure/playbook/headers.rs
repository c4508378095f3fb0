//! What headers of an archive say about the entry that follows them: names that
//! are too long for its own header. GNU and PAX write them; both have a cap here,
//! and what would be taken for two things by two readers is refused.

use std::io::Read;

use tar::{Entry, EntryType};

use super::unpack::{Limits, UnpackError, reason};

/// The largest header of long names and their like.
const LARGEST_EXTENSION: u64 = 64 << 10;

/// What headers before an entry say about it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The name.
    pub(super) path: Option<Vec<u8>>,
    /// What a link leads to.
    pub(super) link: Option<Vec<u8>>,
    /// The length of the content.
    pub(super) size: Option<u64>,
}

impl Said {
    /// Takes what a header says about the entry that follows; `false` where
    /// this is that entry.
    pub(super) fn take<R: Read>(
        &mut self,
        entry: &mut Entry<'_, R>,
        limits: &Limits,
    ) -> Result<bool, UnpackError> {
        let kind = entry.header().entry_type();
        let known = [
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
        ];
        if !known.contains(&kind) {
            return Ok(false);
        }
        if entry.size() > LARGEST_EXTENSION {
            return Err(UnpackError::Extension("one that is larger than 64 KiB"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| reason(error, limits))?;
        match kind {
            EntryType::GNULongName => once(&mut self.path, until_nul(content))?,
            EntryType::GNULongLink => once(&mut self.link, until_nul(content))?,
            _ => self.records(&content, kind == EntryType::XGlobalHeader)?,
        }
        Ok(true)
    }

    /// The records of a PAX header.
    fn records(&mut self, mut content: &[u8], global: bool) -> Result<(), UnpackError> {
        while !content.is_empty() {
            let (record, rest) =
                record(content).ok_or(UnpackError::Extension("a record that is cut short"))?;
            content = rest;
            let value = record.value.to_vec();
            match record.key {
                b"path" | b"linkpath" | b"size" if global => {
                    return Err(UnpackError::Extension("a name or a size for all entries"));
                }
                b"path" => once(&mut self.path, value)?,
                b"linkpath" => once(&mut self.link, value)?,
                b"size" => {
                    let size = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                    let size = size.ok_or(UnpackError::Extension("a size that is no number"))?;
                    once(&mut self.size, size)?;
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(UnpackError::Extension("one of a sparse file"));
                }
                // Times, owners and attributes, none of which is taken over.
                _ => {}
            }
        }
        Ok(())
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), UnpackError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(UnpackError::Extension("two names or sizes of one entry")),
    }
}

fn until_nul(mut content: Vec<u8>) -> Vec<u8> {
    if let Some(end) = content.iter().position(|byte| *byte == 0) {
        content.truncate(end);
    }
    content
}

/// A record of a PAX header.
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
}

/// The first record of a PAX header, "LENGTH KEY=VALUE\n", and what follows it.
/// A value may hold anything, line ends included.
fn record(content: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = content.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(content.get(..space)?).ok()?.parse().ok()?;
    let text = content.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let record = Record { key: text.get(..equals)?, value: text.get(equals + 1..)? };
    Some((record, content.get(length..)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_length_a_key_and_a_value() {
        let (first, rest) = record(b"12 path=a/b\n8 x=\n\n=\n").unwrap();
        assert_eq!(first, Record { key: b"path", value: b"a/b" });
        assert_eq!(record(rest).unwrap().0, Record { key: b"x", value: b"\n\n=" });
        for cut in ["", "12", "12 path=a/b", "99 path=a/b\n", "x path=a\n", "7 path\n", "0 a=b\n"] {
            assert!(record(cut.as_bytes()).is_none(), "{cut}");
        }
    }
}
