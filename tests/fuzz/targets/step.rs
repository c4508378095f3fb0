//! The events of a step, from bytes that arrive in pieces. The modules are private
//! to gild, so they are built in here as they are.
#![no_main]
#![allow(dead_code)]

use std::time::Instant;

use gild::configure::report;
use gild::platform;
use gild::platform::redact::Redactor;

#[path = "../../../agent/src/configure/events.rs"]
mod events;
#[path = "../../../agent/src/configure/lines.rs"]
mod lines;
#[path = "../../../agent/src/configure/recorder.rs"]
mod recorder;

const LONGEST: usize = 4096;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::default();
    redactor.add("hunter22");
    let mut recorder = recorder::Recorder::new(&redactor);
    let mut lines = lines::Lines::new(LONGEST);
    let piece = usize::from(bytes.first().copied().unwrap_or_default()) + 1;
    let mut whole: Vec<String> = bytes.chunks(piece).flat_map(|part| lines.push(part)).collect();
    whole.extend(lines.finish());
    for line in &whole {
        // A byte that is no text becomes three.
        assert!(line.len() <= 3 * LONGEST + 6);
        recorder.line(line, Instant::now());
    }
    recorder.killed("too late", Instant::now());
    let (tasks, culprit) = recorder.failed();
    assert!(tasks.len() <= whole.len() + 1);
    assert!(culprit.is_none_or(|index| index < tasks.len()));
    for task in &tasks {
        let texts = [Some(&task.name), Some(&task.action), task.message.as_ref()];
        assert!(texts.into_iter().flatten().all(|text| !text.contains("hunter22")));
    }
});
