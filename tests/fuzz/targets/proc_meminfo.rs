//! `/proc/meminfo`.
#![no_main]

use gild::metrics::collector::memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    gild_fuzz::proc::deliver(memory::parse(bytes).map(|line| line.sample()).collect());
});
