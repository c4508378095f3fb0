//! Documents that disagree, settled.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::settle::settled(text));
