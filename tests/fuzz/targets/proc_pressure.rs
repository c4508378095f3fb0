//! `/proc/pressure/cpu` and its like.
#![no_main]

use gild::metrics::collector::pressure;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(pressure::parse(bytes).all(|(_, seconds)| seconds.is_finite() && seconds >= 0.0));
});
