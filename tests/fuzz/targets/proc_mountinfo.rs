//! `/proc/self/mountinfo`.
#![no_main]

use std::collections::HashSet;
use std::sync::Arc;

use gild::metrics::collector::disk::mountinfo;
use gild::metrics::sample::{Sample, label};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mounts = mountinfo::reported(mountinfo::parse(bytes));
    let points: HashSet<_> = mounts.iter().map(|mount| &mount.mount_point).collect();
    assert_eq!(points.len(), mounts.len(), "each place once");
    let sample = |mount: &mountinfo::Mount| {
        let point: Arc<str> = Arc::from(mount.mount_point.to_string_lossy());
        let labels = vec![label("device", &*mount.device), label("mountpoint", point)];
        Sample::gauge("node_filesystem_x", labels, f64::from(mount.read_only))
    };
    gild_fuzz::proc::deliver(mounts.iter().map(sample).collect());
});
