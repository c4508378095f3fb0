//! `/proc/loadavg`.
#![no_main]

use gild::metrics::collector::load;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(loads) = load::parse(bytes) {
        assert!(loads.iter().all(|load| load.is_finite() && *load >= 0.0));
    }
});
