//! Documents in YAML.
#![no_main]

use gild::config::format::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gild_fuzz::config::document(bytes, Format::Yaml));
