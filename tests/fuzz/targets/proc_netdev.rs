//! `/proc/net/dev`.
#![no_main]

use std::path::Path;

use gild::metrics::collector::network;
use gild::metrics::sample::{Sample, label};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut samples = Vec::new();
    for (name, traffic) in network::parse(bytes) {
        assert_eq!(Path::new(name).components().count(), 1, "a name is one part of a path");
        let labels = vec![label("device", name)];
        samples.push(Sample::counter("node_network_x", labels, traffic.receive[0] as f64));
    }
    gild_fuzz::proc::deliver(samples);
});
