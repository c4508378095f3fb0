//! Sockets, from `/proc/net/sockstat` and `/proc/net/sockstat6`: of what
//! node_exporter takes by default, TCP, UDP and all together. Counting them in
//! `/proc/net/tcp` would take longer the more there are.

use nix::unistd::{SysconfVar, sysconf};

use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

/// Protocol, field and metric.
const FIELDS: [(&str, &str, &str); 10] = [
    ("sockets", "used", "node_sockstat_sockets_used"),
    ("TCP", "inuse", "node_sockstat_TCP_inuse"),
    ("TCP", "orphan", "node_sockstat_TCP_orphan"),
    ("TCP", "tw", "node_sockstat_TCP_tw"),
    ("TCP", "alloc", "node_sockstat_TCP_alloc"),
    ("TCP", "mem", "node_sockstat_TCP_mem_bytes"),
    ("UDP", "inuse", "node_sockstat_UDP_inuse"),
    ("UDP", "mem", "node_sockstat_UDP_mem_bytes"),
    ("TCP6", "inuse", "node_sockstat_TCP6_inuse"),
    ("UDP6", "inuse", "node_sockstat_UDP6_inuse"),
];

/// The collector of sockets.
#[derive(Debug)]
pub struct Sockstat {
    page: f64,
}

impl Sockstat {
    /// Memory is counted in pages of this host.
    pub fn new() -> Self {
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
        Self { page: page as f64 }
    }
}

impl Default for Sockstat {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector for Sockstat {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        for path in ["/proc/net/sockstat", "/proc/net/sockstat6"] {
            let Some(content) = files.read(path)? else { continue };
            out.extend(parse(content).map(|(name, count)| {
                let unit = if name.ends_with("_bytes") { self.page } else { 1.0 };
                Sample::plain(Kind::Gauge, name, count as f64 * unit)
            }));
        }
        Ok(())
    }
}

/// The fields under the names of their metrics, memory in pages. What cannot be
/// read is passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&'static str, u64)> {
    lines(content).flat_map(|line| {
        let mut fields = fields(line);
        let protocol = fields.next().and_then(|head| head.strip_suffix(':')).unwrap_or_default();
        std::iter::from_fn(move || Some((fields.next()?, fields.next()?))).filter_map(
            move |(field, value)| {
                let wanted = |(of, known, _): &&(&str, &str, _)| *of == protocol && *known == field;
                let (.., name) = FIELDS.iter().find(wanted)?;
                Some((*name, value.parse().ok()?))
            },
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn sockets_are_counted_by_protocol_and_memory_in_bytes() {
        let root = tempfile::tempdir().unwrap();
        let mut sockstat = Sockstat { page: 65536.0 };
        assert!(collect(&mut sockstat, root.path()).unwrap().is_empty(), "no /proc is no error");
        let net = root.path().join("proc/net");
        fs::create_dir_all(&net).unwrap();
        let text = "sockets: used 17\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\n\
            UDP: inuse 6 mem 7\nUDPLITE: inuse 8\nFRAG: inuse 0 memory 0\n";
        fs::write(net.join("sockstat"), text).unwrap();
        fs::write(net.join("sockstat6"), "TCP6: inuse 9\nUDP6: inuse 10\n").unwrap();
        let expected = [
            "node_sockstat_sockets_used 17",
            "node_sockstat_TCP_inuse 1",
            "node_sockstat_TCP_orphan 2",
            "node_sockstat_TCP_tw 3",
            "node_sockstat_TCP_alloc 4",
            "node_sockstat_TCP_mem_bytes 327680",
            "node_sockstat_UDP_inuse 6",
            "node_sockstat_UDP_mem_bytes 458752",
            "node_sockstat_TCP6_inuse 9",
            "node_sockstat_UDP6_inuse 10",
        ];
        assert_eq!(shown(&collect(&mut sockstat, root.path()).unwrap()), expected);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let text = b"TCP inuse 1\nTCP: inuse\nTCP: inuse x tw -1 1 alloc\n: inuse 1\n\xff: inuse 1";
        assert_eq!(parse(text).count(), 0);
    }
}
