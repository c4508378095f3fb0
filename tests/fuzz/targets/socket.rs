//! What a client of the status socket sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::socket::requests(bytes));
