//! What all parsers have in common: nothing that the kernel, or whoever stands
//! in for it, writes may make them panic.

use std::path::Path;

use proptest::prelude::*;

use super::source::Files;
use super::{
    CollectError, Collector, conntrack, cpu, disk, diskio, ebs, filefd, load, memory, netstat,
    network, pressure, process_states, sockstat, stat, vmstat,
};
use crate::metrics::sample::Sample;
use crate::platform::paths::Paths;

/// What a collector measures once on the host below `root`.
pub(super) fn collect(
    collector: &mut dyn Collector,
    root: &Path,
) -> Result<Vec<Sample>, CollectError> {
    let mut out = Vec::new();
    collector.collect(&mut Files::new(&Paths::installed(root)), &mut out)?;
    Ok(out)
}

/// Name, labels' values and value of each sample.
pub(super) fn shown(samples: &[Sample]) -> Vec<String> {
    samples.iter().map(crate::metrics::openmetrics::line).collect()
}

/// Every parser on the same text.
fn parse_all(text: &[u8]) {
    cpu::parse(text).for_each(drop);
    memory::parse(text).for_each(|line| drop(line.sample()));
    vmstat::parse(text, vmstat::PAGING).for_each(drop);
    stat::parse(text).for_each(drop);
    diskio::parse(text).for_each(drop);
    ebs::parse(text).map(ebs::volume);
    netstat::parse(text).for_each(drop);
    sockstat::parse(text).for_each(drop);
    pressure::parse(text).for_each(drop);
    filefd::parse(text);
    conntrack::parse(text);
    process_states::parse(text);
    load::parse(text);
    network::parse(text).for_each(drop);
    disk::mountinfo::reported(disk::mountinfo::parse(text));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse_all(&text);
    }

    /// Text that is nearly right reaches deeper than noise does.
    #[test]
    fn no_words_make_a_parser_panic(
        words in proptest::collection::vec(proptest::sample::select(&[
            "cpu", "cpu0", "MemTotal:", "kB", "pswpin", "eth0:", "0:1", "/", "-", "rw", "ro,",
            "ext4", "sda", "nvme0n1", "Tcp:", "InSegs", "TCP:", "mem", "some", "total=", "total=9",
            "(a", ")", "S", "vol", "0a", "pgfault", "intr", "\\040", "\\04", "\\777", "1", "18446744073709551615", "18446744073709551616",
            "-1", "0.5", "1e999", "NaN", ":", "\n", "\t", "\0", "é",
        ][..]), 0..60),
        glue in proptest::sample::select(&[" ", "", "\n", ":"][..]),
    ) {
        parse_all(words.join(glue).as_bytes());
    }
}
