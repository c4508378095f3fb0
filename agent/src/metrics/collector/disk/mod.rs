//! Space and inodes of mounted filesystems: which ones (`mountinfo`), and how
//! much (`probe`).

/// Which mounts are worth reporting.
pub mod mountinfo;
/// How much space they have, asked without hanging.
pub mod probe;

use std::path::PathBuf;
use std::pin::Pin;

use self::mountinfo::Mount;
use self::probe::{Answer, Prober};
use super::labels::Labels;
use super::source::{Files, Source};
use super::{CollectError, Collector};
use crate::metrics::sample::{Sample, label};
use crate::platform::paths::Paths;

/// The collector of filesystems.
pub struct Disk {
    mountinfo: Source,
    paths: Paths,
    prober: Prober,
    labels: Labels,
    looked: Result<Vec<(Mount, Answer)>, CollectError>,
}

impl Disk {
    /// Reads below `paths`.
    pub fn new(paths: &Paths) -> Self {
        // The first process sees the mounts of the host. This one may be in a
        // sandbox of its own, in which everything is mounted read-only.
        let of_host = Source::new(paths.host("/proc/1/mountinfo"));
        let own = || Source::new(paths.host("/proc/self/mountinfo"));
        Self {
            mountinfo: if of_host.is_readable() { of_host } else { own() },
            paths: paths.clone(),
            prober: Prober::default(),
            labels: Labels::default(),
            looked: Ok(Vec::new()),
        }
    }

    async fn mounts(&mut self) -> Result<Vec<(Mount, Answer)>, CollectError> {
        let Some(content) = self.mountinfo.read()? else { return Ok(Vec::new()) };
        let mounts = mountinfo::reported(mountinfo::parse(content));
        if mounts.is_empty() {
            return Err(self.mountinfo.lacks("any filesystem"));
        }
        let points: Vec<PathBuf> =
            mounts.iter().map(|mount| self.paths.host(&mount.mount_point)).collect();
        let answers = self.prober.look(&points).await.map_err(CollectError::Thread)?;
        Ok(mounts.into_iter().zip(answers).collect())
    }
}

impl Collector for Disk {
    fn look(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>> {
        Some(Box::pin(async { self.looked = self.mounts().await }))
    }

    fn collect(&mut self, _: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        for (mount, answer) in std::mem::replace(&mut self.looked, Ok(Vec::new()))? {
            let labels = vec![
                label("device", self.labels.get(&mount.device)),
                label("fstype", self.labels.get(&mount.fstype)),
                label("mountpoint", self.labels.get(&mount.mount_point.to_string_lossy())),
            ];
            let mut add = |name, value| out.push(Sample::gauge(name, labels.clone(), value));
            if let Answer::Space(space) = answer {
                let bytes = |blocks: u64| blocks as f64 * space.block as f64;
                add("node_filesystem_size_bytes", bytes(space.blocks));
                add("node_filesystem_free_bytes", bytes(space.free));
                add("node_filesystem_avail_bytes", bytes(space.available));
                add("node_filesystem_files", space.files as f64);
                add("node_filesystem_files_free", space.files_free as f64);
                add("node_filesystem_readonly", f64::from(u8::from(mount.read_only)));
            }
            let error = !matches!(answer, Answer::Space(_));
            add("node_filesystem_device_error", f64::from(u8::from(error)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::path::Path;

    use super::super::tests::collect;
    use super::*;

    #[tokio::test]
    async fn the_filesystem_of_a_mount_below_the_root_is_measured() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        let line = "27 1 259:1 / / ro,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n\
            28 1 259:2 / /absent rw - ext4 /dev/x rw\n";
        fs::write(root.path().join("proc/self/mountinfo"), line).unwrap();
        let mut disk = Disk::new(&Paths::installed(root.path()));
        disk.look().unwrap().await;
        let out = collect(&mut disk, root.path()).unwrap();
        let value = |name: &str, point: &str| {
            let of = |sample: &&Sample| sample.label("mountpoint") == Some(point);
            out.iter().filter(of).find(|sample| sample.name == name).map(|sample| sample.value)
        };
        let real = nix::sys::statvfs::statvfs(root.path()).unwrap();
        let size = real.blocks() as f64 * real.fragment_size() as f64;
        assert_eq!(value("node_filesystem_size_bytes", "/"), Some(size));
        assert_eq!(value("node_filesystem_readonly", "/"), Some(1.0));
        assert_eq!(value("node_filesystem_device_error", "/"), Some(0.0));
        assert_eq!(value("node_filesystem_size_bytes", "/absent"), None);
        assert_eq!(value("node_filesystem_device_error", "/absent"), Some(1.0));
    }

    #[tokio::test]
    async fn a_host_without_mountinfo_has_no_filesystems() {
        let mut disk = Disk::new(&Paths::installed(Path::new("/nonexistent")));
        disk.look().unwrap().await;
        let out = collect(&mut disk, Path::new("/nonexistent")).unwrap();
        assert!(out.is_empty());
    }
}
