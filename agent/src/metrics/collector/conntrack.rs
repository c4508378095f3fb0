//! Connections that the packet filter follows, from
//! `/proc/sys/net/netfilter`. When the table is full, packets are dropped. A host
//! that follows none has no such files.

use super::source::{Files, fields};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

/// File and metric.
const FILES: [(&str, &str); 2] = [
    ("/proc/sys/net/netfilter/nf_conntrack_count", "node_nf_conntrack_entries"),
    ("/proc/sys/net/netfilter/nf_conntrack_max", "node_nf_conntrack_entries_limit"),
];

/// The collector of followed connections.
#[derive(Debug)]
pub struct Conntrack;

impl Collector for Conntrack {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        for (path, name) in FILES {
            let Some(content) = files.read(path)? else { continue };
            let Some(count) = parse(content) else { return Err(files.lacks(path, "a number")) };
            out.push(Sample::plain(Kind::Gauge, name, count as f64));
        }
        Ok(())
    }
}

/// The number that a file holds.
pub fn parse(content: &[u8]) -> Option<u64> {
    fields(content).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn connections_and_their_limit_are_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Conntrack, root.path()).unwrap().is_empty(), "none is no error");
        let netfilter = root.path().join("proc/sys/net/netfilter");
        fs::create_dir_all(&netfilter).unwrap();
        fs::write(netfilter.join("nf_conntrack_count"), "12\n").unwrap();
        fs::write(netfilter.join("nf_conntrack_max"), "262144\n").unwrap();
        let expected = ["node_nf_conntrack_entries 12", "node_nf_conntrack_entries_limit 262144"];
        assert_eq!(shown(&collect(&mut Conntrack, root.path()).unwrap()), expected);
        fs::write(netfilter.join("nf_conntrack_max"), "many\n").unwrap();
        assert!(collect(&mut Conntrack, root.path()).is_err());
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in ["", "\n", "-1", "x", "1.5", "99999999999999999999", "\0"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
