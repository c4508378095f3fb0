//! Swap space, from `/proc/meminfo`, and swapping, from `/proc/vmstat`.

use super::source::{Source, fields, lines};
use super::{CollectError, Collector, memory};
use crate::metrics::sample::Sample;
use crate::platform::paths::Paths;

/// The collector of swap.
#[derive(Debug)]
pub struct Swap {
    meminfo: Source,
    vmstat: Source,
}

impl Swap {
    /// Reads below `paths`.
    pub fn new(paths: &Paths) -> Self {
        Self {
            meminfo: Source::new(paths.host("/proc/meminfo")),
            vmstat: Source::new(paths.host("/proc/vmstat")),
        }
    }
}

impl Collector for Swap {
    fn collect(&mut self, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        if let Some(content) = self.meminfo.read()? {
            out.extend(
                memory::parse(content).filter(memory::Line::is_swap).map(|line| line.sample()),
            );
        }
        if let Some(content) = self.vmstat.read()? {
            out.extend(
                parse(content).map(|(name, pages)| Sample::counter(name, vec![], pages as f64)),
            );
        }
        Ok(())
    }
}

/// The pages swapped in and out, from `/proc/vmstat`, under node_exporter's
/// names. A kernel without swap has neither.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&'static str, u64)> {
    lines(content).filter_map(|line| {
        // Some hundred lines have other names: compare bytes before anything else.
        if !line.starts_with(b"pswp") {
            return None;
        }
        let mut fields = fields(line);
        let name = match fields.next()? {
            "pswpin" => "node_vmstat_pswpin",
            "pswpout" => "node_vmstat_pswpout",
            _ => return None,
        };
        Some((name, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_in_and_out_are_found_among_the_rest() {
        let text = b"nr_free_pages 1\npswpin 12\npswpout 34\npswpother 5\nthp_fault 9\n";
        let found: Vec<_> = parse(text).collect();
        assert_eq!(found, [("node_vmstat_pswpin", 12), ("node_vmstat_pswpout", 34)]);
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        assert_eq!(parse(b"pswpin\npswpout x\npswpin -1\npswpinn 4\n\xffpswpin 1").count(), 0);
    }
}
