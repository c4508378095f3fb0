//! What all parsers have in common: nothing that the kernel, or whoever stands
//! in for it, writes may make them panic.

use proptest::prelude::*;

use super::{cpu, disk, load, memory, network, swap};

/// Every parser on the same text.
fn parse_all(text: &[u8]) {
    cpu::parse(text).for_each(drop);
    memory::parse(text).for_each(|line| drop(line.sample()));
    swap::parse(text).for_each(drop);
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
            "ext4", "\\040", "\\04", "\\777", "1", "18446744073709551615", "18446744073709551616",
            "-1", "0.5", "1e999", "NaN", ":", "\n", "\t", "\0", "é",
        ][..]), 0..60),
        glue in proptest::sample::select(&[" ", "", "\n", ":"][..]),
    ) {
        parse_all(words.join(glue).as_bytes());
    }
}
