//! The names of series in a record, and which of them a tick has.

use std::sync::Arc;

use super::LARGEST_TICK;
use crate::metrics::sample::{Kind, LabelName, Sample};
use crate::metrics::spool::varint::{Bytes, put, put_bytes};

pub(super) fn put_series(out: &mut Vec<u8>, sample: &Sample) {
    out.push(match sample.kind {
        Kind::Gauge => 0,
        Kind::Counter => 1,
    });
    put_bytes(out, sample.name.as_bytes());
    for (name, value) in &sample.labels {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

pub(super) fn get_series(bytes: &mut Bytes<'_>) -> Option<Sample> {
    let kind = match bytes.byte()? {
        0 => Kind::Gauge,
        1 => Kind::Counter,
        _ => return None,
    };
    let name = bytes.text()?.to_owned();
    let mut labels = Vec::new();
    while !bytes.0.is_empty() {
        let name = LabelName::Foreign(Arc::from(bytes.text()?));
        labels.push((name, Arc::from(bytes.text()?)));
    }
    Some(Sample::of(kind, name.into(), labels, 0.0))
}

/// Appends a series' name as what it differs in from the one before.
pub(super) fn put_name(out: &mut Vec<u8>, before: &mut Vec<u8>, name: &[u8]) {
    let shared = before.iter().zip(name).take_while(|(a, b)| a == b).count();
    put(out, shared as u64);
    put_bytes(out, &name[shared..]);
    name.clone_into(before);
}

pub(super) fn get_name(bytes: &mut Bytes<'_>, name: &mut Vec<u8>) -> Option<()> {
    let shared = usize::try_from(bytes.number()?).ok()?;
    if shared > name.len() {
        return None;
    }
    name.truncate(shared);
    name.extend_from_slice(bytes.bytes()?);
    Some(())
}

/// Appends the numbers of a tick's series, as runs of numbers that follow each other.
pub(super) fn put_layout(out: &mut Vec<u8>, layout: &[u32]) {
    for run in layout.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        put(out, u64::from(run[0]));
        put(out, run.len() as u64);
    }
}

pub(super) fn get_layout(bytes: &mut Bytes<'_>, samples: usize, known: usize) -> Option<Vec<u32>> {
    let mut layout = Vec::new();
    while layout.len() < samples {
        let first = usize::try_from(bytes.number()?).ok()?;
        let end = first.checked_add(usize::try_from(bytes.number()?).ok()?)?;
        if end > known || end == first || layout.len() + (end - first) > samples.min(LARGEST_TICK) {
            return None;
        }
        layout.extend(first as u32..end as u32);
    }
    Some(layout)
}
