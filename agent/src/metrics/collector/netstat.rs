//! The kernel's account of protocols, from `/proc/net/snmp` and
//! `/proc/net/netstat`: of what node_exporter takes by default, TCP, UDP and the
//! bytes of IPv4. ICMP and the counts of IPv6 by protocol are left out; TCP is
//! counted for both versions of IP.

use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

/// Protocol, field and metric. All but one are counters.
const FIELDS: [(&str, &str, &str); 23] = [
    ("Tcp", "ActiveOpens", "node_netstat_Tcp_ActiveOpens"),
    ("Tcp", "PassiveOpens", "node_netstat_Tcp_PassiveOpens"),
    ("Tcp", "CurrEstab", ESTABLISHED),
    ("Tcp", "InSegs", "node_netstat_Tcp_InSegs"),
    ("Tcp", "OutSegs", "node_netstat_Tcp_OutSegs"),
    ("Tcp", "RetransSegs", "node_netstat_Tcp_RetransSegs"),
    ("Tcp", "InErrs", "node_netstat_Tcp_InErrs"),
    ("Tcp", "OutRsts", "node_netstat_Tcp_OutRsts"),
    ("Udp", "InDatagrams", "node_netstat_Udp_InDatagrams"),
    ("Udp", "OutDatagrams", "node_netstat_Udp_OutDatagrams"),
    ("Udp", "NoPorts", "node_netstat_Udp_NoPorts"),
    ("Udp", "InErrors", "node_netstat_Udp_InErrors"),
    ("Udp", "RcvbufErrors", "node_netstat_Udp_RcvbufErrors"),
    ("Udp", "SndbufErrors", "node_netstat_Udp_SndbufErrors"),
    ("TcpExt", "ListenOverflows", "node_netstat_TcpExt_ListenOverflows"),
    ("TcpExt", "ListenDrops", "node_netstat_TcpExt_ListenDrops"),
    ("TcpExt", "SyncookiesSent", "node_netstat_TcpExt_SyncookiesSent"),
    ("TcpExt", "SyncookiesRecv", "node_netstat_TcpExt_SyncookiesRecv"),
    ("TcpExt", "SyncookiesFailed", "node_netstat_TcpExt_SyncookiesFailed"),
    ("TcpExt", "TCPSynRetrans", "node_netstat_TcpExt_TCPSynRetrans"),
    ("TcpExt", "TCPTimeouts", "node_netstat_TcpExt_TCPTimeouts"),
    ("IpExt", "InOctets", "node_netstat_IpExt_InOctets"),
    ("IpExt", "OutOctets", "node_netstat_IpExt_OutOctets"),
];

/// The one that goes up and down: connections, and those that only the other
/// side has closed.
pub const ESTABLISHED: &str = "node_netstat_Tcp_CurrEstab";

/// The collector of protocols.
#[derive(Debug)]
pub struct Netstat;

impl Collector for Netstat {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        for path in ["/proc/net/snmp", "/proc/net/netstat"] {
            let Some(content) = files.read(path)? else { continue };
            out.extend(parse(content).map(|(name, count)| {
                let kind = if name == ESTABLISHED { Kind::Gauge } else { Kind::Counter };
                Sample::plain(kind, name, count as f64)
            }));
        }
        Ok(())
    }
}

/// The fields under the names of their metrics. Each protocol has two lines: its
/// fields' names, then their values. What cannot be read is passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&'static str, u64)> {
    let pairs = lines(content).zip(lines(content).skip(1));
    pairs.filter_map(of_protocol).flatten()
}

type Lines<'a> = (&'a [u8], &'a [u8]);

fn of_protocol((names, values): Lines) -> Option<impl Iterator<Item = (&'static str, u64)>> {
    let (mut names, mut values) = (fields(names), fields(values));
    let head = names.next()?;
    let protocol = head.strip_suffix(':').filter(|_| values.next() == Some(head))?;
    FIELDS.iter().any(|(known, ..)| *known == protocol).then(|| {
        names.zip(values).filter_map(move |(field, value)| {
            let wanted = |(of, known, _): &&(&str, &str, _)| *of == protocol && *known == field;
            let (.., name) = FIELDS.iter().find(wanted)?;
            Some((*name, value.parse().ok()?))
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    const SNMP: &str = "Ip: Forwarding DefaultTTL\nIp: 2 64\n\
        Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens CurrEstab InSegs\n\
        Tcp: 1 -1 10 20 3 40\nUdp: InDatagrams NoPorts\nUdp: 7 8\n";

    #[test]
    fn names_and_values_stand_in_two_lines() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Netstat, root.path()).unwrap().is_empty(), "no /proc is no error");
        let net = root.path().join("proc/net");
        fs::create_dir_all(&net).unwrap();
        fs::write(net.join("snmp"), SNMP).unwrap();
        let ext = "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 2\nIpExt: InOctets\nIpExt: 99\n";
        fs::write(net.join("netstat"), ext).unwrap();
        let out = collect(&mut Netstat, root.path()).unwrap();
        let expected = [
            "node_netstat_Tcp_ActiveOpens 10",
            "node_netstat_Tcp_PassiveOpens 20",
            "node_netstat_Tcp_CurrEstab 3",
            "node_netstat_Tcp_InSegs 40",
            "node_netstat_Udp_InDatagrams 7",
            "node_netstat_Udp_NoPorts 8",
            "node_netstat_TcpExt_SyncookiesSent 1",
            "node_netstat_TcpExt_ListenDrops 2",
            "node_netstat_IpExt_InOctets 99",
        ];
        assert_eq!(shown(&out), expected);
        let gauges: Vec<_> = out.iter().filter(|sample| sample.kind == Kind::Gauge).collect();
        assert_eq!((gauges.len(), &*gauges[0].name), (1, ESTABLISHED));
    }

    #[test]
    fn what_does_not_fit_together_is_passed_over() {
        let found = |text: &str| parse(text.as_bytes()).count();
        assert_eq!(found("Tcp: InSegs OutSegs\n"), 0, "no values");
        assert_eq!(found("Tcp: InSegs OutSegs\nUdp: 1 2\n"), 0, "values of another protocol");
        assert_eq!(found("Tcp: InSegs OutSegs\nTcp: 1\n"), 1, "a value is missing");
        assert_eq!(found("Tcp: InSegs OutSegs\nTcp: -1 x\n"), 0);
        assert_eq!(found("Tcp InSegs\nTcp 1\n"), 0);
        assert_eq!(parse(b"\xff: \xff\n\xff: 1\n").count(), 0);
    }
}
