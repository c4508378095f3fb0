//! The hard limit on distinct metrics: each costs money every month, and a host
//! with many mounts or services must not surprise anyone.
//!
//! A metric that was let in stays in. Those that come later get what is left,
//! in the order of the `include` patterns, then by name and dimensions.

use std::collections::BTreeSet;

use super::datum::Metric;
use super::schema::{ON_REQUEST, UNHEALTHY, Unit};
use crate::metrics::pattern;

/// Which metrics may be sent.
#[derive(Debug)]
pub struct Budget {
    most: usize,
    include: Vec<String>,
    admitted: BTreeSet<Metric>,
    decided: bool,
    said: bool,
}

impl Budget {
    /// At most `most` metrics of those that `include` stands for.
    pub fn new(include: &[String], most: usize) -> Self {
        let include = include.to_vec();
        Self { most, include, admitted: BTreeSet::new(), decided: false, said: false }
    }

    /// The place of a metric's name among the patterns; nothing where no
    /// pattern stands for it.
    pub fn place(&self, name: &str) -> Option<usize> {
        let group = ON_REQUEST.into_iter().find(|group| name.starts_with(group));
        let asked = |text: &str| group.is_none_or(|group| text.starts_with(group));
        self.include.iter().position(|text| asked(text) && pattern::matches(text, name))
    }

    /// Lets metrics in as long as there is room.
    pub fn admit(&mut self, metrics: impl Iterator<Item = Metric>) {
        let mut newcomers: BTreeSet<Metric> =
            metrics.filter(|metric| !self.admitted.contains(metric)).collect();
        if !std::mem::replace(&mut self.decided, true) {
            // Services have no verdict yet when the first metrics appear; the
            // one that alarms are made for must not find its place taken.
            newcomers.extend(self.place(UNHEALTHY).map(|place| Metric {
                place,
                name: UNHEALTHY,
                about: Vec::new(),
                unit: Unit::Count,
            }));
        }
        for metric in newcomers {
            if self.admitted.len() < self.most {
                self.admitted.insert(metric);
            } else if !std::mem::replace(&mut self.said, true) {
                tracing::warn!(
                    metric = metric.name,
                    max_metrics = self.most,
                    "this host has more metrics than it may send; this one and others are left out"
                );
            }
        }
    }

    /// Whether a metric was let in.
    pub fn admits(&self, metric: &Metric) -> bool {
        self.admitted.contains(metric)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn budget(include: &[&str], most: usize) -> Budget {
        Budget::new(&include.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), most)
    }

    fn metrics(budget: &Budget, names: &[(&'static str, &str)]) -> Vec<Metric> {
        let metric = |(name, path): &(&'static str, &str)| Metric {
            place: budget.place(name).unwrap_or(usize::MAX),
            name,
            about: vec![("path", Arc::from(*path))],
            unit: Unit::Percent,
        };
        names.iter().map(metric).collect()
    }

    #[test]
    fn the_order_of_the_patterns_decides_then_name_and_dimensions() {
        let mut budget = budget(&["mem_*", "disk_*"], 3);
        let all =
            metrics(&budget, &[("disk_b", "/"), ("disk_a", "/z"), ("disk_a", "/a"), ("mem_x", "")]);
        budget.admit(all.iter().cloned());
        let admitted: Vec<_> = all.iter().map(|metric| budget.admits(metric)).collect();
        assert_eq!(admitted, [false, true, true, true]);
    }

    #[test]
    fn who_is_in_stays_in_and_the_limit_is_hard() {
        let mut budget = budget(&["mem_*", "disk_*"], 2);
        let first = metrics(&budget, &[("disk_a", "/"), ("disk_b", "/")]);
        budget.admit(first.iter().cloned());
        let late = metrics(&budget, &[("mem_x", "")]);
        budget.admit(first.iter().chain(&late).cloned());
        assert!(budget.admits(&first[1]) && !budget.admits(&late[0]));
        assert_eq!(budget.admitted.len(), 2);
    }

    #[test]
    fn the_count_of_unhealthy_services_has_its_place_kept() {
        let mut budget = budget(&["services_unhealthy", "disk_*"], 2);
        let disks = metrics(&budget, &[("disk_a", "/"), ("disk_b", "/")]);
        budget.admit(disks.iter().cloned());
        assert!(budget.admits(&disks[0]) && !budget.admits(&disks[1]));
    }

    #[test]
    fn what_is_sent_on_request_is_not_what_a_star_stands_for() {
        let asked = |pattern: &str, name: &str| budget(&[pattern], 9).place(name).is_some();
        for pattern in ["*", "d*", "disk*", "disk_*", "net*", "p*"] {
            for name in ["diskio_reads", "netstat_udp_socket", "processes_total"] {
                assert!(!asked(pattern, name), "{pattern} {name}");
            }
        }
        assert!(
            asked("*", "disk_used") && asked("disk*", "disk_used") && asked("net*", "net_err_in")
        );
        assert!(asked("diskio_*", "diskio_reads") && asked("diskio_reads", "diskio_reads"));
        assert!(asked("netstat*", "netstat_udp_socket"));
    }
}
