//! What the metadata service says is coming.
#![no_main]

libfuzzer_sys::fuzz_target!(|page: &str| gild_fuzz::notice::page(page));
