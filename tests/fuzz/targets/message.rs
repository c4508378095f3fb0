//! A message that waits.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::messages::message(bytes));
