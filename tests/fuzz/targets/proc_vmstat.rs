//! `/proc/vmstat`.
#![no_main]

use gild::metrics::collector::vmstat;
use gild::metrics::sample::Sample;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let sample = |(name, count): (&'static str, u64)| Sample::counter(name, vec![], count as f64);
    let fields = [vmstat::PAGING, vmstat::SWAPPING].into_iter();
    let found = fields.flat_map(|wanted| vmstat::parse(bytes, wanted));
    gild_fuzz::proc::deliver(found.map(sample).collect());
});
