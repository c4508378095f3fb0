//! `/proc/PID/stat`.
#![no_main]

use gild::metrics::collector::process_states;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((state, _)) = process_states::parse(bytes) {
        assert!(!state.contains([')', ' ']), "the name is over");
    }
});
