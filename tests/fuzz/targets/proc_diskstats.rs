//! `/proc/diskstats`.
#![no_main]

use std::path::Path;

use gild::metrics::collector::diskio;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for disk in diskio::parse(bytes) {
        assert_eq!(Path::new(disk.name).components().count(), 1, "a name is one part of a path");
        assert!((11..=disk.counts.len()).contains(&disk.columns));
    }
});
