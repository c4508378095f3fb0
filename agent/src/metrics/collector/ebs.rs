//! Which EBS volume is behind which NVMe device: the names of devices change
//! from boot to boot, the volumes stay. One series a device says it, so that no
//! label is needed on every other.

use super::diskio::{self, DISKSTATS};
use super::labels::Labels;
use super::source::{Files, Source};
use super::{CollectError, Collector};
use crate::metrics::sample::{Sample, label};
use crate::platform::paths::Paths;

/// The collector of volumes' ids.
#[derive(Debug)]
pub struct Ebs {
    paths: Paths,
    serial: Source,
    labels: Labels,
}

impl Ebs {
    /// Reads below `paths`.
    pub fn new(paths: &Paths) -> Self {
        let serial = Source::new(paths.host("/sys/block"));
        Self { paths: paths.clone(), serial, labels: Labels::default() }
    }
}

impl Collector for Ebs {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(DISKSTATS)? else { return Ok(()) };
        let nvme = diskio::parse(content).filter(|disk| disk.name.starts_with("nvme"));
        for disk in nvme {
            let device = self.paths.host("/sys/block").join(disk.name);
            // At every tick: another volume may have come under the same name.
            self.serial.turn_to(&device.join("device/serial"));
            let Some(serial) = self.serial.read()?.and_then(parse) else { continue };
            let mut labels = vec![
                label("device", self.labels.get(disk.name)),
                label("serial", self.labels.get(serial)),
            ];
            // Disks of the instance itself have a serial number, and no volume.
            if let Some(volume) = volume(serial) {
                labels.push(label("volume_id", self.labels.get(&volume)));
            }
            out.push(Sample::gauge("node_disk_info", labels, 1.0));
        }
        Ok(())
    }
}

/// The serial number that a file holds.
pub fn parse(content: &[u8]) -> Option<&str> {
    let serial = std::str::from_utf8(content).ok()?.trim();
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!serial.is_empty() && serial.len() <= 64 && serial.bytes().all(fine)).then_some(serial)
}

/// The id of the EBS volume that has a serial number, if it is that of one:
/// `vol0123…` stands for `vol-0123…`.
pub fn volume(serial: &str) -> Option<String> {
    let id = serial.strip_prefix("vol")?;
    let id = id.strip_prefix('-').unwrap_or(id);
    let fine = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    fine.then(|| format!("vol-{id}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn volumes_are_told_by_the_serial_numbers_of_their_devices() {
        let root = tempfile::tempdir().unwrap();
        let mut ebs = Ebs::new(&Paths::installed(root.path()));
        let mut collected = || shown(&collect(&mut ebs, root.path()).unwrap());
        assert!(collected().is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        let line = |name: &str| format!("259 0 {name} 1 2 3 4 5 6 7 8 9 10 11\n");
        let names = ["nvme0n1", "nvme0n1p1", "nvme1n1", "nvme2n1", "xvda"];
        fs::write(root.path().join("proc/diskstats"), names.map(line).concat()).unwrap();
        let serial = |device: &str, serial: &str| {
            let directory = root.path().join("sys/block").join(device).join("device");
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("serial"), serial).unwrap();
        };
        serial("nvme0n1", "vol0a1b2c3d4e5f60718 \n");
        serial("nvme1n1", "AWS1234567890ABCDEF0\n");
        let volume = |id: &str| {
            format!(
                "node_disk_info{{device=\"nvme0n1\",serial=\"vol{id}\",volume_id=\"vol-{id}\"}} 1"
            )
        };
        let own = "node_disk_info{device=\"nvme1n1\",serial=\"AWS1234567890ABCDEF0\"} 1";
        assert_eq!(collected(), [&volume("0a1b2c3d4e5f60718"), own]);
        serial("nvme0n1", "vol0000000000000000f\n");
        assert_eq!(collected(), [&volume("0000000000000000f"), own], "another volume came");
    }

    #[test]
    fn what_is_no_serial_number_is_none() {
        for text in [&b""[..], b" \n", b"a b", b"a\"b", b"\xff", b"a\0", &[b'a'; 65]] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(volume("vol"), None);
        assert_eq!(volume("volume1"), None);
        assert_eq!(volume("vol-0ab"), Some("vol-0ab".to_owned()));
    }
}
