//! The hard limit on distinct metrics: each costs money every month, and a host
//! with many mounts or services must not surprise anyone.
//!
//! A metric that was let in stays in. Those that come later get what is left,
//! in the order of the `include` patterns, then by name and dimensions.

use std::collections::BTreeSet;

use super::datum::Metric;
use super::include::Include;
use super::schema::{UNHEALTHY, Unit};
use crate::metrics::left_out::LeftOut;

/// Which metrics may be sent.
#[derive(Debug)]
pub struct Budget {
    most: usize,
    admitted: BTreeSet<Metric>,
    decided: bool,
    said: bool,
    left_out: LeftOut,
}

impl Budget {
    /// At most `most` metrics.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            admitted: BTreeSet::new(),
            decided: false,
            said: false,
            left_out: LeftOut::default(),
        }
    }

    /// Lets metrics in as long as there is room. `include` is what brought them here.
    pub fn admit<'a>(&mut self, metrics: impl Iterator<Item = &'a Metric>, include: &Include) {
        let mut newcomers: BTreeSet<Metric> =
            metrics.filter(|metric| !self.admitted.contains(*metric)).cloned().collect();
        if !std::mem::replace(&mut self.decided, true) {
            // Services have no verdict yet when the first metrics appear; the
            // one that alarms are made for must not find its place taken.
            newcomers.extend(include.place(UNHEALTHY, &[]).map(|place| Metric {
                place,
                name: UNHEALTHY,
                about: Vec::new(),
                unit: if include.units() { Unit::Count } else { Unit::Unsaid },
                high: include.is_high(UNHEALTHY, &[]),
            }));
        }
        let mut rest = Vec::new();
        for metric in newcomers {
            if self.admitted.len() < self.most {
                self.admitted.insert(metric);
            } else {
                rest.push(metric);
            }
        }
        self.left_out = LeftOut::of(rest.len(), rest.iter().map(Metric::text));
        if !rest.is_empty() && !std::mem::replace(&mut self.said, true) {
            tracing::warn!(
                metrics = %self.left_out.text(),
                max_metrics = self.most,
                "this host has more metrics than it may send; these are left out"
            );
        }
    }

    /// What the last tick had that was not let in.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Whether no metric has come so far.
    pub fn is_new(&self) -> bool {
        !self.decided
    }

    /// Whether a metric was let in.
    pub fn admits(&self, metric: &Metric) -> bool {
        self.admitted.contains(metric)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::super::schema::CloudWatchSchema;
    use super::*;

    fn include(patterns: &[&str]) -> Include {
        let schema = CloudWatchSchema::CwAgent.schema();
        Include::new(schema, patterns.iter().copied(), &[]).unwrap()
    }

    fn metrics(include: &Include, names: &[(&'static str, &str)]) -> Vec<Metric> {
        let metric = |(name, path): &(&'static str, &str)| Metric {
            place: include.place(name, &[]).unwrap_or(usize::MAX),
            name,
            about: vec![("path", Arc::from(*path))],
            unit: Unit::Percent,
            high: false,
        };
        names.iter().map(metric).collect()
    }

    #[test]
    fn the_order_of_the_patterns_decides_then_name_and_dimensions() {
        let (mut budget, include) = (Budget::new(3), include(&["mem_*", "disk_*"]));
        let names = [("disk_b", "/"), ("disk_a", "/z"), ("disk_a", "/a"), ("mem_x", "")];
        let all = metrics(&include, &names);
        budget.admit(all.iter(), &include);
        let admitted: Vec<_> = all.iter().map(|metric| budget.admits(metric)).collect();
        assert_eq!(admitted, [false, true, true, true]);
    }

    #[test]
    fn who_is_in_stays_in_and_the_limit_is_hard() {
        let (mut budget, include) = (Budget::new(2), include(&["mem_*", "disk_*"]));
        let first = metrics(&include, &[("disk_a", "/"), ("disk_b", "/")]);
        budget.admit(first.iter(), &include);
        let late = metrics(&include, &[("mem_x", "")]);
        budget.admit(first.iter().chain(&late), &include);
        assert!(budget.admits(&first[1]) && !budget.admits(&late[0]));
        assert_eq!(budget.admitted.len(), 2);
        assert_eq!(budget.left_out().text(), "mem_x");
        budget.admit(first.iter(), &include);
        assert_eq!(*budget.left_out(), LeftOut::default(), "it is there no more");
    }

    #[test]
    fn what_is_left_out_is_told_in_the_same_order_however_it_comes() {
        let include = include(&["mem_*", "disk_*"]);
        let names = [("disk_b", "/"), ("disk_a", "/z"), ("disk_a", "/a"), ("mem_x", "")];
        let mut backwards = names;
        backwards.reverse();
        for names in [names, backwards] {
            let mut budget = Budget::new(1);
            budget.admit(metrics(&include, &names).iter(), &include);
            let text = "disk_a{path=/a}, disk_a{path=/z}, disk_b{path=/}";
            assert_eq!((budget.left_out().count, budget.left_out().text().as_str()), (3, text));
        }
    }

    #[test]
    fn the_count_of_unhealthy_services_has_its_place_kept() {
        let (mut budget, include) = (Budget::new(2), include(&["services_unhealthy", "disk_*"]));
        let disks = metrics(&include, &[("disk_a", "/"), ("disk_b", "/")]);
        budget.admit(disks.iter(), &include);
        assert!(budget.admits(&disks[0]) && !budget.admits(&disks[1]));
    }
}
