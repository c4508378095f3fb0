//! Any samples, as remote-write requests.
#![no_main]

use std::time::{Duration, SystemTime};

use gild::metrics::sample::Tick;
use gild_fuzz::proc::{samples, sent};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(text.len() as u64);
    sent(&Tick::new(at, samples(text)));
});
