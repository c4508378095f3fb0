//! What the metadata service answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::socket::metadata(bytes));
