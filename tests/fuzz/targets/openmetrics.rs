//! Any samples, as text.
#![no_main]

use std::time::SystemTime;

use gild::metrics::sample::Tick;
use gild_fuzz::proc::{is_own, samples, written};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let samples = samples(text).into_iter().filter(is_own).collect();
    written(&Tick::new(SystemTime::now(), samples));
});
