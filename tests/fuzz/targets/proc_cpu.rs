//! `/proc/stat`.
#![no_main]

use gild::metrics::collector::cpu;
use gild::metrics::sample::{Sample, label};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let sample = |(cpu, ticks): (&str, cpu::Ticks)| {
        Sample::counter("node_cpu_seconds_total", vec![label("cpu", cpu)], ticks[0] as f64)
    };
    gild_fuzz::proc::deliver(cpu::parse(bytes).map(sample).collect());
});
