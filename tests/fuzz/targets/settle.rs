//! Documents of several layers, some with a last valid copy.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::layers::settled(text));
