//! What was found as measurements.
//!
//! To add one: a line here and one in `metrics::help`.

use super::{Watch, lock};
use crate::health::unit::ActiveState;
use crate::health::usage::Usage;
use crate::metrics::sample::{Kind, Sample, label};

impl Watch {
    /// The measurements. What is not known has none: a gap, not a guess.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut down = 0u32;
        let mut unknown = false;
        for (name, found) in lock(&self.found).iter() {
            let labels = || vec![label("service", name.clone())];
            unknown |= found.health.up.is_none();
            if let Some(up) = found.health.up {
                down += u32::from(!up);
                samples.push(Sample::gauge("service_up", labels(), f64::from(u8::from(up))));
            }
            let state = found.health.state.as_deref().and_then(ActiveState::from_word);
            if let Some(state) = state {
                samples.push(Sample::gauge("service_state", labels(), state.code().into()));
            }
            if let Some(restarts) = found.restarts {
                let name = "service_restarts_total";
                samples.push(Sample::counter(name, labels(), restarts.into()));
            }
            let Usage { memory, cpu, processes, oom_kills } = found.usage;
            let whole = |value: Option<u64>| value.map(|value| value as f64);
            for (of, name, value) in [
                (Kind::Gauge, "service_memory_bytes", whole(memory)),
                (Kind::Counter, "service_cpu_seconds_total", cpu),
                (Kind::Gauge, "service_processes", whole(processes)),
                (Kind::Counter, "service_oom_kills_total", whole(oom_kills)),
            ] {
                samples.extend(value.map(|value| Sample::of(of, name.into(), labels(), value)));
            }
            for (probe, took) in &found.probes {
                let mut labels = labels();
                labels.push(label("probe", *probe));
                samples.push(Sample::gauge("service_probe_seconds", labels, took.as_secs_f64()));
            }
        }
        // As long as some verdict is missing, none is known to be down and that
        // is not the same as none being down.
        if !unknown || down > 0 {
            samples.push(Sample::gauge("services_unhealthy", Vec::new(), down.into()));
        }
        samples
    }
}
