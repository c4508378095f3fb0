//! The kernel's account of memory, from `/proc/meminfo`: every key becomes
//! `node_memory_<key>_bytes`. Swap space has a collector of its own.

use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::Sample;

/// The kernel's account of memory.
pub(super) const MEMINFO: &str = "/proc/meminfo";

/// The collector of memory.
#[derive(Debug)]
pub struct Memory;

impl Collector for Memory {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(MEMINFO)? else { return Ok(()) };
        let before = out.len();
        out.extend(parse(content).filter(|line| !line.is_swap()).map(|line| line.sample()));
        if out.len() == before {
            return Err(files.lacks(MEMINFO, "any amount of memory"));
        }
        Ok(())
    }
}

/// One line of `/proc/meminfo`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    key: &'a str,
    amount: u64,
    kilobytes: bool,
}

impl Line<'_> {
    /// Whether the line is about swap space.
    pub fn is_swap(&self) -> bool {
        self.key.starts_with("Swap")
    }

    /// The line as node_exporter names it: `Active(anon)` is
    /// `node_memory_Active_anon_bytes`; what counts pages has no `_bytes`.
    pub fn sample(&self) -> Sample {
        let unit = if self.kilobytes { "_bytes" } else { "" };
        let mut name = String::with_capacity("node_memory_".len() + self.key.len() + unit.len());
        name.push_str("node_memory_");
        for letter in self.key.chars() {
            match letter {
                '(' => name.push('_'),
                ')' => {}
                _ => name.push(letter),
            }
        }
        name.push_str(unit);
        let factor = if self.kilobytes { 1024.0 } else { 1.0 };
        Sample::gauge(name, vec![], self.amount as f64 * factor)
    }
}

/// The lines of `/proc/meminfo` that can be read; others are passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = Line<'_>> {
    lines(content).filter_map(|line| {
        let mut fields = fields(line);
        let key = fields.next()?.strip_suffix(':')?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')');
        if key.is_empty() || !key.bytes().all(known) {
            return None;
        }
        let amount = fields.next()?.parse().ok()?;
        let kilobytes = match fields.next() {
            None => false,
            Some("kB") => true,
            Some(_) => return None,
        };
        Some(Line { key, amount, kilobytes })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, f64)> {
        parse(text.as_bytes())
            .map(|line| line.sample())
            .map(|sample| (sample.name.into_owned(), sample.value))
            .collect()
    }

    #[test]
    fn names_are_those_of_node_exporter() {
        let text = "MemTotal:       24684096 kB\nActive(anon):       1560 kB\n\
                    HugePages_Total:       3\nHugepagesize:       2048 kB\n";
        let expected = [
            ("node_memory_MemTotal_bytes", 24_684_096.0 * 1024.0),
            ("node_memory_Active_anon_bytes", 1560.0 * 1024.0),
            ("node_memory_HugePages_Total", 3.0),
            ("node_memory_Hugepagesize_bytes", 2048.0 * 1024.0),
        ];
        assert_eq!(named(text), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn lines_that_cannot_be_read_are_passed_over() {
        let text = "MemTotal 1 kB\nMemFree: kB\nMemFree: -1 kB\nBuffers: 1 MB\n: 1 kB\n\
                    Ca ched: 1 kB\nKey{x=\"y\"}: 1 kB\nMemFree: 99999999999999999999999 kB\nDirty: 7 kB";
        assert_eq!(named(text), [("node_memory_Dirty_bytes".to_owned(), 7.0 * 1024.0)]);
        assert_eq!(parse(b"\xff\xfe: 1 kB\n\0").count(), 0);
    }

    #[test]
    fn swap_is_left_to_its_own_collector() {
        let lines: Vec<_> = parse(b"SwapTotal: 1 kB\nSwapCached: 1 kB\nZswap: 1 kB\n").collect();
        assert_eq!(lines.iter().map(Line::is_swap).collect::<Vec<_>>(), [true, true, false]);
    }
}
