//! A directory as one archive: the same directory, the same bytes. Nothing of the host that packs
//! it is in it: no times, no owners, and of the modes only whether a file is a program.

use std::io;
use std::sync::Arc;

use flate2::{Compression, GzBuilder};
use gild::configure::playbook::LARGEST_ARCHIVE;
use tar::{Builder, EntryType, Header};

use super::digest;
use super::directory::{Entry, Kind};

/// What a playbook is published as.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The archive.
    pub bytes: Arc<[u8]>,
    /// Its SHA-256.
    pub sha256: String,
}

/// Packs a directory's entries, which are in the order of their names.
pub fn pack(entries: &[Entry]) -> io::Result<Archive> {
    // Neither a time nor the name of a system stands in the head of it.
    let packed = GzBuilder::new().mtime(0).operating_system(255);
    let mut tar = Builder::new(packed.write(Vec::new(), Compression::best()));
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        match &entry.kind {
            Kind::Directory => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                tar.append_data(&mut header, format!("{}/", entry.name), io::empty())?;
            }
            Kind::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                tar.append_link(&mut header, &entry.name, target)?;
            }
            Kind::File { content, is_program } => {
                header.set_entry_type(EntryType::Regular);
                header.set_mode(if *is_program { 0o755 } else { 0o644 });
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, &entry.name, content.as_slice())?;
            }
        }
    }
    let bytes: Arc<[u8]> = tar.into_inner()?.finish()?.into();
    if bytes.len() as u64 > LARGEST_ARCHIVE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {LARGEST_ARCHIVE} bytes, which no instance takes"),
        ));
    }
    Ok(Archive { sha256: digest(&bytes), bytes })
}
