//! Which series have come to an end: those of the tick before that this one has
//! no more. Without a marker a receiver goes on with the last value for five
//! minutes, and a disk that was taken away looks as if it were there.

use std::collections::HashSet;
use std::sync::Arc;

use crate::metrics::sample::{Label, Sample, Tick};

/// What was there at the last tick. The tick is shared with all who hold it, so
/// this costs next to nothing.
#[derive(Debug, Default)]
pub(super) struct Ended {
    last: Option<Arc<Tick>>,
}

impl Ended {
    /// The series that the tick before had and this one has not; nothing where both
    /// have the same series in the same order. From now on it is the tick before.
    pub(super) fn since_last(&mut self, tick: &Arc<Tick>) -> Option<Vec<Sample>> {
        let Some(before) = self.last.replace(Arc::clone(tick)) else { return Some(Vec::new()) };
        // Nearly every tick has the series of the one before.
        if before.samples.iter().map(series).eq(tick.samples.iter().map(series)) {
            return None;
        }
        let living: HashSet<_> = tick.samples.iter().map(series).collect();
        let ended = before.samples.iter().filter(|sample| !living.contains(&series(sample)));
        Some(ended.cloned().collect())
    }

    /// The last tick, all series of which come to an end with the sink.
    pub(super) fn all(&mut self) -> Option<Arc<Tick>> {
        self.last.take()
    }
}

fn series(sample: &Sample) -> (&str, &[Label]) {
    (&sample.name, &sample.labels)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::metrics::sample::label;

    fn tick(mounts: &[&str]) -> Arc<Tick> {
        let sample = |mount: &&str| Sample::gauge("x", vec![label("mount", *mount)], 1.0);
        Arc::new(Tick::new(SystemTime::UNIX_EPOCH, mounts.iter().map(sample).collect()))
    }

    #[test]
    fn a_series_ends_once_and_may_come_back() {
        let mut ended = Ended::default();
        let mut gone = |mounts: &[&str]| {
            let gone = ended.since_last(&tick(mounts)).unwrap_or_default();
            gone.iter().filter_map(|sample| sample.label("mount")).collect::<String>()
        };
        assert_eq!(gone(&["a", "b"]), "", "there was nothing before");
        assert_eq!(gone(&["b", "c"]), "a");
        assert_eq!(gone(&["b", "c"]), "", "it is said once");
        assert_eq!(gone(&["a"]), "bc");
        assert_eq!(gone(&["a", "b"]), "");
        assert_eq!(ended.since_last(&tick(&["a", "b"])), None, "nothing has changed");
    }
}
