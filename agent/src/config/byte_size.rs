//! An amount of bytes as people write it: "16MB", "512KiB", "0".

use super::node::Node;
use super::path::KeyPath;
use super::schema::{Reader, Setting, Shape};

/// The units, and how many bytes they are.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// The most that a setting may say: no disk of an instance is for gild alone.
const MOST: u64 = 1 << 30;

/// An amount of bytes, as in `spool: u64 as ByteSize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(u64);

impl ByteSize {
    /// The amount that a text spells.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        let bytes = number.parse::<u64>().ok()?.checked_mul(*factor)?;
        (bytes <= MOST).then_some(Self(bytes))
    }
}

impl Setting for ByteSize {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let size = node.to_value().as_str().and_then(Self::parse);
        if size.is_none() {
            reader.problem(node, path, "must be a size of at most 1 GiB, such as \"16MB\"");
        }
        size
    }
}

impl From<ByteSize> for u64 {
    fn from(size: ByteSize) -> Self {
        size.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them_and_nothing_else_is() {
        let bytes = |text| ByteSize::parse(text).map(u64::from);
        assert_eq!(bytes("16MB"), Some(16_000_000));
        assert_eq!(bytes("512 KiB"), Some(524_288));
        assert_eq!(bytes("0"), Some(0));
        for bad in ["", "MB", "16 m", "-1", "1.5MB", "2GiB", "99999999999999999999"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
