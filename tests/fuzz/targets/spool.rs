//! Any bytes in the spool of a sink.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gild_fuzz::spool::replay(input));
