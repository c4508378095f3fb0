//! The instance's tags.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::scope::tags(text));
