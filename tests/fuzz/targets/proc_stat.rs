//! `/proc/stat` besides the processors.
#![no_main]

use gild::metrics::collector::stat;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for (line, _) in stat::parse(bytes) {
        assert!(!line.contains(|c: char| c.is_ascii_whitespace()));
    }
});
