//! Files with a number or three: `/proc/sys/fs/file-nr`, `nf_conntrack_count`.
#![no_main]

use gild::metrics::collector::{conntrack, filefd};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((allocated, _)) = filefd::parse(bytes) {
        assert_eq!(conntrack::parse(bytes), Some(allocated), "the first number is the first");
    }
});
