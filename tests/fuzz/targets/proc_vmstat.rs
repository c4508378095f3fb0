//! `/proc/vmstat`.
#![no_main]

use gild::metrics::collector::swap;
use gild::metrics::sample::Sample;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let sample = |(name, pages): (&'static str, u64)| Sample::counter(name, vec![], pages as f64);
    gild_fuzz::proc::deliver(swap::parse(bytes).map(sample).collect());
});
