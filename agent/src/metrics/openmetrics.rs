//! A tick as Prometheus reads it: the text format, and OpenMetrics, which
//! differs in the names of families and in its last line.

use std::collections::HashMap;
use std::fmt::Write;

use super::help;
use super::sample::{Kind, Sample, Tick};

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// The whole tick, families in the order in which they first appear.
pub fn render(tick: &Tick, format: Format) -> String {
    let mut families: Vec<(&str, Vec<&Sample>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for sample in &tick.samples {
        let place = *places.entry(&sample.name).or_insert_with(|| {
            families.push((&sample.name, Vec::new()));
            families.len() - 1
        });
        families[place].1.push(sample);
    }
    let mut text = String::with_capacity(tick.samples.len() * 96);
    for (name, samples) in families {
        let kind = samples.first().map_or(Kind::Gauge, |sample| sample.kind);
        let has = |name: &str| places.contains_key(name);
        let (family, kind) = described(name, kind, format, has);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {family} {}", help::of(name));
        let _ = writeln!(text, "# TYPE {family} {kind}");
        for sample in samples {
            write_sample(&mut text, sample);
            text.push('\n');
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

/// The name and the type of a family. A counter whose name does not say so is
/// none to either format; nor is one to OpenMetrics where another program has a
/// metric of a name that the counter's family would take.
fn described(
    name: &str,
    kind: Kind,
    format: Format,
    has: impl Fn(&str) -> bool,
) -> (&str, &'static str) {
    match (kind, name.strip_suffix("_total"), format) {
        (Kind::Gauge, ..) => (name, "gauge"),
        (Kind::Counter, Some(_), Format::Text) => (name, "counter"),
        (Kind::Counter, Some(family), Format::OpenMetrics)
            if !has(family) && !has(&format!("{family}_created")) =>
        {
            (family, "counter")
        }
        (Kind::Counter, None, Format::Text) => (name, "untyped"),
        (Kind::Counter, _, Format::OpenMetrics) => (name, "unknown"),
    }
}

/// One sample as a line without its end.
pub fn line(sample: &Sample) -> String {
    let mut text = String::new();
    write_sample(&mut text, sample);
    text
}

fn write_sample(text: &mut String, sample: &Sample) {
    write_name(text, &sample.name, sample.labels.iter().map(|(name, value)| (&**name, &**value)));
    text.push(' ');
    write_value(text, sample.value);
}

/// A name with its labels: `name{a="b",c="d"}`.
pub fn write_name<'a>(
    text: &mut String,
    name: &str,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) {
    text.push_str(name);
    let mut before = '{';
    for (label, value) in labels {
        text.push(before);
        before = ',';
        text.push_str(label);
        text.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                _ => text.push(letter),
            }
        }
        text.push('"');
    }
    if before == ',' {
        text.push('}');
    }
}

/// A value as both formats write it.
pub fn write_value(text: &mut String, value: f64) {
    let _ = if value == f64::INFINITY {
        text.write_str("+Inf")
    } else if value == f64::NEG_INFINITY {
        text.write_str("-Inf")
    } else {
        write!(text, "{value}")
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use super::super::sample::label;
    use super::*;

    fn tick() -> Tick {
        let cpu = |mode: &str| vec![label("cpu", "0"), label("mode", mode)];
        let samples = vec![
            Sample::counter("node_cpu_seconds_total", cpu("user"), 1.5),
            Sample::gauge("node_load1", vec![], 0.25),
            Sample::counter("node_cpu_seconds_total", cpu("a\\b\"c\nd"), 2.0),
            Sample::counter("node_vmstat_pswpin", vec![], 7.0),
        ];
        Tick::new(SystemTime::now(), samples)
    }

    #[test]
    fn families_stand_together_and_labels_are_escaped() {
        let expected = r#"# HELP node_cpu_seconds Seconds that each processor spent in each mode.
# TYPE node_cpu_seconds counter
node_cpu_seconds_total{cpu="0",mode="user"} 1.5
node_cpu_seconds_total{cpu="0",mode="a\\b\"c\nd"} 2
# HELP node_load1 Load average over 1 minute.
# TYPE node_load1 gauge
node_load1 0.25
# HELP node_vmstat_pswpin Pages swapped in.
# TYPE node_vmstat_pswpin unknown
node_vmstat_pswpin 7
# EOF
"#;
        assert_eq!(render(&tick(), Format::OpenMetrics), expected);
    }

    #[test]
    fn a_counter_has_no_family_of_whose_name_there_is_another() {
        let named = |other: &'static str| {
            let both =
                vec![Sample::counter("x_total", vec![], 1.0), Sample::gauge(other, vec![], 2.0)];
            let page = render(&Tick::new(SystemTime::now(), both), Format::OpenMetrics);
            page.lines().find(|line| line.starts_with("# TYPE")).map(str::to_owned)
        };
        for other in ["x", "x_created"] {
            assert_eq!(named(other).as_deref(), Some("# TYPE x_total unknown"), "{other}");
        }
        assert_eq!(named("x_other").as_deref(), Some("# TYPE x counter"));
    }

    #[test]
    fn the_text_format_names_a_counter_whole_and_has_no_end() {
        let text = render(&tick(), Format::Text);
        assert!(text.contains("# TYPE node_cpu_seconds_total counter\n"));
        assert!(text.contains("# TYPE node_vmstat_pswpin untyped\n"));
        assert!(!text.contains("# EOF"));
    }

    #[test]
    fn values_are_written_as_prometheus_reads_them() {
        let written = |value| {
            let mut text = String::new();
            write_value(&mut text, value);
            text
        };
        assert_eq!(written(25_276_514_304.0), "25276514304");
        assert_eq!(written(f64::INFINITY), "+Inf");
        assert_eq!(written(f64::NEG_INFINITY), "-Inf");
        assert_eq!(written(f64::NAN), "NaN");
    }
}
