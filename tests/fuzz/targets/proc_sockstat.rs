//! `/proc/net/sockstat`.
#![no_main]

use gild::metrics::collector::sockstat;
use gild::metrics::sample::Sample;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let sample = |(name, count): (&'static str, u64)| Sample::gauge(name, vec![], count as f64);
    gild_fuzz::proc::deliver(sockstat::parse(bytes).map(sample).collect());
});
