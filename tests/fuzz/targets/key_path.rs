//! Dotted paths of keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::scope::key_path(text));
