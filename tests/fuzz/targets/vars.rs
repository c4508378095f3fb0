//! The variables of a play: whatever they hold, another reader finds the same. The
//! module is private to gild, so it is built in here as it is.
#![no_main]

use serde_json::{Map, Value};

#[path = "../../../agent/src/configure/ansible/vars.rs"]
mod vars;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(table) = serde_json::from_slice::<Map<String, Value>>(bytes) {
        let text = vars::document(&table);
        assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)));
        assert_eq!(gild_fuzz::yaml::value(&text), Value::Object(table));
    }
});
