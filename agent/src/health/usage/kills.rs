//! How often the kernel killed a process of one unit for want of memory.
//!
//! A control group ends with its unit, and its count with it. A service that is killed
//! and started again within a second would thus never show what happened to it. Its
//! slice goes on counting what happened below (version 2), so when the unit has ended
//! or was restarted since the look before, what the slice counted meanwhile is the
//! unit's. Should two services of a slice end between two looks, both get it.

use std::path::{Path, PathBuf};

use super::files::field;

/// The kills of one unit.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// Where the slice counts; remembered while the unit does not run.
    slice: Option<PathBuf>,
    /// What it counted at the last look.
    in_slice: Option<u64>,
    /// The control group at the last look, and what it counted.
    own: Option<(u64, u64)>,
    restarts: Option<u32>,
    total: Option<u64>,
}

impl Kills {
    /// Takes a look into account: the control group of the unit where it has one, the
    /// name of the file that counts, what tells this group from others and its count,
    /// and the restarts. The answer is the total of all looks, where there is any.
    pub(super) fn see(
        &mut self,
        group: Option<&Path>,
        file: &str,
        own: Option<(u64, u64)>,
        restarts: Option<u32>,
    ) -> Option<u64> {
        if let Some(slice) = group.and_then(Path::parent) {
            let slice = slice.join(file);
            if self.slice.as_ref() != Some(&slice) {
                self.slice = Some(slice);
                self.in_slice = None;
            }
        }
        let in_slice = self.slice.as_deref().and_then(|file| field(file, "oom_kill"));
        let slice_grew = match (self.in_slice, in_slice) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => 0,
        };
        let restarted = restarts > self.restarts && self.restarts.is_some();
        let grew = match (self.own, own) {
            (Some((before, was)), Some((now, is))) if before == now && is >= was => is - was,
            (None, Some((_, is))) if !restarted => is,
            (None, None) if !restarted => 0,
            (_, now) => slice_grew.max(now.map_or(0, |(_, is)| is)),
        };
        if self.total.is_some() || own.is_some() {
            self.total = Some(self.total.unwrap_or(0) + grew);
        }
        (self.in_slice, self.own, self.restarts) = (in_slice, own, restarts);
        self.total
    }
}
