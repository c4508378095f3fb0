//! Metrics that CloudWatch refuses by themselves. To find one among others takes
//! calls that cost money, so it is left out for a while and then tried again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::datum::Metric;

/// How long a metric is left out.
const FOR: Duration = Duration::from_secs(3600);

/// The metrics that are left out, each since when.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<Metric, Instant>);

impl Refused {
    /// Leaves a metric out. There are never more than the budget lets in.
    pub(super) fn add(&mut self, metric: Metric, now: Instant) {
        tracing::warn!(
            metric = metric.name,
            "CloudWatch refuses this metric and takes others; it is left out for an hour"
        );
        self.0.insert(metric, now);
    }

    /// Whether a metric is left out at this moment.
    pub(super) fn holds(&mut self, metric: &Metric, now: Instant) -> bool {
        let Some(since) = self.0.get(metric) else { return false };
        let holds = now.saturating_duration_since(*since) < FOR;
        if !holds {
            self.0.remove(metric);
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Unit;
    use super::*;

    #[test]
    fn a_metric_that_was_refused_is_tried_again_after_an_hour() {
        let metric =
            |name| Metric { place: 0, name, about: vec![], unit: Unit::Count, high: false };
        let (mut refused, now) = (Refused::default(), Instant::now());
        refused.add(metric("bad"), now);
        assert!(refused.holds(&metric("bad"), now + FOR - Duration::from_secs(1)));
        assert!(!refused.holds(&metric("good"), now));
        assert!(!refused.holds(&metric("bad"), now + FOR));
        assert!(!refused.holds(&metric("bad"), now), "it has to be refused again");
    }
}
