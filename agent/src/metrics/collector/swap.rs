//! Swap space, from `/proc/meminfo`, and swapping, from `/proc/vmstat`.

use super::source::Files;
use super::{CollectError, Collector, memory, vmstat};
use crate::metrics::sample::Sample;

/// The collector of swap.
#[derive(Debug)]
pub struct Swap;

impl Collector for Swap {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        if let Some(content) = files.read(memory::MEMINFO)? {
            out.extend(
                memory::parse(content).filter(memory::Line::is_swap).map(|line| line.sample()),
            );
        }
        vmstat::add(vmstat::SWAPPING, files, out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn space_and_swapping_are_found_in_two_files() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Swap, root.path()).unwrap().is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        fs::write(root.path().join("proc/meminfo"), "MemTotal: 9 kB\nSwapFree: 2 kB\n").unwrap();
        fs::write(root.path().join("proc/vmstat"), "pgpgin 1\npswpin 12\npswpout 34\n").unwrap();
        let expected =
            ["node_memory_SwapFree_bytes 2048", "node_vmstat_pswpin 12", "node_vmstat_pswpout 34"];
        assert_eq!(shown(&collect(&mut Swap, root.path()).unwrap()), expected);
    }
}
