//! The last boot as measurements: how long it took, what of that each phase did, and
//! what came of it. They are made once for each report and sent with every tick.
//!
//! States are values, never labels, and few phases are named, so that a boot is about
//! ten series. CloudWatch's schemas do not know them, so they cost nothing there.

use super::board::Board;
use crate::configure::blame::Blame;
use crate::configure::report::{Outcome, Phase, Report};
use crate::metrics::sample::{Sample, label};

/// The phases that have a series each; the others have one together.
const PHASES: [&str; 4] = ["identity", "scopes", "fetch", "step"];

/// The measurements of the boot whose report was last seen.
#[derive(Debug, Default)]
pub(super) struct BootSamples {
    samples: Vec<Sample>,
    /// Whether nothing more is to come of that report.
    settled: bool,
}

impl BootSamples {
    /// There may be a new report.
    pub(super) fn unsettle(&mut self) {
        self.settled = false;
    }
}

impl Board {
    /// The measurements of the last boot that is over; none before there is one.
    pub(super) fn boot_samples(&self) -> Vec<Sample> {
        let mut view = self.view();
        if !view.boot.settled {
            self.catch_up(&mut view);
            let at_work = view.at_work();
            if let Some(report) = view.report.as_ref().filter(|_| !at_work) {
                let samples = samples(report);
                view.boot = BootSamples { samples, settled: true };
            }
        }
        view.boot.samples.clone()
    }
}

/// The measurements of a boot that is over. One that broke off has failed.
fn samples(report: &Report) -> Vec<Sample> {
    let gauge = |name: &'static str, value| Sample::gauge(name, Vec::new(), value);
    let flag = |name, is: bool| gauge(name, f64::from(u8::from(is)));
    let failed = matches!(report.outcome, Outcome::Failed | Outcome::Running);
    let ran = report.decision.as_ref().is_some_and(|decision| decision.run);
    let mut samples = vec![
        flag("gild_boot_failed", failed),
        flag("gild_boot_degraded", report.outcome == Outcome::Degraded),
        flag("gild_boot_step_ran", ran),
    ];
    if report.duration_ms.is_none() {
        return samples;
    }
    let blame = Blame::of(report);
    samples.push(gauge("gild_boot_duration_seconds", blame.total_ms / 1e3));
    samples.push(gauge("gild_boot_engine_duration_seconds", blame.engine_ms / 1e3));
    let took = |phases: &[Phase], name| {
        let named = phases.iter().filter(|phase| phase.name == name);
        named.fold(0.0, |sum, phase| sum + phase.duration_ms)
    };
    let mut other = blame.total_ms;
    for name in PHASES {
        let ms = took(&blame.phases, name);
        other -= ms;
        samples.push(phase(name, ms));
    }
    samples.push(phase("other", other.max(0.0)));
    samples.push(phase("notify", took(&blame.after, "notify")));
    samples
}

fn phase(name: &str, ms: f64) -> Sample {
    let labels = vec![label("phase", name)];
    Sample::gauge("gild_boot_phase_duration_seconds", labels, ms / 1e3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::image::record::Record;
    use crate::metrics::openmetrics::{self, Format};
    use crate::metrics::sample::Tick;
    use crate::metrics::sink::cloudwatch::include::Include;
    use crate::metrics::sink::cloudwatch::schema::{CloudWatchSchema, Page, Translator};
    use crate::platform::paths::Paths;
    use crate::platform::redact::Redactor;

    fn report() -> Report {
        let mut report = Report::started("2026-11-22T10:00:00.000Z");
        report.outcome = Outcome::Degraded;
        report.duration_ms = Some(5000.0);
        report.engine =
            serde_json::from_value(json!({"name": "ansible", "duration_ms": 4000.0})).unwrap();
        report.decision = serde_json::from_value(json!({"run": true, "reason": "first"})).unwrap();
        let phases = [
            ("start", 2.0),
            ("identity", 20.0),
            ("scopes", 50.0),
            ("step", 4100.0),
            ("notify", 900.0),
        ];
        report.phases = phases
            .map(|(name, ms)| {
                serde_json::from_value(json!({"name": name, "outcome": "ok", "duration_ms": ms}))
                    .unwrap()
            })
            .into();
        report
    }

    #[test]
    fn a_boot_is_about_ten_series_that_add_up() {
        let samples = samples(&report());
        let tick = Tick::new(SystemTime::now(), samples.clone());
        let page = openmetrics::render(&tick, Format::Text);
        let lines: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "gild_boot_failed 0",
            "gild_boot_degraded 1",
            "gild_boot_step_ran 1",
            "gild_boot_duration_seconds 5",
            "gild_boot_engine_duration_seconds 4",
            "gild_boot_phase_duration_seconds{phase=\"identity\"} 0.02",
            "gild_boot_phase_duration_seconds{phase=\"scopes\"} 0.05",
            "gild_boot_phase_duration_seconds{phase=\"fetch\"} 0",
            "gild_boot_phase_duration_seconds{phase=\"step\"} 4.1",
            "gild_boot_phase_duration_seconds{phase=\"other\"} 0.83",
            "gild_boot_phase_duration_seconds{phase=\"notify\"} 0.9",
        ];
        assert_eq!(lines, expected);
        // They raise nobody's bill, and the image's series beside them neither.
        let image = Record { name: "web".to_owned(), ..Record::default() };
        let samples = samples.into_iter().chain([image.sample()]).collect();
        let tick = Tick::new(SystemTime::now(), samples);
        for schema in CloudWatchSchema::ALL {
            let schema = schema.schema();
            let include = Include::new(schema, ["*"].into_iter(), &[]).unwrap();
            let (mut translator, mut page) = (Translator::new(schema), Page::new(&include));
            for _ in 0..2 {
                translator.figures(&tick, &mut page);
                assert_eq!(page.figures, [], "{schema:?}");
            }
        }
    }

    #[test]
    fn a_boot_is_measured_when_it_is_over_and_until_the_next_one_is() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        let board = Board::new(&paths);
        let value = |name: &str| {
            let samples = board.boot_samples();
            samples.iter().find(|sample| sample.name == name).map(|sample| sample.value)
        };
        let take = |report: &Report| {
            let mut view = board.view();
            view.report = Some(report.clone());
            view.boot.unsettle();
        };
        assert_eq!(value("gild_boot_failed"), None);
        // This process is at work.
        let mut running = Report::started("2026-11-22T10:00:00.000Z");
        take(&running);
        assert_eq!(value("gild_boot_failed"), None);
        take(&report());
        assert_eq!(value("gild_boot_duration_seconds"), Some(5.0));
        take(&running);
        assert_eq!(value("gild_boot_duration_seconds"), Some(5.0));
        // It is gone: by its last report, where it has left one, else as a failure.
        running.process = None;
        take(&running);
        assert_eq!(value("gild_boot_failed"), Some(1.0));
        assert_eq!(value("gild_boot_duration_seconds"), None);
        take(&running);
        report().write(&paths, &Redactor::default()).unwrap();
        assert_eq!(value("gild_boot_degraded"), Some(1.0));
    }
}
