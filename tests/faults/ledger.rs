//! Which ticks there were, which arrived, and which of those that did not were allowed to get
//! lost. Pure.
//!
//! A tick is known by the host's time in it, in milliseconds. gild promises that what waits is on
//! disk as soon as a receiver fails, so that a kill costs no more than what was in memory: the
//! ticks since the last request that was answered, or, where the disk could not be used, all since
//! then. `at_risk` says from when on that is.

use std::collections::BTreeSet;

/// A time in milliseconds since 1970.
pub(crate) type Ms = i64;

/// From one moment to another.
pub(crate) type Span = (Ms, Ms);

/// How a sink was when it was last asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Waiting {
    /// When that was.
    pub(crate) asked: Ms,
    /// Whether it puts each tick on disk: its receiver fails, or older ticks are there.
    pub(crate) behind: bool,
    /// Whether the disk cannot be used.
    pub(crate) disk_fails: bool,
}

/// What a request, the time between two, and a tick come to.
pub(crate) const IN_FLIGHT_MS: Ms = 5000;

/// From when on ticks may be lost by a kill at a moment. `disk_ill_since` is the beginning of what
/// kept the disk from being used, if anything does.
pub(crate) fn at_risk(waiting: Waiting, killed: Ms, disk_ill_since: Option<Ms>) -> Ms {
    match disk_ill_since {
        Some(since) => since.min(killed) - IN_FLIGHT_MS,
        None if waiting.behind && !waiting.disk_fails => waiting.asked,
        None => killed - IN_FLIGHT_MS,
    }
}

/// The ticks of a life.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    measured: BTreeSet<Ms>,
    may_miss: Vec<Span>,
}

/// What did not arrive.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Missing {
    /// Although nothing allows it.
    pub(crate) lost: Vec<Ms>,
    /// What kills have cost.
    pub(crate) allowed: usize,
}

impl Ledger {
    /// A tick was seen.
    pub(crate) fn measured(&mut self, tick: Ms) {
        self.measured.insert(tick);
    }

    /// Ticks of this time may be lost.
    pub(crate) fn may_miss(&mut self, span: Span) {
        self.may_miss.push(span);
    }

    /// What of it is not among those that arrived.
    pub(crate) fn missing(&self, arrived: &BTreeSet<Ms>) -> Missing {
        let mut missing = Missing::default();
        for tick in self.measured.difference(arrived) {
            match self.may_miss.iter().any(|(from, to)| (from..=to).contains(&tick)) {
                true => missing.allowed += 1,
                false => missing.lost.push(*tick),
            }
        }
        missing
    }
}

/// The times in which no tick came for longer than `most`, outside of those in which none had to.
pub(crate) fn gaps(ticks: &BTreeSet<Ms>, most: Ms, silent: &[Span]) -> Vec<Span> {
    let pairs = ticks.iter().zip(ticks.iter().skip(1)).map(|(from, to)| (*from, *to));
    let is_silent = |(from, to): Span| silent.iter().any(|(begin, end)| from < *end && *begin < to);
    pairs.filter(|(from, to)| to - from > most && !is_silent((*from, *to))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(ticks: impl Iterator<Item = Ms>) -> Ledger {
        let mut ledger = Ledger::default();
        ticks.for_each(|tick| ledger.measured(tick));
        ledger
    }

    #[test]
    fn a_tick_that_does_not_arrive_is_lost_but_where_a_kill_allows_it() {
        let mut ledger = ledger((0..10).map(|tick| tick * 1000));
        let arrived: BTreeSet<Ms> = [0, 1000, 2000, 4000, 5000, 8000, 9000].into();
        assert_eq!(ledger.missing(&arrived).lost, [3000, 6000, 7000]);
        ledger.may_miss((5500, 7500));
        assert_eq!(ledger.missing(&arrived), Missing { lost: vec![3000], allowed: 2 });
    }

    #[test]
    fn a_kill_costs_what_is_in_memory_and_nothing_of_what_is_on_disk() {
        let works = Waiting { asked: 99_900, behind: false, disk_fails: false };
        assert_eq!(at_risk(works, 100_000, None), 95_000);
        let spools = Waiting { behind: true, ..works };
        assert_eq!(at_risk(spools, 100_000, None), 99_900);
        let cannot = Waiting { disk_fails: true, ..spools };
        assert_eq!(at_risk(cannot, 100_000, None), 95_000);
        assert_eq!(at_risk(cannot, 100_000, Some(60_000)), 55_000);
        assert_eq!(at_risk(spools, 100_000, Some(60_000)), 55_000);
    }

    #[test]
    fn a_beat_that_is_left_out_is_a_gap_but_while_the_process_stands_still() {
        let ticks: BTreeSet<Ms> = [0, 1000, 2000, 5000, 6000, 9000].into();
        assert_eq!(gaps(&ticks, 1600, &[]), [(2000, 5000), (6000, 9000)]);
        assert_eq!(gaps(&ticks, 1600, &[(2500, 4000)]), [(6000, 9000)]);
        assert_eq!(gaps(&ticks, 1600, &[(6000, 6000), (9000, 9500)]), [(2000, 5000), (6000, 9000)]);
    }
}
