//! `/sys/block/DEVICE/device/serial`.
#![no_main]

use gild::metrics::collector::ebs;
use gild::metrics::sample::{Sample, label};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(serial) = ebs::parse(bytes) else { return };
    let mut labels = vec![label("serial", serial)];
    if let Some(volume) = ebs::volume(serial) {
        assert!(volume.starts_with("vol-") && volume.len() > 4);
        labels.push(label("volume_id", volume));
    }
    gild_fuzz::proc::deliver(vec![Sample::gauge("node_disk_info", labels, 1.0)]);
});
