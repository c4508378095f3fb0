//! Last valid copies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::files::last_good(bytes));
