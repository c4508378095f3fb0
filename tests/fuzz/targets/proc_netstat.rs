//! `/proc/net/snmp` and `/proc/net/netstat`.
#![no_main]

use gild::metrics::collector::netstat;
use gild::metrics::sample::Sample;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let sample = |(name, count): (&'static str, u64)| Sample::gauge(name, vec![], count as f64);
    gild_fuzz::proc::deliver(netstat::parse(bytes).map(sample).collect());
});
