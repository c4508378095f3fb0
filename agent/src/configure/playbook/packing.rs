//! How an archive is packed: gzip or zstd, told by its name. Both decoders are
//! pure Rust, and neither keeps more than a window of what it unpacks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window of zstd that is decoded: the writer of an archive chooses
/// it, and the memory for it is taken here.
const LARGEST_WINDOW: u64 = 64 << 20;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `.tar.gz`, `.tgz`.
    Gzip,
    /// `.tar.zst`, `.tzst`.
    Zstd,
}

impl Packing {
    /// How an archive of this name is packed; `None` where it is no archive.
    pub fn of(name: &str) -> Option<Self> {
        let ends = |endings: [&str; 2]| endings.iter().any(|ending| name.ends_with(ending));
        if ends([".tar.gz", ".tgz"]) {
            Some(Self::Gzip)
        } else if ends([".tar.zst", ".tzst"]) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// What is packed in a file.
    pub fn open(self, file: File) -> Box<dyn Read + Send> {
        self.read(BufReader::new(file))
    }

    /// What is packed in what is read.
    pub fn read(self, packed: impl BufRead + Send + 'static) -> Box<dyn Read + Send> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(Frames::new(packed)),
        }
    }
}

/// All frames of a zstd file, one after the other: parallel compressors write
/// several.
struct Frames<R> {
    packed: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { packed, decoder, within: false }
    }

    /// Begins the next frame; `false` at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.packed).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within {
                if !self.next()? {
                    return Ok(0);
                }
                self.within = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            match self.decoder.read(buffer)? {
                0 => self.within = false,
                count => return Ok(count),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn unpacked(packing: Packing, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        packing.read(Cursor::new(packed)).read_to_end(&mut whole).map(|_| whole)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text, level)
    }

    #[test]
    fn the_name_tells_how_an_archive_is_packed() {
        assert_eq!(Packing::of("s3://b/x-1.2.tar.gz"), Some(Packing::Gzip));
        assert_eq!(Packing::of("x.tgz"), Some(Packing::Gzip));
        assert_eq!(Packing::of("x.tar.zst"), Some(Packing::Zstd));
        for other in ["x.tar", "x.zip", "x.tar.gz/", "x.tar.xz", ""] {
            assert_eq!(Packing::of(other), None, "{other}");
        }
    }

    #[test]
    fn several_members_and_frames_are_one_text() {
        let text = b"a playbook ".repeat(20_000);
        for (packing, pack) in
            [(Packing::Gzip, gzip as fn(&[u8]) -> Vec<u8>), (Packing::Zstd, zstd)]
        {
            let mut packed = pack(&text);
            packed.extend(pack(b"end"));
            let whole = unpacked(packing, packed).unwrap();
            assert_eq!(whole.len(), text.len() + 3);
            assert!(whole.ends_with(b"end"));
        }
        // A frame that is to be skipped.
        let mut packed = vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2];
        packed.extend(zstd(b"x"));
        assert_eq!(unpacked(Packing::Zstd, packed).unwrap(), b"x");
    }

    #[test]
    fn what_is_cut_or_is_something_else_is_an_error() {
        let text: Vec<u8> =
            (0..100_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for (packing, packed) in [(Packing::Gzip, gzip(&text)), (Packing::Zstd, zstd(&text))] {
            for length in [1, 5, packed.len() / 2, packed.len() - 1] {
                assert!(
                    unpacked(packing, packed[..length].to_vec()).is_err(),
                    "{packing:?} {length}"
                );
            }
            assert!(unpacked(packing, b"<Error>not found</Error>".to_vec()).is_err());
        }
    }
}
