//! Why measurements were not delivered: a closed set of reasons, each counted.
//!
//! To add a reason: one line in the list below.

use std::collections::BTreeMap;

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident => $label:literal, )+) => {
        /// Why a measurement was not delivered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason { $( $(#[doc = $doc])+ $variant, )+ }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),+];

            /// The word by which statistics know the reason.
            pub fn label(self) -> &'static str {
                match self { $( Reason::$variant => $label, )+ }
            }
        }
    };
}

reasons! {
    /// The queue was full, and this was the oldest in it.
    QueueFull => "queue_full",
    /// The spool on disk was full, and this was the oldest in it.
    SpoolFull => "spool_full",
    /// It waited on disk for longer than it may.
    TooOld => "too_old",
    /// It was damaged on disk.
    Damaged => "damaged",
    /// It lay on disk, and another instance had measured it.
    Foreign => "foreign",
    /// The receiver refused it for good.
    Rejected => "rejected",
    /// It was tried for as long as one request may be tried.
    Expired => "expired",
    /// No receiver would take it: its name, labels or value are not allowed.
    Invalid => "invalid",
    /// It would have been one metric more than the sink may send.
    OverBudget => "over_budget",
    /// The wall clock was not set when it was measured, or ran ahead.
    Clock => "clock",
    /// The wall clock had gone back when it was measured.
    Order => "order",
    /// The sink ended before it was delivered.
    Shutdown => "shutdown",
    /// The sink could not be set up.
    Unusable => "unusable",
}

/// Counts by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops([u64; Reason::ALL.len()]);

impl Drops {
    /// Counts `measurements` for `reason`.
    pub fn add(&mut self, reason: Reason, measurements: usize) {
        self.0[reason as usize] += measurements as u64;
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Drops) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// The count for a reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// The reasons that occurred, with their counts.
    pub fn by_reason(&self) -> BTreeMap<&'static str, u64> {
        let all = Reason::ALL.iter().map(|reason| (reason.label(), self.of(*reason)));
        all.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_and_a_count_of_its_own() {
        let mut drops = Drops::default();
        for (index, reason) in Reason::ALL.iter().enumerate() {
            drops.add(*reason, index + 1);
        }
        drops.merge(&drops.clone());
        let counts = drops.by_reason();
        assert_eq!(counts.len(), Reason::ALL.len());
        assert_eq!(counts["queue_full"], 2);
    }
}
