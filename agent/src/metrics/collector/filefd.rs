//! File handles of the whole host, from `/proc/sys/fs/file-nr`.

use super::source::{Files, fields};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

const FILE_NR: &str = "/proc/sys/fs/file-nr";

/// The collector of file handles.
#[derive(Debug)]
pub struct Filefd;

impl Collector for Filefd {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(FILE_NR)? else { return Ok(()) };
        let Some((allocated, maximum)) = parse(content) else {
            return Err(files.lacks(FILE_NR, "the number of file handles"));
        };
        out.push(Sample::plain(Kind::Gauge, "node_filefd_allocated", allocated as f64));
        out.push(Sample::plain(Kind::Gauge, "node_filefd_maximum", maximum as f64));
        Ok(())
    }
}

/// How many handles are allocated, and how many may be. What stands between
/// them has been zero for twenty years.
pub fn parse(content: &[u8]) -> Option<(u64, u64)> {
    let mut numbers = fields(content).map(|field| field.parse().ok());
    let (allocated, _, maximum) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some((allocated, maximum))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn handles_and_their_limit_are_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Filefd, root.path()).unwrap().is_empty(), "no /proc is no error");
        fs::create_dir_all(root.path().join("proc/sys/fs")).unwrap();
        let file = root.path().join("proc/sys/fs/file-nr");
        fs::write(&file, "1008\t0\t2466183\n").unwrap();
        let expected = ["node_filefd_allocated 1008", "node_filefd_maximum 2466183"];
        assert_eq!(shown(&collect(&mut Filefd, root.path()).unwrap()), expected);
        fs::write(&file, "1008\t0\n").unwrap();
        assert!(collect(&mut Filefd, root.path()).is_err());
    }

    #[test]
    fn anything_else_is_no_count() {
        for text in ["", "1", "1 2", "1 2 x", "-1 0 5", "1 0 99999999999999999999", "\0"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"1 0 9223372036854775807"), Some((1, 9_223_372_036_854_775_807)));
    }
}
