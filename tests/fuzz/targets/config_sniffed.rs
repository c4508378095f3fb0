//! Documents of which nobody says what they are written in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::config::sniffed(bytes));
