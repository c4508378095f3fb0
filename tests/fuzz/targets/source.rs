//! Texts of sources, with a tag's value in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::scope::source(text));
