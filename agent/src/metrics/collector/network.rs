//! Traffic of network interfaces, from `/proc/net/dev`. Only interfaces with a
//! device behind them are reported: bridges, tunnels and the ends of container
//! links come and go, and count the same bytes again. Where no interface has a
//! device, as in a container, all but the loopback are reported.

use super::labels::Labels;
use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::{Sample, label};
use crate::platform::paths::Paths;

/// The collector of network traffic.
#[derive(Debug)]
pub struct Network {
    paths: Paths,
    labels: Labels,
}

impl Network {
    /// Reads below `paths`.
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone(), labels: Labels::default() }
    }
}

impl Collector for Network {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read("/proc/net/dev")? else { return Ok(()) };
        let interfaces: Vec<_> = parse(content).filter(|(name, _)| *name != "lo").collect();
        let classes = self.paths.host("/sys/class/net");
        let physical: Vec<_> = interfaces
            .iter()
            .filter(|(name, _)| classes.join(name).join("device").exists())
            .copied()
            .collect();
        let chosen = if physical.is_empty() { interfaces } else { physical };
        for (name, traffic) in chosen {
            let device = self.labels.get(name);
            for (metric, value) in traffic.counters() {
                out.push(Sample::counter(
                    metric,
                    vec![label("device", device.clone())],
                    value as f64,
                ));
            }
        }
        Ok(())
    }
}

/// What went through one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes, packets, errors and drops received.
    pub receive: [u64; 4],
    /// Bytes, packets, errors and drops transmitted.
    pub transmit: [u64; 4],
}

impl Traffic {
    fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
        const RECEIVE: [&str; 4] = [
            "node_network_receive_bytes_total",
            "node_network_receive_packets_total",
            "node_network_receive_errs_total",
            "node_network_receive_drop_total",
        ];
        const TRANSMIT: [&str; 4] = [
            "node_network_transmit_bytes_total",
            "node_network_transmit_packets_total",
            "node_network_transmit_errs_total",
            "node_network_transmit_drop_total",
        ];
        RECEIVE.into_iter().zip(self.receive).chain(TRANSMIT.into_iter().zip(self.transmit))
    }
}

/// The interfaces of `/proc/net/dev`: eight columns of what was received, then
/// what was transmitted. Lines that cannot be read are passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&str, Traffic)> {
    lines(content).filter_map(|line| {
        // The name may hold a colon of its own, as an alias does.
        let colon = line.iter().rposition(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?.trim();
        // A name becomes part of a path.
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return None;
        }
        let mut columns = [0; 12];
        let mut fields = fields(&line[colon + 1..]);
        for column in &mut columns {
            *column = fields.next()?.parse().ok()?;
        }
        let [rx_bytes, rx_packets, rx_errs, rx_drop, .., bytes, packets, errs, drop] = columns;
        Some((
            name,
            Traffic {
                receive: [rx_bytes, rx_packets, rx_errs, rx_drop],
                transmit: [bytes, packets, errs, drop],
            },
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::path::Path;

    use super::super::tests::collect;
    use super::*;

    const HEAD: &str = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

    #[test]
    fn columns_are_told_apart() {
        let text = format!("{HEAD}  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
        let traffic = Traffic { receive: [1, 2, 3, 4], transmit: [9, 10, 11, 12] };
        assert_eq!(parse(text.as_bytes()).collect::<Vec<_>>(), [("eth0", traffic)]);
    }

    #[test]
    fn a_number_may_touch_the_colon_and_a_name_may_hold_one() {
        let text = b"eth0:1 2 3 4 5 6 7 8 9 10 11 12\neth0:1: 1 2 3 4 5 6 7 8 9 10 11 12\n";
        let names: Vec<_> = parse(text).map(|(name, _)| name).collect();
        assert_eq!(names, ["eth0", "eth0:1"]);
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text = b"eth0 1 2 3\neth1: 1 2 3\n: 1 2 3 4 5 6 7 8 9 10 11 12\n\
            ../x: 1 2 3 4 5 6 7 8 9 10 11 12\n\xff: 1 2 3 4 5 6 7 8 9 10 11 12\n\
            eth2: 1 2 3 4 5 6 7 8 9 10 11 -12\n";
        assert_eq!(parse(text).count(), 0);
    }

    fn devices(root: &Path) -> Vec<String> {
        let out = collect(&mut Network::new(&Paths::installed(root)), root).unwrap();
        out.iter()
            .filter(|sample| sample.name == "node_network_receive_bytes_total")
            .map(|sample| sample.label("device").unwrap().to_owned())
            .collect()
    }

    #[test]
    fn interfaces_without_a_device_count_only_where_no_other_is() {
        let root = tempfile::tempdir().unwrap();
        assert!(devices(root.path()).is_empty(), "no /proc is no error");
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        let line = |name: &str| format!("{name}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
        let text = format!("{HEAD}{}{}{}", line("lo"), line("eth0"), line("veth1"));
        fs::write(root.path().join("proc/net/dev"), text).unwrap();
        assert_eq!(devices(root.path()), ["eth0", "veth1"]);
        fs::create_dir_all(root.path().join("sys/class/net/eth0/device")).unwrap();
        assert_eq!(devices(root.path()), ["eth0"]);
    }
}
