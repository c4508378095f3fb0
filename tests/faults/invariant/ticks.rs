//! Ticks go on, and all of them arrive, but for what kills have cost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Invariant;
use crate::estate::Estate;
use crate::excuse::Excuse;
use crate::ledger::{Ms, gaps};
use crate::life::{STRICT, Stage};
use crate::now_ms;

/// A tick comes each second.
const TICK_MS: Ms = 1000;
/// One may come late, on a machine that has others to serve.
const LATE_MS: Ms = TICK_MS * 8 / 10;

#[derive(Default)]
pub(super) struct Ticks {
    measured: usize,
    arrived: [usize; STRICT.len()],
    allowed: [usize; STRICT.len()],
}

impl Invariant for Ticks {
    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// The page of metrics shows no old tick.
    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        let since = Instant::now() - Duration::from_secs(3);
        let hindered = |it: &Excuse| stage.excuses.holds(*it, since);
        if [Excuse::Tick, Excuse::Answer].iter().any(hindered) {
            return Ok(());
        }
        let newest = stage.watch.seen().ticks.last().copied();
        match newest.map(|newest| now_ms() - newest) {
            Some(age) if age <= 2 * TICK_MS + LATE_MS => Ok(()),
            age => Err(format!("the newest tick is {age:?} ms old")),
        }
    }

    fn at_end(&mut self, stage: &mut Stage) -> Result<(), String> {
        let estate = &stage.estate;
        let arrived = [&estate.kept, &estate.named]
            .map(|receiver| Estate::arrived(receiver).collect::<BTreeSet<Ms>>());
        let mut seen = stage.watch.seen().ticks.clone();
        // What one receiver has was measured, whether or not its page was seen.
        seen.extend(arrived.iter().flatten());
        self.measured = seen.len();
        // The newest may be on its way.
        let settled = now_ms() - 5 * TICK_MS;
        let mut problems = Vec::new();
        for (at, ledger) in stage.ledgers.iter_mut().enumerate() {
            seen.range(..settled).for_each(|tick| ledger.measured(*tick));
            let missing = ledger.missing(&arrived[at]);
            (self.arrived[at], self.allowed[at]) = (arrived[at].len(), missing.allowed);
            if !missing.lost.is_empty() {
                problems.push(format!("'{}' never got {:?}", STRICT[at], missing.lost));
            }
        }
        let gaps = gaps(&seen, TICK_MS + LATE_MS, &stage.excuses.spans(Excuse::Tick));
        if !gaps.is_empty() {
            problems.push(format!("no tick was measured in {gaps:?}"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    fn figure(&self, stage: &Stage) -> String {
        let each = STRICT.iter().zip(self.arrived).zip(self.allowed).map(|((sink, all), lost)| {
            format!("at '{sink}' {all} ({lost} lost in memory by kills)")
        });
        let accepted = stage.estate.kept.accepted() + stage.estate.named.accepted();
        let each = each.collect::<Vec<_>>().join(", ");
        format!("ticks {}, {each}; samples delivered to both {accepted}", self.measured)
    }
}
