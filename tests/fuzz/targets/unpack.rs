//! An archive becomes a directory, and nothing outside of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::playbook::archive(bytes));
