//! Paging, faults and the victims of the OOM killer, from `/proc/vmstat`: the
//! fields that node_exporter takes by default. Swapping has a collector of its
//! own.

use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::Sample;

/// The kernel's account of virtual memory.
pub(super) const VMSTAT: &str = "/proc/vmstat";

/// The fields of paging.
pub const PAGING: Wanted = &[
    ("pgpgin", "node_vmstat_pgpgin"),
    ("pgpgout", "node_vmstat_pgpgout"),
    ("pgfault", "node_vmstat_pgfault"),
    ("pgmajfault", "node_vmstat_pgmajfault"),
    ("oom_kill", "node_vmstat_oom_kill"),
];

/// The fields of swapping.
pub const SWAPPING: Wanted =
    &[("pswpin", "node_vmstat_pswpin"), ("pswpout", "node_vmstat_pswpout")];

/// The collector of paging.
#[derive(Debug)]
pub struct Vmstat;

impl Collector for Vmstat {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        add(PAGING, files, out)
    }
}

/// Fields, and the metrics that they become.
pub type Wanted = &'static [(&'static str, &'static str)];

/// Adds the fields that this kernel has.
pub(super) fn add(
    wanted: Wanted,
    files: &mut Files,
    out: &mut Vec<Sample>,
) -> Result<(), CollectError> {
    let Some(content) = files.read(VMSTAT)? else { return Ok(()) };
    out.extend(
        parse(content, wanted).map(|(name, count)| Sample::counter(name, vec![], count as f64)),
    );
    Ok(())
}

/// The wanted fields under the names of their metrics. Lines that cannot be
/// read are passed over.
pub fn parse(content: &[u8], wanted: Wanted) -> impl Iterator<Item = (&'static str, u64)> {
    lines(content).filter_map(move |line| {
        // Some hundred lines have other names: only the first letter is looked at.
        if !matches!(line.first(), Some(b'p' | b'o')) {
            return None;
        }
        let mut fields = fields(line);
        let field = fields.next()?;
        let (_, name) = wanted.iter().find(|(known, _)| *known == field)?;
        Some((*name, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    const TEXT: &[u8] = b"nr_free_pages 1\npgpgin 12\npgpgout 34\npswpin 5\npswpout 6\n\
        pgalloc_normal 8\npgfault 9\npgmajfault 10\npgfaultx 3\noom_kill 2\nthp_fault_alloc 9\n";

    #[test]
    fn the_fields_that_node_exporter_takes_are_found_among_the_rest() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Vmstat, root.path()).unwrap().is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        fs::write(root.path().join("proc/vmstat"), TEXT).unwrap();
        let expected = [
            "node_vmstat_pgpgin 12",
            "node_vmstat_pgpgout 34",
            "node_vmstat_pgfault 9",
            "node_vmstat_pgmajfault 10",
            "node_vmstat_oom_kill 2",
        ];
        assert_eq!(shown(&collect(&mut Vmstat, root.path()).unwrap()), expected);
    }

    #[test]
    fn swapping_is_told_apart() {
        let found: Vec<_> = parse(TEXT, SWAPPING).collect();
        assert_eq!(found, [("node_vmstat_pswpin", 5), ("node_vmstat_pswpout", 6)]);
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text = b"pgpgin\npgpgout x\npgfault -1\npgmajfaultt 4\n\xffpgpgin 1\noom_kill 1e3";
        assert_eq!(parse(text, PAGING).count(), 0);
    }
}
