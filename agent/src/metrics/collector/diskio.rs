//! Reads and writes of whole disks, from `/proc/diskstats`.
//!
//! Partitions, RAM disks and loop devices are left out, as node_exporter leaves
//! them out: a partition's traffic is that of its disk. Device mapper and RAID
//! are kept, beside the disks below them: who adds up all devices counts twice.
//! Discards are left out as well: few disks of a cloud know them.

use std::borrow::Cow;

use super::labels::Labels;
use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample, label};

/// What each disk did.
pub(super) const DISKSTATS: &str = "/proc/diskstats";

/// The kernel counts in these, whatever the disk's own sectors are.
const SECTOR: f64 = 512.0;
const PER_MS: f64 = 1e-3;

/// The columns that every disk has.
const ALWAYS: usize = 11;

/// The columns after the name: place, metric and unit.
const COLUMNS: [(usize, &str, f64); 13] = [
    (0, "node_disk_reads_completed_total", 1.0),
    (1, "node_disk_reads_merged_total", 1.0),
    (2, "node_disk_read_bytes_total", SECTOR),
    (3, "node_disk_read_time_seconds_total", PER_MS),
    (4, "node_disk_writes_completed_total", 1.0),
    (5, "node_disk_writes_merged_total", 1.0),
    (6, "node_disk_written_bytes_total", SECTOR),
    (7, "node_disk_write_time_seconds_total", PER_MS),
    (8, "node_disk_io_now", 1.0),
    (9, "node_disk_io_time_seconds_total", PER_MS),
    (10, "node_disk_io_time_weighted_seconds_total", PER_MS),
    // Kernels since 5.5 have these.
    (15, "node_disk_flush_requests_total", 1.0),
    (16, "node_disk_flush_requests_time_seconds_total", PER_MS),
];

/// The one that goes up and down.
const NOW: usize = 8;

/// The collector of disks' traffic.
#[derive(Debug, Default)]
pub struct Diskio {
    labels: Labels,
}

impl Collector for Diskio {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(DISKSTATS)? else { return Ok(()) };
        for disk in parse(content) {
            let device = self.labels.get(disk.name);
            for (column, name, unit) in COLUMNS {
                let Some(count) = disk.counts.get(column).filter(|_| column < disk.columns) else {
                    continue;
                };
                let kind = if column == NOW { Kind::Gauge } else { Kind::Counter };
                let labels = vec![label("device", device.clone())];
                out.push(Sample::of(kind, Cow::Borrowed(name), labels, *count as f64 * unit));
            }
        }
        Ok(())
    }
}

/// One disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk<'a> {
    /// Its name, such as `nvme0n1`.
    pub name: &'a str,
    /// The columns after the name.
    pub counts: [u64; 17],
    /// How many of them this kernel has.
    pub columns: usize,
}

/// The whole disks of `/proc/diskstats`. Lines that cannot be read are passed
/// over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = Disk<'_>> {
    lines(content).filter_map(|line| {
        let mut fields = fields(line).skip(2);
        // A name becomes part of a path.
        let name = fields.next().filter(|name| is_disk(name) && !name.contains(['/', '.']))?;
        let (mut counts, mut columns) = ([0; 17], 0);
        for (count, field) in counts.iter_mut().zip(fields) {
            *count = field.parse().ok()?;
            columns += 1;
        }
        (columns >= ALWAYS).then_some(Disk { name, counts, columns })
    })
}

/// Whether a device is a disk by itself: not a partition, and not in memory or
/// in a file.
fn is_disk(name: &str) -> bool {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if stem.len() == name.len() {
        return !name.is_empty();
    }
    let letters = |prefix: &str| {
        let rest = stem.strip_prefix(prefix);
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase()))
    };
    let in_memory = matches!(stem, "ram" | "zram" | "loop" | "fd");
    let lettered = ["hd", "sd", "vd", "xvd"].into_iter().any(letters);
    // nvme0n1 is a disk, nvme0n1p1 and mmcblk0p1 are not.
    let numbered = (stem.starts_with("nvme") || stem.starts_with("mmcblk")) && stem.ends_with('p');
    !(in_memory || lettered || numbered)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn whole_disks_are_told_from_their_partitions_and_from_memory() {
        let disks = ["nvme0n1", "nvme12n1", "sda", "xvda", "xvdba", "vda", "dm-0", "md127", "sr0"];
        let others = [
            "nvme0n1p1",
            "nvme0n1p128",
            "sda1",
            "sdaa12",
            "xvda1",
            "xvdba1",
            "vda15",
            "hda1",
            "loop0",
            "ram15",
            "zram0",
            "fd0",
            "mmcblk0p1",
            "",
        ];
        assert!(disks.into_iter().all(is_disk));
        assert!(!others.into_iter().any(is_disk));
    }

    #[test]
    fn columns_become_bytes_and_seconds() {
        let root = tempfile::tempdir().unwrap();
        let collected = || collect(&mut Diskio::default(), root.path()).unwrap();
        assert!(collected().is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        let text = " 259 0 nvme0n1 1 2 3 4000 5 6 7 8000 9 10000 11000 12 13 14 15 16 17000\n \
            259 1 nvme0n1p1 1 2 3 4 5 6 7 8 9 10 11\n";
        fs::write(root.path().join("proc/diskstats"), text).unwrap();
        let expected = [
            "node_disk_reads_completed_total 1",
            "node_disk_reads_merged_total 2",
            "node_disk_read_bytes_total 1536",
            "node_disk_read_time_seconds_total 4",
            "node_disk_writes_completed_total 5",
            "node_disk_writes_merged_total 6",
            "node_disk_written_bytes_total 3584",
            "node_disk_write_time_seconds_total 8",
            "node_disk_io_now 9",
            "node_disk_io_time_seconds_total 10",
            "node_disk_io_time_weighted_seconds_total 11",
            "node_disk_flush_requests_total 16",
            "node_disk_flush_requests_time_seconds_total 17",
        ];
        let expected = expected.map(|line| line.replace(' ', "{device=\"nvme0n1\"} "));
        assert_eq!(shown(&collected()), expected);
        assert_eq!(collected()[8].kind, Kind::Gauge);
    }

    #[test]
    fn older_kernels_have_fewer_columns() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        let text =
            "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n";
        fs::write(root.path().join("proc/diskstats"), text).unwrap();
        let out = collect(&mut Diskio::default(), root.path()).unwrap();
        assert_eq!(out.len(), 22, "no flushes are made up");
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text = b"8 0 sda\n8 0 sda 1 2 3 4\n8 0 sda 1 2 3 x 5 6 7 8 9 10 11\n8 0\n\xff\n\
            8 0 ../x 1 2 3 4 5 6 7 8 9 10 11\n8 0 sda 1 2 3 -4 5 6 7 8 9 10 11\n";
        assert_eq!(parse(text).count(), 0);
    }
}
