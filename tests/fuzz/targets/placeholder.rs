//! Values that stand in addresses.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| gild_fuzz::scope::placeholder(text));
