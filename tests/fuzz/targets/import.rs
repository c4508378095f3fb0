//! The configuration of telegraf and of the CloudWatch agent.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::import::both(bytes));
